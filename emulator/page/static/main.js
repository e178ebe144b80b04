// The page: which view is shown, and what stands above all of them.

import { keepToken, takeToken } from "./api.js";
import * as cassettes from "./cassettes.js";
import * as controls from "./controls.js";
import * as detail from "./detail.js";
import { at, count, dialog, fill, h, many, problem, say } from "./dom.js";
import * as feed from "./feed.js";
import { change } from "./form.js";
import { guide } from "./guide.js";
import { help, onKey } from "./keys.js";
import * as list from "./list.js";
import { here } from "./place.js";

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
  guide();
}

// What stands above every view

const LIGHTS = { live: "live", closed: "needs a token", lost: "not connected", connecting: "connecting" };

function top() {
  const { state, light, why, more } = store;
  document.querySelector('nav [data-view="controls"]').hidden = state?.mode === "reading";
  const lamp = fill(at("light"), LIGHTS[light], light === "live" && more > 0 && `, ${count(more)} behind`);
  lamp.dataset.light = light;
  lamp.title = why;
  banners();
  if (light === "closed") askForToken();
  if (!state) return;
  const { mode, recordings, counts, file } = state;
  const words = mode === "reading" ? "a run that is over" : mode;
  fill(at("standing"), [words, file, many(recordings, "recording")].filter(Boolean).join(" · "));
  document.title = counts.misses ? `(${many(counts.misses, "miss", "misses")}) Emulator` : "Emulator";
}

function banners() {
  const { state, light, why } = store,
    all = [];
  const banner = (words, parts, name) => {
    const failed = h("span"),
      stop = () => change(parts).catch((error) => fill(failed, problem(error)));
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
  guide();
});
arrive();
feed.start();
