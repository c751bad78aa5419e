import { Agent, type Content, defineTool, googleSearch, type Logger, type Role } from "@pollux/core";
import type { Observer } from "@pollux/core/observers";
import type { ParentStep } from "@pollux/core/tool";
import { assertObservations, call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { faces } from "../../helpers/faces.ts";
import { record } from "../../helpers/observations.ts";
import { tracer } from "../../helpers/tracer.ts";

const GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Tells where in the trace it runs. */
const where = defineTool({ name: "where", description: "x", run: (_, { traceparent }) => traceparent ?? null });

describe.each(faces)("a traceparent, by %s", (_face, read) => {
  /** What the tool saw. */
  async function seen(observers: readonly Observer[], logger?: Logger): Promise<unknown> {
    const model = new ScriptedModel(call("where"), say("There."));
    const { toolCalls } = await read(new Agent({ model, tools: [where], observers, logger }), "Where?");
    return toolCalls[0]?.status === "completed" ? toolCalls[0].output : undefined;
  }

  test("is asked for once, right after each start, and given to the tool", async () => {
    const traced = tracer();
    const { observations } = traced;
    const told: string[] = [];
    const observer: Observer = {
      observe: (one) => {
        traced.observe?.(one);
        if (one.type === "run-start" || one.type === "step-start") told.push(one.type);
      },
      traceparent: (of) => {
        told.push("run" in of ? of.name : "run");
        return traced.traceparent(of);
      },
    };
    expect(await seen([observer])).toBe(traced.of("call:1.0"));
    assertObservations(observations);
    expect(told).toEqual([
      "run-start",
      "run",
      "step-start",
      "model:1",
      "step-start",
      "call:1.0",
      "step-start",
      "model:2",
    ]);
  });

  test("is absent without an observer that gives one", async () => {
    expect(await seen([])).toBeNull();
    expect(await seen([{}, record(), { traceparent: () => undefined }])).toBeNull();
  });

  test("is that of the first observer that gives a well-formed one", async () => {
    const later = vi.fn<() => string>(() => GOOD.replace("01", "02"));
    expect(await seen([record(), { traceparent: () => GOOD }, { traceparent: later }])).toBe(GOOD);
    expect(later).not.toHaveBeenCalled();
  });

  test.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("mine");
      },
    ],
    ["rejects", () => Promise.reject(new Error("mine"))],
    ["returns a text of its own", () => "trace 7"],
    ["returns ids of zeros", () => `00-${"0".repeat(32)}-b7ad6b7169203331-01`],
    ["returns a number", () => 7],
  ])("of an observer that %s is that of the next one, and the failure is logged once", async (_what, give) => {
    const warn = vi.fn<Logger["warn"]>();
    const logger = { trace() {}, debug() {}, info() {}, warn, error() {} };
    // What an untyped observer may do.
    const broken = { traceparent: give } as unknown as Observer;
    expect(await seen([broken, { traceparent: () => GOOD }], logger)).toBe(GOOD);
    expect(warn.mock.calls).toEqual([
      [expect.objectContaining({ observer: 0 }), "an observer failed; the run continues"],
    ]);
  });

  test("of a step is the parent's of the runs inside it: an agent, a search, a summary", async () => {
    const outer = tracer();
    const parents: ParentStep[] = [];
    const inside: Observer = {
      observe: (one) => {
        if (one.type === "run-start" && one.run.parent !== undefined) parents.push(one.run.parent);
      },
    };
    const helper = new Agent({ name: "helper", model: new ScriptedModel(say("Found.")), observers: [inside] });
    const model = ScriptedModel.with(
      { id: "gemini-2.5-flash" },
      say("Summary."),
      calls({ name: "helper", args: { task: "Find." } }, { name: "google_search", args: { query: "sea" } }),
      say("It is wide."),
      say("Done."),
    );
    let cuts = 0;
    const agent = new Agent({
      model,
      tools: [helper.asTool({ description: "x" }), googleSearch()],
      observers: [outer, inside],
      compaction: { policy: () => (cuts++ === 0 ? 2 : undefined) },
      limits: { concurrentCalls: 1 },
    });
    const text = (role: Role, said: string): Content => ({ role, parts: [{ text: said }] });
    const { text: answer } = await read(agent, [text("user", "Old."), text("model", "Yes."), text("user", "New.")]);
    expect(answer).toBe("Done.");
    const steps = ["compact:1", "call:1.0", "call:1.1"];
    expect(parents.map(({ step, traceparent }) => ({ step, traceparent }))).toEqual(
      steps.map((step) => ({ step, traceparent: outer.of(step) })),
    );
  });
});
