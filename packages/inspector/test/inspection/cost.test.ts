import { Agent, googleListPrices, MemoryStore, type PriceList, type PriceTable } from "@pollux/core";
import {
  call,
  calls,
  costs,
  cut,
  dies,
  empty,
  join,
  malformed,
  say,
  ScriptedModel,
  serverSearch,
} from "@pollux/core/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { compareBranches } from "../../src/inspection/compare-branches.ts";
import { formatCost, formatMoney, type Priced } from "../../src/inspection/cost.ts";
import type { SessionOverview, SessionPage } from "../../src/inspection/inspection.ts";
import { mergeOverview } from "../../page/src/source/http-source.ts";
import { SessionFold } from "../../src/inspection/session-fold.ts";
import { inspectorHandler } from "../../src/server/inspector-handler.ts";
import { sessionPage } from "../../src/take-away/session-page.ts";
import { add, fail, foldOf } from "../support/sessions.ts";

import fc from "fast-check";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-30T12:00:00Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

const ARGON = "gemini-4-argon";
const NAMELESS = "somebody-elses-model";
const OWN: PriceList = { asOf: "2026-01-01", models: { [ARGON]: { input: 3, output: 7 } } };

const anyUsage = fc
  .record({
    promptTokenCount: fc.integer({ min: 1, max: 2_000_000 }),
    candidatesTokenCount: fc.integer({ min: 0, max: 50_000 }),
    thoughtsTokenCount: fc.integer({ min: 0, max: 50_000 }),
    share: fc.constantFrom(0, 0.25, 0.9),
  })
  .map(({ share, ...counts }) => ({
    ...counts,
    cachedContentTokenCount: Math.floor(counts.promptTokenCount * share),
    totalTokenCount: counts.promptTokenCount + counts.candidatesTokenCount + counts.thoughtsTokenCount,
  }));

const answer = fc.constantFrom(
  call("add", { a: 1, b: 2 }),
  calls({ name: "add", args: { a: 1, b: 2 } }, "fail"),
  calls({ name: "inner", args: { task: "x" } }, "add", { name: "inner", args: { task: "y" } }),
  call("inner", { task: "x" }),
  serverSearch("the weather"),
  malformed(),
  empty(),
  cut("It is"),
  dies("It is"),
  say("Done."),
);
const line = fc.tuple(answer, anyUsage).map(([text, used]) => join(text, costs(used)));
const table = fc.constantFrom<PriceTable | undefined>(undefined, googleListPrices, OWN);
const anyModel = fc.constantFrom(ARGON, "gemini-3.8-flash", NAMELESS);
const anyRun = fc.record({
  model: anyModel,
  prices: table,
  lines: fc.array(line, { minLength: 1, maxLength: 5 }),
  inner: fc.record({ model: anyModel, prices: table, lines: fc.array(line, { minLength: 1, maxLength: 3 }) }),
  next: fc.constantFrom("nothing", "resume", "rewind"),
  waits: fc.constantFrom(0, 20 * 86_400_000),
  turns: fc.constantFrom(2, 10),
});
type Run = typeof anyRun extends fc.Arbitrary<infer One> ? One : never;

async function sessionOfRuns(runs: readonly Run[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const { model: id, prices, lines, inner, next, waits, turns } of runs) {
    const helper = new Agent({
      name: "inner",
      model: ScriptedModel.with({ id: inner.model }, ...inner.lines),
      tools: [add],
      prices: inner.prices,
      limits: { restarts: 0 },
    });
    const agent = new Agent({
      model: ScriptedModel.with({ id }, ...lines),
      tools: [add, fail, helper.asTool({ description: "x" })],
      prices,
      limits: { turns, restarts: 0 },
    });
    const session = agent.session({ id: "chat-1", store });
    // Failed runs are included.
    const result = await session.send("Go on.").catch(() => undefined);
    vi.setSystemTime(Date.now() + waits);
    if (next === "resume") await session.resume().catch(() => undefined);
    if (next === "rewind" && result !== undefined) await session.rewind({ before: `${result.runId}:user` });
  }
  return store;
}

/** The sum of the known costs. */
const sum = (parts: readonly Priced[]): number => parts.reduce((total, { cost = 0 }) => total + cost, 0);

test("parts add up to the whole everywhere, for any runs", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyRun, { minLength: 1, maxLength: 3 }), table, async (runs, prices) => {
      const store = await sessionOfRuns(runs);
      const measures = { ...(prices !== undefined && { prices }), limits: { cost: 1000 } };
      const fold = await foldOf(store, "chat-1", measures);
      const overview = fold.overview();
      const near = (cost: number) => expect.closeTo(cost, 9) as unknown;
      expect(overview.runs.map(({ cost = 0 }) => cost)).toEqual(
        overview.runs.map(({ turns, otherCosts = [] }) => near(sum([...turns, ...otherCosts]))),
      );
      expect(overview.runs.map((one) => one.usage.totalTokens)).toEqual(
        overview.runs.map(({ turns, otherCosts = [] }) =>
          [...turns, ...otherCosts].reduce((total, { usage: { totalTokens: used = 0 } }) => total + used, 0),
        ),
      );
      // Recorded costs stand.
      for (const [index, { end }] of fold.runs.entries()) {
        const { cost = 0, pricedHere = 0, otherCosts = [], limits } = overview.runs[index]!;
        if (end?.["cost"] !== undefined) expect(cost - pricedHere).toEqual(near(Number(end["cost"])));
        expect(otherCosts.filter(({ what }) => !what.startsWith("Broken answers"))).toEqual([]);
        expect(limits.map(({ used }) => used)).toEqual([cost]);
      }
      expect(overview.cost ?? 0).toEqual(near(sum(overview.runs)));
      const handler = inspectorHandler({ store, authorize: () => true, ...(prices !== undefined && { prices }) });
      const ask = async (path: string): Promise<unknown> =>
        await (await handler(new Request(`http://localhost/inspector/api/${path}`))).json();
      const [row] = ((await ask("sessions")) as SessionPage).sessions;
      expect((row?.cost ?? 0) + (overview.pricedHere ?? 0)).toEqual(near(overview.cost ?? 0));
      const { cost, unpriced, pricedHere } = (await ask("sessions/chat-1")) as SessionOverview;
      expect({ cost, unpriced, pricedHere }).toEqual({
        cost: overview.cost,
        unpriced: overview.unpriced,
        pricedHere: overview.pricedHere,
      });
      expect(compareBranches(new SessionFold("none", measures), fold).right.cost ?? 0).toEqual(
        near(overview.cost ?? 0),
      );
      if (overview.cost !== undefined)
        expect(sessionPage(fold, 0).text).toContain(`cost ${formatCost(overview, overview.currency)}`);
      const grown = new SessionFold("chat-1", measures);
      let merged: SessionOverview | undefined;
      for (const entry of fold.entries) {
        grown.add(entry);
        merged = merged === undefined ? grown.overview() : mergeOverview(merged, grown.overview({}, merged.length));
      }
      expect(merged?.runs).toEqual(overview.runs);
    }),
    { numRuns: 60, seed: 36 },
  );
});

describe("an unpriced run", () => {
  test("uses the inspector's prices, and says so", async () => {
    const [text, used] = [say("3"), costs({ promptTokenCount: 1_000_000, totalTokenCount: 1_000_000 })];
    const store = new MemoryStore();
    for (const prices of [OWN, undefined])
      await new Agent({ model: ScriptedModel.with({ id: ARGON }, join(text, used)), prices })
        .session({ id: "chat-1", store })
        .send("Add");
    expect((await foldOf(store)).overview()).toMatchObject({ cost: 3, unpriced: ARGON, pricesAsOf: "2026-01-01" });
    const overview = (await foldOf(store, "chat-1", { prices: googleListPrices })).overview();
    expect(overview).toMatchObject({ cost: 5, pricedHere: 2, runs: [{ cost: 3 }, { cost: 2, currency: "USD" }] });
    expect([overview.unpriced, overview.currency]).toEqual([undefined, undefined]);
  });

  test("uses Google's list prices on request, without writing anything", async () => {
    const store = new MemoryStore();
    const used = costs({ promptTokenCount: 1_000_000, totalTokenCount: 1_000_000 });
    const model = ScriptedModel.with({ id: ARGON }, join(say("3"), used));
    await new Agent({ model }).session({ id: "chat-1", store }).send("Add");
    const before = await store.load("chat-1");
    const handler = inspectorHandler({ store, authorize: () => true });
    const ask = async (path: string): Promise<unknown> =>
      await (await handler(new Request(`http://localhost/inspector/api/${path}`))).json();
    const { asOf } = googleListPrices;
    expect(await ask("about")).toMatchObject({ listPrices: { asOf, isUsed: false } });
    expect(await ask("about?prices=google")).toMatchObject({ listPrices: { asOf, isUsed: true } });
    expect(await ask("sessions/chat-1")).toMatchObject({ unpriced: ARGON });
    expect(await ask("sessions/chat-1?prices=google")).toMatchObject({ cost: 2, pricedHere: 2, currency: "USD" });
    expect(await store.load("chat-1")).toEqual(before);
  });
});

test("broken answers are billed to their turn, which may only exist after a resume", () => {
  const fold = new SessionFold("chat-1", { prices: OWN });
  const base = { v: 3, at: 0, runId: "r" };
  const usage = { requests: 1, inputTokens: 1_000_000, totalTokens: 1_000_000 };
  fold.add({ ...base, type: "run", model: ARGON, input: [] });
  const lost = { turn: 1, usage, cost: 0.5 };
  const end = { ...base, type: "end", stopReason: "failed", open: [], turns: 0, toolCalls: 0, usage, cost: 0.5, lost };
  fold.add(end);
  expect(fold.overview().runs).toMatchObject([
    {
      cost: 0.5,
      turns: [],
      otherCosts: [{ what: "Broken answers in turn 1 of the run", cost: 0.5, usage: { inputTokens: 1_000_000 } }],
    },
  ]);
  fold.add({ ...base, type: "resume" });
  const value = { response: { content: { role: "model", parts: [{ text: "3" }] }, usage, finishReason: "STOP" } };
  const place = { kind: "model", turn: 1, attempt: 0, phase: "work" };
  fold.add({ ...base, type: "step", step: "model:1", place, outcome: { ok: true, value } });
  const [run] = fold.overview().runs;
  expect(run).toMatchObject({ cost: 3.5, pricedHere: 3, turns: [{ cost: 3.5, usage: { inputTokens: 2_000_000 } }] });
  expect(run?.otherCosts).toBeUndefined();
});

test.each<[number, string | undefined, string]>([
  [0.0012, "USD", "$0.0012"],
  [12.3456, "EUR", "€12.35"],
  [12.3456, "CHF", "CHF 12.35"],
  [-0.25, "USD", "-$0.25"],
  [0, "USD", "$0"],
  [0.25, undefined, "0.25"],
])("money of %d in %s is %s", (cost, currency, text) => expect(formatMoney(cost, currency)).toBe(text));
