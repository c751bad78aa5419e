import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { worseCounts } from "../../src/statistics/worse-counts.ts";
import { subsets, sums } from "./enumerate.ts";

const pair = (now: [number, number], before: [number, number]) => ({
  now: { passed: now[0], trials: now[1] },
  before: { passed: before[0], trials: before[1] },
});

test("p is the share of all ways to deal each case's trials to run and baseline that pass as seldom, those equally often by half", () => {
  const side = fc
    .integer({ min: 1, max: 4 })
    .chain((trials) => fc.tuple(fc.integer({ min: 0, max: trials }), fc.constant(trials)));
  fc.assert(
    fc.property(fc.array(fc.tuple(side, side), { minLength: 1, maxLength: 3 }), (sides) => {
      const cases = sides.map(([now, before]) => pair(now, before));
      const dealt = sums(
        cases.map(({ now, before }) => {
          const all = Array.from({ length: now.trials + before.trials }, (_, index) =>
            index < now.passed + before.passed ? 1 : 0,
          );
          return subsets<number>(all, now.trials).map((hand) => hand.reduce((sum, x) => sum + x, 0));
        }),
      );
      // Without any way to differ, nothing is evidence.
      const isCertain = new Set(dealt).size === 1;
      const seen = cases.reduce((sum, { now }) => sum + now.passed, 0);
      const below = dealt.filter((sum) => sum < seen).length;
      const equal = dealt.filter((sum) => sum === seen).length;
      expect(worseCounts(cases)).toBeCloseTo(isCertain ? 1 : (below + equal / 2) / dealt.length, 10);
    }),
    { numRuns: 50 },
  );
});

describe("with one trial each it is McNemar's mid-p test", () => {
  // Fagerland, Lydersen & Laake 2013, BMC Medical Research Methodology 13:91, tables 1 and 2: mid-p 0.039 and 0.035, two-sided.
  test.each([
    { name: "airway hyper-responsiveness", both: 1, lost: 7, won: 1, none: 12, p: 0.0391 },
    { name: "complete response", both: 59, lost: 16, won: 6, none: 80, p: 0.0347 },
  ])("$name", ({ both, lost, won, none, p }) => {
    const some = (count: number, now: number, before: number) =>
      Array.from({ length: count }, () => pair([now, 1], [before, 1]));
    const cases = [...some(both, 1, 1), ...some(lost, 0, 1), ...some(won, 1, 0), ...some(none, 0, 0)];
    expect(2 * worseCounts(cases)).toBeCloseTo(p, 4);
  });
});

test.each([
  ["a dead case", [pair([0, 5], [15, 15])], 0.5 / 15_504],
  ["nothing to compare", [], 1],
  ["all passed on both sides", [pair([5, 5], [15, 15]), pair([5, 5], [15, 15])], 1],
  ["better than the baseline", [pair([5, 5], [0, 15])], 1 - 0.5 / 15_504],
])("%s", (_name, cases, p) => {
  expect(worseCounts(cases)).toBeCloseTo(p, 9);
});

test("thousands of trials neither overflow nor vanish", () => {
  expect(worseCounts([pair([2500, 5000], [2500, 5000])])).toBeCloseTo(0.5, 10);
  expect(worseCounts([pair([2400, 5000], [2500, 5000])])).toBeCloseTo(0.0228, 3);
});
