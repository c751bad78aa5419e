import fc from "fast-check";
import { expect, test } from "vitest";
import { calibrate } from "../../src/index.ts";
import { seededRandom } from "../../src/statistics/random.ts";

/** Labels and scores of so many answers of each kind. */
function sample(...groups: readonly [count: number, label: boolean, score: number][]) {
  const rows = groups.flatMap(([count, label, score]) => Array.from({ length: count }, () => ({ label, score })));
  return [rows.map(({ label }) => label), rows.map(({ score }) => score)] as const;
}

test("Cohen's example: 50 grants, 70% agreement, kappa 0.4", () => {
  const [labels, scores] = sample([20, true, 1], [5, true, 0], [10, false, 1], [15, false, 0]);
  const { kappa, agreement, ...rest } = calibrate(labels, scores, { threshold: 0.5 });
  expect(kappa.value).toBeCloseTo(0.4, 12);
  // Wilson's interval of 35 of 50.
  expect(agreement.value).toBe(0.7);
  expect(agreement.low).toBeCloseTo(0.5625, 4);
  expect(agreement.high).toBeCloseTo(0.809, 3);
  expect(rest).toMatchObject({ labels: 50, baseRate: 0.5, sensitivity: { value: 0.8 }, specificity: { value: 0.6 } });
  // The normal interval of Fleiss, Cohen & Everitt is 0.15 to 0.65.
  expect(kappa.low).toBeGreaterThan(0.1);
  expect(kappa.low).toBeLessThan(0.2);
  expect(kappa.high).toBeGreaterThan(0.6);
  expect(kappa.high).toBeLessThan(0.7);
  expect(rest.problem).toBe(`it only advises: kappa may be as low as ${kappa.low.toFixed(2)}, which is below 0.4`);
  // The same labels give the same figures.
  expect(calibrate(labels, scores, { threshold: 0.5 })).toEqual({ kappa, agreement, ...rest });
});

test("the threshold lies between the scores of both kinds, and a judge that tells them apart is trusted", () => {
  const [labels, scores] = sample([15, true, 0.9], [15, false, 0.4]);
  expect(calibrate(labels, scores)).toEqual({
    labels: 30,
    baseRate: 0.5,
    threshold: 0.65,
    agreement: { value: 1, low: expect.closeTo(0.886, 3), high: expect.closeTo(1, 9) },
    sensitivity: { value: 1, low: expect.closeTo(0.796, 3), high: expect.closeTo(1, 9) },
    specificity: { value: 1, low: expect.closeTo(0.796, 3), high: expect.closeTo(1, 9) },
    kappa: { value: 1, low: 1, high: 1 },
  });
});

test("good and bad count alike for the threshold, however rare one of them is", () => {
  // From 0.65 on, 20 of 90 good ones are missed; from 0.35 on, 10 of 12 bad ones pass.
  const [labels, scores] = sample([70, true, 0.8], [20, true, 0.5], [10, false, 0.5], [2, false, 0.2]);
  expect(calibrate(labels, scores).threshold).toBe(0.65);
});

test.each([
  ["29 labels", sample([15, true, 1], [14, false, 0]), "it takes 30 labels, and there are 29"],
  [
    "9 bad ones",
    sample([30, true, 1], [9, false, 0]),
    "it takes 10 labels of each kind, and there are 30 good and 9 bad",
  ],
  ["one kind", sample([40, true, 1]), "it takes 10 labels of each kind, and there are 40 good and 0 bad"],
])("%s are too few", (_what, [labels, scores], problem) => {
  expect(calibrate(labels, scores).problem).toBe(`it only advises: ${problem}`);
});

test("a judge whose scores say nothing does not look good by a threshold of its own", () => {
  const random = seededRandom("scores");
  const labels = Array.from({ length: 40 }, (_, index) => index < 20);
  const found = Array.from({ length: 60 }, () => calibrate(labels, labels.map(random)));
  const mean = found.reduce((sum, { kappa }) => sum + kappa.value, 0) / found.length;
  // By the threshold that fits best, it would be about 0.25.
  expect(Math.abs(mean)).toBeLessThan(0.1);
  expect(found.filter(({ problem }) => problem === undefined)).toEqual([]);
});

const rows = fc.array(fc.record({ label: fc.boolean(), score: fc.float({ min: 0, max: 1, noNaN: true }) }), {
  minLength: 1,
  maxLength: 60,
});

test("agreement is the mean of sensitivity and specificity by base rate; intervals hold their value; order decides nothing about the threshold", () => {
  fc.assert(
    fc.property(rows, (given) => {
      const labels = given.map(({ label }) => label);
      const scores = given.map(({ score }) => score);
      const found = calibrate(labels, scores);
      const { baseRate, sensitivity, specificity, agreement, kappa } = found;
      expect(agreement.value).toBeCloseTo(baseRate * sensitivity.value + (1 - baseRate) * specificity.value, 10);
      for (const { value, low, high } of [agreement, kappa]) {
        expect(low).toBeLessThanOrEqual(high);
        expect(Math.abs(value)).toBeLessThanOrEqual(1 + 1e-12);
      }
      expect(calibrate(labels.toReversed(), scores.toReversed()).threshold).toBe(found.threshold);
    }),
    { numRuns: 30 },
  );
});

test("labels need as many scores, and there must be some", () => {
  expect(() => calibrate([true], [])).toThrow(new TypeError("calibrate(): 1 labels need as many scores, got 0"));
  expect(() => calibrate([], [])).toThrow(new TypeError("calibrate(): 0 labels need as many scores, got 0"));
});
