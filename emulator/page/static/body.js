// A body as JSON to read, or as it is; a long one in steps, and pictures in it small.

import { bytes, download } from "./api.js";
import { count, fill, h, problem, size } from "./dom.js";

const MOST_JSON_BYTES = 1e6,
  MOST_TEXT_BYTES = 5 * 1024 * 1024,
  STEP = 256 * 1024; // characters shown at a time
const PICTURE = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/;
const SHORTEST_FOLDED = 400; // characters of a text that is no word: base64

/** `sent` is its text; null: it is long, and is fetched from `path` when somebody asks for it. */
export function body(sent, total, path, label) {
  const box = h("div", { class: "body" });
  if (sent != null) return show(box, sent, path, label);
  const fetched = () =>
    bytes(path).then(
      (all) => show(box, new TextDecoder().decode(all), path, label),
      (error) => fill(box, problem(error)),
    );
  const isShown = total <= MOST_TEXT_BYTES;
  return fill(box, isShown && h("button", { type: "button", onclick: fetched }, `Show ${size(total)}`), save(path));
}

const save = (path) =>
  path &&
  h(
    "button",
    { type: "button", onclick: (event) => download(path).catch((error) => event.target.after(problem(error))) },
    "Save",
  );

function show(box, raw, path, label) {
  if (!raw) return fill(box, h("p", { class: "note" }, "No body."));
  const parsed = raw.length <= MOST_JSON_BYTES ? read(raw) : undefined,
    pictures = [];
  if (parsed === undefined)
    return fill(box, h("p", { class: "note" }, `${size(raw.length)} `, save(path)), inSteps(raw, label));
  const fold = (_, value) => {
    if (typeof value !== "string" || value.length < SHORTEST_FOLDED || !PICTURE.test(value)) return value;
    pictures.push(value);
    return `(picture ${pictures.length}, ${size(Math.floor(value.length * 0.75))})`;
  };
  const pretty = JSON.stringify(parsed, fold, 2),
    text = h("div");
  const mode = (name, content) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": name === "JSON",
        onclick: (event) => {
          box
            .querySelectorAll("[aria-pressed]")
            .forEach((one) => one.setAttribute("aria-pressed", one === event.target));
          fill(text, content());
        },
      },
      name,
    );
  const modes = h(
    "p",
    { class: "note", role: "group", "aria-label": "As" },
    mode("JSON", () => inSteps(pretty, label)),
    mode("Raw", () => inSteps(raw, label)),
    save(path),
    ` ${size(raw.length)}`,
  );
  const drawn = pictures.map((one, index) =>
    h("img", { src: one, alt: `picture ${index + 1} of the ${label.toLowerCase()}` }),
  );
  return fill(box, modes, fill(text, inSteps(pretty, label)), drawn.length > 0 && h("p", { class: "pictures" }, drawn));
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function inSteps(text, label) {
  const shown = h("pre", { tabindex: 0, "aria-label": `${label} body`, dir: "auto" }, text.slice(0, STEP));
  if (text.length <= STEP) return shown;
  let to = STEP;
  const more = h("button", {
    type: "button",
    onclick: () => {
      shown.append(h("span", {}, text.slice(to, (to += STEP))));
      more.hidden = to >= text.length;
      fill(more, left());
    },
  });
  const left = () => `${count(Math.max(text.length - to, 0))} characters more`;
  return [shown, fill(more, left())];
}
