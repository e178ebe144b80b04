// One call: what was said, how it streamed, why it missed, its bytes.

import { Refused, download, json, text } from "./api.js";
import * as difference from "./difference.js";
import { at, copy, fill, h, problem } from "./dom.js";
import { watch } from "./feed.js";
import { answer, conversation, request, stopped } from "./parts.js";
import { TABS, here, move, recordingLink } from "./place.js";
import { verdict } from "./row.js";
import * as stream from "./stream.js";

const AGAIN_MS = 250; // between two looks at a call that is open
const CLOCK_MS = 1_000; // of a stream in which nothing happens

const VIEWS = {
  conversation: { name: "Conversation", is: (call) => !call.stopped, render: conversation },
  stream: { name: "Stream", is: (call) => call.planned > 1 || call.frames > 1 || call.stream, render: stream.render },
  miss: {
    name: "Miss",
    is: (call) => call.missed || call.stopped,
    render: (panel, call) => (call.stopped ? stopped : difference.render)(panel, call),
  },
  request: { name: "Request", is: () => true, render: request },
  answer: { name: "Answer", is: (call) => call.status != null, render: answer },
};

let call = null,
  open = null,
  timer = null; // the call that is shown, and its tab

const first = (one) =>
  one.missed || one.stopped ? "miss" : one.outcome === "open" && one.stream ? "stream" : "conversation";

export const tabs = () => (call ? TABS.filter((tab) => VIEWS[tab].is(call)) : []);

/** Called when the place has changed. */
export async function arrive() {
  const { number, tab } = here(),
    box = at("detail");
  box.hidden = !number;
  document.body.classList.toggle("with-detail", Boolean(number));
  if (!number) return void (call = open = null);
  if (call?.number !== number) return load(number);
  const wanted = tabs().includes(tab) ? tab : first(call);
  if (open !== wanted) frame(wanted);
  await draw();
}

async function load(number) {
  const isOther = call?.number !== number;
  try {
    const told = await json(`calls/${number}`);
    if (here().number !== number) return;
    const before = call;
    call = told;
    const { tab } = here(),
      wanted = tabs().includes(tab) ? tab : isOther || !tabs().includes(open) ? first(call) : open;
    if (isOther || before.outcome !== call.outcome || open !== wanted || !at("panel")) frame(wanted, isOther);
    await draw();
  } catch (error) {
    if (here().number !== number) return;
    call = open = null;
    fill(
      at("detail"),
      head(number),
      error instanceof Refused ? h("p", { class: "message" }, error.message) : problem(error),
    );
  }
}

function frame(tab, isOther = false) {
  open = tab;
  const focused = at("detail").contains(document.activeElement) && document.activeElement.id,
    there = tabs();
  const buttons = there.map((one) => {
    const isOn = one === tab;
    const attributes = {
      id: `tab-${one}`,
      role: "tab",
      type: "button",
      "aria-selected": isOn,
      "aria-controls": "panel",
      tabindex: isOn ? 0 : -1,
    };
    return h(
      "button",
      { ...attributes, onclick: () => move({ tab: one, frame: null }) },
      one === "miss" && call.stopped ? "Stopped" : VIEWS[one].name,
    );
  });
  const turn = (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const next = there.at((there.indexOf(open) + by) % there.length);
    move({ tab: next, frame: null });
    at(`tab-${next}`)?.focus();
  };
  const list = h("div", { role: "tablist", "aria-label": "Parts of the call", onkeydown: turn }, buttons);
  const panel = h("div", { id: "panel", role: "tabpanel", "aria-labelledby": `tab-${tab}`, tabindex: 0 });
  fill(at("detail"), head(call.number), list, panel, exports());
  if (focused) (at(focused) ?? at(`tab-${tab}`))?.focus({ preventScroll: true });
  if (isOther) panel.scrollTop = 0;
}

function head(number) {
  const { sign, words, tone } = call ? verdict(call) : { sign: "", words: "", tone: "" };
  const close = h(
    "button",
    {
      id: "close",
      type: "button",
      "aria-label": "Back to the list",
      onclick: () => move({ number: null, tab: null, frame: null }),
    },
    "✕",
  );
  const what = call && `${call.method} ${call.route ?? call.target}`,
    facts =
      call &&
      [call.model, call.recording && h("a", { href: recordingLink(call.recording) }, call.recording), call.test].filter(
        Boolean,
      );
  return h(
    "div",
    { class: `head ${tone}` },
    h(
      "h2",
      {},
      h("b", {}, number),
      " ",
      what,
      " ",
      call && h("span", { class: "verdict" }, sign, " ", call.status, " ", words),
    ),
    facts?.length > 0 &&
      h(
        "p",
        {},
        facts.map((fact, index) => [index > 0 && " · ", fact]),
      ),
    close,
  );
}

async function draw() {
  const mine = call,
    panel = at("panel"),
    tab = open;
  clearTimeout(timer);
  try {
    await VIEWS[tab].render(panel, mine);
  } catch (error) {
    if (panel.isConnected) fill(panel, problem(error));
  }
  if (call?.outcome === "open" && open === "stream") timer = setTimeout(draw, CLOCK_MS);
}

function exports() {
  const failed = h("span", { class: "failed" }),
    { number } = call;
  const button = (name, act) => {
    const one = h(
      "button",
      {
        type: "button",
        id: `copy-${name.toLowerCase()}`,
        onclick: () =>
          act(one).then(
            () => fill(failed),
            (error) => fill(failed, problem(error)),
          ),
      },
      name,
    );
    return one;
  };
  const copied = (form) => async (one) => copy(await text(`calls/${number}/export?as=${form}`), one);
  const saved = (form) => () => download(`calls/${number}/export?as=${form}`);
  const all = [
    button("curl", copied("curl")),
    button("Python", copied("python")),
    button("Link", (one) => copy(location.href, one)),
    button("JSON", copied("json")),
    button("Cassette", saved("cassette")),
  ];
  const those = call.stopped ? all.slice(2, 3) : all;
  return h("div", { class: "exports", role: "group", "aria-label": "Take along" }, "Take along: ", those, failed);
}

export function start() {
  let waiting = null;
  watch(({ rows }) => {
    const { number, view } = here();
    if (!rows || view !== "calls" || !number || (rows !== "all" && !rows.some((row) => row.number === number))) return;
    waiting ??= setTimeout(() => {
      waiting = null;
      if (here().number === number) load(number);
    }, AGAIN_MS);
  });
  addEventListener("resize", () => open === "stream" && draw());
}
