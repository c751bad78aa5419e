import { expect, test } from "vitest";
import { seededRandom } from "../../src/statistics/random.ts";

test("the same seed gives the same numbers, on every machine", () => {
  const random = seededRandom("support/policy/3");
  expect([random(), random(), random()]).toEqual([0.3865588577464223, 0.5804160577245057, 0.9013005527667701]);
});

test("seeds that differ in one letter have nothing in common", () => {
  const first = (seed: string): number => seededRandom(seed)();
  expect(new Set(["a", "b", "", "aa", "a/1", "a/2", "1/a"].map(first)).size).toBe(7);
});

test("numbers are spread evenly, also the first of seeds that follow each other", () => {
  const bins = Array.from({ length: 10 }, () => 0);
  for (let seed = 0; seed < 10_000; seed++) {
    const bin = Math.floor(10 * seededRandom(`case/${seed}`)());
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const chiSquared = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  expect(chiSquared).toBeLessThan(23.6); // 99.5% of a chi-squared distribution with 9 degrees of freedom
});
