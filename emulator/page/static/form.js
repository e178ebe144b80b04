// A form of the controls: fields, a button that sends them, and what is wrong with them.

import { json } from "./api.js";
import { fill, h, say } from "./dom.js";
import { put } from "./feed.js";

/** Changes the state; throws Refused. */
export async function change(parts) {
  put(await json("state", { method: "PATCH", body: parts }));
}

/** A group of fields whose button sends them; what is wrong with them stands under the field. */
export function form(title, about, fields, read, ...buttons) {
  const wrong = h("p", { class: "wrong", id: `${title.replace(/\W/g, "")}-wrong`.toLowerCase(), role: "alert" });
  const set = (parts) => async () => {
    fill(wrong);
    group.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
    try {
      await change(parts());
      say(`${title}: set`);
    } catch (error) {
      fill(wrong, error.message);
      const input = group.querySelector("[type=text]") ?? group.querySelector("[type=number]");
      input?.setAttribute("aria-invalid", "true");
      input?.setAttribute("aria-describedby", wrong.id);
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

export const field = (label, input) => h("label", {}, h("span", {}, label), input);
