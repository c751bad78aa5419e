import { baselineOf } from "../../src/gate/baseline.ts";
import { isDecided } from "../../src/gate/judge-run.ts";
import { seededRandom } from "../../src/statistics/random.ts";
import type { Counts } from "../../src/statistics/rates.ts";
import type { Pair } from "../../src/statistics/worse-counts.ts";
import { caseOf, runOf } from "../gate/support.ts";

/** A suite's size. */
export interface Size {
  readonly cases: number;
  readonly trials: number;
  readonly before: number;
}

/** A suite, simulated: true shares of each case, and counts. */
export interface Drawn {
  readonly rates: readonly Pair<number>[];
  readonly counts: readonly Pair<Counts>[];
}

/** Draws suites one after another: rates are Beta(18, 2), with mean 0.9, and `change` says what becomes of each in the run. */
export function suites(size: Size, seed: string, change: (rate: number, index: number) => number): () => Drawn {
  const random = seededRandom(seed);
  const passes = (rate: number, trials: number): Counts => {
    let passed = 0;
    for (let trial = 0; trial < trials; trial++) if (random() < rate) passed++;
    return { passed, trials };
  };
  return () => {
    const rates = Array.from({ length: size.cases }, (_, index) => {
      // The 18th of 19 even numbers is Beta(18, 2).
      const before = Array.from({ length: 19 }, random).toSorted((a, b) => a - b)[17] ?? 0;
      return { now: change(before, index), before };
    });
    return {
      rates,
      counts: rates.map(({ now, before }) => ({ now: passes(now, size.trials), before: passes(before, size.before) })),
    };
  };
}

/** Share of `repetitions` for which `is` holds. */
export function shareOf(repetitions: number, is: () => boolean): number {
  let count = 0;
  for (let repetition = 0; repetition < repetitions; repetition++) if (is()) count++;
  return count / repetitions;
}

/** Whether the gate is red: for a run that is over, it is worse exactly when it is decided. */
export function isRed({ counts }: Drawn): boolean {
  const cases = (side: "now" | "before") =>
    counts.map((pair, index) => caseOf(String(index), pair[side].passed, pair[side].trials));
  return isDecided(runOf(cases("now")), baselineOf(runOf(cases("before"))));
}

/** Mean over cases. */
export function meanOf(drawn: Drawn, side: "now" | "before"): number {
  return drawn.rates.reduce((sum, rate) => sum + rate[side], 0) / drawn.rates.length;
}
