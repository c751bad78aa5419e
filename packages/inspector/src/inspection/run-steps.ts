import type { RunFold } from "./run-fold.ts";
import type { SessionFold } from "./session-fold.ts";
import { readStep, type TurnStep } from "./turn-step.ts";

/** All steps and answers of a run, in the order of the log. */
export function stepsOf(fold: SessionFold, run: RunFold): readonly TurnStep[] {
  return [...run.turns.values()].flatMap(({ positions }) =>
    positions.map((position) => readStep(fold.entries[position], position)),
  );
}
