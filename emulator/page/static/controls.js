// What can be changed while the emulator runs. The choices come from the API, so that no form drifts from it.

import { json } from "./api.js";
import { at, count, dialog, fill, h, problem, say } from "./dom.js";
import { put, store, watch } from "./feed.js";
import { here } from "./place.js";

const KINDS = { network: "On the network", azure: "Azure's own errors", identity: "The managed identity" };
const SPEEDS = [
  [0, "at once"],
  [0.25, "0.25×"],
  [1, "as recorded"],
  [4, "4×"],
];

let faults = null,
  drawn = null;

/** Changes the state; throws Refused. */
export async function change(parts) {
  put(await json("state", { method: "PATCH", body: parts }));
}

export async function arrive() {
  const box = at("controls");
  try {
    faults ??= (await json("faults")).faults;
    drawn = null;
    draw();
  } catch (error) {
    fill(box, problem(error));
  }
}

/** What may be set; a change by somebody else is seen, but nobody's half-written field is lost. */
function draw() {
  const { state } = store,
    box = at("controls");
  if (!state || !faults || here().view !== "controls") return;
  const known = JSON.stringify([
    state.fault,
    state.limits,
    state.time_scale,
    state.improvise,
    state.mode,
    state.recording,
    state.limits_left,
  ]);
  if (
    known === drawn ||
    (drawn && box.contains(document.activeElement) && document.activeElement.matches("input, select"))
  )
    return;
  const focused = box.contains(document.activeElement) && document.activeElement.id;
  drawn = known;
  const reading = h("p", { class: "note" }, "This is a run that is over: there is nothing to change.");
  fill(
    box,
    h("h2", {}, "Controls"),
    state.mode === "reading"
      ? reading
      : [fault(state), limits(state), speed(state), improvise(state), recording(state), reset()],
  );
  if (focused) at(focused)?.focus();
}

/** A group of fields whose button sends them; what is wrong with them stands under the field. */
function form(title, about, fields, read, ...buttons) {
  const wrong = h("p", { class: "wrong", id: `${title.replace(/\W/g, "")}-wrong`.toLowerCase(), role: "alert" });
  const set = (parts) => async () => {
    fill(wrong);
    fields.flat(9).forEach((one) => one.querySelector?.("[aria-invalid]")?.removeAttribute("aria-invalid"));
    drawn = "";
    try {
      await change(parts());
      say(`${title}: set`);
    } catch (error) {
      fill(wrong, error.message);
      group.querySelector("input[type=text], input[type=number]")?.setAttribute("aria-invalid", "true");
      group.querySelector("input[type=text], input[type=number]")?.setAttribute("aria-describedby", wrong.id);
    }
  };
  const press = (name, parts, id) => h("button", { type: "button", id, onclick: set(parts) }, name);
  const group = h(
    "fieldset",
    {},
    h("legend", {}, title),
    h("p", { class: "note" }, about),
    fields,
    wrong,
    h(
      "p",
      { class: "buttons" },
      press("Set", read, `set-${wrong.id}`),
      buttons.map(([name, parts]) => press(name, parts)),
    ),
  );
  group.addEventListener(
    "keydown",
    (event) => event.key === "Enter" && event.target.matches("input") && group.querySelector("button").click(),
  );
  return group;
}

const field = (label, input) => h("label", {}, h("span", {}, label), input);

function fault({ fault: now }) {
  const wish = h("input", { type: "text", id: "wish", autocomplete: "off", spellcheck: "false", value: now ?? "" });
  const names = Object.entries(KINDS).map(([kind, title]) =>
    h(
      "optgroup",
      { label: title },
      faults.filter((one) => one.kind === kind).map((one) => h("option", { value: one.name }, one.name)),
    ),
  );
  const choice = h("select", { id: "fault" }, h("option", { value: "" }, "none"), names),
    given = h("div", { class: "arguments" }),
    about = h("p", { class: "note" });
  const write = () => {
    const pairs = [...given.querySelectorAll("[name]")]
      .filter((one) => one.value)
      .map((one) => `; ${one.name}=${one.value}`);
    wish.value = choice.value + pairs.join("");
  };
  const show = (values) => {
    const known = faults.find((one) => one.name === choice.value);
    fill(about, known && `${known.about}${known.streams_only ? "; streams only" : ""}`);
    fill(
      given,
      known?.arguments.map((one) => field(one.name, argument(one, values[one.name] ?? "", write))),
    );
  };
  const read = () => {
    const [name, ...pairs] = wish.value.split(";").map((one) => one.trim());
    choice.value = faults.some((one) => one.name === name) ? name : "";
    show(Object.fromEntries(pairs.map((pair) => pair.split("=").map((one) => one.trim()))));
  };
  choice.addEventListener("change", () => (show({}), write()));
  wish.addEventListener("input", read);
  read();
  const what =
    "Every answer goes wrong so, until you stop it. The wish is what a header, a marker and --fault take as well.";
  return form(
    "Fault",
    what,
    [field("kind", choice), about, given, field("wish", wish)],
    () => ({ fault: wish.value.trim() || null }),
    ["Stop", () => ({ fault: null })],
  );
}

function argument({ name, type, choices }, value, write) {
  const input = choices
    ? h(
        "select",
        { name },
        h("option", { value: "" }, "–"),
        choices.map((one) => h("option", { value: one, selected: one === value }, one)),
      )
    : h("input", { name, type: "number", min: 0, step: type === "float" ? "any" : 1, value });
  input.addEventListener("input", write);
  return input;
}

function limits({ limits: now, limits_left: left }) {
  const inputs = ["requests", "tokens"].map((name) => [
    name,
    h("input", { type: "number", min: 1, step: 1, value: now?.[name] ?? "" }),
  ]);
  const read = () => ({
    limits: Object.fromEntries(inputs.map(([name, input]) => [name, input.value ? Number(input.value) : null])),
  });
  const rest = Object.entries(left ?? {}).map(([name, { requests, tokens }]) =>
    h(
      "li",
      {},
      `${name}: `,
      [requests != null && `${count(requests)} requests`, tokens != null && `${count(tokens)} tokens`]
        .filter(Boolean)
        .join(", "),
      " left",
    ),
  );
  const fields = [
    inputs.map(([name, input]) => field(`${name} a minute`, input)),
    rest.length > 0 && h("ul", {}, rest),
  ];
  return form("Rate limits", "For each deployment. What is over them gets Azure's 429.", fields, read, [
    "Off",
    () => ({ limits: null }),
  ]);
}

function speed({ time_scale: now }) {
  const known = SPEEDS.some(([value]) => value === now),
    own = h("input", {
      type: "number",
      min: 0,
      step: "any",
      value: known ? "" : now,
      "aria-label": "times faster than recorded",
    });
  const choose = (value, words) =>
    h("label", { class: "inline" }, h("input", { type: "radio", name: "speed", value, checked: value === now }), words);
  const read = () => ({
    time_scale: own.value
      ? Number(own.value)
      : Number(at("controls").querySelector("[name=speed]:checked")?.value ?? now),
  });
  return form(
    "Speed",
    "Of streams, for answers that begin from now on.",
    [
      h(
        "div",
        { class: "choices" },
        SPEEDS.map(([value, words]) => choose(value, words)),
        field("times faster:", own),
      ),
    ],
    read,
  );
}

function improvise({ improvise: now }) {
  const box = h("input", { type: "checkbox", checked: now, id: "improvise" });
  return form(
    "Improvised answers",
    "What has no recording gets an answer that is made up, and marked so.",
    [field("improvise", box)],
    () => ({ improvise: box.checked }),
  );
}

function recording({ mode, recording: now }) {
  const facts = Object.entries(now ?? {}).map(([key, value]) => [
    h("dt", {}, key.replaceAll("_", " ")),
    h("dd", {}, typeof value === "object" ? JSON.stringify(value) : value),
  ]);
  const how = [
    "Recording takes a credential and costs money, so it starts in a terminal: ",
    h("code", {}, "python -m emulator record --cassette NAME"),
  ];
  return h(
    "fieldset",
    {},
    h("legend", {}, "Recording"),
    h("p", { class: "note" }, mode === "recording" ? "It records." : how),
    facts.length > 0 && h("dl", { class: "facts" }, facts),
  );
}

function reset() {
  const ask = () => {
    const yes = async () => {
      box.close();
      put(await json("reset", { method: "POST", body: {} }));
      say("Reset");
    };
    const what = "All calls, faults, limits and stubs go, and every recording begins anew. Speed and improvising stay.";
    const box = dialog(
      "Reset the emulator?",
      h("p", {}, what),
      h("button", { type: "button", class: "bad", onclick: yes }, "Reset"),
      " ",
    );
  };
  return h(
    "fieldset",
    {},
    h("legend", {}, "Reset"),
    h("p", { class: "note" }, "As every test begins."),
    h("button", { type: "button", id: "reset", onclick: ask }, "Reset …"),
  );
}

export const start = () => watch(({ state }) => state && draw());
