import { seededRandom } from "./random.ts";
import { type Counts, sum } from "./rates.ts";
import { worseCounts } from "./worse-counts.ts";

/** A case of a run that is planned. */
export interface PlannedCase {
  readonly before: Counts;
  /** Trials in the coming run, at least 1. */
  readonly trials: number;
}

const SIMULATIONS = 400;

/**
 * Smallest drop of the share of passed trials on these cases that is seen 8 times in 10, in whole points of a hundred: simulated from this baseline,
 * with a drop of all cases alike and the same random numbers each time.
 *
 * @param level at which the drop counts as seen; the first of Holm's, where there are several hypotheses
 * @returns undefined when not even a drop to 0 would be seen
 */
export function seenDrop(cases: readonly PlannedCase[], level: number): number | undefined {
  // Never 0 or 1, as 15 of 15 does not mean that it always passes: each case gets one more trial, which passes as often as all of them. Half of
  // one, as for a single share, would itself add a drop.
  const total = (of: (counts: Counts) => number): number => 0.5 + sum(cases.map(({ before }) => of(before)));
  const share = total(({ passed }) => passed) / (total(({ trials }) => trials) + 0.5);
  const chances = cases.map(({ before }) => (before.passed + share) / (before.trials + 1));
  if (cases.length === 0) return undefined;
  const rate = sum(chances) / cases.length;
  const isSeen = (points: number): boolean => isSeenMostly(cases, chances, 1 - points / 100 / rate, level);
  const most = Math.floor(100 * rate);
  let unseen = 0;
  let seen = 1;
  // Doubled first, since large suites see small drops and take the longest.
  for (; seen > most || !isSeen(seen); seen = Math.min(2 * seen, most)) {
    if (seen >= most) return undefined;
    unseen = seen;
  }
  while (seen - unseen > 1) {
    const middle = Math.floor((unseen + seen) / 2);
    if (isSeen(middle)) seen = middle;
    else unseen = middle;
  }
  return seen / 100;
}

/** Whether 8 of 10 simulated runs are worse at the level, when each case passes `kept` times as often. */
function isSeenMostly(cases: readonly PlannedCase[], chances: readonly number[], kept: number, level: number): boolean {
  const random = seededRandom("seen-drop");
  let unseen = 0;
  for (let simulation = 0; simulation < SIMULATIONS && unseen <= 0.2 * SIMULATIONS; simulation++) {
    const pairs = cases.map(({ before, trials }, index) => {
      let passed = 0;
      for (let trial = 0; trial < trials; trial++) if (random() < (chances[index] ?? 0) * kept) passed++;
      return { now: { passed, trials }, before };
    });
    if (worseCounts(pairs) > level) unseen++;
  }
  return unseen <= 0.2 * SIMULATIONS;
}
