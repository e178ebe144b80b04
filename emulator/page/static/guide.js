// What somebody sees who opens the page before the first call: how to make one, and how far they have come.

import { json } from "./api.js";
import { at, fill, h, sentence, toCopy } from "./dom.js";
import { store } from "./feed.js";
import { here } from "./place.js";

const BEGINNERS_CALLS = 5; // whoever has made more of them, or has seen a miss, needs no guide
const STEPS = [
  ["This page is connected", () => store.light === "live"],
  ["The proxy was called", (rows) => rows.length > 0],
  ["The fake Azure was called", (rows) => rows.some((row) => !row.stopped)],
  ["A recording answered", (rows) => rows.some((row) => row.recording)],
];

let setup = null, // how to call, once it is known that nobody has called
  known = "";

/** Shows the guide until a recording has answered, and then what to do next. */
export async function guide() {
  const box = at("empty"),
    rows = [...store.calls.values()],
    isNew = !rows.length && Boolean(store.state),
    isHere = here().view === "calls";
  at("list").hidden = isNew;
  if (isNew && !setup) {
    setup = {}; // asked for once
    setup = store.state.mode === "reading" ? {} : await json("setup").catch(() => ({}));
    return guide();
  }
  box.hidden = !isHere || !setup || rows.some((row) => row.missed) || rows.length > BEGINNERS_CALLS;
  if (box.hidden) return;
  const steps = STEPS.filter(([name]) => setup.proxy || !name.includes("proxy")).map(([name, is]) => [name, is(rows)]);
  const now = JSON.stringify([setup, steps, rows.length > 0, rows.at(-1)?.stopped]);
  if (now === known) return; // who is about to copy a text shall find it
  known = now;
  fill(box, setup.ways ? shown(rows, steps) : h("p", {}, "There are no calls in this file."));
}

function shown(rows, steps) {
  if (steps.every(([, isDone]) => isDone)) {
    const next = "✓ It works. Now change one word of the question and call again, to see a miss.";
    return h("p", { class: "good" }, next);
  }
  const { proxy, azure, ways } = setup,
    stopped = rows.at(-1)?.stopped;
  const lines = steps.map(([name, isDone]) => {
    const sign = h("span", { class: "sign" }, isDone ? "✓" : "○");
    return h("li", { class: isDone && "done" }, sign, " ", name);
  });
  if (rows.length) return [h("ol", { class: "steps" }, lines), stopped && h("p", { class: "message" }, why(stopped))];
  return [
    h("h2", {}, "Nothing has arrived yet at ", h("code", {}, proxy ?? azure), "."),
    h("ol", { class: "steps" }, lines),
    proxy && h("p", { class: "note" }, "FUNCTION_HOST_KEY is the key that the terminal shows."),
    ways.map(({ name, text }) => h("section", {}, h("h3", {}, name), toCopy(text))),
  ];
}

const why = ({ message, advice }) => ["The call stopped at the proxy. ", sentence(advice ?? message ?? "See its row.")];
