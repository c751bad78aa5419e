// One process of a conversation: prints its requests as JSON lines on its standard output.
//   take-part-process.ts KIND PATH URL send "message"      at most four turns
//   take-part-process.ts KIND PATH URL resume
import { writeSync } from "node:fs";
import { Agent, endpoint, gemini } from "@pollux/core";
import { openStore } from "./support/stores.ts";
import { INSTRUCTIONS, LOG_TOOLS } from "./support/errand.ts";

const [kind = "", path = "", baseUrl = "", what = "", message = ""] = process.argv.slice(2);

async function tellingFetch(input: string, init: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  const body = new TextDecoder().decode(init.body as Uint8Array);
  writeSync(1, `${JSON.stringify({ body, answer: await response.clone().text() })}\n`);
  return response;
}

// The test passes no others.
await using opened = openStore(kind as "jsonl" | "sqlite", path);
const model = gemini("gemini-3.8-flash", { endpoint: endpoint({ baseUrl, apiKey: "emulator" }), fetch: tellingFetch });
const agent = new Agent({ model, instructions: INSTRUCTIONS, tools: LOG_TOOLS });
const session = agent.session({ id: "log", store: opened.store });
await (what === "resume" ? session.resume() : session.send(message, { limits: { turns: 4 } }));
