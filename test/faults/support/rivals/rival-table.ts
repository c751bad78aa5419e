import { SEED } from "../random.ts";
import { Tally } from "../tally.ts";

/** The counts of rivals on one session. */
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
