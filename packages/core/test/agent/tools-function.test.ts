import { expect, test } from "vitest";
import { Agent, defineTool, MemoryStore, type RunContext, type Tool } from "../../src/index.ts";
import { ToolDefinitionError } from "@pollux/core/errors";
import { call, say, ScriptedModel } from "../../src/testing/index.ts";

const greet = defineTool({ name: "greet", description: "Greets.", run: () => "hello" });
const part = defineTool({ name: "part", description: "Parts.", run: () => "bye" });

test("tools may be a function: each run keeps what it was given when it began", async () => {
  let tools: readonly Tool[] = [greet];
  const model = new ScriptedModel(
    () => {
      tools = [greet, part];
      return call("greet");
    },
    say("one"),
    call("part"),
    say("two"),
  );
  const agent = new Agent({ model, tools: () => tools });
  expect([(await agent.run("Go.")).text, (await agent.stream("Go.").result()).text]).toEqual(["one", "two"]);
  expect(model.requests.map(({ functions }) => functions.map(({ name }) => name))).toEqual([
    ["greet"],
    ["greet"],
    ["greet", "part"],
    ["greet", "part"],
  ]);
  model.assertSpent();
});

test("two tools of one name are refused when the agent is made, also from a function", () => {
  expect(() => new Agent({ model: new ScriptedModel(), tools: () => [greet, { ...greet }] })).toThrow(
    ToolDefinitionError,
  );
});

test("an agent lists its tools, but not the ones that depend on a run", () => {
  const model = new ScriptedModel();
  expect(new Agent({ model, tools: [greet, part] }).tools).toEqual([greet, part]);
  expect(new Agent({ model, tools: () => [greet] }).tools).toEqual([greet]);
  expect(new Agent({ model, tools: (run) => (run.runId === "" ? [] : [part]) }).tools).toEqual([]);
  expect(new Agent({ model }).tools).toEqual([]);
});

test.each([undefined, "json" as const])(
  "the function makes the tools of a run once, in a session too: output %s",
  async (output) => {
    const asked: unknown[] = [];
    const signals: AbortSignal[] = [];
    const model = new ScriptedModel(call("greet"), say('{"a":1}'));
    const tools = ({ signal, ...run }: RunContext): readonly Tool[] => {
      asked.push(run);
      signals.push(signal);
      return [greet];
    };
    const session = new Agent({ model, tools }).session({ id: "s", store: new MemoryStore() });
    await session.send("Go.", { runId: "r", metadata: { plan: "free" }, output });
    expect(asked).toEqual([{ runId: "r", agent: "agent", sessionId: "s", metadata: { plan: "free" } }]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  },
);
