import { type Counts, sum } from "./rates.ts";

/** A case in the run and in its baseline. */
export interface Pair<T> {
  readonly now: T;
  readonly before: T;
}

/**
 * How likely it is that an unchanged agent passes as rarely on these cases: exact, one-sided, mid-p. Given a case's total of passes, the run's part
 * of them is hypergeometric; the test is about the sum of these parts. With one trial each it is McNemar's.
 *
 * @returns 1 without cases
 * @see Fagerland, Lydersen & Laake 2013, BMC Medical Research Methodology 13:91
 */
export function worseCounts(cases: readonly Pair<Counts>[]): number {
  const parts = cases.map(({ now, before }) => passesOf(now, before));
  const lowest = sum(parts.map((part) => part.lowest));
  const above = sum(cases.map(({ now }) => now.passed)) - lowest;
  let chances: Float64Array = Float64Array.of(1);
  for (const part of parts) chances = convolve(chances, part.chances, above);
  // Where every sum is certain, a half of 1 would be no evidence either.
  if (parts.every((part) => part.chances.length === 1)) return 1;
  return chances.slice(0, above).reduce((total, chance) => total + chance, (chances[above] ?? 0) / 2);
}

/** Chances of each number of passes of `now`, given the passes of both, from the lowest possible number on. */
function passesOf(now: Counts, before: Counts): { readonly lowest: number; readonly chances: Float64Array } {
  const passed = now.passed + before.passed;
  const lowest = Math.max(0, passed - before.trials);
  const highest = Math.min(now.trials, passed);
  const spare = before.trials - passed;
  const likeliest = Math.floor(((passed + 1) * (now.trials + 1)) / (now.trials + before.trials + 2));
  const weights = new Float64Array(highest - lowest + 1).fill(1);
  // Each from its neighbor, outwards from the likeliest, so that none overflows.
  for (let k = Math.max(likeliest, lowest) + 1; k <= highest; k++)
    weights[k - lowest] =
      ((weights[k - 1 - lowest] ?? 0) * (passed - k + 1) * (now.trials - k + 1)) / (k * (spare + k));
  for (let k = Math.min(likeliest, highest) - 1; k >= lowest; k--)
    weights[k - lowest] =
      ((weights[k + 1 - lowest] ?? 0) * (k + 1) * (spare + k + 1)) / ((passed - k) * (now.trials - k));
  const total = weights.reduce((a, b) => a + b, 0);
  return { lowest, chances: weights.map((weight) => weight / total) };
}

/** Chances of sums up to `highest`: larger ones are not needed. */
function convolve(some: Float64Array, others: Float64Array, highest: number): Float64Array {
  const result = new Float64Array(Math.min(some.length + others.length - 2, highest) + 1);
  for (let i = 0; i < some.length; i++) {
    const chance = some[i] ?? 0;
    // Far tails add nothing that a p could show.
    if (chance < 1e-18) continue;
    for (let j = 0; j < others.length && i + j <= highest; j++)
      result[i + j] = (result[i + j] ?? 0) + chance * (others[j] ?? 0);
  }
  return result;
}
