// How much memory clients take that ask and never read: `stalled-readers.ts PATH COUNT`, with --expose-gc. Prints a line of JSON.
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Agent, MemoryStore } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import { chatHandler } from "@pollux/web";
import { aiSdk } from "@pollux/web/ai-sdk";
import { toNodeHandler } from "@pollux/web/node";

const [, , path = "", count = "0"] = process.argv;
const handler = chatHandler({
  agent: new Agent({ model: new ScriptedModel(say(...Array.from({ length: 4096 }, () => "word ".repeat(205)))) }),
  store: new MemoryStore(),
  authorize: () => ({ owner: "ann" }),
  protocol: aiSdk(),
  maxStreams: Infinity,
  requestsPerMinute: Infinity,
});
const body = JSON.stringify({
  id: "c1",
  messages: [{ id: "m1", role: "user", parts: [{ type: "text", text: "Hi" }] }],
});
const headers = { "content-type": "application/json" };
await (await handler(new Request("http://localhost/api/chat", { method: "POST", headers, body }))).text();

let answered = 0;
const serve = toNodeHandler(async (request) => {
  const response = await handler(request);
  answered++;
  return response;
});
const server = createServer(serve).listen(0, "127.0.0.1");
// As where the buffers of the network are full: nothing that is written is ever taken.
server.on("connection", (socket) => Object.assign(socket, { _write: () => {}, _writev: null }));
await once(server, "listening");
// A server that listens on a port has one.
const { port } = server.address() as AddressInfo;
/** What is not garbage, in bytes. */
function occupied(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const before = occupied();
for (let index = 0; index < Number(count); index++)
  connect(port, "127.0.0.1").pause().write(`GET /api/chat${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
while (answered < Number(count)) await new Promise((resolve) => setTimeout(resolve, 50));
// Until each has what its connection holds.
let now = occupied();
for (let last = 0; Math.abs(now - last) > 2 ** 20; now = occupied()) {
  last = now;
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
console.log(JSON.stringify({ megabytes: Math.round((now - before) / 2 ** 20) }));
process.exit();
