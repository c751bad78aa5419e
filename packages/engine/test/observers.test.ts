import { Agent, defineTool, type RunEvent } from "@pollux/core";
import type { Steps } from "@pollux/core/durable";
import { passThrough } from "@pollux/core/durable";
import { runOnEngine } from "@pollux/engine";
import { assertObservations, call, calls, empty, hangs, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { idle } from "../../core/test/helpers/fake-time.ts";
import { drawTrace, record, shape } from "../../core/test/helpers/observations.ts";
import { tracer } from "../../core/test/helpers/tracer.ts";
import { MemoryEngine } from "./memory-engine.ts";

/** A team, and what is observed of it in this process. */
function team() {
  const observer = record();
  const observers = [observer];
  const look = defineTool({ name: "look", description: "x", run: () => "seen" });
  const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });
  const inner = new ScriptedModel(call("look"), say("Found."));
  const helper = new Agent({ name: "helper", model: inner, tools: [look], observers });
  const model = new ScriptedModel(
    calls("look", "pay", { name: "helper", args: { task: "Find." } }),
    empty(),
    say("All ", "done."),
  );
  const tools = [look, pay, helper.asTool({ description: "x" })];
  return { helper, agent: new Agent({ name: "lead", model, tools, observers }), observations: observer.observations };
}

describe("a run on an engine", () => {
  test("is observed where it is executed, its children as runs of their own with their parent", async () => {
    const { helper, agent, observations } = team();
    const engine = new MemoryEngine();
    engine.serve(helper);
    await engine.answer("r", "call:1.1/approval", true);
    await engine.start(agent, "r", { input: "Go." });
    assertObservations(observations);
    // A call that is a run of its own is no step of this one.
    expect(drawTrace(observations)).toEqual([
      "run lead: call:1.1 waits, recover empty, finished",
      "  model:1: STOP 15",
      "  route:1: ok",
      "  call:1.0 look: ok",
      "  call:1.1 pay: ok",
      "  model:2: STOP 15",
      "  model:2.1: STOP 15",
      "run helper: finished",
      "  model:1: STOP 15",
      "  call:1.0 look: ok",
      "  model:2: STOP 15",
    ]);
    const child = observations.find(({ run }) => run.agent === "helper")?.run;
    expect(child).toMatchObject({
      runId: "r:call:1.2",
      parent: { runId: "r", step: "call:1.2", callId: "call:1.2" },
    });
    // Live, as what the model says is.
    expect(shape(observations)).toContain("first-part model:2.1");
  });

  test("that begins anew after each round is observed once for each step, and for what leads to one", async () => {
    const { helper, agent, observations } = team();
    const engine = new MemoryEngine({ restarting: true });
    engine.serve(helper);
    await engine.answer("r", "call:1.1/approval", true);
    await engine.start(agent, "r", { input: "Go." });
    assertObservations(observations);
    const steps = observations.flatMap((one) =>
      one.type === "step-start" ? [`${one.run.runId} ${one.step.name}`] : [],
    );
    expect(steps).toEqual([
      "r model:1",
      "r route:1",
      "r call:1.0",
      "r:call:1.2 model:1",
      "r:call:1.2 call:1.0",
      "r:call:1.2 model:2",
      "r call:1.1",
      "r model:2",
      "r model:2.1",
    ]);
    expect(observations.filter(({ type }) => type === "recover")).toHaveLength(1);
    // The engine ends it here and goes on: that is no failure.
    const ended = (runId: string): string[] =>
      observations.flatMap((one) => (one.type === "run-end" && one.run.runId === runId ? [one.ended] : []));
    expect(new Set(ended("r").slice(0, -1))).toEqual(new Set(["stopped"]));
    expect([ended("r").at(-1), ended("r:call:1.2").at(-1)]).toEqual(["result", "result"]);
    const starts = observations.filter((one) => one.type === "run-start" && one.run.runId === "r");
    // Nothing says so before the first step is recorded.
    const resumed = starts.map(({ run }) => run.resumed === true);
    expect(resumed.lastIndexOf(false)).toBeLessThan(resumed.indexOf(true));
    expect(resumed.at(-1)).toBe(true);
  });

  test("that another process goes on with is observed there for what was left to do", async () => {
    const engine = new MemoryEngine();
    const first = team();
    engine.serve(first.helper);
    void engine.start(first.agent, "r", { input: "Go." });
    await idle();
    await idle();
    assertObservations(first.observations, { complete: false });
    expect(shape(first.observations)).toContain("tool-pending 1");
    await engine.reopen();

    const second = team();
    const model = new ScriptedModel(say("All done."));
    const agent = new Agent({
      name: "lead",
      model,
      tools: [
        defineTool({ name: "look", description: "x", run: () => "seen" }),
        defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" }),
        second.helper.asTool({ description: "x" }),
      ],
      observers: [{ observe: (one) => void second.observations.push(one) }],
    });
    engine.serve(second.helper);
    await engine.answer("r", "call:1.1/approval", true);
    await engine.start(agent, "r", { input: "Go." });
    const observations = second.observations.filter(({ run }) => run.runId === "r");
    assertObservations(observations);
    expect(observations[0]).toMatchObject({ type: "run-start", run: { resumed: true } });
    expect(drawTrace(observations).slice(-2)).toEqual(["  call:1.1 pay: ok", "  model:2: STOP 15"]);
  });

  test("is linked to the trace it was last executed in, and its children have the trace that asked for them", async () => {
    const [traced, inside] = [tracer(), tracer()];
    const look = defineTool({ name: "look", description: "x", run: () => "seen" });
    const helper = new Agent({ name: "helper", model: new ScriptedModel(say("Found.")), observers: [inside] });
    const model = new ScriptedModel(
      call("look"),
      calls("look", { name: "helper", args: { task: "Find." } }),
      say("Done."),
    );
    const tools = [look, helper.asTool({ description: "x" })];
    const agent = new Agent({ name: "lead", model, tools, observers: [traced] });
    // Each step, and each round of them, is executed by a process of its own.
    const engine = new MemoryEngine({ restarting: true });
    engine.serve(helper);
    await engine.start(agent, "r", { input: "Go." });
    assertObservations(traced.observations);
    const runs = [...new Set(traced.observations.map(({ run }) => run))];
    const steps = runs.map((run) => shape(traced.observations.filter((one) => one.run === run))[2]);
    // The last process finds nothing left to do but the end.
    expect(steps.slice(0, -1)).toEqual(
      ["model:1", "call:1.0", "model:2", "call:2.0", "model:3"].map((name) => `step-start ${name}`),
    );
    const traces = runs.map((run) => traced.ofRun(run));
    expect(runs.map(({ resumedFrom }) => resumedFrom)).toEqual([undefined, ...traces.slice(0, -1)]);
    expect(new Set(traces).size).toBe(6);
    // The process that starts it is another one each time that the round is read again.
    expect(inside.observations[0]?.run.parent).toEqual({
      runId: "r",
      step: "call:2.1",
      callId: "call:2.1",
      traceparent: traces[2],
    });
  });

  test("says that it was aborted when it was cancelled, and ends its steps", async () => {
    const observer = record();
    const agent = new Agent({ model: new ScriptedModel(hangs("It")), observers: [observer] });
    const abort = new AbortController();
    const steps = ({ signal }: { readonly signal: AbortSignal }): Steps<RunEvent> =>
      passThrough<RunEvent>({ runId: "r", signal });
    const running = runOnEngine(agent, { input: "Go." }, { runId: "r", steps, signal: abort.signal });
    await idle();
    abort.abort(new Error("cancelled"));
    expect(await running).toMatchObject({ status: "cancelled" });
    assertObservations(observer.observations);
    expect(drawTrace(observer.observations)).toEqual(["run agent: aborted", "  model:1: failed"]);
  });
});
