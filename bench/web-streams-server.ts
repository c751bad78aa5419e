// The chat server that web-streams.ts measures: `web-streams-server.ts EMULATOR [FILE]`. Prints its address.
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { Agent, type AgentOptions, MemoryStore } from "@pollux/core";
import { SqliteStore } from "@pollux/core/node";
import { endpoint } from "@pollux/core/wire";
import { chatHandler } from "@pollux/web";
import { aiSdk } from "@pollux/web/ai-sdk";
import { toNodeHandler } from "@pollux/web/node";

process.stdin.resume().once("end", () => process.exit()); // the parent process is gone

const [, , baseUrl = "", file = ""] = process.argv;
const options: AgentOptions = { model: "gemini-flash-latest", endpoint: endpoint({ baseUrl }) };
const agent = new Agent(options);
const handle = toNodeHandler(
  chatHandler({
    agent,
    store: file === "" ? new MemoryStore() : new SqliteStore(file),
    authorize: () => ({ owner: "bench" }),
    requestsPerMinute: Infinity,
    protocol: aiSdk(),
    maxStreams: Infinity,
  }),
);

/** The same agent without the handler: ends with the first words. */
async function answerDirectly(response: ServerResponse): Promise<void> {
  for await (const event of agent.stream("Count.")) if (event.type === "text-delta") break;
  response.end();
}

const server = createServer((request, response) => {
  if (request.url === "/direct") return void answerDirectly(response);
  if (request.url !== "/usage") return handle(request, response);
  // Run with --expose-gc.
  globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return void response.end(JSON.stringify({ cpuMs: (user + system) / 1000, rss, heapUsed }));
}).listen(0, "127.0.0.1");
await once(server, "listening");
// A server that listens on a port has one.
process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
