// The list of calls: a table of the newest that the filter lets through. It never moves what somebody looks at.

import { json } from "./api.js";
import { at, count, fill, h, many } from "./dom.js";
import { store, watch } from "./feed.js";
import { CHIPS, has, parse, toggled } from "./filter.js";
import { here, move } from "./place.js";
import { draw, made } from "./row.js";

const DRAWN = 300; // rows; "Earlier calls" draws as many more
const AT_THE_END_PX = 24;
const TYPING_MS = 60;

const drawn = new Map(); // number → its row in the table
let query = null,
  wanted = parse(""),
  found = null,
  room = DRAWN,
  following = true,
  paused = false,
  waiting = 0;

const isWanted = (row) => wanted.test(row) && (!wanted.text || found?.has(row.number));
const matching = () => [...store.calls.values()].filter(isWanted);

function rebuild() {
  const rows = at("rows"),
    all = matching(),
    last = all.slice(-room),
    focused = rows.contains(document.activeElement);
  const old = new Map(drawn);
  drawn.clear();
  for (const row of last) drawn.set(row.number, old.get(row.number) ?? made(row));
  rows.replaceChildren(...drawn.values());
  for (const row of last) draw(row, drawn.get(row.number));
  waiting = 0;
  at("earlier").hidden = all.length === last.length;
  marked(focused);
  settle();
}

function changed(rows) {
  for (const row of rows) {
    const line = drawn.get(row.number);
    if (line && isWanted(row)) draw(row, line);
    else if (line) {
      line.remove();
      drawn.delete(row.number);
    } else if (isWanted(row)) following ? insert(row) : (waiting += 1);
  }
  while (following && drawn.size > room) {
    const [first, line] = drawn.entries().next().value;
    line.remove();
    drawn.delete(first);
    at("earlier").hidden = false;
  }
  marked();
  settle();
}

function insert(row) {
  const rows = at("rows"),
    line = made(row);
  let after = rows.lastElementChild;
  while (after && Number(after.dataset.number) > row.number) after = after.previousElementSibling;
  after ? after.after(line) : rows.prepend(line);
  drawn.set(row.number, line);
  draw(row, line);
}

/** What stands around the rows, and where they are scrolled to. */
function settle() {
  const list = at("list"),
    none = !drawn.size && store.calls.size;
  fill(at("newer"), `↓ ${count(waiting)} new`).hidden = !waiting;
  at("follow").setAttribute("aria-pressed", following);
  at("rows").querySelector(".none")?.remove();
  if (none) {
    const clear = () => move({ q: "" });
    const hid = `None of ${many(store.calls.size, "call")} is left by this filter. `;
    at("rows").append(
      h(
        "tr",
        { class: "none" },
        h("td", { colspan: 6 }, hid, h("button", { type: "button", onclick: clear }, "Clear")),
      ),
    );
  }
  if (following) list.scrollTop = list.scrollHeight;
}

function chips() {
  const { q } = here(),
    rows = [...store.calls.values()],
    group = at("chips");
  if (!group.children.length)
    fill(
      group,
      [["All", ""], ...CHIPS].map(([name, term]) => chip(name, term)),
    );
  for (const button of group.children) {
    const { term } = button.dataset,
      number = term ? rows.filter(parse(term).test).length : rows.length;
    button.setAttribute("aria-pressed", term ? has(q, term) : !q);
    button.toggleAttribute("data-none", !number);
    fill(button.querySelector("b"), count(number));
  }
}

function chip(name, term) {
  const press = () => move({ q: term && toggled(here().q, term) });
  return h("button", { type: "button", onclick: press, "data-term": term }, name, " ", h("b"));
}

async function search() {
  const text = wanted.text;
  if (!text) return;
  const { calls, searched_to } = await json(`calls?limit=1000&text=${encodeURIComponent(text)}`).catch(() => ({
    calls: [],
  }));
  if (wanted.text !== text) return;
  found = new Set(calls.map((row) => row.number));
  at("filter").title = searched_to ? `Bodies were searched back to call ${searched_to}.` : "";
  rebuild();
}

/** Marks the selected call, and gives the list its one stop of the Tab key. */
function marked(focus = false) {
  const { number } = here(),
    rows = at("rows");
  rows.querySelectorAll("a[aria-current]").forEach((link) => link.removeAttribute("aria-current"));
  const selected = drawn.get(number)?.querySelector("a");
  selected?.setAttribute("aria-current", "true");
  const now = rows.contains(document.activeElement)
    ? document.activeElement
    : (selected ?? rows.querySelector("tr:last-child a"));
  stopAt(now);
  if (focus && !rows.contains(document.activeElement)) now?.focus({ preventScroll: true });
}

function stopAt(link) {
  at("rows")
    .querySelectorAll('a[tabindex="0"]')
    .forEach((one) => one.setAttribute("tabindex", -1));
  link?.setAttribute("tabindex", 0);
}

/** The next or the previous row. A call that is open beside the list follows. */
export function step(by, isWished = () => true) {
  const { number, tab } = here(),
    rows = matching();
  const focused = document.activeElement?.closest?.("tr[data-number]")?.dataset.number;
  const from = Number(focused ?? number) || null,
    index = rows.findIndex((row) => row.number === from);
  const rest = by > 0 ? rows.slice(index + 1) : rows.slice(0, index < 0 ? rows.length : index).reverse();
  const next = rest.find(isWished);
  if (!next) return;
  if (number) move({ number: next.number, tab: null, frame: null }, { replace: true });
  const link = drawn.get(next.number)?.querySelector("a");
  if (!number || focused) link?.focus();
  link?.scrollIntoView({ block: "nearest" });
}

export function follow(is = !following) {
  following = is;
  if (is) rebuild();
  settle();
}

/** Called when the place has changed. */
export function arrive() {
  const { q, number } = here();
  if (q !== query) {
    query = q;
    wanted = parse(q);
    found = null;
    room = DRAWN;
    if (at("filter") !== document.activeElement) at("filter").value = q;
    rebuild();
    search();
  }
  marked();
  drawn.get(number)?.scrollIntoView({ block: "nearest" });
  chips();
}

/** Takes what stands in the field. */
export const filter = () => move({ q: at("filter").value.trim() }, { replace: true });

export function start() {
  const list = at("list");
  let typing, looking, counting;
  watch(({ rows }) => {
    if (!rows) return;
    counting ??= setTimeout(() => (counting = chips()), 100);
    if (wanted.text) looking ??= setTimeout(() => (looking = void search()), 1_000);
    if (paused) waiting += rows === "all" ? 0 : rows.filter((row) => !drawn.has(row.number) && isWanted(row)).length;
    else if (rows === "all") rebuild();
    else changed(rows);
    if (paused) settle();
  });
  list.addEventListener("scroll", () => {
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < AT_THE_END_PX;
    if (isAtEnd !== following)
      isAtEnd && waiting && !paused
        ? follow(true)
        : ((following = isAtEnd), at("follow").setAttribute("aria-pressed", isAtEnd));
  });
  at("rows").addEventListener("focusin", (event) => stopAt(event.target));
  at("follow").addEventListener("click", () => follow());
  at("newer").addEventListener("click", () =>
    at("pause").getAttribute("aria-pressed") === "true" ? at("pause").click() : follow(true),
  );
  at("pause").addEventListener("click", () => {
    paused = !paused;
    at("pause").setAttribute("aria-pressed", paused);
    if (!paused) rebuild();
  });
  at("earlier").addEventListener("click", () => {
    const fromEnd = list.scrollHeight - list.scrollTop;
    room += DRAWN;
    following = false;
    rebuild();
    list.scrollTop = list.scrollHeight - fromEnd;
  });
  at("filter").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(filter, TYPING_MS);
  });
}

/** Puts the focus on a row: that of a call, else the one at which Tab stops. */
export function focus(number) {
  (drawn.get(number)?.querySelector("a") ?? at("rows").querySelector('a[tabindex="0"]'))?.focus();
}
