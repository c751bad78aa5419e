import { Agent, defineTool } from "@pollux/core";
import type { ObservedEvent, Observer, RunInfo } from "@pollux/core/observers";
import { assertObservations, call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { restateBinary } from "./support/restate-server.ts";
import { restateSuite } from "./support/restate-suite.ts";

describe.skipIf(restateBinary() === undefined)("the traces of a run on Restate (needs its server's binary)", () => {
  const suite = restateSuite({ inactivityTimeoutMs: 500 });

  test("are linked when it goes on, and its children have the trace that asked for them", async () => {
    const observations: ObservedEvent[] = [];
    const traces = new Map<RunInfo, string>();
    const observer: Observer = {
      observe: (one) => void observations.push(one),
      traceparent: (of) => {
        if ("run" in of) return undefined;
        const traceparent = `00-${(traces.size + 1).toString(16).padStart(32, "0")}-00000000000000ff-01`;
        traces.set(of, traceparent);
        return traceparent;
      },
    };
    const observers = [observer];
    const pay = defineTool({ name: "pay", description: "Pays.", needsApproval: true, run: () => "paid" });
    const helper = new Agent({ name: "helper", model: new ScriptedModel(say("Found.")), observers });
    const model = new ScriptedModel(call("pay"), calls({ name: "helper", args: { task: "Find." } }), say("Done."));
    const tools = [pay, helper.asTool({ description: "Finds." })];
    const client = await suite.serve(new Agent({ name: "lead", model, tools, observers }), helper);
    const run = await client.start("lead", "Pay, then find.", { runId: "t1" });
    await expect
      .poll(() => suite.server.query("select status from sys_invocation where target like '%t1/run'"))
      .toEqual([{ status: "suspended" }]);
    await run.approve("call:1.0");
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "Done." } });
    assertObservations(observations, { complete: false });

    // Each request was observed once, wherever the run was read again.
    const asked = observations.filter(({ type }) => type === "request").map((one) => one.run.runId);
    expect(asked).toEqual(["t1", "t1", "t1:call:2.0", "t1"]);
    const leads = [...traces.keys()].filter(({ runId }) => runId === "t1");
    expect(leads.length).toBeGreaterThan(1);
    expect(leads.map(({ resumedFrom }) => resumedFrom)).toEqual([
      undefined,
      ...leads.slice(0, -1).map((lead) => traces.get(lead)),
    ]);
    const child = [...traces.keys()].find(({ runId }) => runId === "t1:call:2.0");
    const asking = observations.find((one) => one.type === "step-end" && one.step.name === "model:2");
    expect(child?.parent).toMatchObject({ runId: "t1", traceparent: asking && traces.get(asking.run) });
  });
});
