// The tab of a stream: its plot, what that says in words, and its frames.

import { json } from "./api.js";
import { count, fill, h, many, ms } from "./dom.js";
import { here, href, move } from "./place.js";
import { plot } from "./plot.js";

const AT_ONCE = 500; // frames in the table
const PAGE = 1_000; // frames of one answer

let shown = null; // the stream that is drawn: its number, its frames so far, the recorded schedule

/** Draws the stream, or what is new of it. */
export async function render(panel, row) {
  if (shown?.number !== row.number || !panel.contains(shown.table)) {
    shown = { number: row.number, frames: [], schedule: null, room: AT_ONCE, ...frame(panel) };
  }
  const mine = shown;
  for (;;) {
    const told = await json(`calls/${row.number}/frames?after=${mine.frames.length}&limit=${PAGE}`);
    if (mine !== shown) return;
    if (told.schedule) mine.schedule = told.schedule;
    mine.frames.push(...told.frames);
    mine.told = told;
    if (told.frames.length < PAGE) break;
  }
  draw(mine, row);
}

function frame(panel) {
  const above = h("div", { class: "drawing" }),
    rows = h("tbody"),
    more = h("button", { type: "button", hidden: true });
  const heads = ["#", "left at", "gap", "late", "bytes", "text", "data"].map((name) => h("th", { scope: "col" }, name));
  const table = h("table", { class: "frames" }, h("thead", {}, h("tr", {}, heads)), rows);
  const note =
    "Times are those at which a frame left the fake Azure, in ms after the headers. When it arrived, only the client knows.";
  fill(
    panel,
    above,
    h("p", { class: "note" }, note),
    h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Frames" }, table),
    more,
  );
  more.addEventListener("click", () => {
    shown.room += AT_ONCE;
    draw(shown, shown.row);
  });
  return { above, rows, table, more };
}

function draw(mine, row) {
  const { frames, told, schedule, above } = mine,
    { story, outcome, now_ms: now, planned } = told,
    cursor = here().frame;
  mine.row = row;
  const drawing = {
    schedule,
    left: frames.map((one) => one.left_ms),
    now: now ?? leftAt(row, frames),
    planned,
    outcome,
    fault: row.fault,
    gap: story?.gap,
  };
  const pick = (number) => move({ tab: "stream", frame: number }, { replace: true });
  fill(
    above,
    outcome === "open" &&
      h(
        "p",
        { class: "open-now" },
        `${count(frames.length)}${planned ? ` of ${many(planned, "frame")}` : " frames"}`,
        silent(frames, now),
      ),
    plot({ ...drawing, width: above.clientWidth, cursor, label: story?.sentence, onpick: pick }),
    h("p", { class: "sentence" }, story?.sentence),
    cursor &&
      frames[cursor - 1] &&
      h("pre", { class: "frame", tabindex: 0, "aria-label": `Frame ${cursor}` }, whole(frames[cursor - 1])),
    row.fault && outcome !== "complete" && h("p", { class: "why" }, `Asked to go wrong: ${row.fault}`),
  );
  const { rows } = mine,
    drawnTo = rows.children.length;
  rows.append(...frames.slice(drawnTo, mine.room).map((one, index) => line(one, frames[drawnTo + index - 1], row)));
  mine.more.hidden = frames.length <= mine.room;
  fill(mine.more, `${count(frames.length - mine.room)} more`);
  rows.querySelector("[aria-current]")?.removeAttribute("aria-current");
  const current = rows.children[cursor - 1];
  current?.setAttribute("aria-current", "true");
  if (current && mine.cursor !== cursor && matchMedia("(min-width: 761px)").matches)
    current.scrollIntoView({ block: "nearest" });
  mine.cursor = cursor;
}

/** When a client left that waited in vain, in ms after the headers. */
const leftAt = (row, [first]) =>
  row.outcome === "client_left" && first ? row.ms - (row.first_ms - first.left_ms) : null;

const silent = (frames, now) =>
  now == null ? "" : `, nothing for ${((now - (frames.at(-1)?.left_ms ?? 0)) / 1000).toFixed(0)} s`;

function line(one, before, row) {
  const { number, left_ms: left, due_ms: due, bytes, data } = one;
  const link = h("a", { href: href({ ...here(), number: row.number, tab: "stream", frame: number }) }, number);
  const times = [
    ms(left),
    before ? ms(left - before.left_ms) : "",
    due == null ? "" : ms(Math.max(left - due, 0)),
    count(bytes),
  ];
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, link),
    times.map((cell) => h("td", {}, cell)),
    h("td", { class: "text" }, said(data)),
    h("td", { class: "data" }, whole(one)),
  );
}

const whole = ({ event, data }) => [event && `${event}  `, data ?? "(larger than 64 kB)"];

/** The words that a frame brings, of chat or of Responses; a line end is spelled. */
function said(data) {
  let told;
  try {
    told = JSON.parse(data);
  } catch {
    return "";
  }
  const { delta, choices } = told ?? {},
    first = choices?.[0]?.delta;
  const text = typeof delta === "string" ? delta : (first?.content ?? first?.tool_calls?.[0]?.function?.arguments);
  return typeof text === "string" ? text.replaceAll("\n", "\\n") : "";
}
