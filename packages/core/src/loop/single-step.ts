import { stepName, type StepPlace } from "../durable/run-log.ts";
import { findRecorded, type RecordedStep, type Step } from "../durable/steps.ts";
import { RunStepError } from "../errors/run-errors.ts";
import { parseTraceparent } from "../internal/traceparent.ts";
import { bindLogger, type Logger } from "../logging/logger.ts";
import { attachLost } from "../model/usage.ts";
import type { RunEvent } from "./events.ts";
import type { LoopInput } from "./loop-input.ts";
import type { ObservedCall } from "./observers/observed-step.ts";
import type { LoopStep } from "./observers/observer.ts";
import { WALL_TIME_REACHED } from "./limits.ts";

/**
 * Executes a round of one step.
 * @param work - The step's work, which returns JSON; not called when a journal has the outcome.
 * @returns The step's value, or `wall-time` when the run's wall time is up.
 * @throws What `work` threw; {@link RunStepError} for a failure that another process recorded.
 */
export async function singleStep<T>(
  input: LoopInput,
  place: StepPlace,
  work: (step: LoopStep) => Promise<T>,
): Promise<{ readonly value: T } | "wall-time"> {
  const name = stepName(place);
  let failure: { readonly error: unknown } | undefined;
  const [outcome] = await input.steps.round([
    {
      kind: "step",
      name,
      place,
      run: (step) =>
        executeStep(input, place, step, work).catch((error: unknown) => {
          failure = { error };
          throw error;
        }),
    },
  ]);
  // What `work` returned, through JSON.
  if (outcome?.ok === true) {
    input.openTurns.at(-1)?.steps.push({ name, place, value: outcome.value });
    return { value: outcome.value as T };
  }
  if (outcome?.error.name === WALL_TIME_REACHED.name) return "wall-time";
  if (failure !== undefined) throw failure.error;
  const error = new RunStepError(`${name} failed: ${outcome?.error.message}`, name, { cause: outcome?.error });
  attachLost(error, outcome?.error.lost);
  throw error;
}

/** A journal's record of a step: a recorded decision is not made again, except to compare. */
export function findBefore(
  { steps, isReading }: Pick<LoopInput, "steps" | "isReading">,
  place: StepPlace,
): RecordedStep {
  return findRecorded(isReading === true ? {} : steps, stepName(place));
}

/** True when a journal has the outcome of a step. */
export function isRecorded({ steps, isReading }: Pick<LoopInput, "steps" | "isReading">, place: StepPlace): boolean {
  return isReading !== true && findRecorded(steps, stepName(place)).outcome !== undefined;
}

/** The logger of a step: adds the turn and, in a trace, the ids of the step's span to each line. */
export function stepLogger(
  { logger }: Pick<LoopInput, "logger">,
  turn: number,
  { traceparent }: Pick<LoopStep, "traceparent">,
): Logger {
  return bindLogger(logger, { turn, ...parseTraceparent(traceparent) });
}

/** Executes a step within the wall time, reporting it to the run's observers. @param call - The call that the step runs, if any. */
export function executeStep<T>(
  { clock, observed, identity }: Pick<LoopInput, "clock" | "observed" | "identity">,
  place: StepPlace,
  step: Step<RunEvent>,
  work: (step: LoopStep) => Promise<T>,
  call?: ObservedCall,
): Promise<T> {
  const timed = clock === undefined ? work : (seen: LoopStep) => clock.through(seen, work);
  return observed === undefined ? timed(step) : observed.execute(place, step, timed, identity.agent, call);
}
