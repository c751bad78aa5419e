import { describe, expect, test } from "vitest";
import { differenceOfValues, higherValues } from "../../src/statistics/worse-values.ts";
import { subsets, sums } from "./enumerate.ts";

describe("p of higher values", () => {
  const cases = [
    { now: [3, 5], before: [1, 2, 4] },
    { now: [10, 13], before: [11, 9, 12] },
  ];

  test("comes near the share of all ways to shuffle within cases", () => {
    const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
    const differences = sums(
      cases.map(({ now, before }) => {
        const all = [...now, ...before];
        const total = all.reduce((sum, x) => sum + x, 0);
        return subsets(all, now.length).map((hand) => {
          const taken = hand.reduce((sum, x) => sum + x, 0);
          return taken / now.length - (total - taken) / before.length;
        });
      }),
    );
    const seen = cases.reduce((sum, { now, before }) => sum + mean(now) - mean(before), 0);
    const exact = differences.filter((difference) => difference >= seen - 1e-9).length / differences.length;
    expect(exact).toBe(0.16);
    expect(higherValues(cases, "seed", 20_000)).toBeCloseTo(exact, 2);
  });

  test("is never 0, as the seen order is one of those possible", () => {
    const apart = [{ now: Array.from({ length: 20 }, () => 9), before: Array.from({ length: 60 }, () => 1) }];
    expect(higherValues(apart, "seed", 99)).toBe(0.01);
  });

  test("is the same for the same seed", () => {
    expect(higherValues(cases, "a", 50)).toBe(higherValues(cases, "a", 50));
  });

  test.each([
    ["equal values", [{ now: [2, 2], before: [2, 2, 2] }]],
    [
      "equal values that rounding tells apart",
      [
        { now: [0.1, 0.2, 0.3], before: [0.3, 0.2, 0.1] },
        { now: [0.7], before: [0.7] },
      ],
    ],
    ["no case", []],
  ])("is high for %s", (_name, none) => {
    expect(higherValues(none, "seed", 99)).toBeGreaterThan(0.5);
  });

  test("does not change what it compares", () => {
    const kept = structuredClone(cases);
    higherValues(cases, "seed", 10);
    expect(cases).toEqual(kept);
  });
});

describe("the difference of values", () => {
  test("of one case has Welch's interval", () => {
    // Means 6 and 3, variances 4 and 1: a standard error of √(4/3 + 1/3), with 2.94 degrees of freedom, as scipy's `ttest_ind`.
    const { value, low, high } = differenceOfValues([{ now: [4, 6, 8], before: [2, 3, 4] }]);
    expect([value, high - value, value - low]).toEqual([3, expect.closeTo(4.1554, 4), expect.closeTo(4.1554, 4)]);
  });

  test("is the mean over cases, whose intervals shrink together", () => {
    const one = { now: [4, 6, 8], before: [2, 3, 4] };
    const { value, high } = differenceOfValues([one, one, one, one]);
    expect([value, high - value]).toEqual([3, expect.closeTo(1.4095, 4)]);
  });

  test("of a single trial borrows the baseline's variance", () => {
    const { value, high } = differenceOfValues([{ now: [6], before: [2, 3, 4] }]);
    expect([value, high - value]).toEqual([3, expect.closeTo(4.303 * Math.sqrt(4 / 3), 2)]);
  });

  test("of single trials on both sides is judged by the differences of cases", () => {
    const { value, high } = differenceOfValues([1, 2, 3].map((now) => ({ now: [now], before: [0] })));
    expect([value, high - value]).toEqual([2, expect.closeTo(4.303 / Math.sqrt(3), 3)]);
  });

  test("of equal values is certain, and that of one trial each is not known, in JSON's numbers", () => {
    expect(differenceOfValues([{ now: [2, 2], before: [1, 1] }])).toEqual({ value: 1, low: 1, high: 1 });
    expect(differenceOfValues([{ now: [2], before: [1] }])).toEqual({
      value: 1,
      low: -Number.MAX_VALUE,
      high: Number.MAX_VALUE,
    });
  });
});
