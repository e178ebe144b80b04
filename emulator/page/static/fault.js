// The form of a fault. The kinds and their arguments come from the API, so that it does not drift from them.

import { fill, h } from "./dom.js";
import { field, form } from "./form.js";

const KINDS = { network: "On the network", azure: "Azure's own errors", identity: "The managed identity" };

/** A kind of fault with its arguments, beside the wish as text: the wish is what counts. */
export function fault({ fault: now }, faults) {
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
