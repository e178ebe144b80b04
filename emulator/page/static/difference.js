// The tab of a miss: what differs from the nearest recording, and the ways out of it. Python has found the differences.

import { Refused, download, json } from "./api.js";
import { copy, fill, h, problem, toCopy } from "./dom.js";
import { recordingLink } from "./place.js";

const KINDS = { changed: "changed", only_recorded: "only in the recording", only_sent: "only in your request" };

export async function render(panel, call, wanted = null) {
  const asked = wanted ? `?with=${encodeURIComponent(wanted.name)}&number=${wanted.number}` : "";
  let told;
  try {
    told = await json(`calls/${call.number}/difference${asked}`);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return void fill(
      panel,
      h("p", { class: "message" }, call.miss),
      error.code !== "nothing_to_compare" && problem(error),
    );
  }
  const { summary, rows, nearest, texts, ways, would_match: wouldMatch } = told,
    isThis = told.wanted;
  const both = h(
    "button",
    { type: "button", onclick: () => copy(`recorded:\n${texts.recorded}\n\nsent:\n${texts.sent}\n`, both) },
    "Copy both",
  );
  fill(
    panel,
    wouldMatch && h("p", { class: "good" }, "✓ Would match now: a recording has come since."),
    h("h3", {}, summary),
    nearest.length > 1 && choice(panel, call, nearest, isThis),
    rows.length > 0 && table(rows, isThis),
    texts?.recorded && texts.sent && both,
    h("h3", {}, "The way out"),
    ways.map(({ about, text }) => h("div", { class: "way" }, h("p", {}, about), text && toCopy(text))),
    draft(call),
    h("details", {}, h("summary", {}, "What the client was told"), h("pre", { tabindex: 0 }, call.miss)),
  );
}

function choice(panel, call, nearest, isThis) {
  const buttons = nearest.map(({ name, number }) => {
    const isOn = isThis?.name === name && isThis.number === number;
    return h(
      "button",
      { type: "button", "aria-pressed": isOn, onclick: () => render(panel, call, { name, number }) },
      `${name} #${number}`,
    );
  });
  return h("p", { class: "choice", role: "group", "aria-label": "Nearest recordings" }, "Nearest: ", buttons);
}

function table(rows, isThis) {
  const link = h("a", { href: recordingLink(`${isThis.name} #${isThis.number}`) }, `${isThis.name} #${isThis.number}`);
  const heads = [
    h("th", { scope: "col" }, "where"),
    h("th", { scope: "col" }, "− recorded, ", link),
    h("th", { scope: "col" }, "+ your request"),
  ];
  return h("table", { class: "difference" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows.map(line)));
}

function line(row) {
  if (row.kind === "same")
    return h("tr", { class: "same" }, h("th", { scope: "row" }, row.path), h("td", { colspan: 2 }, `⋯ ${row.folded}`));
  return h(
    "tr",
    { class: row.kind },
    h("th", { scope: "row" }, h("code", {}, row.path), h("small", {}, KINDS[row.kind])),
    h(
      "td",
      { class: "recorded" },
      row.kind === "only_sent" ? h("i", {}, "nothing") : side("−", row.recorded, row.parts?.recorded),
    ),
    h(
      "td",
      { class: "sent" },
      row.kind === "only_recorded" ? h("i", {}, "nothing") : side("+", row.sent, row.parts?.sent),
    ),
  );
}

function side(sign, value, parts) {
  const shown = parts ? [parts[0], parts[1] && h("mark", {}, parts[1]), parts[2]] : JSON.stringify(value, null, 2);
  return [h("span", { class: "sign" }, sign), h("code", { dir: "auto" }, shown)];
}

function draft(call) {
  const failed = h("span"),
    get = () => download(`calls/${call.number}/export?as=draft`).catch((error) => fill(failed, problem(error)));
  return h(
    "div",
    { class: "way" },
    h("p", {}, "Without Azure: a cassette with this request, and an answer to fill in."),
    h("button", { type: "button", onclick: get }, "Save the cassette"),
    failed,
  );
}
