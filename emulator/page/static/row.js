// A call as a line of the list.

import { clock, count, fill, h, ms, spelled } from "./dom.js";
import { here, href } from "./place.js";

/** How a call ended, as a sign, words and a tone: never by colour alone. */
export function verdict(row) {
  const { status, outcome, fault } = row,
    held = `${count(row.frames ?? 0)}${row.planned ? ` of ${count(row.planned)}` : ""}`;
  if (row.stopped) return { sign: "✕", words: "stopped at the proxy", tone: "bad" };
  if (outcome === "open") return { sign: "○", words: row.planned > 1 ? `open, ${held}` : "open", tone: "open" };
  if (row.missed) return { sign: "≠", words: "no recording", tone: "bad" };
  if (outcome === "client_left")
    return { sign: "▷", words: ["client left", fault].filter(Boolean).join(", "), tone: "warn" };
  if (outcome !== "complete") return { sign: "✕", words: fault ?? outcome, tone: "bad" };
  if (status >= 400) return { sign: "✕", words: fault ?? row.origin ?? "", tone: "bad" };
  return { sign: "✓", words: fault ?? row.origin ?? "", tone: fault ? "warn" : "good" };
}

const asked = (row) =>
  row.stopped?.advice ??
  row.asked ??
  (row.bytes_in > 64_000 ? `(a body of ${count(row.bytes_in)} bytes)` : (row.route ?? row.target));

function cells(row) {
  const { sign, words } = verdict(row),
    elapsed = row.outcome === "open" ? null : row.ms;
  return [
    row.number,
    clock(row.at),
    null, // the link, which keeps its focus
    row.model,
    [
      h("span", { class: "sign", "aria-hidden": "true" }, sign),
      row.status && h("b", {}, row.status),
      " ",
      words || h("span", { class: "recording" }, row.recording),
    ],
    elapsed == null ? "" : ms(elapsed),
  ];
}

const CLASSES = ["number", "time", "asked", "model", "answer", "ms"];

/** An empty line for a call. */
export function made(row) {
  const link = h("a", { href: "#", tabindex: -1 });
  const open = (event) => event.target.closest("a") || String(getSelection()) || link.click();
  return h(
    "tr",
    { "data-number": row.number, onclick: open },
    CLASSES.map((name) => h("td", { class: name }, name === "asked" && link)),
  );
}

/** Puts into the line what is known of the call now. */
export function draw(row, line) {
  const link = line.querySelector("a"),
    { tone } = verdict(row),
    { tab, q, number } = here();
  line.className = tone;
  if (row.test) link.title = spelled(row.test);
  fill(link, asked(row)).setAttribute("href", href({ number: row.number, tab: number === row.number ? tab : null, q }));
  cells(row).forEach((content, index) => CLASSES[index] !== "asked" && fill(line.children[index], content));
}
