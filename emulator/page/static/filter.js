// The language of the filter: words and key:value, "quoted" where there are blanks; a minus excludes; a comma is "or".

export const KEYS = {
  method: (row) => row.method,
  path: (row) => row.target,
  status: (row) => row.status ?? row.stopped?.status,
  model: (row) => row.model,
  recording: (row) => row.recording,
  fault: (row) => row.fault,
  outcome: (row) => row.outcome,
  origin: (row) => row.origin,
  test: (row) => row.test,
  stream: (row) => yes(row.stream),
  missed: (row) => yes(row.missed),
  error: (row) => yes(row.stopped || row.status >= 400),
};
const yes = (value) => (value ? "yes" : "no");
const FROM_THE_START = new Set(["status", "method", "outcome", "stream", "missed", "error"]);
const TERM = /(-?)(?:(\w+):)?(?:"([^"]*)"?|(\S+))/g;

export const CHIPS = [
  ["Misses", "missed:yes"],
  ["Errors", "error:yes"],
  ["Streams", "stream:yes"],
  ["Open", "outcome:open"],
  ["Faulted", "fault:*"],
];

/** `test(row)` says whether a row is wanted; `text` is what the emulator has to look for in bodies, or null. */
export function parse(query) {
  const tests = [];
  let text = null;
  for (const [, minus, key, quoted, plain] of query.matchAll(TERM)) {
    const value = (quoted ?? plain).toLowerCase();
    if (key === "text") text = quoted ?? plain;
    else tests.push(term(minus === "-", key, key && !(key in KEYS) ? `${key}:${value}` : value));
  }
  return { text, test: (row) => tests.every((test) => test(row)) };
}

function term(isNot, key, value) {
  const read = KEYS[key];
  if (!read) return (row) => words(row).includes(value) !== isNot;
  const values = value.split(",").filter(Boolean);
  const fits = (has) =>
    has !== "" &&
    values.some((one) => one === "*" || (FROM_THE_START.has(key) ? has.startsWith(one) : has.includes(one)));
  return (row) => fits(String(read(row) ?? "").toLowerCase()) !== isNot;
}

const kept = new WeakMap(); // a changed row is another object
function words(row) {
  if (!kept.has(row)) {
    const { number, method, target, asked, model, status, recording, fault, outcome, origin, stopped, test } = row;
    const all = [
      number,
      method,
      target,
      asked,
      model,
      status,
      recording,
      fault,
      outcome,
      origin,
      stopped?.message,
      test,
    ];
    kept.set(
      row,
      all
        .filter((one) => one != null)
        .join(" ")
        .toLowerCase(),
    );
  }
  return kept.get(row);
}

export const has = (query, term) => query.split(/\s+/).includes(term);
/** The query with the term, or without it where it has it. */
export function toggled(query, term) {
  const terms = query.split(/\s+/).filter(Boolean);
  return (has(query, term) ? terms.filter((one) => one !== term) : [...terms, term]).join(" ");
}
