import { Agent, defineJob, defineTool, MemoryStore, type Tool, type TotalsRow } from "@pollux/core";
import { percentileOf, sumTotals } from "@pollux/core/doctor";
import { calls, costs, fails, join, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { foldInfo, NO_INFO } from "../../../src/session/store/session-info.ts";
import { recordedLogs } from "../../doctor/recorded-logs.ts";
import { answersTo } from "../../helpers/answers.ts";
import { SESSION_FACES } from "../session-faces.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "performance"], now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

const prices = { input: 1, output: 10 };
const used = {
  promptTokenCount: 1000,
  cachedContentTokenCount: 400,
  candidatesTokenCount: 100,
  thoughtsTokenCount: 50,
};

/** What `ms` milliseconds are counted as. */
const at = (ms: number): number => Math.round(Math.log(ms) / Math.log(1.3));

/** An answer that takes a time. */
const after =
  (ms: number, line: Exclude<ScriptLine, (...args: never) => unknown>): ScriptLine =>
  () => {
    vi.advanceTimersByTime(ms);
    return line;
  };

const tool = (name: string, run: () => unknown, needsApproval = false) =>
  defineTool({ name, description: "x", input: z.object({}), needsApproval, run });

async function totalsOf(store: MemoryStore): Promise<readonly TotalsRow[] | undefined> {
  const [{ totals } = {}] = await store.list();
  return totals;
}

describe.each(SESSION_FACES)("what lists say of what runs did, read by %s", (_face, face) => {
  test("has the name of the tool that was meant, where another one stood in for it", async () => {
    const store = new MemoryStore();
    const [look, via] = [tool("look", () => "seen"), tool("call_tool", () => "none")];
    const tools: Tool[] = [
      { ...look, undeclared: true },
      { ...via, standsIn: true },
    ];
    const model = new ScriptedModel(
      calls({ name: "call_tool", args: { name: "look", input: {} } }, { name: "call_tool", args: {} }),
      say("Seen."),
    );
    await face.send(new Agent({ model, tools }).session({ id: "s", store }), "Look.");
    expect((await totalsOf(store))?.filter(({ kind }) => kind === "tool").map(({ name }) => name)).toEqual([
      "look",
      "call_tool",
    ]);
  });

  test("a call that started a job has not failed", async () => {
    const store = new MemoryStore();
    const render = defineJob({ name: "render", description: "x", start: () => "job-1" });
    const model = new ScriptedModel(calls("render"));
    await face.send(new Agent({ model, tools: [render] }).session({ id: "s", store }), "Render.");
    const tools = (await totalsOf(store))?.filter(({ kind }) => kind === "tool");
    expect(tools).toEqual([{ kind: "tool", name: "render", count: 1, times: [[0, 1]] }]);
  });

  test("is counted by ending, agent, model and tool, and what a run waits is not its time", async () => {
    const store = new MemoryStore();
    const look = tool("look", () => void vi.advanceTimersByTime(40));
    const pay = tool(
      "pay",
      () => {
        throw new Error("no money");
      },
      true,
    );
    const model = new ScriptedModel(
      after(1000, join(calls("look", "pay"), costs(used))),
      after(500, join(say("It did not work."), costs(used))),
      fails(new Error("the service is down")),
    );
    const session = new Agent({ name: "clerk", model, prices, tools: [look, pay] }).session({ id: "s", store });
    await face.send(session, "Pay.");
    vi.advanceTimersByTime(24 * 3_600_000);
    await face.resume(session, await answersTo(session, { approvals: { "call:1.1": true } }));
    await face.send(session, "Again.").catch(() => {});
    const usage = { input: 2000, cached: 800, output: 300, cost: 0.005 };
    expect(await totalsOf(store)).toEqual([
      {
        kind: "model",
        name: "gemini-scripted",
        count: 2,
        ...usage,
        times: [
          [at(500), 1],
          [at(1000), 1],
        ],
      },
      { kind: "tool", name: "look", count: 1, times: [[at(40), 1]] },
      { kind: "tool", name: "pay", count: 1, failed: 1, times: [[0, 1]] },
      { kind: "ending", name: "finished", count: 1 },
      { kind: "ending", name: "failed", count: 1 },
      {
        kind: "agent",
        name: "clerk",
        count: 2,
        failed: 1,
        ...usage,
        times: [
          [0, 1],
          [at(1540), 1],
        ],
      },
    ]);
  });

  test("is there once a run has ended, and stays as it was while the next one is going", async () => {
    const seen: unknown[] = [];
    const store = new MemoryStore();
    const look: ScriptLine = async () => {
      seen.push((await totalsOf(store))?.find(({ kind }) => kind === "agent")?.count);
      return say("Yes.");
    };
    const session = new Agent({ model: new ScriptedModel(look, look) }).session({ id: "s", store });
    await face.send(session, "Hi");
    await face.send(session, "And now?");
    expect(seen).toEqual([undefined, 1]);
  });

  test("has what agents as tools have used in their model's row and in the row of the tool", async () => {
    const store = new MemoryStore();
    const inner = new Agent({ name: "inner", model: new ScriptedModel(join(say("42"), costs(used))) });
    const outer = new ScriptedModel(calls({ name: "ask", args: { task: "?" } }), say("It is 42."));
    const ask = inner.asTool({ name: "ask", description: "Asks." });
    await face.send(new Agent({ model: outer, prices, tools: [ask] }).session({ id: "s", store }), "Ask.");
    const rows = (await totalsOf(store)) ?? [];
    const find = (kind: string) => rows.find((row) => row.kind === kind);
    expect(find("tool")).toMatchObject({ count: 1, input: 1000, cached: 400, output: 150, cost: 0.0025 });
    expect(find("model")).toMatchObject({ count: 3, cost: find("agent")?.cost });
  });

  test("keeps fifteen names of a kind, and one row for the rest", async () => {
    const store = new MemoryStore();
    const names = Array.from({ length: 40 }, (_, index) => `tool_${index}`);
    const model = new ScriptedModel(calls(...names), say("Done."));
    const tools = names.map((name) => tool(name, () => "x"));
    await face.send(new Agent({ model, tools }).session({ id: "s", store }), "Hi");
    const rows = (await totalsOf(store))?.filter(({ kind }) => kind === "tool");
    expect(rows?.map(({ name, count }) => [name, count])).toEqual([
      ...names.slice(0, 15).map((name) => [name, 1]),
      [undefined, 25],
    ]);
  });
});

test("the totals of a log that is read again are those that the store was given, and the parts add up", async () => {
  for (const [name, log] of Object.entries(await recordedLogs())) {
    const { info } = foldInfo(NO_INFO, log);
    const store = new MemoryStore();
    let fold = NO_INFO;
    for (const [index, entry] of log.entries()) {
      fold = foldInfo(fold, [entry]);
      // Entries are JSON.
      await store.append("s", index, [entry as never], { info: fold.info });
    }
    expect(await totalsOf(store), name).toEqual(info?.totals);
    const sum = (kind: string, figure: "count" | "input" | "output"): number => {
      const rows = info?.totals?.filter((row) => row.kind === kind) ?? [];
      return rows.reduce((all, row) => all + (row[figure] ?? 0), 0);
    };
    const ended = new Set(log.flatMap((entry) => (entry.type === "end" ? [entry.runId] : []))).size;
    expect([sum("agent", "count"), sum("ending", "count")], name).toEqual([ended, ended]);
    expect(sum("model", "input"), name).toBe(sum("agent", "input"));
    expect(sum("model", "output"), name).toBe(sum("agent", "output"));
  }
});

describe("sums of totals", () => {
  const row: fc.Arbitrary<TotalsRow> = fc.record(
    {
      kind: fc.constantFrom("ending" as const, "agent" as const, "model" as const, "tool" as const),
      name: fc.constantFrom("a", "b", "__proto__", "toString"),
      count: fc.integer({ min: 1, max: 9 }),
      failed: fc.integer({ min: 1, max: 9 }),
      input: fc.integer({ min: 1, max: 9 }),
      cost: fc.integer({ min: 1, max: 9 }),
      times: fc.tuple(fc.integer({ min: 0, max: 64 }), fc.integer({ min: 1, max: 9 })).map((one) => [one]),
    },
    { requiredKeys: ["kind", "count"] },
  );
  const sorted = (rows: readonly TotalsRow[]): readonly string[] => rows.map((one) => JSON.stringify(one)).toSorted();

  test("are the same in any order and grouping, and lose nothing to a limit of names", () => {
    fc.assert(
      fc.property(fc.array(row), fc.array(row), fc.integer({ min: 1, max: 3 }), (one, other, most) => {
        const sum = sorted(sumTotals([...one, ...other]));
        expect(sorted(sumTotals([...other, ...one]))).toEqual(sum);
        expect(sorted(sumTotals([...sumTotals(one), ...sumTotals(other)]))).toEqual(sum);
        const few = sumTotals([...one, ...other], most);
        const whole = (rows: readonly TotalsRow[]): readonly TotalsRow[] =>
          sumTotals(rows.map(({ name: _, ...rest }) => rest));
        expect(sorted(whole(few))).toEqual(sorted(whole([...one, ...other])));
        expect(few.filter(({ kind }) => kind === "tool").length).toBeLessThanOrEqual(most);
      }),
    );
  });

  test.each([1, 7, 250, 3000, 90_000, 18_000_000])("know a time of %i ms to 15%%", async (ms) => {
    const store = new MemoryStore();
    const model = new ScriptedModel(after(ms, say("Hi.")));
    await new Agent({ model }).session({ id: "s", store }).send("Hi");
    const times = (await totalsOf(store))?.find(({ kind }) => kind === "model")?.times;
    const known = percentileOf(times, 0.5) ?? 0;
    expect(Math.abs(known - ms) / ms).toBeLessThan(0.15);
  });

  test.each<[share: number, n: number | undefined]>([
    [0, 1],
    [0.5, 1],
    [0.9, 2],
    [0.91, 60],
    [1, 60],
  ])("have %f within its percentile", (share, n) => {
    const times = [
      [1, 5],
      [2, 4],
      [60, 1],
    ] as const;
    expect(percentileOf(times, share)).toBe(Math.round(1.3 ** (n ?? 0)));
    expect(percentileOf([], share)).toBeUndefined();
  });
});
