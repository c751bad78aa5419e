import jstat from "jstat";
import { expect, test } from "vitest";
import { betaShare, NORMAL_975, student975 } from "../../src/statistics/quantiles.ts";

const X = [1e-6, 0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 0.999, 1 - 1e-6];

test("97.5% of the normal distribution are below its value, as jstat says", () => {
  expect(NORMAL_975).toBeCloseTo(jstat.normal.inv(0.975, 0, 1), 6);
});

test.each([1, 1.5, 2, 3, 11, 29.5, 1000])("and with %s degrees of freedom below Student's", (freedom) => {
  expect(student975(freedom)).toBeCloseTo(jstat.studentt.inv(0.975, freedom), 6);
});

test("known values: 12.706 and 2.201", () => {
  expect([student975(1), student975(11)]).toEqual([expect.closeTo(12.7062, 4), expect.closeTo(2.200985, 6)]);
});

test.each([
  [0.5, 0.5],
  [1, 1],
  [2, 3],
  [18, 2],
  [300.5, 40.5],
])("shares of beta(%s, %s) are jstat's", (a, b) => {
  for (const x of X) expect(betaShare(x, a, b)).toBeCloseTo(jstat.beta.cdf(x, a, b), 7);
});
