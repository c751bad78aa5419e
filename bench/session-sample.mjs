// The CPU time of one message of a session, as a server handles it: a new session object, one tool turn and a text.
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, defineTool, endpoint, gemini, MemoryStore } from "@pollux/core";
import { applyUpdate, watchConversation } from "@pollux/core/conversation";
import { z } from "zod";

const { isWatched, message, times } = JSON.parse(process.argv[2]);
const call = { functionCall: { name: "weather", args: { city: "Oslo" } }, thoughtSignature: "c2ln".repeat(80) };
let requests = 0;
let executed = 0;
let shown = 0;

/** The service, in this process: a call for each question, then a text. */
async function play(_url, { body }) {
  requests++;
  const { contents } = JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body));
  const isAnswered = contents.at(-1).parts.some(({ functionResponse }) => functionResponse !== undefined);
  const chunk = {
    candidates: [{ content: { role: "model", parts: [isAnswered ? { text: "done" } : call] }, finishReason: "STOP" }],
  };
  return new Response(`data: ${JSON.stringify(chunk)}\r\n\r\n`, { headers: { "content-type": "text/event-stream" } });
}

const agent = new Agent({
  model: gemini("gemini-3.5-flash", {
    endpoint: endpoint({ baseUrl: "http://bench.invalid", apiKey: "x" }),
    fetch: play,
  }),
  tools: [
    defineTool({
      name: "weather",
      description: "Current weather in a city.",
      input: z.object({ city: z.string() }),
      run: ({ city }) => (executed++, { city, report: "r".repeat(1_000) }),
    }),
  ],
});
const store = new MemoryStore();
const open = (id) => agent.session({ id, store });

/** Stores a conversation with all messages before the measured one. */
async function prepare(id) {
  const log = await store.load("before");
  if (log.length > 0) await store.append(id, 0, log);
}

async function send(id) {
  const session = open(id);
  const watching = isWatched ? watch(session) : undefined;
  const { text } = await session.send("go");
  if (text !== "done") throw new Error(`The text was ${JSON.stringify(text)}.`);
  await watching;
}

/** A page that is open from before the message until its answer is complete. */
async function watch(session) {
  let conversation;
  for await (const update of watchConversation(session)) {
    conversation = applyUpdate(conversation, update);
    const { messages, state } = conversation;
    if (messages.length === 2 * message && state === "idle" && messages.at(-1).state === "complete") break;
  }
  shown++;
}

const before = open("before");
for (let number = 1; number < message; number++) await before.send("go");
for (let index = 0; index < 2 * times; index++) await prepare(`session-${index}`);
// The first half warms up.
for (let index = 0; index < times; index++) await send(`session-${index}`);
globalThis.gc?.();
await sleep(50);
requests = executed = shown = 0;
const cpuBefore = process.cpuUsage();
for (let index = times; index < 2 * times; index++) await send(`session-${index}`);
const { user, system } = process.cpuUsage(cpuBefore);
if (requests !== 2 * times || executed !== times || shown !== (isWatched ? times : 0))
  throw new Error(`There were ${requests} requests, ${executed} calls and ${shown} pages for ${times} messages.`);
process.stdout.write(`\nsample: ${JSON.stringify({ cpuMs: (user + system) / 1_000 / times })}\n`, () => process.exit());
