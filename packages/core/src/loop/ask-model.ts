import type { Outcome } from "../durable/steps.ts";
import { RunStepError } from "../errors/run-errors.ts";
import { during } from "../internal/channel.ts";
import type { ModelRequest } from "../model/model.ts";
import type { RunEvent } from "./events.ts";
import type { LoopInput } from "./loop-input.ts";
import { isWallTimeReached, withDeadline } from "./wall-clock.ts";
import { type ModelStepValue, modelStep } from "./model-step.ts";

/** One round with one model step: yields what the model says as it says it, and gives back what the step left, or that the wall time was up. */
export async function* askModel(
  input: LoopInput,
  request: ModelRequest,
  turn: number,
  name: string,
): AsyncGenerator<RunEvent, ModelStepValue | "wall-time", void> {
  let failure: { readonly error: unknown } | undefined;
  const round = input.steps.round([
    {
      kind: "step",
      name,
      run: async (step) => {
        try {
          return await modelStep(input, request, turn, withDeadline(step, input.deadline));
        } catch (error) {
          failure = { error };
          throw error;
        }
      },
    },
  ]);
  const [outcome] = input.live === undefined ? await round : yield* during<RunEvent, Outcome[]>(round, input.live);
  // The value is what modelStep returned, through JSON.
  if (outcome?.ok === true) return outcome.value as unknown as ModelStepValue;
  if (isWallTimeReached(outcome?.error)) return "wall-time";
  if (failure !== undefined) throw failure.error;
  throw new RunStepError(`${name} failed: ${outcome?.error.message}`, name, { cause: outcome?.error });
}
