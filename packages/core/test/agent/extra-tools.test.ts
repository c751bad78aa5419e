import { expect, test } from "vitest";
import { Agent, type AnyTool, defineTool, googleSearch, MemoryStore } from "../../src/index.ts";
import { ToolDefinitionError } from "@pollux/core/errors";
import { call, say, ScriptedModel } from "../../src/testing/index.ts";
import { answersTo } from "../helpers/answers.ts";

const greet = defineTool({ name: "greet", description: "Greets.", run: () => "hello" });
const part = defineTool({ name: "part", description: "Parts.", run: () => "bye" });

const offered = ({ requests }: ScriptedModel): unknown =>
  requests.map(({ functions, builtIns }) => [...functions.map(({ name }) => name), ...builtIns.flatMap(Object.keys)]);

test.each<[string, readonly AnyTool[] | ((run: object) => readonly AnyTool[])]>([
  ["a list", [greet, googleSearch()]],
  ["a function", (_run) => [greet, googleSearch()]],
])("a run has extra tools after those of its agent, which are %s", async (_what, tools) => {
  const model = new ScriptedModel(call("part"), say("one"), call("part"), say("two"), say("three"));
  const agent = new Agent({ model, tools });
  const extraTools = [part];
  expect((await agent.run("Go.", { extraTools })).text).toBe("one");
  expect((await agent.stream("Go.", { extraTools }).result()).text).toBe("two");
  await agent.run("Go.");
  const both = ["greet", "part", "googleSearch"];
  expect(offered(model)).toEqual([both, both, both, both, ["greet", "googleSearch"]]);
  model.assertSpent();
});

test("a run has extra tools besides tools of its own", async () => {
  const model = new ScriptedModel(say("one"));
  await new Agent({ model }).run("Go.", { tools: [greet], extraTools: [part] });
  expect(offered(model)).toEqual([["greet", "part"]]);
});

test("a session's run that is resumed with its extra tools goes on with them", async () => {
  const ask = defineTool({ name: "ask", description: "Asks." });
  const model = new ScriptedModel(call("ask"), say("Blue."));
  const session = new Agent({ model, tools: [greet] }).session();
  const extraTools = [ask];
  await session.send("Go.", { extraTools });
  expect(
    (await session.resume(await answersTo(session, { outcomes: { "call:1.0": { output: "blue" } }, extraTools }))).text,
  ).toBe("Blue.");
  expect(offered(model)).toEqual([
    ["greet", "ask"],
    ["greet", "ask"],
  ]);
});

test("an extra tool with the name of one of the agent's is refused, and a session stores nothing", async () => {
  const store = new MemoryStore();
  const agent = new Agent({ model: new ScriptedModel(), tools: [greet] });
  const extraTools = [{ ...greet }];
  await expect(agent.run("Go.", { extraTools })).rejects.toThrow(ToolDefinitionError);
  expect(() => agent.session({ store }).stream("Go.", { extraTools })).toThrow('two tools are named "greet"');
  expect(await store.list()).toEqual([]);
});

test("extra tools that are not tools are named in the error", async () => {
  const agent = new Agent({ model: new ScriptedModel() });
  // As in plain JavaScript.
  const extraTools = [{ name: "greet" }] as unknown as AnyTool[];
  await expect(agent.run("Go.", { extraTools })).rejects.toThrow("extraTools[0] is not a tool");
});
