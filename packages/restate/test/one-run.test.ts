import { Agent, defineTool } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { restateBinary } from "./support/restate-server.ts";
import { restateSuite } from "./support/restate-suite.ts";

// All that Restate and this package promise each other is in the system tests.
describe.skipIf(restateBinary() === undefined)("one run on Restate (needs its server's binary)", () => {
  const suite = restateSuite();

  test("calls a tool, tells what happens, and ends with a report", async () => {
    const look = defineTool({ name: "look", description: "Looks.", input: z.object({}), run: () => "rain" });
    const model = new ScriptedModel(call("look"), say("It rains."));
    const client = await suite.serve(new Agent({ name: "observer", model, tools: [look] }));
    const run = await client.start("observer", "Look", { runId: "o1" });
    const steps = new Set<string>();
    for await (const { step } of run.events()) steps.add(step);
    expect([...steps]).toEqual(["model:1", "call:1.0", "model:2"]);
    expect(await run.result()).toMatchObject({
      status: "ended",
      runId: "o1",
      result: { stopReason: "finished", text: "It rains.", turns: 2 },
    });
    expect(model.requests).toHaveLength(2);
  });
});
