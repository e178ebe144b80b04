// What somebody sees who opens the page before the first call: how to make one, and how far they have come.

import { json } from "./api.js";
import { at, fill, h, toCopy } from "./dom.js";
import { store } from "./feed.js";
import { here } from "./place.js";

const STEPS = [
  ["This page is connected", () => store.light === "live"],
  ["The proxy was called", (rows) => rows.length > 0],
  ["The fake Azure was called", (rows) => rows.some((row) => !row.stopped)],
  ["A recording answered", (rows) => rows.some((row) => row.recording)],
];

/** Shows the guide until there is a call, and what to do next until there are two. */
export async function guide() {
  const box = at("empty"),
    { state } = store,
    rows = [...store.calls.values()];
  const isFirst = state && here().view === "calls" && !rows.length;
  box.hidden =
    here().view !== "calls" || !(isFirst || box.steps?.some((step) => !step.done) || (box.isDone && rows.length === 1));
  at("list").hidden = isFirst;
  if (isFirst && !box.steps) await begin(box, state);
  if (!box.steps) return;
  box.steps.forEach((step) => {
    step.done ||= step.is(rows);
    fill(step.sign, step.done ? "✓" : "○");
    step.line.className = step.done ? "done" : "";
  });
  if (!box.steps.length || !box.steps.every((step) => step.done)) return;
  fill(
    box,
    h("p", { class: "good" }, "✓ It works. Now change one word of the question and call again, to see a miss."),
  );
  Object.assign(box, { steps: null, isDone: true });
}

async function begin(box, { mode }) {
  box.steps = [];
  if (mode === "reading") return void fill(box, h("p", {}, "There are no calls in this file."));
  const { proxy, azure, ways } = await json("setup").catch(() => ({ ways: [] }));
  box.steps = STEPS.filter(([name]) => proxy || !name.includes("proxy")).map(([name, is]) => {
    const sign = h("span", { class: "sign" }, "○");
    return { done: false, is, sign, line: h("li", {}, sign, " ", name) };
  });
  const texts = ways.map(({ name, text }) => h("section", {}, h("h3", {}, name), toCopy(text)));
  fill(
    box,
    h("h2", {}, "Nothing has arrived yet at ", h("code", {}, proxy ?? azure), "."),
    h(
      "ol",
      { class: "steps" },
      box.steps.map((step) => step.line),
    ),
    proxy && h("p", { class: "note" }, "FUNCTION_HOST_KEY is the key that the terminal shows."),
    h("div", { class: "ways" }, texts),
  );
  guide();
}
