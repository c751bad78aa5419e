// Runs an agent repeatedly, and keeps its exchanges in a folder, until it is killed.
//   keep.ts URL FOLDER
import { Agent, defineTool, endpoint, gemini } from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import { JsonlStore } from "@pollux/core/node";

const [url = "", folder = ""] = process.argv.slice(2);
const look = defineTool({ name: "look", description: "Looks at a page.", run: () => "A ship passed. ".repeat(100) });
const agent = new Agent({
  model: gemini("gemini-3.8-flash", { endpoint: endpoint({ baseUrl: url, apiKey: "emulator" }) }),
  tools: [look],
  observers: [keepExchanges(new JsonlStore(folder))],
});
for (;;) await agent.run("Look.", { runId: "r" });
