import { expect, test } from "vitest";
import { differenceOnCasesLikeThese, differenceOnTheseCases } from "../../src/statistics/differences.ts";
import { rateOfCasesLikeThese, rateOfTheseCases } from "../../src/statistics/rates.ts";
import { isRed, meanOf, shareOf, suites } from "./simulate.ts";

// The small version of `repetitions.system.test.ts`: chance alone moves these shares by a few points.
const size = { cases: 12, trials: 5, before: 15 };

test("of 300 unchanged runs few alarm, of 100 with a drop of 15 points about 80 do", () => {
  const unchanged = suites(size, "unchanged", (rate) => rate);
  const dropped = suites(size, "dropped", (rate) => Math.max(0, rate - 0.15));
  expect(shareOf(300, () => isRed(unchanged()))).toBeLessThan(0.06);
  expect(shareOf(100, () => isRed(dropped()))).toBeGreaterThan(0.7);
});

test("intervals at 95% cover the truth in nearly all of 300 suites", () => {
  const draw = suites(size, "coverage", (rate) => 0.8 * rate);
  const missed = Array.from({ length: 300 }, draw).flatMap((drawn) => {
    const now = drawn.counts.map((pair) => pair.now);
    const difference = meanOf(drawn, "now") - meanOf(drawn, "before");
    const pairs = [
      { name: "rate of these cases", interval: rateOfTheseCases(now), truth: meanOf(drawn, "now") },
      { name: "rate of cases like these", interval: rateOfCasesLikeThese(now), truth: 0.72 },
      { name: "difference on these cases", interval: differenceOnTheseCases(drawn.counts), truth: difference },
      { name: "difference on cases like these", interval: differenceOnCasesLikeThese(drawn.counts), truth: -0.18 },
    ];
    return pairs.filter(({ interval, truth }) => truth < interval.low || interval.high < truth).map(({ name }) => name);
  });
  const often = missed.filter((name) => missed.filter((other) => other === name).length > 0.07 * 300);
  expect([...new Set(often)]).toEqual([]);
  // Intervals that miss nothing would be too wide.
  expect(missed.length).toBeGreaterThan(0.01 * 4 * 300);
});
