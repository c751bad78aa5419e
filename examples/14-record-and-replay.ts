// Record a run once; from then on, a local server answers from the recording and reports how a changed request differs.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@pollux/cli";
import { Agent, defineTool, type Endpoint, endpoint, gemini } from "@pollux/core";
import { createEmulator, recordFetch, replay } from "@pollux/emulator";
import { z } from "zod";

const getWeather = defineTool({
  name: "get_weather",
  description: "Current weather in a city.",
  input: z.object({ city: z.string() }),
  run: ({ city }) => ({ city, celsius: 9 }),
});

function weatherAgent(where: Endpoint, fetch?: typeof globalThis.fetch): Agent {
  return new Agent({ model: gemini("gemini-flash-latest", { endpoint: where, fetch }), tools: [getWeather] });
}

const folder = await mkdtemp(join(tmpdir(), "pollux-recordings-"));
const question = "What is the weather in Oslo?";

// Once, against the service.
await using connection = await connect();
const recording = recordFetch(folder, { name: "weather" });
const first = await weatherAgent(connection.endpoint, recording).run(question);
await recording.saved();
console.log("recorded:", first.text);

// In every test from then on: no key, no network.
const emulator = createEmulator({ brain: replay(folder) });
await using server = await emulator.listen();
const agent = weatherAgent(endpoint({ baseUrl: server.url }));
const second = await agent.run(question);
console.log(`replayed: ${second.text} (${emulator.requests.length} requests)`);

// A request that was not recorded gets an error that names the difference, not an old answer.
await agent.run("What is the weather in Bergen?").catch((error: unknown) => {
  console.log("another question:", error instanceof Error ? error.message : error);
});
await rm(folder, { recursive: true });
