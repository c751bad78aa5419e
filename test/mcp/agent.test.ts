import { Agent, defineTool } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import { mcpTools } from "@pollux/tools/mcp";
import { serveMcp } from "@pollux/tools/mcp-server";
import { expect, test } from "vitest";

test("a list that the server has changed is honored by the next run", async () => {
  const hello = defineTool({ name: "hello", description: "Greets.", run: () => "hello" });
  const bye = defineTool({ name: "bye", description: "Parts.", run: () => "bye" });
  const first = await serveMcp([hello], { transport: { port: 0 }, name: "first", version: "1" });
  const port = Number(new URL(first.url ?? "").port);
  await using client = await mcpTools({ url: first.url ?? "" }, { toolChanges: "accept" });
  const model = new ScriptedModel(say("one"), say("two"));
  const agent = new Agent({ model, tools: () => client.tools });
  await agent.run("Go.");
  await first.close();
  await using _second = await serveMcp([hello, bye], { transport: { port }, name: "second", version: "1" });
  await client.refresh();
  await agent.run("Go.");
  expect(model.requests.map(({ functions }) => functions.map(({ name }) => name))).toEqual([
    ["hello"],
    ["hello", "bye"],
  ]);
});
