import fc from "fast-check";
import { expect, test } from "vitest";
import { holm } from "../../src/gate/judge-run.ts";

test.each([
  [
    [0.01, 0.04, 0.03, 0.005],
    [true, false, false, true],
  ],
  [
    [0.02, 0.02],
    [true, true],
  ],
  [
    [0.03, 0.03],
    [false, false],
  ],
  [[0.05], [true]],
  [
    [0.024, 0.05],
    [true, true],
  ],
  [[], []],
])("at 5%%, %j are rejected as %j", (ps, rejected) => {
  expect(holm(ps, 0.05)).toEqual(rejected);
});

test("it rejects all that Bonferroni rejects, and nothing above the level", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 0.1, noNaN: true }), { minLength: 1 }), (ps) => {
      for (const [index, isRejected] of holm(ps, 0.05).entries()) {
        const p = ps[index] ?? 1;
        if (p <= 0.05 / ps.length) expect(isRejected).toBe(true);
        if (p > 0.05) expect(isRejected).toBe(false);
      }
    }),
  );
});
