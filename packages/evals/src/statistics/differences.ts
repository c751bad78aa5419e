import { type Counts, type Estimate, clusterDeviations, rateOfCasesLikeThese, rateOfTheseCases, sum } from "./rates.ts";
import type { Pair } from "./worse-counts.ts";

/**
 * Run minus baseline of the share of passed trials, on these cases.
 *
 * @see Newcombe 1998, Statistics in Medicine 17:873 (method 10)
 */
export function differenceOnTheseCases(cases: readonly Pair<Counts>[]): Estimate {
  return hybrid(rateOfTheseCases(cases.map(({ now }) => now)), rateOfTheseCases(cases.map(({ before }) => before)), 0);
}

/**
 * The same on cases like these, the same cases in both. Student's t on the differences of cases covers the truth in 80 to 95 of 100 repetitions only,
 * since most cases don't differ at all: this is Newcombe's hybrid for paired shares, over both intervals.
 *
 * @see Newcombe 1998, Statistics in Medicine 17:2635 (method 10)
 */
export function differenceOnCasesLikeThese(cases: readonly Pair<Counts>[]): Estimate {
  const now = cases.map((pair) => pair.now);
  const before = cases.map((pair) => pair.before);
  const deviations = clusterDeviations(now);
  // Few clusters overstate a correlation, which would make the interval too short.
  const correlation = correlate(deviations, clusterDeviations(before)) * (1 - 1 / deviations.length);
  return hybrid(rateOfCasesLikeThese(now), rateOfCasesLikeThese(before), correlation);
}

/** Both intervals' distances, as if they were standard errors. */
function hybrid(now: Estimate, before: Estimate, correlation: number): Estimate {
  const distance = (a: number, b: number): number => Math.sqrt(Math.max(0, a * a - 2 * correlation * a * b + b * b));
  const value = now.value - before.value;
  return {
    value,
    low: value - distance(now.value - now.low, before.high - before.value),
    high: value + distance(now.high - now.value, before.value - before.low),
  };
}

/** Pearson's, of deviations from means; 0 where one does not vary. */
function correlate(some: readonly number[], others: readonly number[]): number {
  const product = (a: readonly number[], b: readonly number[]): number => sum(a.map((x, index) => x * (b[index] ?? 0)));
  const size = Math.sqrt(product(some, some) * product(others, others));
  return size < 1e-12 ? 0 : product(some, others) / size;
}
