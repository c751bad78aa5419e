import type { Outcome } from "../durable/steps.ts";
import { RunStepError } from "../errors/run-errors.ts";
import { during } from "../internal/channel.ts";
import type { ModelRequest } from "../model/model.ts";
import type { RunEvent } from "./events.ts";
import type { LoopInput } from "./loop-input.ts";
import { isPromptTooLong } from "./prompt-too-long.ts";
import { isWallTimeReached, withinWallTime } from "./wall-clock.ts";
import { type ModelStepValue, modelStep, partEvents } from "./model-step.ts";

/** The step's outcome when the prompt was too long and the history can be cut. */
const TOO_LONG = { tooLong: true } as const;

/**
 * One round with one model step: yields what the model says as it says it, and gives back what the step left, that the wall
 * time was up, or, with compaction, that the service refused the prompt as too long.
 */
export async function* askModel(
  input: LoopInput,
  request: ModelRequest,
  turn: number,
  name: string,
  steeredUpTo?: number,
): AsyncGenerator<RunEvent, ModelStepValue | "wall-time" | "too-long", void> {
  let failure: { readonly error: unknown } | undefined;
  let ranHere = false;
  const round = input.steps.round([
    {
      kind: "step",
      name,
      run: async (step) => {
        ranHere = true;
        try {
          return await withinWallTime(input.clock, step, (timed) =>
            modelStep(input, request, turn, timed, steeredUpTo),
          );
        } catch (error) {
          if (input.compaction !== undefined && isPromptTooLong(error)) return TOO_LONG;
          failure = { error };
          throw error;
        }
      },
    },
  ]);
  const [outcome] = input.live === undefined ? await round : yield* during<RunEvent, Outcome[]>(round, input.live);
  if (outcome?.ok === true) {
    // The value is what the step returned, through JSON.
    const value = outcome.value as unknown as ModelStepValue | typeof TOO_LONG;
    if ("tooLong" in value) return "too-long";
    if (!ranHere && input.live !== undefined) yield* asEvents(value, turn);
    return value;
  }
  if (isWallTimeReached(outcome?.error)) return "wall-time";
  if (failure !== undefined) throw failure.error;
  throw new RunStepError(`${name} failed: ${outcome?.error.message}`, name, { cause: outcome?.error });
}

/** What a step that a journal answered would have reported. */
function* asEvents({ steered, response }: ModelStepValue, turn: number): Generator<RunEvent, void, void> {
  if (steered !== undefined) yield { type: "steer", turn, contents: steered.contents };
  yield* partEvents(response.content.parts, turn);
}
