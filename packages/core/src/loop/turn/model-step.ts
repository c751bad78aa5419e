import { describeError, type Step } from "../../durable/steps.ts";
import type { ModelStepValue, PromptTooLong } from "../../durable/run-log.ts";
import { AgentError } from "../../errors/agent-error.ts";
import { ApiStatusError, StreamIncompleteError } from "../../errors/api-errors.ts";
import { sleep } from "../../internal/abort.ts";
import type { ModelNotice, ModelRequest } from "../../model/model.ts";
import { isCallPiece } from "../../model/response/parts.ts";
import type { RequestBudget } from "../../wire/http/retry.ts";
import type { Part } from "../../wire/types/content.ts";
import { isPromptTooLong } from "./compact-history.ts";
import type { RunEvent } from "../events.ts";
import type { LoopInput } from "../loop-input.ts";
import type { LoopStep } from "../observer.ts";
import { callsIn } from "../transcript.ts";

/** First wait before a broken stream is begun again, in milliseconds; doubles each time. */
const RESTART_DELAY_MS = 250;
/** Longest wait the service may ask for in the middle of a stream, in milliseconds. */
const MAX_RESTART_WAIT_MS = 300_000;

/**
 * Asks the model once and reports what it says while it says it.
 *
 * A stream that breaks after parts were handed on is begun again from the same request, up to `maxRestarts` times; the
 * reader is told by a `discard` event that what came before is void.
 *
 * @returns `tooLong` for a prompt that the model does not take, when the history can be cut.
 * @param steeringCursor - The place up to which what was said to the run is in the request; absent when nothing is to be added.
 */
export async function modelStep(
  input: LoopInput,
  unsteered: ModelRequest,
  turn: number,
  step: LoopStep,
  steeringCursor: number | undefined,
  budget: RequestBudget,
): Promise<ModelStepValue | PromptTooLong> {
  const startedAt = input.now();
  const steering = steeringCursor === undefined ? undefined : input.steering;
  const steered = steering === undefined ? undefined : await steering.take(steeringCursor ?? 0);
  const isWatched = input.emit !== undefined;
  if (steered !== undefined && isWatched) await step.emit({ type: "steer", turn, contents: steered.contents });
  let request =
    steered === undefined ? unsteered : { ...unsteered, contents: [...unsteered.contents, ...steered.contents] };
  if (input.hooks.beforeRequest !== undefined)
    request = (await input.hooks.beforeRequest({ turn, request, signal: step.signal })) ?? request;

  for (let restarts = 0; ; restarts++) {
    const attempt = new RequestAttempt(turn, isWatched ? step : undefined);
    step.asks?.(request);
    try {
      const response = await input.model.respond(request, {
        signal: step.signal,
        conversation: input.conversation,
        logger: input.logger,
        budget,
        onParts: attempt.onParts,
        onNotice: isWatched ? attempt.onNotice : undefined,
      });
      const cursor = steered?.upTo ?? steeringCursor ?? 0;
      const steeringWaits =
        steering !== undefined && callsIn(response.content).length === 0 && (await steering.take(cursor)) !== undefined;
      return {
        response: restarts > 0 ? { ...response, usage: { ...response.usage, incomplete: true } } : response,
        ...(steered !== undefined && { steered }),
        ...(steeringWaits && { steeringWaits }),
        startedAt,
        endedAt: input.now(),
      };
    } catch (error) {
      if (step.signal.aborted) throw step.signal.reason;
      if (restarts >= input.maxRestarts || !canRestart(error, attempt.handedOn)) {
        if (input.compaction !== undefined && isPromptTooLong(error)) return { tooLong: true };
        throw error;
      }
      budget.failed(error);
      const { message } = describeError(error);
      input.logger.warn({ turn, restarts: restarts + 1, error: message }, "the stream broke; retrying");
      if (isWatched) await step.emit({ type: "discard", turn, reason: message });
      const wait =
        (error instanceof ApiStatusError ? error.retryAfterMs : undefined) ?? RESTART_DELAY_MS * 2 ** restarts;
      await sleep(wait, step.signal);
    }
  }
}

/** What one request hands on: reported to the step where somebody watches, and noted in any case. */
class RequestAttempt {
  /** True once the model has said anything. */
  handedOn = false;
  readonly #turn: number;
  readonly #step: Step<RunEvent> | undefined;

  constructor(turn: number, step: Step<RunEvent> | undefined) {
    this.#turn = turn;
    this.#step = step;
  }

  readonly onParts = (parts: readonly Part[]): void | Promise<void> => {
    this.handedOn = true;
    if (this.#step !== undefined) return emitParts(parts, this.#turn, this.#step);
  };

  readonly onNotice = (notice: ModelNotice): void => {
    const turn = this.#turn;
    void this.#step?.emit(
      notice.type === "rewind" ? { type: "discard", turn, reason: notice.reason } : { type: "notice", turn, notice },
    );
  };
}

/** Reports some parts. Neighbouring text becomes one delta. */
export function emitParts(
  parts: readonly Part[],
  turn: number,
  to: Pick<Step<RunEvent>, "emit">,
): void | Promise<void> {
  const [only] = parts;
  // What most chunks are.
  if (parts.length === 1 && only?.text !== undefined) {
    if (only.text === "") return;
    return to.emit({ type: only.thought === true ? "thought-delta" : "text-delta", turn, delta: only.text });
  }
  return emitAll(partEvents(parts, turn), to);
}

async function emitAll(events: readonly RunEvent[], to: Pick<Step<RunEvent>, "emit">): Promise<void> {
  for (const event of events) await to.emit(event);
}

function partEvents(parts: readonly Part[], turn: number): readonly RunEvent[] {
  const events: RunEvent[] = [];
  let type: "text-delta" | "thought-delta" = "text-delta";
  let delta = "";
  const endText = (): void => {
    if (delta !== "") events.push({ type, turn, delta });
    delta = "";
  };
  for (const part of parts) {
    if (part.text === undefined) {
      endText();
      events.push(isCallPiece(part) ? pieceEvent(part, turn) : { type: "part", turn, part });
      continue;
    }
    const kind = part.thought === true ? "thought-delta" : "text-delta";
    if (kind !== type) endText();
    type = kind;
    delta += part.text;
  }
  endText();
  return events;
}

function pieceEvent({ functionCall: call }: Part, turn: number): RunEvent {
  const { name = "", id, partialArgs: delta = [] } = call ?? {};
  return { type: "call-args-delta", turn, name, ...(id !== undefined && { id }), delta };
}

/** Failures before the first part were retried below already; a stream without an ending is only seen here. */
function canRestart(error: unknown, handedOn: boolean): boolean {
  if (error instanceof StreamIncompleteError) return error.retryable;
  if (error instanceof ApiStatusError && (error.retryAfterMs ?? 0) > MAX_RESTART_WAIT_MS) return false;
  return handedOn && error instanceof AgentError && error.retryable;
}
