// What the page knows, kept true by a stream of differences from the emulator.

import { ask, json } from "./api.js";

const SILENCE_MS = 25_000; // a beat comes each 10 s
const LONGEST_PAUSE_MS = 10_000;
const PAGE = 1_000; // rows of one answer, when older ones are fetched

/** `calls` by number, oldest first; `state` as GET state gives it; `light`: connecting, live, lost, closed; `more`:
 * how many rows are still to come; `skew`: how far the emulator's clock is before ours, in ms. */
export const store = { calls: new Map(), state: null, light: "connecting", why: "", more: 0, skew: 0 };

const listeners = [];
/** `listener({rows, state})`: `rows` are those that are new or changed, "all" when there are others altogether. */
export const watch = (listener) => listeners.push(listener);
const tell = (news) => listeners.forEach((listener) => listener(news));

let control = null,
  pause = 1_000;

/** Runs until the page is closed; a hidden tab holds no connection, because a browser has six to a host. */
export function start() {
  document.addEventListener("visibilitychange", () => (document.hidden ? control?.abort() : connect()));
  if (!document.hidden) connect();
}

export async function connect() {
  control?.abort();
  const mine = (control = new AbortController());
  try {
    const answer = await ask("events", { signal: mine.signal });
    await read(answer.body, mine);
    if (!mine.signal.aborted) throw new Error("The emulator has closed the connection.");
  } catch (error) {
    if (control !== mine || document.hidden) return;
    light(error.code === "token_required" ? "closed" : "lost", error.message);
    if (error.code === "token_required") return;
    setTimeout(() => control === mine && !document.hidden && connect(), pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

async function read(body, mine) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "",
    silence;
  for (;;) {
    clearTimeout(silence);
    silence = setTimeout(() => mine.abort(), SILENCE_MS);
    const { value, done } = await reader.read().finally(() => clearTimeout(silence));
    if (done || control !== mine) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    blocks.forEach(take);
  }
}

function take(block) {
  const [, event] = block.match(/^event: (.*)$/m) ?? [];
  const [, data] = block.match(/^data: (.*)$/m) ?? [];
  if (event) TAKEN[event]?.(JSON.parse(data));
}

const TAKEN = {
  state(state) {
    store.skew = Date.parse(state.now) - Date.now();
    store.state = state;
    pause = 1_000;
    light("live", "");
    tell({ state: true });
  },
  calls({ calls, snapshot, more, first }) {
    if (snapshot) store.calls = new Map();
    for (const row of calls) store.calls.set(row.number, row);
    store.more = more;
    tell({ rows: snapshot ? "all" : calls });
    if (snapshot && calls.length && first < calls[0].number) older(calls[0].number, store.calls);
  },
  cleared() {
    store.calls = new Map();
    tell({ rows: "all" });
  },
};

/** Fetches what the snapshot left out, so that the filter and the numbers count everything. */
async function older(before, known) {
  for (;;) {
    const { calls, first } = await json(`calls?before=${before}&limit=${PAGE}`).catch(() => ({ calls: [] }));
    if (!calls.length || store.calls !== known) return;
    known = store.calls = new Map([...calls.map((row) => [row.number, row]), ...store.calls]);
    tell({ rows: "all" });
    before = calls[0].number;
    if (before <= first) return;
  }
}

function light(name, why) {
  Object.assign(store, { light: name, why });
  tell({ state: true });
}

export function put(state) {
  store.state = state;
  tell({ state: true });
}
