// The keys, and the dialog that tells them. None of them changes anything; those that are letters can be turned off.

import * as detail from "./detail.js";
import { at, dialog, h } from "./dom.js";
import { KEYS as FILTERS } from "./filter.js";
import * as list from "./list.js";
import { here, move } from "./place.js";

/** The dialog that says what the keys and the filter do. */
export function help() {
  const rows = (pairs) =>
    h(
      "table",
      {},
      h(
        "tbody",
        {},
        pairs.map(([keys, what]) => h("tr", {}, h("th", { scope: "row" }, h("kbd", {}, keys)), h("td", {}, what))),
      ),
    );
  const letters = h("input", {
    type: "checkbox",
    checked: hasLetters(),
    onchange: (event) => (localStorage.letters = event.target.checked ? "on" : "off"),
  });
  const filters = [
    ["planets", "a word that occurs"],
    ["status:424 status:4", "a status, or its beginning"],
    ["-path:models", "not these"],
    ["model:gpt-4o,o3", "one of these"],
    ['"two words"', "with a blank"],
    ["fault:*", "any"],
    ["text:lighthouse", "in the whole body; the emulator looks"],
  ];
  dialog(
    "Keys and filters",
    rows([
      ["j k ↓ ↑", "next, previous call"],
      ["Enter", "into the call"],
      ["Esc", "back to the list"],
      ["1 – 5", "its parts"],
      ["/", "filter"],
      ["m", "next miss"],
      ["f", "follow the newest"],
      ["c", "copy as curl"],
      ["?", "this"],
    ]),
    h("p", {}, h("label", {}, letters, " Letters are keys, while the list, a call or nothing has the focus")),
    h("h3", {}, "Filter"),
    rows(filters),
    h("p", { class: "note" }, `Keys of the filter: ${Object.keys(FILTERS).join(", ")}, text`),
  );
}

const hasLetters = () => localStorage.letters !== "off";

const KEYS = {
  j: () => list.step(1),
  k: () => list.step(-1),
  ArrowDown: () => list.step(1),
  ArrowUp: () => list.step(-1),
  m: () => list.step(1, (row) => row.missed || row.stopped),
  f: () => list.follow(),
  c: () => at("copy-curl")?.click(),
  "/": () => at("filter").focus(),
  "?": help,
  Escape: back,
};
for (const digit of "12345")
  KEYS[digit] = () => detail.tabs()[digit - 1] && move({ tab: detail.tabs()[digit - 1], frame: null });

function back() {
  const { number } = here();
  if (!number) return;
  move({ number: null, tab: null, frame: null });
  list.focus(number);
}

/** Takes a key where the list, a call or nothing has the focus; all else stays the browser's. */
export function onKey(event) {
  const { key, target } = event,
    isIn = target === document.body || target.closest("#calls, #detail");
  if (
    event.ctrlKey ||
    event.altKey ||
    event.metaKey ||
    event.defaultPrevented ||
    at("dialog").open ||
    here().view !== "calls"
  )
    return;
  if (target.id === "filter") {
    if (key !== "Escape" && key !== "Enter") return;
    event.preventDefault(); // some browsers empty the field
    list.filter();
    return void list.focus();
  }
  if (!isIn || target.closest("input, select, textarea")) return;
  if (key === "Enter" && target.closest("#rows a") && here().number === Number(target.closest("tr").dataset.number)) {
    event.preventDefault();
    return void at("panel")?.focus();
  }
  const isArrow = key.startsWith("Arrow") && !target.closest("#rows");
  if (!(key in KEYS) || isArrow || (key.length === 1 && !hasLetters())) return;
  event.preventDefault();
  KEYS[key]();
}
