import { describeError } from "../../durable/steps.ts";
import type { ModelStepValue, PromptTooLong } from "../../durable/run-log.ts";
import { AgentError } from "../../errors/agent-error.ts";
import { ApiStatusError, StreamIncompleteError } from "../../errors/api-errors.ts";
import { sleep } from "../../internal/abort.ts";
import { openCallsIn } from "../../model/history/open-calls.ts";
import type { ModelNotice, ModelRequest } from "../../model/model.ts";
import type { RequestBudget } from "../../wire/http/retry.ts";
import type { Part } from "../../wire/types/content.ts";
import { AnswerEvents } from "./answer-events.ts";
import { isPromptTooLong } from "./compact-history.ts";
import type { LoopInput } from "../loop-input.ts";
import type { LoopStep } from "../observer.ts";
import type { PartialAnswer } from "../partial-answer.ts";

/** First delay before a broken stream is restarted, in milliseconds; doubles each time. */
const RESTART_DELAY_MS = 250;
/** Longest delay that the service may request in the middle of a stream, in milliseconds. */
const MAX_RESTART_WAIT_MS = 300_000;

/**
 * Asks the model once and reports the answer while it arrives.
 *
 * A stream that breaks after its first part is restarted from the same request, up to `maxRestarts` times; a `discard`
 * event tells the reader that everything before it is void.
 *
 * @param cursor - Steering messages up to this position are in the request; absent adds none.
 * @param name - Of the step.
 * @param partial - Follows what the model has said.
 * @returns `tooLong` when the prompt exceeds the model's limit and the history can be compacted.
 */
export async function modelStep(
  input: LoopInput,
  unsteered: ModelRequest,
  turn: number,
  step: LoopStep,
  cursor: number | undefined,
  budget: RequestBudget,
  name: string,
  partial: PartialAnswer | undefined,
): Promise<ModelStepValue | PromptTooLong> {
  const startedAt = input.now();
  const steering = cursor === undefined ? undefined : input.steering;
  const steered = steering === undefined ? undefined : await steering.take(cursor ?? 0);
  const isWatched = input.emit !== undefined;
  if (steered !== undefined && isWatched) await step.emit({ type: "steer", turn, contents: steered.contents });
  let request =
    steered === undefined ? unsteered : { ...unsteered, contents: [...unsteered.contents, ...steered.contents] };
  if (input.hooks.beforeRequest !== undefined) {
    const info = { ...input.identity, context: input.context, turn, request, signal: step.signal };
    request = (await input.hooks.beforeRequest(info)) ?? request;
  }

  let events: AnswerEvents | undefined;
  const onNotice = (notice: ModelNotice): void => {
    if (notice.type === "rewind") {
      partial?.clear();
      events?.restart();
    }
    if (!isWatched) return;
    void step.emit(
      notice.type === "rewind" ? { type: "discard", turn, reason: notice.reason } : { type: "notice", turn, notice },
    );
  };
  for (let restarts = 0; ; restarts++) {
    let hasParts = false;
    events = isWatched ? new AnswerEvents(turn, step, unsteered.output !== undefined) : undefined;
    const onParts = (parts: readonly Part[]): void | Promise<void> => {
      hasParts = true;
      partial?.add(parts);
      return events?.add(parts);
    };
    partial?.begin(name);
    step.asks?.(request);
    try {
      const response = await input.model.respond(request, {
        signal: step.signal,
        conversation: input.conversation,
        logger: input.logger,
        budget,
        onParts,
        onNotice,
      });
      await events?.end();
      const steeringWaits =
        steering !== undefined &&
        openCallsIn([response.content]).length === 0 &&
        (await steering.take(steered?.upTo ?? cursor ?? 0)) !== undefined;
      partial?.clear();
      return {
        response: restarts > 0 ? { ...response, usage: { ...response.usage, incomplete: true } } : response,
        ...(steered !== undefined && { steered }),
        ...(steeringWaits && { steeringWaits }),
        startedAt,
        endedAt: input.now(),
      };
    } catch (error) {
      if (step.signal.aborted) throw step.signal.reason;
      if (restarts >= input.maxRestarts || !canRestart(error, hasParts)) {
        if (input.compaction !== undefined && isPromptTooLong(error)) return { tooLong: true };
        throw error;
      }
      budget.failed(error);
      const { message } = describeError(error);
      input.logger.warn({ turn, restarts: restarts + 1, error: message }, "the stream broke; retrying");
      if (isWatched) await step.emit({ type: "discard", turn, reason: message });
      const requestedMs = error instanceof ApiStatusError ? error.retryAfterMs : undefined;
      await sleep(requestedMs ?? RESTART_DELAY_MS * 2 ** restarts, step.signal);
    }
  }
}

/** Failures before the first part have been retried by the client; a stream that ends without a finish reason is detected only here. */
function canRestart(error: unknown, hasParts: boolean): boolean {
  if (error instanceof StreamIncompleteError) return error.retryable;
  if (error instanceof ApiStatusError && (error.retryAfterMs ?? 0) > MAX_RESTART_WAIT_MS) return false;
  return hasParts && error instanceof AgentError && error.retryable;
}
