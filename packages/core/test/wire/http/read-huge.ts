// Reads the answer of a hostile endpoint, in a process with a small heap, and prints how that ended.
//   read-huge.ts TRANSPORT URL FACE HOW
import { Agent, gemini, endpoint } from "@pollux/core";
import { nodeTransport } from "@pollux/core/node";

const [transport = "", url = "", face = "", how = ""] = process.argv.slice(2);

let turns = 0;
let heart = setImmediate(function beat() {
  turns++;
  heart = setImmediate(beat);
});
const model = gemini("gemini-3.8-flash", {
  endpoint: endpoint({ baseUrl: url, apiKey: "k" }),
  transport: how === "unary" ? "unary" : "stream",
  fetch: transport === "fetch" ? (input, init) => globalThis.fetch(input, init) : nodeTransport({ proxyEnv: {} }),
});
const agent = new Agent({ model, limits: { restarts: 0 } });
const read = async (): Promise<unknown> => {
  if (face === "run") return await agent.run("Hi");
  for await (const _ of agent.stream("Hi"));
  return undefined;
};
const error = await read().then(
  () => undefined,
  (caught: unknown) => caught,
);
clearImmediate(heart);
const { name = "", message = "" } = error instanceof Error ? error : {};
console.log(JSON.stringify({ name, message, turns, megabytes: process.resourceUsage().maxRSS / 1024 }));
