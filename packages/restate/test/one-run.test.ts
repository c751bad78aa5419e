import { Agent, defineTool } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { agentsClient } from "@pollux/restate";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { restateBinary } from "./support/restate-server.ts";
import { restateSuite } from "./support/restate-suite.ts";
import { startWorker } from "./support/start-worker.ts";

// All that Restate and this package promise each other is in the system tests.
describe.skipIf(restateBinary() === undefined)("one run on Restate (needs its server's binary)", () => {
  const suite = restateSuite();

  test("calls a tool, tells what happens, and ends with a report", async () => {
    const look = defineTool({
      name: "look",
      description: "Looks.",
      input: z.object({}),
      run: (_, { context, metadata }) => ({ context, metadata }),
    });
    const model = new ScriptedModel(call("look"), say("It rains."));
    const lines: object[] = [];
    const line = (facts: object): void => void lines.push(facts);
    const logger = { trace: line, debug: line, info: line, warn: line, error: line };
    suite.workers.push(
      await startWorker(suite.server, [new Agent({ name: "observer", model, tools: [look] })], {
        logger,
        context: async ({ agent, runId }) => ({ weather: "rain", for: `${agent} ${runId}` }),
      }),
    );
    const client = agentsClient({ ingress: suite.server.ingress });
    const run = await client.start("observer", "Look", { runId: "o1", metadata: { order: 7 } });
    const steps = new Set<string>();
    for await (const { step } of run.events()) steps.add(step);
    expect([...steps]).toEqual(["model:1", "call:1.0", "model:2"]);
    expect(await run.result()).toMatchObject({
      status: "ended",
      runId: "o1",
      result: {
        stopReason: "finished",
        text: "It rains.",
        turns: 2,
        toolCalls: [
          {
            status: "completed",
            name: "look",
            output: { context: { weather: "rain", for: "observer o1" }, metadata: { order: 7 } },
          },
        ],
      },
    });
    expect(model.requests).toHaveLength(2);
    const ours = lines.filter((facts) => "runId" in facts && facts.runId === "o1");
    expect(ours).toContainEqual(expect.objectContaining({ runId: "o1", agent: "observer", handler: "run" }));
    // Those without are about the worker itself.
    const aboutRuns = lines.filter((facts) => Object.keys(facts).length > 0);
    for (const facts of aboutRuns) expect(facts).toMatchObject({ runId: expect.any(String), agent: "observer" });
  });
});
