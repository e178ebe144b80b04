// The page: which view is shown, what stands above all of them, and the keys.

import { json, keepToken, takeToken } from "./api.js";
import * as cassettes from "./cassettes.js";
import * as controls from "./controls.js";
import * as detail from "./detail.js";
import { at, copy, count, dialog, fill, h, many, problem, say, toCopy } from "./dom.js";
import * as feed from "./feed.js";
import { KEYS as FILTERS } from "./filter.js";
import * as list from "./list.js";
import { here, move } from "./place.js";

const { store } = feed;
const SAID_EACH_MS = 5_000; // a screen reader hears of the traffic at most so often
const LOOKS = { system: "◐", light: "○", dark: "●" };
const VIEWS = { calls: list, cassettes, controls };

function arrive() {
  const { view } = here();
  for (const name of Object.keys(VIEWS)) at(name).hidden = name !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  VIEWS[view].arrive();
  detail.arrive();
  empty();
}

// What stands above every view

function top() {
  const { state, light, why } = store,
    lamp = at("light");
  lamp.dataset.light = light;
  fill(
    lamp,
    light === "live"
      ? store.more
        ? `live, ${count(store.more)} behind`
        : "live"
      : light === "closed"
        ? "needs a token"
        : light,
  );
  lamp.title = why;
  banners();
  if (light === "closed") askForToken();
  if (!state) return;
  const { mode, recordings, counts, file } = state,
    words = { reading: "a run that is over" }[mode] ?? mode;
  fill(at("standing"), [words, file, many(recordings, "recording")].filter(Boolean).join(" · "));
  document.title = counts.misses ? `(${many(counts.misses, "miss", "misses")}) Emulator` : "Emulator";
}

function banners() {
  const { state, light, why } = store,
    all = [];
  const banner = (words, parts, name) => {
    const failed = h("span"),
      stop = () => controls.change(parts).catch((error) => fill(failed, problem(error)));
    all.push(
      h(
        "p",
        {},
        h("span", { "aria-hidden": "true" }, "⚠ "),
        words,
        " ",
        parts && h("button", { type: "button", onclick: stop }, name),
        failed,
      ),
    );
  };
  if (light === "lost") banner(`Not connected: ${why} What you see may be old; it tries again.`);
  if (state && state.mode !== "reading") {
    const { fault, happened, limits, time_scale: speed, improvise, recording, problems } = state;
    const each =
      limits &&
      [limits.requests && many(limits.requests, "request"), limits.tokens && many(limits.tokens, "token")]
        .filter(Boolean)
        .join(", ");
    if (fault)
      banner(
        [h("b", {}, `Every answer goes wrong: ${fault}`), ` (${many(happened, "call")} so far)`],
        { fault: null },
        "Stop",
      );
    if (limits) banner(`Rate limit: ${each} a minute`, { limits: null }, "Off");
    if (speed !== 0 && speed !== 1)
      banner(`Streams run ${speed} times as fast as recorded`, { time_scale: 1 }, "As recorded");
    if (improvise) banner("What has no recording gets an answer that is made up", { improvise: false }, "Stop");
    if (recording) banner("It records: calls reach Azure and cost money");
    if (problems.length)
      banner([
        `${many(problems.length, "problem")} with cassettes: ${problems[0]} `,
        h("a", { href: "#/cassettes" }, "Cassettes"),
      ]);
  }
  const known = all.map((one) => one.textContent).join("\n"),
    box = at("banners");
  if (box.known === known) return; // who is about to press a button shall find it
  box.known = known;
  box.hidden = !all.length;
  fill(box, all);
}

// The first call

const STEPS = [
  ["This page is connected", () => store.light === "live"],
  ["The proxy was called", (rows) => rows.length > 0],
  ["The fake Azure was called", (rows) => rows.some((row) => !row.stopped)],
  ["A recording answered", (rows) => rows.some((row) => row.recording)],
];

async function empty() {
  const box = at("empty"),
    { state } = store,
    rows = [...store.calls.values()];
  const isFirst = state && here().view === "calls" && !rows.length;
  box.hidden =
    here().view !== "calls" || !(isFirst || box.steps?.some((step) => !step.done) || (box.isDone && rows.length === 1));
  at("list").hidden = isFirst;
  if (isFirst && !box.steps) await guide(box, state);
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

async function guide(box, { mode }) {
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
  empty();
}

// Dialogs

function askForToken() {
  if (at("dialog").open) return;
  const input = h("input", { type: "password", autocomplete: "off", id: "token" });
  const enter = () => {
    keepToken(input.value);
    box.close();
    feed.connect();
  };
  input.addEventListener("keydown", (event) => event.key === "Enter" && enter());
  const box = dialog(
    "This emulator wants its token",
    h("p", {}, "It was printed at the start, as control_token or at the end of the page's address."),
    h("label", {}, "Token ", input),
    " ",
    h("button", { type: "button", onclick: enter }, "Use it"),
    " ",
  );
}

function help() {
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

// Keys

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

function onKey(event) {
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

// Looks

function look(name) {
  const all = Object.keys(LOOKS),
    now = all.includes(name) ? name : "system";
  document.documentElement.dataset.look = now;
  localStorage.look = now;
  fill(at("theme"), LOOKS[now]).setAttribute("aria-label", `Look: ${now}`);
  at("theme").onclick = () => look(all[(all.indexOf(now) + 1) % all.length]);
}

let told = "",
  saying = null;
function tellOfCounts() {
  const { misses, errors, open } = store.state?.counts ?? {};
  const words = [
    misses && many(misses, "miss", "misses"),
    errors && many(errors, "error"),
    open && `${count(open)} open`,
  ]
    .filter(Boolean)
    .join(", ");
  if (words !== told && words) say(words);
  told = words;
  saying = null;
}

takeToken();
look(localStorage.look);
at("help-open").addEventListener("click", help);
addEventListener("hashchange", arrive);
addEventListener("keydown", onKey);
for (const part of [list, detail, controls]) part.start();
feed.watch(({ state }) => {
  if (state) top();
  saying ??= setTimeout(tellOfCounts, SAID_EACH_MS);
  empty();
});
arrive();
feed.start();
