import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { student975 } from "../../src/statistics/quantiles.ts";
import { passAtK, passHatK, rateOfCasesLikeThese, rateOfTheseCases, wilson } from "../../src/statistics/rates.ts";
import { subsets } from "./enumerate.ts";

describe("pass@k and pass^k", () => {
  test("are the shares of all choices of k trials in which one passed, and in which all did", () => {
    const counts = fc
      .tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }))
      .filter(([c, f]) => c + f > 0);
    fc.assert(
      fc.property(fc.array(counts, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 6 }), (cases, k) => {
        fc.pre(cases.every(([passed, failed]) => passed + failed >= k));
        const shares = cases.map(([passed, failed]) => {
          const trials = [...Array.from({ length: passed }, () => 1), ...Array.from({ length: failed }, () => 0)];
          const choices = subsets(trials, k);
          const share = (is: (sum: number) => boolean): number =>
            choices.filter((choice) => is(choice.reduce((sum, x) => sum + x, 0))).length / choices.length;
          return { any: share((sum) => sum > 0), all: share((sum) => sum === k) };
        });
        const results = cases.map(([passed, failed]) => ({ passed, trials: passed + failed }));
        const mean = (values: number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
        expect(passAtK(results, k)).toBeCloseTo(mean(shares.map(({ any }) => any)), 10);
        expect(passHatK(results, k)).toBeCloseTo(mean(shares.map(({ all }) => all)), 10);
      }),
    );
  });

  test("are not known with fewer than k trials, or without cases", () => {
    const cases = [
      { passed: 5, trials: 5 },
      { passed: 1, trials: 2 },
    ];
    expect([passAtK(cases, 3), passHatK(cases, 3), passAtK([], 1), passHatK([], 1)]).toEqual(Array(4).fill(undefined));
  });
});

// Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])("Wilson's interval of %s/%s is %s to %s", (passed, trials, low, high) => {
  expect(wilson(passed / trials, trials)).toEqual({
    value: passed / trials,
    low: expect.closeTo(low, 4),
    high: expect.closeTo(high, 4),
  });
});

describe("on these cases", () => {
  test("trials of all cases count together", () => {
    const cases = [5, 4, 5, 0].map((passed) => ({ passed, trials: 5 }));
    expect(rateOfTheseCases(cases)).toEqual(wilson(14 / 20, 20));
  });

  test("cases count alike, however often they were tried", () => {
    const cases = [
      { passed: 0, trials: 1 },
      { passed: 9, trials: 9 },
    ];
    expect(rateOfTheseCases(cases)).toEqual(wilson(0.5, 4 / (1 + 1 / 9)));
  });
});

describe("on cases like these", () => {
  test("the interval is Wilson's at the number of trials that the variance between cases is worth", () => {
    const cases = [5, 4, 5, 0].map((passed) => ({ passed, trials: 5 }));
    const variance = [1, 0.8, 1, 0].reduce((sum, share) => sum + (share - 0.7) ** 2, 0) / 3 / 4;
    const worth = ((0.7 * 0.3) / variance) * (1.959964 / student975(3)) ** 2;
    const { low, high } = wilson(0.7, worth);
    expect(rateOfCasesLikeThese(cases)).toEqual({
      value: 0.7,
      low: expect.closeTo(low, 6),
      high: expect.closeTo(high, 6),
    });
  });

  test("more trials that say the same make no difference", () => {
    const few = [5, 4, 5, 0].map((passed) => ({ passed, trials: 5 }));
    const many = [50, 40, 50, 0].map((passed) => ({ passed, trials: 50 }));
    expect(rateOfCasesLikeThese(many)).toEqual(rateOfCasesLikeThese(few));
  });

  test("each is worth one trial when all are equal", () => {
    const cases = Array.from({ length: 12 }, () => ({ passed: 5, trials: 5 }));
    expect(rateOfCasesLikeThese(cases)).toEqual(wilson(1, 12));
  });

  test("a cluster counts once: copies of cases in their clusters change nothing", () => {
    const cases = [5, 4, 5, 0, 3].map((passed, index) => ({ passed, trials: 5, cluster: `customer-${index}` }));
    const once = rateOfCasesLikeThese(cases);
    expect(rateOfCasesLikeThese([...cases, ...cases])).toEqual({
      value: once.value,
      low: expect.closeTo(once.low, 10),
      high: expect.closeTo(once.high, 10),
    });
  });

  test("a single case says nothing about others", () => {
    expect(rateOfCasesLikeThese([{ passed: 4, trials: 5 }])).toEqual({ value: 0.8, low: 0, high: 1 });
  });
});
