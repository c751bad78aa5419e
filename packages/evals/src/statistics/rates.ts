import { NORMAL_975, student975 } from "./quantiles.ts";

/** Results of the trials of one case. */
export interface Counts {
  /** Number of passed trials. */
  readonly passed: number;
  /** Number of all trials, at least 1, including trials with errors. */
  readonly trials: number;
  /** Cases of one cluster are not independent evidence. @defaultValue each case is its own */
  readonly cluster?: string | undefined;
}

/** An estimate with the interval that covers the truth in 95 of 100 repetitions. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Chance that at least one of `k` trials passes, the mean over cases.
 *
 * @returns undefined when a case has fewer than `k` trials
 * @see Chen et al. 2021, arXiv 2107.03374
 */
export function passAtK(cases: readonly Counts[], k: number): number | undefined {
  return meanOver(cases, k, ({ passed, trials }) => 1 - chanceOfAll(trials - passed, trials, k));
}

/**
 * Chance that all of `k` trials pass (pass^k), the mean over cases.
 *
 * @returns undefined when a case has fewer than `k` trials
 * @see Yao et al. 2024, arXiv 2406.12045
 */
export function passHatK(cases: readonly Counts[], k: number): number | undefined {
  return meanOver(cases, k, ({ passed, trials }) => chanceOfAll(passed, trials, k));
}

/** Share of passed trials on these cases: only trials vary. Wilson's interval, the mean over cases. */
export function rateOfTheseCases(cases: readonly Counts[]): Estimate {
  // Each case counts the same. A share of this many trials would vary at least as much as their mean, since chances differ between cases.
  const trials = cases.length ** 2 / sum(cases.map((counts) => 1 / counts.trials));
  return wilson(meanRate(cases), trials);
}

/**
 * Share of passed trials on cases like these: they are a sample, of cases or of clusters, and repetitions are no new cases.
 *
 * @see Miller 2024, arXiv 2411.00640 (standard error); Korn & Graubard 1998 (effective number of trials)
 */
export function rateOfCasesLikeThese(cases: readonly Counts[]): Estimate {
  const value = meanRate(cases);
  const deviations = clusterDeviations(cases);
  const clusters = deviations.length;
  // One cluster says nothing about others.
  if (clusters < 2) return { value, low: 0, high: 1 };
  const variance = (sum(deviations.map((deviation) => deviation ** 2)) * clusters) / (clusters - 1) / cases.length ** 2;
  const worth = (value * (1 - value) * (NORMAL_975 / student975(clusters - 1)) ** 2) / variance;
  // Without any difference between clusters, each is worth one trial.
  return wilson(value, variance < 1e-12 ? clusters : worth);
}

/**
 * Interval of a share at 95%. Holds also near 0 and 1.
 *
 * @param trials need not be whole
 * @see Wilson 1927
 */
export function wilson(rate: number, trials: number): Estimate {
  const z2 = NORMAL_975 ** 2;
  const center = (rate + z2 / (2 * trials)) / (1 + z2 / trials);
  const half = Math.sqrt(z2 * ((rate * (1 - rate)) / trials + z2 / (4 * trials ** 2))) / (1 + z2 / trials);
  return { value: rate, low: Math.max(0, center - half), high: Math.min(1, center + half) };
}

/** Mean over cases of the share of passed trials. */
export function meanRate(cases: readonly Counts[]): number {
  return sum(cases.map(({ passed, trials }) => passed / trials)) / cases.length;
}

/** Sums of a cluster's deviations from the mean rate, clusters in order of their first case. */
export function clusterDeviations(cases: readonly Counts[]): number[] {
  const mean = meanRate(cases);
  const sums = new Map<string | number, number>();
  for (const [index, { passed, trials, cluster }] of cases.entries()) {
    const name = cluster ?? index;
    sums.set(name, (sums.get(name) ?? 0) + passed / trials - mean);
  }
  return [...sums.values()];
}

function meanOver(cases: readonly Counts[], k: number, of: (counts: Counts) => number): number | undefined {
  if (cases.length === 0 || cases.some(({ trials }) => trials < k)) return undefined;
  return sum(cases.map(of)) / cases.length;
}

/** Chance that all of `k` different trials are among `some` of them. */
function chanceOfAll(some: number, trials: number, k: number): number {
  let chance = 1;
  for (let index = 0; index < k; index++) chance *= Math.max(0, some - index) / (trials - index);
  return chance;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Such as `57%`, for people. */
export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
