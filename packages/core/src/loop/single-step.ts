import type { Step } from "../durable/steps.ts";
import { RunStepError } from "../errors/run-errors.ts";
import type { FunctionCall } from "../wire/types/content.ts";
import type { RunEvent } from "./events.ts";
import type { LoopInput } from "./loop-input.ts";
import type { LoopStep } from "./observer.ts";
import { isWallTimeReached } from "./limits.ts";

/** How a round with a single step ended: with what the step left, or because the run's wall time was up. */
export type SingleStepOutcome<T> = { readonly value: T } | "wall-time";

/**
 * Makes a round of one step.
 *
 * @param work - What the step does, unless a journal already has its outcome. Gives JSON.
 * @throws What `work` threw, as it was thrown; {@link RunStepError} for a failure that another process recorded.
 */
export async function singleStep<T>(
  input: LoopInput,
  name: string,
  work: (step: LoopStep) => Promise<T>,
): Promise<SingleStepOutcome<T>> {
  let failure: { readonly error: unknown } | undefined;
  const [outcome] = await input.steps.round([
    {
      kind: "step",
      name,
      run: (step) =>
        executeStep(input, name, step, work).catch((error: unknown) => {
          failure = { error };
          throw error;
        }),
    },
  ]);
  // The value is what `work` returned, through JSON.
  if (outcome?.ok === true) return { value: outcome.value as T };
  if (isWallTimeReached(outcome?.error)) return "wall-time";
  if (failure !== undefined) throw failure.error;
  throw new RunStepError(`${name} failed: ${outcome?.error.message}`, name, { cause: outcome?.error });
}

/**
 * Carries out a step: within the wall time, and seen by the run's observers.
 *
 * @param call - What a call's step runs.
 */
export function executeStep<T>(
  { clock, observed }: Pick<LoopInput, "clock" | "observed">,
  name: string,
  step: Step<RunEvent>,
  work: (step: LoopStep) => Promise<T>,
  call?: FunctionCall,
): Promise<T> {
  const timed = clock === undefined ? work : (seen: LoopStep) => clock.through(seen, work);
  return observed === undefined ? timed(step) : observed.execute(name, step, timed, call);
}
