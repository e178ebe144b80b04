// The control API, by addresses relative to this page.

const TOKEN = "emulator-token";

/** An answer that is no success: `status`, `code` and `param` are those of docs/control.md. */
export class Refused extends Error {
  constructor(status, error) {
    super(error.message);
    Object.assign(this, { status, code: error.code, param: error.param, isExpected: true });
  }
}

/** The token of this run comes once in the fragment, which no server sees. */
export function takeToken() {
  const [, token] = location.hash.match(/^#token=([\w-]+)$/) ?? [];
  if (!token) return;
  sessionStorage.setItem(TOKEN, token);
  history.replaceState(null, "", "#/");
}

export const keepToken = (token) => sessionStorage.setItem(TOKEN, token.trim());

/** The answer; throws Refused, or an Error that says that nobody answers. */
export async function ask(path, { method = "GET", body, signal } = {}) {
  const token = sessionStorage.getItem(TOKEN),
    headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, signal, body: body && JSON.stringify(body), cache: "no-store" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw Object.assign(new Error("The emulator does not answer. Is it still running?"), { isExpected: true });
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, told.error ?? { message: `The emulator answered ${answer.status}.` });
}

export const json = async (path, options) => (await ask(path, options)).json();
export const text = async (path) => (await ask(path)).text();
export const bytes = async (path) => new Uint8Array(await (await ask(path)).arrayBuffer());

/** Saves what is there as a file, by the name that the emulator gives it. */
export async function download(path) {
  const answer = await ask(path);
  const [, name] = answer.headers.get("content-disposition")?.match(/filename="([^"]+)"/) ?? [, "call.json"];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
