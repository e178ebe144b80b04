// What can be changed while the emulator runs.

import { json } from "./api.js";
import { at, count, dialog, fill, h, problem, say } from "./dom.js";
import { put, store, watch } from "./feed.js";
import { fault } from "./fault.js";
import { field, form } from "./form.js";
import { here } from "./place.js";

const SPEEDS = [
  [0, "at once"],
  [0.25, "0.25×"],
  [1, "as recorded"],
  [4, "4×"],
];

let faults = null,
  drawn = null;

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
      : [fault(state, faults), limits(state), speed(state), improvise(state), recording(state), reset()],
  );
  if (focused) at(focused)?.focus();
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
      oninput: () =>
        at("controls")
          .querySelectorAll("[name=speed]")
          .forEach((one) => (one.checked = false)),
    });
  const choose = (value, words) =>
    h(
      "label",
      { class: "inline" },
      h("input", { type: "radio", name: "speed", value, checked: value === now, onchange: () => (own.value = "") }),
      words,
    );
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
