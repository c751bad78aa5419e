import type { CaseResult, EvalRun, TrialResult } from "./eval-run.ts";

/**
 * Why a case is red where each case is a test; `undefined` when it is not. A case of the baseline is red if it broke, a new one if no trial of it
 * passed, and a replay if it differs. Only the gate sees that all of them are a little worse.
 */
export function caseProblem({ verdict }: EvalRun, found: CaseResult): string | undefined {
  const { id, trials, world } = found;
  const broken = verdict.broken.find((one) => one.id === id);
  if (broken !== undefined) return `broke: ${countOf(broken.passed)}, was ${countOf(broken.before)}`;
  if (world === "replay" && trials.some(({ status }) => status === "failed")) return "the replay differs";
  const isNew = verdict.before?.[id] === undefined;
  return isNew && trials.length > 0 && passedOf(found) === 0 ? `passed ${countOf([0, trials.length])}` : undefined;
}

const WORDS = { passed: "passed", failed: "failed", invalid: "could not be judged", error: "ended with an error" };

/** Why trials did not pass, by their scorers: one line for trials with the same reasons. */
export function failedTrials({ trials }: CaseResult): readonly string[] {
  const numbers = new Map<string, number[]>();
  for (const trial of trials) {
    if (trial.status === "passed") continue;
    const words = wordsOf(trial);
    numbers.set(words, [...(numbers.get(words) ?? []), trial.number]);
  }
  return Array.from(numbers, ([words, of]) => `trial${of.length === 1 ? "" : "s"} ${of.join(", ")} ${words}`);
}

function wordsOf({ status, why, scores }: TrialResult): string {
  const missed = scores.filter((one) => one.isAdvisory !== true && (one.score === null || one.score < one.threshold));
  const reasons = missed.map(({ name, score, reason }) => {
    const value = score === null ? "cannot tell" : String(Number(score.toFixed(2)));
    return `${name} ${value}${reason === undefined ? "" : `, ${reason}`}`;
  });
  const kind = `${WORDS[status]}${why === undefined ? "" : ` (${why})`}`;
  return reasons.length === 0 ? kind : `${kind}: ${reasons.join("; ")}`;
}

/** How many trials of a case passed, or ended as `status` says. */
export function passedOf({ trials }: CaseResult, status: TrialResult["status"] = "passed"): number {
  return trials.filter((trial) => trial.status === status).length;
}

/** `3 of 5`. */
export function countOf([passed, trials]: readonly [number, number]): string {
  return `${passed} of ${trials}`;
}
