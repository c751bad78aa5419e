import type { ListOptions, SessionStore, SessionSummary, TotalsRow } from "@pollux/core";
import { MemoryStore } from "@pollux/core";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { addUpTotals } from "../../src/inspection/totals.ts";
import { readTotals } from "../../src/server/read-totals.ts";

const DAY = 86_400_000;
const START = Date.UTC(2026, 10, 1);

/** A session whose runs cost `cost`. */
function summary(id: string, updatedAt: number, cost: number, more: Partial<SessionSummary> = {}): SessionSummary {
  const totals: readonly TotalsRow[] = [
    { kind: "model", name: "gemini-x", count: 2, input: 100, cached: 40, output: 10, cost, times: [[20, 2]] },
    { kind: "ending", name: "finished", count: 1 },
    { kind: "agent", name: "clerk", count: 1, input: 100, cached: 40, output: 10, cost, times: [[24, 1]] },
  ];
  return { id, length: 3, updatedAt, turns: 2, totalTokens: 110, cost, totals, ...more };
}

/** A store that only lists these, and counts the calls of `list`. */
function storeOf(all: readonly SessionSummary[]) {
  const sorted = all.toSorted((a, b) => b.updatedAt - a.updatedAt || (a.id < b.id ? 1 : -1));
  const list = vi.fn<SessionStore["list"]>(async ({ after, limit = 100, owner }: ListOptions = {}) => {
    const isNext = ({ id, updatedAt }: SessionSummary): boolean =>
      after === undefined || updatedAt < after.updatedAt || (updatedAt === after.updatedAt && id < after.id);
    return sorted.filter((one) => isNext(one) && (owner === undefined || one.owner === owner)).slice(0, limit);
  });
  return { list };
}

const query = (fields: { readonly [name: string]: string | number }): URLSearchParams =>
  new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)]));

describe("totals of a store", () => {
  test("of 10,000 sessions take ten lists and one that is empty, and no log", async () => {
    const store = storeOf(Array.from({ length: 10_000 }, (_, index) => summary(`s-${index}`, START + index, 0.25)));
    const totals = await readTotals(store, query({}));
    expect(store.list).toHaveBeenCalledTimes(11);
    expect(totals).toMatchObject({
      sessions: 10_000,
      isCut: false,
      cost: 2500,
      runs: { count: 10_000, input: 1_000_000, cached: 400_000, output: 100_000, cost: 2500, p50: 543, p99: 543 },
      models: [{ name: "gemini-x", count: 20_000, p90: 190 }],
      days: [{ name: "2026-11-01", count: 10_000 }],
    });
    expect(totals.mostExpensive).toHaveLength(20);
  });

  test("cover the sessions of a time span, an owner or an agent", async () => {
    const store = storeOf([
      summary("old", START - 1, 1),
      summary("first", START, 2, { owner: "ann" }),
      summary("last", START + DAY - 1, 4, { owner: "bob" }),
      summary("late", START + DAY, 8, { totals: [{ kind: "agent", name: "other", count: 1 }] }),
    ]);
    const costOf = async (fields: { readonly [name: string]: string | number }): Promise<number | undefined> =>
      (await readTotals(store, query(fields))).cost;
    expect(await costOf({})).toBe(15);
    expect(await costOf({ from: START, to: START + DAY })).toBe(6);
    expect(await costOf({ from: START })).toBe(14);
    expect(await costOf({ owner: "bob" })).toBe(4);
    expect(await costOf({ agent: "clerk" })).toBe(7);
    await expect(readTotals(store, query({ from: "soon" }))).rejects.toThrow("from must be a time in milliseconds");
  });

  test("have no cost where nothing has a price", async () => {
    const totals: readonly TotalsRow[] = [{ kind: "agent", name: "clerk", count: 1, input: 100 }];
    const store = storeOf([{ id: "free", length: 3, updatedAt: START, totals }]);
    const { cost, runs, mostExpensive, slowest } = await readTotals(store, query({}));
    expect({ cost, runs, mostExpensive, slowest }).toMatchObject({ cost: undefined, runs: { count: 1, input: 100 } });
    expect(runs.cost).toBeUndefined();
    expect(mostExpensive).toEqual([]);
  });

  test("of an empty store are nothing", async () => {
    expect(await readTotals(new MemoryStore(), query({}))).toMatchObject({
      sessions: 0,
      cost: undefined,
      runs: { count: 0 },
      days: [],
      owners: [],
      mostExpensive: [],
    });
  });

  test("report uncounted sessions and missing prices", () => {
    const old = summary("old", START, 1, { totals: undefined });
    const fresh = summary("new", START, 0, { totals: undefined, turns: 0, totalTokens: 0 });
    const unpriced = summary("unpriced", START, 1, { unpriced: "gemini-x", pricesAsOf: "2026-11-23" });
    // Of an agent without prices, and of a log without a summary.
    const unrecorded = summary("unrecorded", START, 0);
    const copied = { id: "copied", length: 3, updatedAt: START };
    expect(addUpTotals([old, fresh, unpriced, copied])).toMatchObject({ uncounted: 2, unpriced: 1 });
    expect(addUpTotals([old, fresh, unpriced, unrecorded])).toMatchObject({
      sessions: 4,
      uncounted: 1,
      unpriced: 2,
      cost: 2,
      pricesAsOf: ["2026-11-23"],
      runs: { count: 2 },
    });
  });

  test("have the most expensive and the slowest first", () => {
    const slow: readonly TotalsRow[] = [
      {
        kind: "agent",
        name: "a",
        count: 2,
        times: [
          [10, 1],
          [50, 1],
        ],
      },
    ];
    const { mostExpensive, slowest } = addUpTotals([
      summary("cheap", START, 0),
      summary("dear", START, 9),
      summary("slow", START, 1, { totals: slow, title: "Slow" }),
    ]);
    expect(mostExpensive.map(({ id }) => id)).toEqual(["dear", "slow"]);
    expect(slowest[0]).toEqual({ id: "slow", title: "Slow", runs: 2, tokens: 110, cost: 1, slowest: 497_929 });
  });

  test("are the same in any order, and their parts add up", () => {
    const one = fc.record({
      id: fc.uuid(),
      owner: fc.constantFrom(undefined, "ann", "__proto__"),
      day: fc.integer({ min: 0, max: 3 }),
      cost: fc.integer({ min: 0, max: 100 }),
      // Of an active run, and of a broken answer: neither is in the rows of an agent or a model.
      more: fc.integer({ min: 0, max: 2 }),
      broken: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(one, { selector: ({ id }) => id }), (given) => {
        const all = given.map(({ id, owner, day, cost, more, broken }) => {
          const made = summary(id, START + day * DAY, cost, { owner, cost: cost + more + broken });
          const agents = (row: TotalsRow): TotalsRow => (row.kind === "agent" ? { ...row, cost: cost + broken } : row);
          return { ...made, totals: made.totals?.map(agents) };
        });
        const totals = addUpTotals(all);
        const back = addUpTotals(all.toReversed());
        expect({ ...back, owners: [] }).toEqual({ ...totals, owners: [] });
        const sum = (rows: typeof totals.days): number => rows.reduce((whole, { cost = 0 }) => whole + cost, 0);
        for (const kind of ["days", "owners", "agents", "models"] as const)
          expect(sum(totals[kind])).toBe(totals.cost ?? 0);
        expect(totals.runs.count).toBe(all.length);
      }),
    );
  });
});
