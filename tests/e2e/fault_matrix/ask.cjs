// The openai npm package: one call a line of standard input, one line of what its user sees on standard output.
const OpenAI = require(process.argv[2]);

async function ask({ base_url, key, stream, timeout, retries, body }) {
  const client = new OpenAI({
    baseURL: base_url,
    apiKey: "unused",
    defaultHeaders: { "x-functions-key": key },
    timeout: 2000 * timeout, // the signal comes first
    maxRetries: retries,
  });
  client.calculateDefaultRetryTimeoutMillis = () => 1;
  // its own time-out ends with the headers, so a careful user passes a signal; a stream that it aborts raises nothing
  const signal = AbortSignal.timeout(1000 * timeout);
  const answer = await client.chat.completions.create(body, { signal });
  if (!stream) return answer.choices[0].message.content;
  let text = "";
  for await (const { choices } of answer) {
    text += choices[0]?.delta.content ?? "";
    if (choices[0]?.finish_reason === "content_filter") text += "(content_filter)";
  }
  signal.throwIfAborted();
  return text;
}

async function main() {
  const lines = require("node:readline").createInterface({ input: process.stdin });
  for await (const line of lines) {
    const seen = await ask(JSON.parse(line)).then(
      (text) => ({ text }),
      (error) => ({ error: error.constructor.name }),
    );
    console.log(JSON.stringify(seen));
  }
}

main();
