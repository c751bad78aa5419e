import fc from "fast-check";
import jstat from "jstat";
import { describe, expect, test } from "vitest";
import { betaQuantile, betaShare, normalQuantile, tQuantile } from "../../src/statistics/quantiles.ts";

const P = [1e-6, 0.001, 0.025, 0.05, 0.3, 0.5, 0.8, 0.975, 0.999, 1 - 1e-6];

describe("quantiles agree with jstat's", () => {
  test.each(P)("normal at %s", (p) => {
    expect(normalQuantile(p)).toBeCloseTo(jstat.normal.inv(p, 0, 1), 5);
  });

  test.each([1, 2, 3, 11, 29.5, 1000])("Student's t with %s degrees of freedom", (freedom) => {
    for (const p of P.slice(1, -1)) {
      const oracle = jstat.studentt.inv(p, freedom);
      expect(tQuantile(p, freedom) / (oracle || 1)).toBeCloseTo(p === 0.5 ? 0 : 1, 6);
    }
  });

  test.each([
    [0.5, 0.5],
    [1, 1],
    [2, 3],
    [18, 2],
    [300.5, 40.5],
  ])("beta(%s, %s)", (a, b) => {
    for (const p of P) expect(betaQuantile(p, a, b)).toBeCloseTo(jstat.beta.inv(p, a, b), 6);
  });
});

test("known values: 1.96 of the normal distribution, 12.706 and 2.201 of Student's t", () => {
  expect([normalQuantile(0.975), tQuantile(0.975, 1), tQuantile(0.975, 11), tQuantile(0.025, 11)]).toEqual([
    expect.closeTo(1.959964, 6),
    expect.closeTo(12.7062, 4),
    expect.closeTo(2.200985, 6),
    expect.closeTo(-2.200985, 6),
  ]);
});

test("a share of the beta distribution and its quantile are inverse, also far out", () => {
  const shape = fc.double({ min: 0.3, max: 200, noNaN: true });
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }), shape, shape, (p, a, b) => {
      const x = betaQuantile(p, a, b);
      // Next to 1, numbers are too coarse for the tail above them.
      fc.pre(x > 0 && x < 1 - 1e-9);
      expect(betaShare(x, a, b) / p).toBeCloseTo(1, 5);
    }),
  );
});
