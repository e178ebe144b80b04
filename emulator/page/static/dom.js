// Elements and words. What comes from a call gets into the page here and as text only: nothing reads HTML.

const SVG = "http://www.w3.org/2000/svg";
const DRAWN = new Set(["svg", "g", "path", "line", "circle", "rect", "text"]);
// What moves the cursor, turns the direction of the text or is half a character is spelled out, as `show` does it.
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\p{Cs}]/gu;

export function spelled(text) {
  return text.replace(UNSEEN, (one) => {
    const code = one.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
}

/** An element. `on…` attributes are listeners; true and false set or leave out an attribute, but for aria-…; null children are none. */
export function h(name, attributes, ...children) {
  const node = DRAWN.has(name) ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith("on")) value && node.addEventListener(key.slice(2), value);
    else if (value === true && !key.startsWith("aria-")) node.setAttribute(key, "");
    else if ((value !== false || key.startsWith("aria-")) && value != null)
      node.setAttribute(key, spelled(String(value)));
  }
  return fill(node, ...children);
}

/** The same element with other children. */
export function fill(node, ...children) {
  const there = children.flat(Infinity).filter((child) => child != null && child !== false && child !== "");
  node.replaceChildren(...there.map((child) => (child instanceof Node ? child : spelled(String(child)))));
  return node;
}

/** Advice as a sentence; what stands between backticks is code. */
export function sentence(text) {
  const parts = `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`.split("`");
  return parts.map((part, index) => (index % 2 ? h("code", {}, part) : part));
}

export const at = (id) => document.getElementById(id);

const NUMBER = new Intl.NumberFormat("en-GB"); // made once: to make one takes longer than to draw a row
export const count = (number) => (number < 1000 ? String(number) : NUMBER.format(number));
export const many = (number, one, more = `${one}s`) => `${count(number)} ${number === 1 ? one : more}`;
export const ms = (value) => (value == null ? "" : value < 10 ? value.toFixed(1) : count(Math.round(value)));
export const clock = (moment) => new Date(moment).toTimeString().slice(0, 8);

export function size(bytes) {
  if (bytes < 1000) return many(bytes, "byte");
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Says it to a screen reader, without moving anything. */
export const say = (text) => fill(at("told"), text);

/** A dialog with a title; gives the element that was there before it back its focus. */
export function dialog(title, ...children) {
  const box = at("dialog"),
    close = () => box.close();
  fill(box, h("h2", { id: "dialog-title" }, title), children, h("button", { type: "button", onclick: close }, "Close"));
  box.showModal();
  return box;
}

/** Puts a text on the clipboard, or, where the browser does not let us, into a field to copy it from. */
export async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = h("textarea", { readonly: true, rows: 12, cols: 72, "aria-label": "To copy" });
    field.value = text;
    dialog("Copy this", field);
    field.select();
    return;
  }
  say("Copied");
  if (!button || button.dataset.was) return;
  button.dataset.was = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => {
    button.textContent = button.dataset.was;
    delete button.dataset.was;
  }, 1200);
}

/** A text to copy, with the button that does so. */
export function toCopy(text, label = "Copy") {
  const button = h("button", { type: "button", onclick: () => copy(text, button) }, label);
  return h("div", { class: "to-copy" }, h("pre", { tabindex: 0, "aria-label": "To copy" }, text), button);
}

/** What went wrong, to read. What nobody expects goes to the console as well. */
export function problem(error) {
  if (!error.isExpected) console.error(error);
  return h("p", { class: "problem", role: "alert" }, error.message);
}
