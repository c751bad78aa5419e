import { AgentError } from "../errors/agent-error.ts";
import { StreamIncompleteError, ApiStatusError } from "../errors/api-errors.ts";
import { describeError } from "../durable/pass-through.ts";
import type { Step } from "../durable/steps.ts";
import { abortable } from "../internal/abortable.ts";
import type { ModelRequest, ModelResponse } from "../model/model.ts";
import type { Part } from "../wire/content.ts";
import type { RunEvent } from "./events.ts";
import type { LoopInput } from "./loop-input.ts";

/** What a model step leaves in the journal. */
export interface ModelStepValue {
  readonly response: ModelResponse;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** First wait before a broken stream is begun again, in milliseconds; doubles each time. */
const RESTART_DELAY_MS = 250;

/**
 * Asks the model once and reports what it says while it says it.
 *
 * A stream that breaks after parts were handed on is begun again from the same request, up to `maxRestarts` times; the
 * reader is told by a `discard` event that what came before is void.
 */
export async function modelStep(
  input: LoopInput,
  request: ModelRequest,
  turn: number,
  step: Step<RunEvent>,
): Promise<ModelStepValue> {
  const startedAt = input.now();
  const changed = await input.hooks.beforeRequest?.({ turn, request, signal: step.signal });
  const sent = changed ?? request;
  for (let restarts = 0; ; restarts++) {
    const progress = { handedOn: false };
    try {
      const response = await askOnce(input, sent, turn, step, progress);
      const usage = restarts > 0 ? { ...response.usage, incomplete: true } : response.usage;
      return { response: { ...response, usage }, startedAt, endedAt: input.now() };
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
    notice: live ? (notice) => void step.emit({ type: "notice", turn, notice }) : undefined,
  });
  try {
    for (;;) {
      const next = await answer.next();
      if (next.done === true) return next.value;
      progress.handedOn = true;
      if (live) await emitParts(next.value, turn, step);
    }
  } finally {
    // Only matters when emitting threw: a finished or failed generator ignores it.
    await answer.return(undefined as never);
  }
}

/** Neighbouring text of one batch becomes one delta. */
async function emitParts(parts: readonly Part[], turn: number, step: Step<RunEvent>): Promise<void> {
  let type: "text-delta" | "thought-delta" = "text-delta";
  let delta = "";
  for (const part of parts) {
    if (part.text === undefined) {
      if (delta !== "") await step.emit({ type, turn, delta });
      delta = "";
      await step.emit({ type: "part", turn, part });
      continue;
    }
    const kind = part.thought === true ? "thought-delta" : "text-delta";
    if (kind !== type && delta !== "") {
      await step.emit({ type, turn, delta });
      delta = "";
    }
    type = kind;
    delta += part.text;
  }
  if (delta !== "") await step.emit({ type, turn, delta });
}

/** Failures before the first part were retried below already; a stream without an ending is only seen here. */
function canRestart(error: unknown, handedOn: boolean): boolean {
  if (error instanceof StreamIncompleteError) return true;
  return handedOn && error instanceof AgentError && error.retryable;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  return abortable(wait, signal).finally(() => clearTimeout(timer));
}
