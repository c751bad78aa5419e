import { AgentError } from "../errors/agent-error.ts";
import { StreamIncompleteError, ApiStatusError } from "../errors/api-errors.ts";
import { describeError } from "../durable/describe-error.ts";
import type { Steered } from "../durable/steering.ts";
import type { Step } from "../durable/steps.ts";
import { abortable } from "../internal/abortable.ts";
import type { ModelNotice, ModelRequest, ModelResponse } from "../model/model.ts";
import { isCallPiece } from "../model/partial-args.ts";
import type { Part } from "../wire/content.ts";
import type { RunEvent } from "./events.ts";
import type { LoopInput } from "./loop-input.ts";
import { callsIn } from "./transcript.ts";

/** What a model step leaves in the journal. */
export interface ModelStepValue {
  readonly response: ModelResponse;
  /** What was said to the run and went along with this request. */
  readonly steered?: Steered | undefined;
  /** More was said while the model gave an answer without calls. */
  readonly steeringWaits?: true | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** First wait before a broken stream is begun again, in milliseconds; doubles each time. */
const RESTART_DELAY_MS = 250;
/** Longest wait the service may ask for in the middle of a stream, in milliseconds. */
const MAX_RESTART_WAIT_MS = 300_000;

/**
 * Asks the model once and reports what it says while it says it.
 *
 * A stream that breaks after parts were handed on is begun again from the same request, up to `maxRestarts` times; the
 * reader is told by a `discard` event that what came before is void.
 */
export async function modelStep(
  input: LoopInput,
  unsteered: ModelRequest,
  turn: number,
  step: Step<RunEvent>,
  steeredUpTo?: number,
): Promise<ModelStepValue> {
  const startedAt = input.now();
  const steered = steeredUpTo === undefined ? undefined : await input.steering?.take(steeredUpTo);
  if (steered !== undefined && input.live !== undefined)
    await step.emit({ type: "steer", turn, contents: steered.contents });
  const request =
    steered === undefined ? unsteered : { ...unsteered, contents: [...unsteered.contents, ...steered.contents] };
  const changed = await input.hooks.beforeRequest?.({ turn, request, signal: step.signal });
  const sent = changed ?? request;
  for (let restarts = 0; ; restarts++) {
    const progress = { handedOn: false };
    try {
      const response = await askOnce(input, sent, turn, step, progress);
      const usage = restarts > 0 ? { ...response.usage, incomplete: true } : response.usage;
      const heard = steered?.upTo ?? steeredUpTo;
      const steeringWaits =
        heard !== undefined &&
        callsIn(response.content).length === 0 &&
        (await input.steering?.take(heard)) !== undefined;
      return {
        response: { ...response, usage },
        ...(steered !== undefined && { steered }),
        ...(steeringWaits && { steeringWaits }),
        startedAt,
        endedAt: input.now(),
      };
    } catch (error) {
      if (step.signal.aborted) throw step.signal.reason;
      if (restarts >= input.maxRestarts || !canRestart(error, progress.handedOn)) throw error;
      const { message } = describeError(error);
      input.logger.warn({ turn, restarts: restarts + 1, error: message }, "the stream broke; asking again");
      if (input.live !== undefined) await step.emit({ type: "discard", turn, reason: message });
      const wait =
        (error instanceof ApiStatusError ? error.retryAfterMs : undefined) ?? RESTART_DELAY_MS * 2 ** restarts;
      await pause(wait, step.signal);
    }
  }
}

async function askOnce(
  input: LoopInput,
  request: ModelRequest,
  turn: number,
  step: Step<RunEvent>,
  progress: { handedOn: boolean },
): Promise<ModelResponse> {
  const live = input.live !== undefined;
  const answer = input.model.respond(request, {
    signal: step.signal,
    conversation: input.conversation,
    logger: input.logger,
    notice: live ? (notice) => void step.emit(noticeEvent(notice, turn)) : undefined,
  });
  try {
    for (;;) {
      const next = await answer.next();
      if (next.done === true) return next.value;
      progress.handedOn = true;
      if (live) for (const event of partEvents(next.value, turn)) await step.emit(event);
    }
  } finally {
    // Only matters when emitting threw: a finished or failed generator ignores it.
    await answer.return(undefined as never);
  }
}

function noticeEvent(notice: ModelNotice, turn: number): RunEvent {
  return notice.type === "rewind" ? { type: "discard", turn, reason: notice.reason } : { type: "notice", turn, notice };
}

/** The events of some parts. Neighbouring text becomes one delta. */
export function* partEvents(parts: readonly Part[], turn: number): Generator<RunEvent, void, void> {
  let type: "text-delta" | "thought-delta" = "text-delta";
  let delta = "";
  for (const part of parts) {
    const kind = part.text === undefined ? undefined : part.thought === true ? "thought-delta" : "text-delta";
    if (kind !== type && delta !== "") {
      yield { type, turn, delta };
      delta = "";
    }
    if (kind === undefined) yield isCallPiece(part) ? pieceEvent(part, turn) : { type: "part", turn, part };
    else {
      type = kind;
      delta += part.text;
    }
  }
  if (delta !== "") yield { type, turn, delta };
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

function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  return abortable(wait, signal).finally(() => clearTimeout(timer));
}
