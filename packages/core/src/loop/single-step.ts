import type { Step } from "../durable/steps.ts";
import { RunStepError } from "../errors/run-errors.ts";
import type { Json } from "../internal/json.ts";
import type { RunEvent } from "./events.ts";
import type { LoopInput } from "./loop-input.ts";
import { isWallTimeReached, withinWallTime } from "./wall-clock.ts";

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
  work: (step: Step<RunEvent>) => Promise<T>,
): Promise<SingleStepOutcome<T>> {
  let failure: { readonly error: unknown } | undefined;
  const [outcome] = await input.steps.round([
    {
      kind: "step",
      name,
      run: async (step) => {
        try {
          return await withinWallTime(input.clock, step, work);
        } catch (error) {
          failure = { error };
          throw error;
        }
      },
    },
  ]);
  // The value is what `work` returned, through JSON.
  if (outcome?.ok === true) return { value: outcome.value as Json as T };
  if (isWallTimeReached(outcome?.error)) return "wall-time";
  if (failure !== undefined) throw failure.error;
  throw new RunStepError(`${name} failed: ${outcome?.error.message}`, name, { cause: outcome?.error });
}
