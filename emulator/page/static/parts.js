// The parts of a call that are drawn from what is known of it: who said what, its request, its answer.

import { body } from "./body.js";
import { count, fill, h, many, ms, sentence, size } from "./dom.js";
import { recordingLink } from "./place.js";

const LONG = 2_000; // characters of one text

export function conversation(panel, { said, usage, outcome, ms: whole, first_ms: early }) {
  const known = JSON.stringify([said, usage, outcome]);
  if (panel.known === known) return;
  const sayings = said.map(({ who, text: words }) =>
    h("div", { class: "saying", "data-who": who }, h("dt", {}, who), h("dd", { dir: "auto" }, long(words))),
  );
  const tokens = usage && [
    `${many(usage.input, "token")} in`,
    usage.cached && `${count(usage.cached)} of them cached`,
    `${count(usage.output)} out`,
    usage.reasoning && `${count(usage.reasoning)} of them reasoning`,
  ];
  const facts = [
    ...(tokens ?? []),
    usage?.dollars && `about $${usage.dollars.toFixed(6)}`,
    early != null && `first byte after ${ms(early)} ms`,
    whole != null && `${ms(whole)} ms in all`,
  ];
  fill(
    panel,
    h("dl", { class: "conversation" }, sayings),
    outcome === "open" && h("p", { class: "open-now" }, "… still answering"),
    h("p", { class: "note" }, facts.filter(Boolean).join(" · ")),
  );
  panel.known = known;
}

function long(words) {
  if (words.length <= LONG) return words;
  const more = h(
    "button",
    { type: "button", onclick: () => fill(more.parentNode, words) },
    `… all ${count(words.length)} characters`,
  );
  return [words.slice(0, LONG), " ", more];
}

export function stopped(panel, { stopped: { code, message, advice } }) {
  const why = "It stopped before the fake Azure: the host or the function refused it.";
  fill(
    panel,
    h("h3", {}, "Stopped at the proxy"),
    message && h("p", { class: "message" }, message),
    advice && h("p", { class: "advice" }, sentence(advice)),
    h("p", { class: "note" }, why, code && ` Code: ${code}.`),
  );
}

export function request(panel, { number, method, target, headers, body: sent, bytes_in: bytes, body_dropped: isGone }) {
  const gone = h("p", { class: "note" }, `The body (${size(bytes ?? 0)}) is kept no longer.`);
  return once(panel, () => [
    h("p", { class: "line" }, h("b", {}, method), " ", target),
    pairs(headers),
    isGone ? gone : body(sent, bytes ?? 0, `calls/${number}/request`, "Request"),
  ]);
}

export function answer(panel, { number, answer: told, status, recording, origin, fault, outcome, stopped: isStopped }) {
  const by = recording && h("p", {}, "From the recording ", h("a", { href: recordingLink(recording) }, recording));
  const facts = [
    by,
    !recording && origin && h("p", {}, `Made by: ${origin}`),
    fault && h("p", { class: "why" }, `Asked to go wrong: ${fault}`),
  ];
  const content = () => [
    h("p", { class: "line" }, h("b", {}, status), " ", outcome ?? ""),
    facts,
    told && pairs(told.headers),
    told && !isStopped && body(told.body, told.body_bytes, `calls/${number}/answer`, "Answer"),
  ];
  return once(panel, content, `${outcome} ${told?.body_bytes}`);
}

/** Draws anew only where something has changed: who selects a text or presses a button is not disturbed. */
function once(panel, make, version = "1") {
  if (panel.known === version) return;
  panel.known = version;
  fill(panel, make());
}

const pairs = (headers) =>
  headers?.length
    ? h(
        "table",
        { class: "headers" },
        h(
          "tbody",
          {},
          headers.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value))),
        ),
      )
    : null;
