import { Agent, defineTool, type RunEvent, type ToolContext } from "@pollux/core";
import { passThrough } from "@pollux/core/durable";
import { runOnEngine } from "@pollux/engine";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { MemoryEngine } from "./memory-engine.ts";

const whose = defineTool({
  name: "whose",
  description: "Tells whose run it is.",
  run: (_, { context, metadata }: ToolContext<{ readonly user: string } | undefined>) => ({ context, metadata }),
});

test("a worker makes the context of a run and of the runs inside it; metadata passes on", async () => {
  const made: unknown[] = [];
  const engine = new MemoryEngine({
    context: async ({ agent, runId, start }) => {
      made.push([agent, runId, start.metadata]);
      return { user: `${agent}'s` };
    },
  });
  const clerk = new Agent({ name: "clerk", model: new ScriptedModel(call("whose"), say("Seen.")), tools: [whose] });
  const desk = new Agent({
    name: "desk",
    model: new ScriptedModel(call("clerk", { task: "Whose?" }), call("whose"), say("Done.")),
    tools: [whose, clerk.asTool({ description: "Knows." })],
  });
  // The engine makes a context for each; its type is that of both.
  for (const agent of [desk, clerk]) engine.serve(agent as unknown as Agent);
  const report = await engine.start(desk as unknown as Agent, "r", { input: "Go.", metadata: { order: 7 } });
  expect(report).toMatchObject({
    status: "ended",
    result: {
      toolCalls: [
        { status: "completed", name: "clerk", output: "Seen." },
        { status: "completed", name: "whose", output: { context: { user: "desk's" }, metadata: { order: 7 } } },
      ],
    },
  });
  expect(made).toEqual([
    ["desk", "r", { order: 7 }],
    ["clerk", "r:call:1.0", { order: 7 }],
  ]);
});

test("a context that cannot be made fails the run, which has a report", async () => {
  const model = new ScriptedModel();
  const report = await runOnEngine(
    new Agent({ model }),
    { input: "Go." },
    {
      runId: "r",
      steps: ({ signal }) => passThrough<RunEvent>({ runId: "r", signal, emit: undefined }),
      context: () => Promise.reject(new TypeError("no such user")),
    },
  );
  expect(report).toMatchObject({ status: "failed", error: { name: "TypeError", message: "no such user" } });
  expect(model.requests).toEqual([]);
});
