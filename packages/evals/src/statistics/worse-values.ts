import { tQuantile } from "./quantiles.ts";
import { seededRandom } from "./random.ts";
import { type Estimate, sum } from "./rates.ts";
import type { Pair } from "./worse-counts.ts";

/** Values of one metric in the trials of one case, at least one. */
type Values = readonly number[];

/**
 * How likely an unchanged agent reads as high on these cases: one-sided, by shuffling the values of each case between run and baseline. The statistic
 * is the mean over cases of the difference of means.
 *
 * @param seed of the shuffles
 * @param shuffles the smallest p is 1 / (1 + shuffles)
 * @returns p, 1 without cases
 * @see Phipson & Smyth 2010
 */
export function higherValues(cases: readonly Pair<Values>[], seed: string, shuffles = 9999): number {
  if (cases.length === 0) return 1;
  const random = seededRandom(seed);
  const parts = cases.map(({ now, before }) => ({
    values: [...now, ...before],
    taken: now.length,
    // The rest follows from the total: only what falls to the run is summed.
    weight: 1 / now.length + 1 / before.length,
  }));
  const statistic = (shuffle: boolean): number => {
    let total = 0;
    for (const { values, taken, weight } of parts) {
      for (let index = 0; index < taken; index++) {
        if (shuffle) swap(values, index, index + Math.floor(random() * (values.length - index)));
        total += weight * (values[index] ?? 0);
      }
    }
    return total;
  };
  const seen = statistic(false);
  // Equal sums may differ by rounding.
  const tie = 1e-9 * Math.max(1e-12, ...parts.flatMap(({ values }) => values.map(Math.abs)));
  let asHigh = 0;
  for (let round = 0; round < shuffles; round++) if (statistic(true) >= seen - tie) asHigh++;
  return (1 + asHigh) / (1 + shuffles);
}

/**
 * Mean over cases of the difference of a metric's means, with its interval on these cases: Student's t with the variances of all cases, by Welch and
 * Satterthwaite. The interval is unbounded where no case has two trials.
 */
export function differenceOfValues(cases: readonly Pair<Values>[]): Estimate {
  const value = sum(cases.map(({ now, before }) => mean(now) - mean(before))) / cases.length;
  const arms = [cases.map(({ now }) => now), cases.map(({ before }) => before)].map((groups) => {
    const freedom = sum(groups.map((group) => group.length - 1));
    const squares = sum(groups.map((group) => sum(group.map((x) => (x - mean(group)) ** 2))));
    return { freedom, squares, inverse: sum(groups.map((group) => 1 / group.length)) };
  });
  // A run with one trial each borrows the baseline's variance.
  const known = arms.filter(({ freedom }) => freedom > 0);
  if (known.length === 0) return { value, low: -Infinity, high: Infinity };
  const shared = sum(known.map(({ squares }) => squares)) / sum(known.map(({ freedom }) => freedom));
  const variances = arms.map(({ freedom, squares, inverse }) => ({
    freedom,
    variance: ((freedom > 0 ? squares / freedom : shared) * inverse) / cases.length ** 2,
  }));
  const variance = sum(variances.map((arm) => arm.variance));
  if (variance === 0) return { value, low: value, high: value };
  const freedom = variance ** 2 / sum(variances.map((arm) => (arm.freedom > 0 ? arm.variance ** 2 / arm.freedom : 0)));
  const half = tQuantile(0.975, Math.max(1, freedom)) * Math.sqrt(variance);
  return { value, low: value - half, high: value + half };
}

/** Arithmetic mean. */
export function mean(values: Values): number {
  return sum(values) / values.length;
}

function swap(values: number[], i: number, j: number): void {
  const value = values[i] ?? 0;
  values[i] = values[j] ?? 0;
  values[j] = value;
}
