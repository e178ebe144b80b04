// The cassettes, read only: whoever edits one does so in an editor, and git shows what changed.

import { json } from "./api.js";
import { body } from "./body.js";
import { at, count, fill, h, many, problem, toCopy } from "./dom.js";
import { here, href } from "./place.js";
import { plot, told } from "./plot.js";

export async function arrive() {
  const { name, recording } = here(),
    box = at("cassettes");
  try {
    fill(
      box,
      name
        ? one(await json(`cassettes/${name.split("/").map(encodeURIComponent).join("/")}`), recording)
        : list(await json("cassettes")),
    );
    box.scrollTop = 0;
  } catch (error) {
    fill(box, h("p", {}, h("a", { href: "#/cassettes" }, "All cassettes")), problem(error));
  }
}

function list({ cassettes }) {
  const folders = new Map();
  for (const one of cassettes) {
    const folder = one.name.includes("/") ? one.name.slice(0, one.name.lastIndexOf("/")) : "";
    folders.set(folder, [...(folders.get(folder) ?? []), one]);
  }
  const played = cassettes.filter((one) => one.played).length;
  const heads = ["cassette", "about", "origin", "recordings", "played"].map((name) => h("th", { scope: "col" }, name));
  return [
    h("h2", {}, "Cassettes"),
    h(
      "p",
      { class: "note" },
      `${many(cassettes.length, "cassette")}, of which ${count(played)} answered a call since the last reset.`,
    ),
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        { class: "cassettes" },
        h("thead", {}, h("tr", {}, heads)),
        [...folders].map(([folder, inside]) => group(folder, inside)),
      ),
    ),
  ];
}

const group = (folder, inside) =>
  h(
    "tbody",
    {},
    folder && h("tr", {}, h("th", { scope: "rowgroup", colspan: 5 }, `${folder}/`)),
    inside.map((one) => line(folder, one)),
  );

function line(folder, { name, about, origin, recordings, played, problems }) {
  const link = h("a", { href: href({ view: "cassettes", name }) }, folder ? name.slice(folder.length + 1) : name);
  const state = played ? `✓ ${count(played)}` : "–";
  const wrong = problems.map((one) => h("p", { class: "problem" }, one));
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, link),
    h("td", {}, about, wrong),
    h("td", {}, origin),
    h("td", { class: "number" }, count(recordings)),
    h("td", { class: "number" }, state),
  );
}

function one({ name, notes, recordings }, wanted) {
  const facts = Object.entries(notes).map(([key, value]) => [h("dt", {}, key), h("dd", {}, value)]);
  const all = recordings.map((recording) => recorded(name, recording, recording.number === wanted));
  queueMicrotask(() => wanted > 1 && at("cassettes").querySelector(`[data-recording="${wanted}"]`)?.scrollIntoView());
  return [
    h("p", {}, h("a", { href: "#/cassettes" }, "All cassettes")),
    h("h2", {}, name),
    h("dl", { class: "facts" }, facts),
    all,
  ];
}

function recorded(name, { number, request, said, frame_at_ms: schedule, facts, outcome, calls, curl }, isThis) {
  const { method, uri, body: sent, body_bytes: bytes } = request;
  const drawing = {
    width: Math.min(at("cassettes").clientWidth - 32, 640),
    schedule,
    left: [],
    planned: schedule.length,
    outcome: null,
  };
  const sayings = said.map((one) =>
    h("div", { class: "saying", "data-who": one.who }, h("dt", {}, one.who), h("dd", { dir: "auto" }, one.text)),
  );
  return h(
    "article",
    { "data-recording": number, class: isThis ? "this" : null },
    h(
      "h3",
      {},
      h("a", { href: href({ view: "cassettes", name, recording: number }) }, `#${number}`),
      ` ${method} ${uri}`,
    ),
    h("dl", { class: "conversation" }, sayings),
    schedule.length > 1 && [plot({ ...drawing, label: told(schedule) }), h("p", { class: "sentence" }, told(schedule))],
    h("p", { class: "note" }, facts, outcome !== "complete" && ` (${outcome})`),
    calls?.length > 0 &&
      h(
        "p",
        {},
        "Answered ",
        calls.map((call) => [h("a", { href: href({ number: call }) }, `call ${call}`), " "]),
      ),
    h(
      "details",
      {},
      h("summary", {}, "Request"),
      sent == null ? h("p", { class: "note" }, `${count(bytes)} bytes`) : body(sent, bytes, null, "Request"),
    ),
    curl && h("details", {}, h("summary", {}, "As curl"), toCopy(curl)),
  );
}
