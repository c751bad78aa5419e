// How long a page waits for the first byte of an answer: a chat handler in a warm process, a new chat for each message.
import { Agent, endpoint, gemini, MemoryStore } from "@pollux/core";
import { chatHandler } from "@pollux/web";
import { aiSdk } from "@pollux/web/ai-sdk";

const { times } = JSON.parse(process.argv[2]);
const chunk = { candidates: [{ content: { role: "model", parts: [{ text: "done" }] }, finishReason: "STOP" }] };
const play = async () =>
  new Response(`data: ${JSON.stringify(chunk)}\r\n\r\n`, { headers: { "content-type": "text/event-stream" } });
const handle = chatHandler({
  agent: new Agent({
    model: gemini("gemini-3.5-flash", {
      endpoint: endpoint({ baseUrl: "http://bench.invalid", apiKey: "x" }),
      fetch: play,
    }),
  }),
  store: new MemoryStore(),
  authorize: () => ({ owner: "bench" }),
  requestsPerMinute: Infinity,
  protocol: aiSdk(),
});

/** @returns Milliseconds until the first bytes of the answer. */
async function ask(id) {
  const message = { id: `message-${id}`, role: "user", parts: [{ type: "text", text: "go" }] };
  const request = new Request("http://127.0.0.1/api/chat", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id, trigger: "submit-message", messages: [message] }),
  });
  const before = performance.now();
  const response = await handle(request);
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  const reader = response.body.getReader();
  let { value } = await reader.read();
  const waited = performance.now() - before;
  let text = "";
  for (const decoder = new TextDecoder(); value !== undefined; { value } = await reader.read())
    text += decoder.decode(value, { stream: true });
  if (!text.includes("done")) throw new Error(`The answer was ${JSON.stringify(text.slice(0, 200))}.`);
  return waited;
}

const waits = [];
for (let index = 0; index < 2 * times; index++) waits.push(await ask(`chat-${index}`));
// The first half warms up.
const sorted = waits.slice(times).toSorted((one, other) => one - other);
const sample = { cold: waits[0], warm: sorted[sorted.length >> 1] };
process.stdout.write(`\nsample: ${JSON.stringify(sample)}\n`, () => process.exit());
