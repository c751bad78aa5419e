// Sends one request over the node transport and does not close it: the process must end on its own.
import { nodeTransport } from "../../../src/node/index.ts";
import { GeminiClient } from "../../../src/wire/client.ts";
import { endpoint } from "../../../src/wire/endpoints/endpoint.ts";

const client = new GeminiClient({
  endpoint: endpoint({ baseUrl: `http://127.0.0.1:${process.argv[2]}` }),
  fetch: nodeTransport({ proxyEnv: {}, idleSocketMs: 3_600_000 }),
});
let chunks = 0;
const contents = [{ role: "user" as const, parts: [{ text: "hi" }] }];
for await (const batch of client.streamGenerateContent("m", { contents })) chunks += batch.length;
process.stdout.write(`${chunks}\n`);
