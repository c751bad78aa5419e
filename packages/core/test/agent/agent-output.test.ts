import { Agent, defineTool, finished, MemoryStore, partialOutputs } from "@pollux/core";
import { call, say, ScriptedModel, type ScriptedTurn } from "@pollux/core/testing";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";

const animal = z.object({ animal: z.string(), legs: z.number().int() });
const CAT = '{"animal":"cat","legs":4}';
const ask = { cat: { animal: "cat", legs: 4 } };

describe.each(["run", "stream"] as const)("an agent with an output, by %s", (face) => {
  test("has typed answers, which a run's own output overrides", async () => {
    const model = new ScriptedModel(say(CAT), say("[1,2]"));
    const agent = new Agent({ model, output: animal });
    const own = z.array(z.number());
    const first = face === "run" ? await agent.run("What?") : await agent.stream("What?").result();
    const second =
      face === "run"
        ? await agent.run("Which?", { output: own })
        : await agent.stream("Which?", { output: own }).result();
    expectTypeOf(finished(first).output).toEqualTypeOf<{ animal: string; legs: number }>();
    expectTypeOf(finished(second).output).toEqualTypeOf<number[]>();
    expect([finished(first).output, finished(second).output]).toEqual([ask.cat, [1, 2]]);
    expect(model.requests.map(({ output }) => output?.schema?.["type"])).toEqual(["object", "array"]);
  });

  test("has them in sessions, also when a run is resumed in another process", async () => {
    const store = new MemoryStore();
    const pay = defineTool({ name: "pay", description: "Pays.", needsApproval: true, run: () => "paid" });
    const agentOf = (...turns: readonly ScriptedTurn[]) =>
      new Agent({ model: new ScriptedModel(...turns), tools: [pay], output: animal });
    const asked = agentOf(call("pay")).session({ id: "s", store });
    const waits = face === "run" ? await asked.send("Pay.") : await asked.stream("Pay.").result();
    const approvals = { [waits.stopReason === "needs-approval" ? (waits.pending[0]?.token ?? "") : ""]: true };
    const other = agentOf(say(CAT)).session({ id: "s", store });
    const result =
      face === "run" ? await other.resume({ approvals }) : await other.resumeStream({ approvals }).result();
    expectTypeOf(finished(result).output).toEqualTypeOf<{ animal: string; legs: number }>();
    expect(finished(result).output).toEqual(ask.cat);
    expect((await store.load("s"))[0]).toMatchObject({ type: "run", output: "native" });
    // What ended is read from its record.
    const again = await agentOf().session({ id: "s", store }).continue({ runId: result.runId, message: "Pay." });
    expect(finished(again).output).toEqual(ask.cat);
  });
});

test("an answer that is not of the schema is asked for again, and ends the run as one of a run's own output does", async () => {
  const agent = new Agent({ model: new ScriptedModel(say("no"), say("no"), say("no")), output: animal });
  expect(await agent.run("What?")).toMatchObject({ stopReason: "invalid-output" });
});

test("its stream has partial outputs", async () => {
  const stream = new Agent({ model: new ScriptedModel(say('{"animal":"c', 'at","legs":4}')), output: animal }).stream(
    "What?",
  );
  const seen: unknown[] = [];
  for await (const value of partialOutputs(stream)) {
    expectTypeOf(value?.animal).toEqualTypeOf<string | undefined>();
    seen.push(structuredClone(value));
  }
  expect(seen.at(-1)).toEqual(ask.cat);
});

test("as a tool it gives its output, typed", async () => {
  const inner = new Agent({ name: "zoologist", model: new ScriptedModel(say(CAT)), output: animal });
  const tool = inner.asTool({ description: "Knows animals." });
  const model = new ScriptedModel(call("zoologist", { task: "What?" }), say("A cat."));
  const result = await new Agent({ model, tools: [tool] }).run("What?");
  const [made] = result.toolCalls;
  expect(made?.status === "completed" && made.output).toEqual(ask.cat);
  if (made?.status === "completed")
    expectTypeOf(made.output).toEqualTypeOf<{ readonly animal: string; readonly legs: number }>();
});
