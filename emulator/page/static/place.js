// Where the page is, as its address says it: #/17/stream?frame=12&q=status:424, #/cassettes/chat/story/2, #/controls.

export const TABS = ["conversation", "stream", "miss", "request", "answer"];

export function here() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const asked = new URLSearchParams(query),
    [first, ...rest] = path.split("/").map(readable);
  if (first === "cassettes") {
    const recording = /^\d+$/.test(rest.at(-1)) ? Number(rest.pop()) : 1;
    return { view: "cassettes", name: rest.join("/") || null, recording, q: "" };
  }
  if (first === "controls") return { view: "controls", q: "" };
  const number = /^\d+$/.test(first) ? Number(first) : null,
    tab = TABS.includes(rest[0]) ? rest[0] : null;
  return { view: "calls", number, tab, frame: Number(asked.get("frame")) || null, q: asked.get("q") ?? "" };
}

function readable(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function href({ view = "calls", name, recording = 1, number, tab, frame, q }) {
  if (view === "cassettes" && name)
    return `#/cassettes/${name.split("/").map(encodeURIComponent).join("/")}/${recording}`;
  if (view !== "calls") return `#/${view}`;
  const asked = new URLSearchParams(Object.entries({ frame, q }).filter(([, value]) => value));
  return `#/${[number, number && tab].filter(Boolean).join("/")}${asked.size ? `?${asked}` : ""}`;
}

/** The link of a recording by its label, such as "chat/story #2". */
export function recordingLink(label) {
  const [, name, recording] = label.match(/^(.*) #(\d+)$/) ?? [, label];
  return href({ view: "cassettes", name, recording });
}

/** Goes there. What is typed or stepped through replaces the place, so that Back leads to where one came from. */
export function go(place, { replace = false } = {}) {
  const target = href(place);
  if (target === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", target);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** The same place with a few parts changed. */
export const move = (parts, options) => go({ ...here(), ...parts }, options);
