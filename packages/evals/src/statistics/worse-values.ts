import { student975 } from "./quantiles.ts";
import { seededRandom } from "./random.ts";
import { type Estimate, sum } from "./rates.ts";
import type { Pair } from "./worse-counts.ts";

/** Values of one metric in the trials of one case, at least one. */
type Values = readonly number[];

/**
 * How likely it is that an unchanged agent gets values as high on these cases: one-sided, by shuffling each case's values between run and baseline.
 * The statistic is the mean over cases of the difference of means.
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
    // Only the run's values are summed: the rest follows from the total.
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
 * Mean over cases of the difference of a metric's means, with its interval on these cases: Student's t, with degrees of freedom by Welch and
 * Satterthwaite, as variances differ much between cases. A single trial borrows the variance of the case's other side; where both sides have one, the
 * differences of cases stand in for it.
 */
export function differenceOfValues(cases: readonly Pair<Values>[]): Estimate {
  const differences = cases.map(({ now, before }) => mean(now) - mean(before));
  const value = mean(differences);
  const parts = cases.flatMap(({ now, before }) =>
    now.length > 1 && before.length > 1
      ? [meanVariance(now, 1 / now.length), meanVariance(before, 1 / before.length)]
      : [meanVariance(now.length > 1 ? now : before, 1 / now.length + 1 / before.length)],
  );
  const known = parts.every(({ freedom }) => freedom > 0) ? parts : [meanVariance(differences, 1 / cases.length)];
  const variance = sum(known.map((part) => part.variance));
  const freedom = variance ** 2 / sum(known.map((part) => part.variance ** 2 / part.freedom));
  if (variance === 0) return { value, low: value, high: value };
  // A single pair of trials tells nothing, and JSON has no infinity.
  if (Number.isNaN(variance)) return { value, low: -Number.MAX_VALUE, high: Number.MAX_VALUE };
  const half = (student975(freedom) * Math.sqrt(variance)) / (known === parts ? cases.length : 1);
  return { value, low: value - half, high: value + half };
}

/** The variance of these values, times `share`. */
function meanVariance(values: Values, share: number): { readonly variance: number; readonly freedom: number } {
  const center = mean(values);
  const freedom = values.length - 1;
  return { variance: (sum(values.map((x) => (x - center) ** 2)) / freedom) * share, freedom };
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
