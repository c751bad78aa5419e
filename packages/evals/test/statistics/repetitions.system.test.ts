import { describe, expect, test } from "vitest";
import { differenceOnCasesLikeThese, differenceOnTheseCases } from "../../src/statistics/differences.ts";
import { NORMAL_975, student975 } from "../../src/statistics/quantiles.ts";
import { seededRandom } from "../../src/statistics/random.ts";
import { type Estimate, rateOfCasesLikeThese, rateOfTheseCases, sum } from "../../src/statistics/rates.ts";
import { seenDrop } from "../../src/statistics/seen-drop.ts";
import { differenceOfValues, higherValues, mean } from "../../src/statistics/worse-values.ts";
import { type Drawn, isRed, meanOf, shareOf, suites } from "./simulate.ts";

const REPETITIONS = 10_000;

const SIZES = [
  { cases: 12, trials: 1, before: 4, drop: 0.38, dead: 0.08 },
  { cases: 12, trials: 3, before: 9, drop: 0.21, dead: 0.18 },
  { cases: 12, trials: 5, before: 15, drop: 0.15, dead: 0.9 },
  { cases: 12, trials: 10, before: 30, drop: 0.1, dead: 1 },
  { cases: 30, trials: 3, before: 9, drop: 0.12, dead: 0.1 },
] as const;

const unchanged = (rate: number): number => rate;
const worse = (rate: number): number => 0.8 * rate;

const covers = ({ low, high }: Estimate, truth: number): boolean => low <= truth + 1e-9 && truth - 1e-9 <= high;

describe.each(SIZES)("$cases cases with $trials trials, against $before", (size) => {
  test("an unchanged agent alarms in at most 6 of 100 runs, the baseline drawn anew", () => {
    const draw = suites(size, "unchanged", unchanged);
    expect(shareOf(REPETITIONS, () => isRed(draw()))).toBeLessThanOrEqual(0.06);
  });

  test("the table of what is seen: a drop of all cases 8 times in 10, a dead case", () => {
    const dropped = suites(size, "dropped", (rate) => Math.max(0, rate - size.drop));
    const dead = suites(size, "dead", (rate, index) => (index === 0 ? 0 : rate));
    const power = [dropped, dead].map((draw) => shareOf(2000, () => isRed(draw())));
    expect(Math.abs((power[0] ?? 0) - 0.8)).toBeLessThan(0.03);
    expect(Math.abs((power[1] ?? 0) - size.dead)).toBeLessThan(0.03);
  });

  test("the drop that is promised from a baseline alone is the table's", () => {
    const draw = suites(size, "promised", unchanged);
    const drops = Array.from({ length: 25 }, () => {
      const cases = draw().counts.map(({ before }) => ({ before, trials: size.trials }));
      return seenDrop(cases, 0.025) ?? 1;
    });
    expect(Math.abs((drops.toSorted((a, b) => a - b)[12] ?? 1) - size.drop)).toBeLessThan(0.015);
  });

  test.each([
    ["unchanged", unchanged, 0.9],
    ["a fifth worse", worse, 0.72],
  ])("intervals cover the truth in at least 94 of 100 suites when the agent is %s", (name, change, rate) => {
    const draw = suites(size, `coverage, ${name}`, change);
    const covered = [0, 0, 0, 0];
    for (let repetition = 0; repetition < REPETITIONS; repetition++) {
      const drawn = draw();
      const now = drawn.counts.map((pair) => pair.now);
      const difference = meanOf(drawn, "now") - meanOf(drawn, "before");
      for (const [index, is] of [
        covers(rateOfTheseCases(now), meanOf(drawn, "now")),
        covers(rateOfCasesLikeThese(now), rate),
        covers(differenceOnTheseCases(drawn.counts), difference),
        covers(differenceOnCasesLikeThese(drawn.counts), rate - 0.9),
      ].entries())
        if (is) covered[index] = (covered[index] ?? 0) + 1;
    }
    expect(covered.filter((count) => count < 0.94 * REPETITIONS)).toEqual([]);
  });
});

test("why neither Student's t nor the normal interval: with few cases both cover much less", () => {
  const single = { cases: 12, trials: 1, before: 1 };
  const better = (rate: number): number => 1 - (1 - rate) / 2;
  const student = ({ counts }: Drawn): Estimate => {
    const differences = counts.map(({ now, before }) => now.passed / now.trials - before.passed / before.trials);
    const value = mean(differences);
    const half = student975(11) * Math.sqrt(sum(differences.map((x) => (x - value) ** 2)) / 11 / 12);
    return { value, low: value - half, high: value + half };
  };
  const normal = ({ counts }: Drawn): Estimate => {
    const value = mean(counts.map(({ now }) => now.passed));
    const half = NORMAL_975 * Math.sqrt((value * (1 - value)) / 12);
    return { value, low: value - half, high: value + half };
  };
  const first = suites(single, "student", better);
  const second = suites(single, "normal", unchanged);
  expect([
    shareOf(REPETITIONS, () => covers(student(first()), 0.05)),
    shareOf(REPETITIONS, () => covers(normal(second()), 0.9)),
  ]).toEqual([expect.closeTo(0.82, 1), expect.closeTo(0.72, 1)]);
});

describe("costs, with a standard deviation of logs of 0.6", () => {
  const random = seededRandom("costs");
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const draw = (factor: number) => {
    const cases = Array.from({ length: 12 }, () => Math.exp(0.8 * normal()));
    const costs = (center: number, count: number): number[] =>
      Array.from({ length: count }, () => center * Math.exp(0.6 * normal()));
    const pairs = cases.map((center) => ({ now: costs(factor * center, 5), before: costs(center, 15) }));
    return { pairs, difference: (factor - 1) * Math.exp(0.18) * mean(cases) };
  };
  const p = (factor: number): number => {
    const logs = draw(factor).pairs.map(({ now, before }) => ({
      now: now.map(Math.log),
      before: before.map(Math.log),
    }));
    return higherValues(logs, "costs", 199);
  };

  test("that did not change alarm in at most 6 of 100 runs, and a third more is found", () => {
    expect(shareOf(REPETITIONS / 2, () => p(1) <= 0.05)).toBeLessThanOrEqual(0.06);
    expect(shareOf(200, () => p(1.3) <= 0.05)).toBeGreaterThan(0.8);
  });

  test("differ by an interval that covers the truth in 93 of 100 runs, as means of skewed values are", () => {
    const share = shareOf(REPETITIONS, () => {
      const { pairs, difference } = draw(1.3);
      return covers(differenceOfValues(pairs), difference);
    });
    expect(share).toBeGreaterThan(0.93);
  });
});
