import {
  Agent,
  type AgentOptions,
  type AnyTool,
  type Content,
  defineTool,
  type RunOptions,
  type RunResult,
} from "@pollux/core";
import { journal, type JournalLog, type Outcome, stepName } from "@pollux/core/durable";
import { call, calls, costs, empty, join, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

/** A journal that outlives its process, which dies before it writes one step. */
class KeptLog implements JournalLog {
  readonly outcomes: Map<string, Outcome> = new Map();
  readonly begun: Map<string, number> = new Map();
  diesBefore: string | undefined;

  findOutcome(name: string): Outcome | undefined {
    return this.outcomes.get(name);
  }

  begunAt(name: string): number | undefined {
    return this.begun.get(name);
  }

  async begin({ name }: { readonly name: string }): Promise<number> {
    this.begun.set(name, 1);
    return 1;
  }

  async record({ name }: { readonly name: string }, outcome: Outcome): Promise<void> {
    if (name === this.diesBefore) throw new Error("died");
    this.outcomes.set(name, outcome);
  }

  answer(callId: string, question: "approval" | "outcome", value: never): void {
    const name = stepName({ kind: "wait", turn: 1, callId, question, time: 1 });
    this.outcomes.set(name, { ok: true, value });
  }
}

const ran: string[] = [];
const tool = (name: string, options: object = {}): AnyTool =>
  defineTool({ name, description: "x", run: () => (ran.push(name), "done"), ...options });
const look = tool("look", { reads: "trusted" });
const pay = tool("pay", { effects: "once" });

/** Runs an agent on the log of one that died. */
async function go(log: KeptLog, options: Partial<AgentOptions>, lines: readonly ScriptLine[], run: RunOptions = {}) {
  const model = new ScriptedModel(...lines);
  const agent = new Agent({ model, tools: [look, pay], ...options });
  const result: RunResult<unknown> = await agent.run("Go.", {
    ...run,
    runId: "r",
    steps: ({ runId, signal, emit }) => journal({ runId, signal, emit, log }),
  });
  return { result, model };
}

/** The log of a process that died before it wrote a step. */
async function died(
  before: string,
  lines: readonly ScriptLine[],
  options: Partial<AgentOptions> = {},
  run?: RunOptions,
): Promise<KeptLog> {
  const log = new KeptLog();
  log.diesBefore = before;
  await expect(go(log, options, lines, run)).rejects.toThrow("died");
  log.diesBefore = undefined;
  ran.length = 0;
  return log;
}

const TURNS = [call("look"), calls("look", "pay"), say("Done.")];
const responses = (contents: readonly Content[]): unknown[] =>
  contents.flatMap(({ parts }) => parts.flatMap((part) => part.functionResponse?.response ?? []));
const fails = (): never => {
  throw new Error("never asked");
};

describe("what a journal has is not decided again", () => {
  const priced = { input: 1, output: 1 };
  test.each<[string, Partial<AgentOptions>, RunOptions]>([
    ["a lower limit of turns", {}, { limits: { turns: 1 } }],
    ["a lower limit of calls", {}, { limits: { toolCalls: 1 } }],
    ["a lower limit of tokens", {}, { limits: { inputTokens: 1 } }],
    ["a lower limit of money", { prices: { input: 1e9, output: 1e9 } }, { limits: { cost: 1 } }],
    ["a stop rule that is true", { stopWhen: [() => true] }, {}],
    ["a stop rule that throws", { stopWhen: [fails] }, {}],
    ["a limit of repeated calls", { limits: { repeats: 1 } }, {}],
    ["a compaction policy that throws", { compaction: { policy: fails, windowTokens: 10 } }, {}],
    ["a guardrail for answers", { guardrails: { output: [{ name: "no", check: () => ({ stop: "no" }) }] } }, {}],
    [
      "tools that need approval",
      { tools: [tool("look", { needsApproval: true }), tool("pay", { needsApproval: true })] },
      {},
    ],
    ["tools that run elsewhere", { tools: [tool("look", { run: undefined }), tool("pay", { run: undefined })] }, {}],
    ["tools that are gone", { tools: [] }, {}],
    ["prices", { prices: priced }, {}],
  ])("with %s, the turns that were made stay as they were", async (_what, options, run) => {
    const log = await died("model:3", TURNS);
    const kept = new Map(log.outcomes);
    log.outcomes.set("model:3", { ok: true, value: await lastAnswer() });
    const { result, model } = await go(log, options, [], run);
    expect(model.requests).toEqual([]);
    expect(ran).toEqual([]);
    expect(result).toMatchObject({ stopReason: "finished", text: "Done.", turns: 3 });
    expect(responses(result.contents)).toEqual([{ output: "done" }, { output: "done" }, { output: "done" }]);
    for (const [name, outcome] of kept) expect(log.outcomes.get(name)).toBe(outcome);
  });

  /** What the last request of a run that nothing disturbs leaves. */
  async function lastAnswer(): Promise<never> {
    const log = new KeptLog();
    await go(log, {}, TURNS);
    ran.length = 0;
    const outcome = log.outcomes.get("model:3");
    return (outcome?.ok === true ? outcome.value : undefined) as never;
  }

  test.each<[string, readonly AnyTool[]]>([
    ["needs approval now", [look, tool("pay", { effects: "once", needsApproval: true })]],
    ["runs elsewhere now", [look, tool("pay", { run: undefined })]],
    ["may be repeated now", [look, tool("pay")]],
    ["is gone", [look]],
  ])(
    "a call that was begun and whose tool %s is not made again: nobody knows what came of it",
    async (_what, tools) => {
      const log = await died("call:2.1", TURNS);
      const { result } = await go(log, { tools }, [say("Done.")], { limits: { toolCalls: 1 } });
      expect(ran).toEqual([]);
      expect(responses(result.contents)).toHaveLength(3);
      expect(JSON.stringify(responses(result.contents)[2])).toContain("interrupted");
    },
  );

  test.each<[string, readonly AnyTool[], RunOptions?]>([
    ["is gone", []],
    ["runs here now", [tool("ask")]],
    ["is over its limit now", [defineTool({ name: "ask", description: "x" })], { limits: { toolCalls: 1 } }],
  ])("an answer from outside stays when its tool %s", async (_what, tools, run) => {
    const outside = defineTool({ name: "ask", description: "x", needsApproval: true });
    const log = new KeptLog();
    await go(log, { tools: [look, outside] }, [calls("look", "ask")]);
    log.answer("call:1.1", "approval", true as never);
    log.answer("call:1.1", "outcome", { output: "from outside" } as never);
    const { result } = await go(log, { tools }, [say("Done.")], run);
    expect(result.stopReason).toBe(run === undefined ? "finished" : "limit");
    expect(result.toolCalls).toMatchObject([{ output: "done" }, { output: "from outside" }]);
  });

  test("an approval with which its call has gone on is not checked by a guardrail that came later", async () => {
    const careful = tool("pay", { needsApproval: true });
    const log = new KeptLog();
    await go(log, { tools: [careful] }, [call("pay")]);
    log.answer("call:1.0", "approval", { args: { note: "secret" } } as never);
    log.diesBefore = "model:2";
    await expect(go(log, { tools: [careful] }, [say("Done.")])).rejects.toThrow("died");
    log.diesBefore = undefined;
    ran.length = 0;
    const seen: string[] = [];
    const guardrail = { name: "in", check: ({ source }: { source: string }) => void seen.push(source) };
    const { result } = await go(log, { tools: [careful], guardrails: { input: [guardrail] } }, [say("Done.")]);
    expect(result).toMatchObject({ stopReason: "finished", toolCalls: [{ edited: true, status: "completed" }] });
    expect([seen, ran]).toEqual([["message"], []]);
  });

  test("an answer that was asked for again stays so, whatever fits the schema now", async () => {
    const strict = { output: z.object({ n: z.number() }) } as never;
    const log = await died("model:1.2", [say('{"n":"1"}'), say('{"n":"2"}'), say('{"n":3}')], {}, strict);
    const loose = { output: z.object({ n: z.unknown() }) } as never;
    const { result, model } = await go(log, {}, [], loose);
    expect(model.requests).toEqual([]);
    expect(result).toMatchObject({ stopReason: "finished", output: { n: "2" }, usage: { requests: 2 } });
  });

  test("an unusable answer was asked for again, whatever is left of the limits", async () => {
    const used = costs({ promptTokenCount: 100, totalTokenCount: 100 });
    const log = await died("model:2", [join(empty(), used), call("look"), say("Done.")]);
    const { result } = await go(log, {}, [], { limits: { inputTokens: 50 } });
    expect(result).toMatchObject({ stopReason: "limit", turns: 1, toolCalls: [{ status: "completed" }] });
  });
});
