import { describe, expect, test } from "vitest";
import { differenceOnCasesLikeThese, differenceOnTheseCases } from "../../src/statistics/differences.ts";
import { rateOfCasesLikeThese } from "../../src/statistics/rates.ts";

// Newcombe 1998, Statistics in Medicine 17:873, table II, method 10.
test.each([
  [56, 70, 48, 80, 0.0524, 0.3339],
  [9, 10, 3, 10, 0.1705, 0.809],
  [6, 7, 2, 7, 0.0582, 0.8062],
  [5, 56, 0, 29, -0.0381, 0.1926],
  [0, 10, 0, 20, -0.1611, 0.2775],
  [0, 10, 0, 10, -0.2775, 0.2775],
  [10, 10, 0, 20, 0.6791, 1],
])("on these cases, %s/%s less %s/%s is %s to %s", (now, trials, before, trialsBefore, low, high) => {
  const pair = { now: { passed: now, trials }, before: { passed: before, trials: trialsBefore } };
  expect(differenceOnTheseCases([pair])).toEqual({
    value: now / trials - before / trialsBefore,
    low: expect.closeTo(low, 4),
    high: expect.closeTo(high, 4),
  });
});

describe("on cases like these", () => {
  const pairs = (now: readonly number[], before: readonly number[]) =>
    now.map((passed, index) => ({ now: { passed, trials: 5 }, before: { passed: before[index] ?? 0, trials: 5 } }));
  const width = ({ low, high }: { low: number; high: number }): number => high - low;

  test("the interval is shorter when hard cases are hard in both versions", () => {
    const alike = differenceOnCasesLikeThese(pairs([5, 4, 5, 1, 3, 0], [5, 4, 4, 1, 3, 0]));
    const unlike = differenceOnCasesLikeThese(pairs([5, 4, 5, 1, 3, 0], [0, 4, 1, 5, 3, 4]));
    expect(alike.value).toBeCloseTo(1 / 30, 10);
    expect(width(alike)).toBeLessThan(width(unlike) / 2);
  });

  test("a correlation of four cases counts by three quarters", () => {
    const counts = [5, 4, 5, 0].map((passed) => ({ passed, trials: 5 }));
    const { value, low, high } = rateOfCasesLikeThese(counts);
    const [below, above] = [value - low, high - value];
    const distance = Math.sqrt(below ** 2 - 1.5 * below * above + above ** 2);
    expect(differenceOnCasesLikeThese(pairs([5, 4, 5, 0], [5, 4, 5, 0]))).toEqual({
      value: 0,
      low: expect.closeTo(-distance, 10),
      high: expect.closeTo(distance, 10),
    });
  });

  test("without correlation the distances of both intervals add up as squares", () => {
    const all = pairs([5, 5, 5, 5], [5, 4, 5, 0]);
    const now = rateOfCasesLikeThese(all.map((one) => one.now));
    const before = rateOfCasesLikeThese(all.map((one) => one.before));
    const { value, low, high } = differenceOnCasesLikeThese(all);
    expect(value).toBeCloseTo(0.3, 10);
    expect(value - low).toBeCloseTo(Math.hypot(now.value - now.low, before.high - before.value), 10);
    expect(high - value).toBeCloseTo(Math.hypot(now.high - now.value, before.value - before.low), 10);
  });
});
