// A program that leaves its connections open, or crashes in the middle of a run. `node other-program.ts WHAT …`
import { Agent } from "@pollux/core";
import { SqliteStore } from "@pollux/core/node";
import { call, ScriptedModel } from "@pollux/core/testing";
import { mcpTools } from "../../src/mcp.ts";
import { pathOf, use } from "./support.ts";

const [what, ...args] = process.argv.slice(2);
const [folder = "", url = ""] = args;
const command = { command: process.execPath, args: [pathOf("odd-server.mjs"), "whole", folder] };

if (what === "leaves-open") {
  const local = await mcpTools(command);
  const remote = await mcpTools({ url });
  await use(local.tools, "hello");
  await use(remote.tools, "pay");
  console.log("done");
}

if (what === "dies") {
  const server = await mcpTools(command, { reach: "inside" });
  const model = new ScriptedModel(call("hello"), call("kill_parent"));
  const agent = new Agent({ model, tools: () => server.tools });
  await agent.session({ id: "s", store: new SqliteStore(`${folder}/store.db`) }).send("Go.");
}
