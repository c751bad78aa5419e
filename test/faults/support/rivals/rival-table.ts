import { SEED } from "../random.ts";
import { Tally } from "../tally.ts";

/** What is counted of those who work on one session. */
export function rivalTally(title: string, more: readonly string[] = []): Tally {
  return new Tally(`${title}, seed ${SEED}`, [
    "rounds",
    ...more,
    "done",
    "refused",
    "lost",
    "doubled",
    "untyped",
    "open",
    "held",
    "log",
  ]);
}
