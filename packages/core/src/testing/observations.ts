import type { ObservedEvent, RunInfo, StepInfo } from "../loop/events.ts";

/** State of a run while its observations are checked. */
class ObservedSoFar {
  count = 0;
  turn = 0;
  isTurnOpen = false;
  /** How it ended, if it has. */
  ended: string | undefined;
  readonly openSteps = new Set<StepInfo>();
  readonly names = new Set<string>();
}

/**
 * Checks observations, in order of arrival, against the grammar of {@link ObservedEvent}. Runs may be concurrent and nested.
 * @param options - `complete: false` if runs may stop anywhere.
 * @throws {Error} Names the first observation that does not fit.
 */
export function assertObservations(
  observations: readonly ObservedEvent[],
  options: { readonly complete?: boolean | undefined } = {},
): void {
  const runs = new Map<RunInfo, ObservedSoFar>();
  for (const [index, observation] of observations.entries()) {
    const run = runs.get(observation.run) ?? new ObservedSoFar();
    runs.set(observation.run, run);
    const why = check(observation, run);
    if (why !== undefined) throw new Error(`observation ${index} (${observation.type}) does not fit: ${why}`);
  }
  if (options.complete === false) return;
  for (const [{ runId }, { ended, openSteps }] of runs) {
    if (ended === undefined) throw new Error(`run ${runId} has no run-end`);
    for (const { name } of openSteps) throw new Error(`${name} of run ${runId} has no step-end`);
  }
}

/** Why an observation does not fit, if it does not. */
function check(observation: ObservedEvent, run: ObservedSoFar): string | undefined {
  if (observation.seq !== run.count) return `its seq is ${observation.seq}, expected ${run.count}`;
  const isFirst = run.count++ === 0;
  if (isFirst !== (observation.type === "run-start"))
    return isFirst ? "expected run-start" : "the run has already begun";
  // A step that an engine abandoned may end late.
  const isLateEnd = observation.type === "step-end" && run.ended !== "result";
  if (run.ended !== undefined && !isLateEnd) return "the run has ended";
  if ("step" in observation && observation.step.run !== observation.run) return "its step belongs to another run";
  const [open] = run.openSteps;
  switch (observation.type) {
    case "run-start":
      return undefined;
    case "run-end":
      run.ended = observation.ended;
      if (run.isTurnOpen) return `turn ${run.turn} did not end`;
      if ((observation.ended === "result") !== (observation.result !== undefined))
        return `it ended with "${observation.ended}" and ${observation.result === undefined ? "no" : "a"} result`;
      return observation.ended === "result" && open !== undefined ? `${open.name} did not end` : undefined;
    case "turn-start":
      if (run.isTurnOpen) return `turn ${run.turn} did not end`;
      if (observation.turn <= run.turn) return `turn ${run.turn} has already begun`;
      run.turn = observation.turn;
      run.isTurnOpen = true;
      return undefined;
    case "step-start": {
      const { step } = observation;
      if (!isInTurn(step.turn, run)) return `turn ${step.turn} is not open`;
      if (run.names.has(step.name)) return `${step.name} has already begun`;
      run.names.add(step.name);
      run.openSteps.add(step);
      return undefined;
    }
    default:
  }
  if (!("step" in observation)) {
    if (!isInTurn(observation.turn, run)) return `turn ${observation.turn} is not open`;
    if (observation.type === "turn-end") run.isTurnOpen = false;
    return undefined;
  }
  const { type, step } = observation;
  if (!run.openSteps.has(step)) return `${step.name} is not open`;
  if (type === "step-end") run.openSteps.delete(step);
  else if (type === "tool-retry") return step.kind === "call" ? undefined : `${step.name} runs no tool`;
  else if (step.kind !== "model") return `${step.name} calls no model`;
  return undefined;
}

function isInTurn(turn: number, run: ObservedSoFar): boolean {
  return run.isTurnOpen && turn === run.turn;
}
