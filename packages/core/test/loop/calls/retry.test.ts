import { Agent, defineTool, MemoryStore, ToolError, ModelRetry, type ToolRetryPolicy } from "@pollux/core";
import type { ObservedEvent } from "@pollux/core/observers";
import { assertGrammar, assertObservations, call, collect, runTool, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { fakeTime } from "../../helpers/fake-time.ts";
import { faces } from "../../helpers/faces.ts";

/** A tool that throws these errors, one per attempt, and then succeeds. */
function flaky(errors: readonly Error[], retry: ToolRetryPolicy = {}, options: { readonly timeoutMs?: number } = {}) {
  const attempts: { readonly attempt: number; readonly key: string; readonly at: number }[] = [];
  const tool = defineTool({
    name: "fetch_page",
    description: "Fetches a page.",
    effects: "none",
    retry,
    ...options,
    run: (_, { attempt, idempotencyKey: key }) => {
      attempts.push({ attempt, key, at: performance.now() });
      const error = errors[attempts.length - 1];
      if (error !== undefined) throw error;
      return "page";
    },
  });
  return { tool, attempts };
}

const busy = (): Error => new Error("503 from db.internal");

describe.each(faces)("a tool with a retry policy, by %s", (_face, read) => {
  fakeTime("leaps");

  test("is run again when it fails, in the same call and with the same key", async () => {
    const { tool, attempts } = flaky([busy(), busy()]);
    const model = new ScriptedModel(call("fetch_page"), say("Done."));
    const result = await read(new Agent({ model, tools: [tool] }), "Go.", { runId: "r" });
    expect(result.toolCalls).toMatchObject([{ status: "completed", callId: "call:1.0", output: "page" }]);
    expect(attempts.map(({ attempt, key }) => `${attempt} ${key}`)).toEqual([
      "1 r/call:1.0",
      "2 r/call:1.0",
      "3 r/call:1.0",
    ]);
    const waits = attempts.slice(1).map(({ at }, index) => at - (attempts[index]?.at ?? 0));
    expect(waits[0]).toBeGreaterThanOrEqual(250);
    expect(waits[0]).toBeLessThanOrEqual(501);
    expect(waits[1]).toBeGreaterThanOrEqual(500);
    expect(waits[1]).toBeLessThanOrEqual(1001);
  });

  test("fails with its last error once all attempts are used up; the model reads how many there were", async () => {
    const { tool, attempts } = flaky([busy(), busy(), busy(), busy()], { maxAttempts: 2 });
    const model = new ScriptedModel(call("fetch_page"), say("Done."));
    const result = await read(new Agent({ model, tools: [tool] }), "Go.");
    expect(attempts).toHaveLength(2);
    expect(result.toolCalls).toMatchObject([
      { error: { kind: "failed", message: "fetch_page failed with an internal error (tried 2 times)" } },
    ]);
  });

  test.each([
    ["ToolError", new ToolError("no such page")],
    ["ModelRetry", new ModelRetry("use https")],
  ])("is not run again after a %s, unless its rule asks for that", async (_name, error) => {
    const plain = flaky([error]);
    const agent = (tool: typeof plain.tool) =>
      new Agent({ model: new ScriptedModel(call("fetch_page"), say("Done.")), tools: [tool] });
    const result = await read(agent(plain.tool), "Go.");
    expect(plain.attempts).toHaveLength(1);
    expect(result.toolCalls).toMatchObject([{ error: { message: error.message } }]);
    const asked = flaky([error], { when: (thrown) => thrown === error });
    expect((await read(agent(asked.tool), "Go.")).toolCalls).toMatchObject([{ status: "completed" }]);
    expect(asked.attempts).toHaveLength(2);
  });

  test("is run again after a time limit, which applies to each attempt", async () => {
    const seen: string[] = [];
    const slow = defineTool({
      name: "slow",
      description: "Is slow at first.",
      timeoutMs: 1_000,
      retry: { minDelayMs: 0, when: (error) => (seen.push((error as Error).name), true) },
      run: (_, { attempt, signal }) =>
        attempt === 3
          ? "ok"
          : new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    });
    const model = new ScriptedModel(call("slow"), say("Done."));
    const result = await read(new Agent({ model, tools: [slow] }), "Go.");
    expect(result.toolCalls).toMatchObject([{ status: "completed", output: "ok" }]);
    expect(seen).toEqual(["TimeoutError", "TimeoutError"]);
  });

  test("has a limit on all attempts together", async () => {
    const { tool, attempts } = flaky(Array.from({ length: 100 }, busy), {
      maxAttempts: 100,
      minDelayMs: 400,
      maxDelayMs: 400,
      totalTimeoutMs: 1_000,
    });
    const model = new ScriptedModel(call("fetch_page"), say("Done."));
    const result = await read(new Agent({ model, tools: [tool] }), "Go.");
    expect(result.toolCalls).toMatchObject([
      { error: { kind: "timeout", message: "fetch_page timed out after 1000 ms" } },
    ]);
    expect(attempts.length).toBeGreaterThan(2);
    expect(attempts.length).toBeLessThan(7);
  });

  test("is not run again when the rule itself fails, which is logged", async () => {
    const { tool, attempts } = flaky([busy(), busy()], {
      when: () => {
        throw new TypeError("broken rule");
      },
    });
    const stages: unknown[] = [];
    const ignore = (): void => {};
    const error = (fields: object): void => void stages.push((fields as { readonly stage?: unknown }).stage);
    const logger = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error };
    const model = new ScriptedModel(call("fetch_page"), say("Done."));
    await read(new Agent({ model, tools: [tool], logger }), "Go.");
    expect(attempts).toHaveLength(1);
    expect(stages).toEqual(["running", "deciding on a retry"]);
  });

  test("ends its wait at once when the run is aborted", async () => {
    const abort = new AbortController();
    const { tool, attempts } = flaky([busy(), busy()], { when: () => (abort.abort(new Error("enough")), true) });
    const model = new ScriptedModel(call("fetch_page"), say("Done."));
    await expect(read(new Agent({ model, tools: [tool] }), "Go.", { signal: abort.signal })).rejects.toThrow("enough");
    expect(attempts).toHaveLength(1);
  });
});

describe("the attempts of a tool", () => {
  fakeTime("leaps");

  test("are events and observations, without the tool's own words", async () => {
    const { tool } = flaky([busy()], { minDelayMs: 100, maxDelayMs: 100 });
    const observations: ObservedEvent[] = [];
    const agent = new Agent({
      model: new ScriptedModel(call("fetch_page"), say("Done.")),
      tools: [tool],
      observers: [{ observe: (one) => observations.push(one) }],
    });
    const { events } = await collect(agent.stream("Go."));
    assertGrammar(events);
    assertObservations(observations);
    const failed = {
      attempt: 1,
      delayMs: expect.any(Number) as unknown,
      error: { kind: "failed", message: "fetch_page failed with an internal error" },
    };
    expect(events.filter(({ type }) => type === "tool-retry")).toEqual([
      { type: "tool-retry", turn: 1, callId: "call:1.0", name: "fetch_page", ...failed },
    ]);
    expect(observations.find(({ type }) => type === "tool-retry")).toMatchObject({
      ...failed,
      step: { callId: "call:1.0" },
    });
  });

  test("are one step of a session: a resumed run doesn't repeat them", async () => {
    const { tool, attempts } = flaky([busy()]);
    const store = new MemoryStore();
    const model = new ScriptedModel(
      call("fetch_page"),
      () => Promise.reject(new TypeError("the model is away")),
      say("Done."),
    );
    const open = () => new Agent({ model, tools: [tool] }).session({ id: "s", store });
    await expect(open().send("Go.")).rejects.toThrow("away");
    expect((await open().resume()).text).toBe("Done.");
    expect(attempts).toHaveLength(2);
  });

  test("are none when the arguments are invalid", async () => {
    let runs = 0;
    const run = (): number => ++runs;
    const tool = defineTool({ name: "t", description: "T.", input: z.object({ n: z.number() }), retry: {}, run });
    // A model can write anything.
    const ran = await runTool(tool, { n: "x" } as unknown as { n: number });
    expect(ran).toMatchObject({ status: "failed", error: { kind: "bad-input" } });
    expect(runs).toBe(0);
  });
});

test("a tool that must not run twice cannot have a retry policy", () => {
  expect(() => defineTool({ name: "pay", description: "Pays.", effects: "once", retry: {}, run: () => 1 })).toThrow(
    'tool "pay": retry runs the function again, which effects: "once" rules out: leave out one of them',
  );
  expect(() => defineTool({ name: "pay", description: "Pays.", retry: { maxAttempts: 0 }, run: () => 1 })).toThrow(
    'tool "pay": retry.maxAttempts must be a number of at least 1, got 0',
  );
});
