// The memory of idle conversations: each had one run with one tool turn and a text.
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, defineTool, endpoint, gemini, MemoryStore } from "@pollux/core";
import { z } from "zod";

const { driver, sessions } = JSON.parse(process.argv[2]);
const report = "r".repeat(1_000);
const call = {
  functionCall: { id: "call-0", name: "weather", args: { city: "Oslo" } },
  thoughtSignature: "c2ln".repeat(80),
};
let requests = 0;
let executed = 0;

/** The service, in this process. */
async function play(_url, { body }) {
  requests++;
  const bytes = typeof body === "string" ? body : new TextDecoder().decode(body);
  const part = bytes.includes('"functionResponse"') ? { text: "done" } : call;
  const chunk = { candidates: [{ content: { role: "model", parts: [part] }, finishReason: "STOP" }] };
  return new Response(`data: ${JSON.stringify(chunk)}\r\n\r\n`, { headers: { "content-type": "text/event-stream" } });
}

function weather({ city }) {
  executed++;
  // Each session has its own result, as in practice.
  return { city, report: report + executed };
}

const ways = {
  /** What a handwritten program keeps: the contents. */
  raw: () => async () => {
    const contents = [{ role: "user", parts: [{ text: "go" }] }];
    for (;;) {
      const response = await play("", { body: JSON.stringify({ contents }) });
      const { content } = JSON.parse((await response.text()).slice("data: ".length)).candidates[0];
      contents.push(content);
      const [{ functionCall }] = content.parts;
      if (functionCall === undefined) return { kept: contents, text: content.parts[0].text };
      const output = weather(functionCall.args);
      const answer = { functionResponse: { id: functionCall.id, name: functionCall.name, response: { output } } };
      contents.push({ role: "user", parts: [answer] });
    }
  },
  "pollux-open": () => withSession((session) => session),
  "pollux-stored": () => withSession(() => undefined),
};

function withSession(keep) {
  const input = z.object({ city: z.string() });
  const tool = defineTool({ name: "weather", description: "Current weather in a city.", input, run: weather });
  const model = gemini("gemini-3.5-flash", {
    endpoint: endpoint({ baseUrl: "http://bench.invalid", apiKey: "x" }),
    fetch: play,
  });
  const agent = new Agent({ model, tools: [tool] });
  const store = new MemoryStore();
  // Referenced by the returned function, as a program would hold its store.
  return async (index) => {
    const session = agent.session({ id: `session-${index}`, store });
    const { text } = await session.send("go");
    return { kept: keep(session), text };
  };
}

async function used() {
  for (let times = 0; times < 3; times++) {
    await sleep(50);
    globalThis.gc?.();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const talk = ways[driver]();
const kept = [];
// Code compiled on first use doesn't belong to the session.
for (let index = 0; index < 200; index++) await talk(`warm-${index}`);
requests = executed = 0;
const before = await used();
let finished = 0;
for (let index = 0; index < sessions; index++) {
  const talked = await talk(index);
  if (talked.text === "done") finished++;
  kept.push(talked.kept);
}
const bytes = (await used()) - before;
const isWhole = kept.length + finished + executed + requests === 5 * sessions;
if (!isWhole) throw new Error(`Only ${finished} of ${sessions} conversations took place, with ${requests} requests.`);
// After the measurement, to keep the store alive until here.
await talk("last");
process.stdout.write(`\nsample: ${JSON.stringify({ bytesEach: bytes / sessions })}\n`, () => process.exit());
