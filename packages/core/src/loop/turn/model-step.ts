import { describeError } from "../../durable/steps.ts";
import type { GuardrailAction, ModelPlace, ModelStepRecord } from "../../durable/run-log.ts";
import { AgentError } from "../../errors/agent-error.ts";
import { ApiShapeError, ApiStatusError, StreamIncompleteError } from "../../errors/api-errors.ts";
import { sleep } from "../../internal/abort.ts";
import { isTooDeep, MAX_LEVELS, tryOr } from "../../internal/json.ts";
import { SILENT } from "../../logging/logger.ts";
import { openCallsIn } from "../../model/history/open-calls.ts";
import type { ModelNotice, ModelRequest, ModelResponse } from "../../model/model.ts";
import { isCallPiece } from "../../model/response/parts.ts";
import {
  addUsage,
  attachLost,
  type Cost,
  NO_USAGE,
  type PriceTable,
  priceUsage,
  type Usage,
} from "../../model/usage.ts";
import { addRead } from "../../tool/reads.ts";
import type { RequestBudget } from "../../wire/http/retry.ts";
import type { Part } from "../../wire/types/content.ts";
import { actionEvents, checkInput } from "./check-guardrails.ts";
import { isPromptTooLong } from "./compact-history.ts";
import type { RunEvent } from "../events.ts";
import type { LoopInput } from "../loop-input.ts";
import type { LoopStep } from "../observers/observer.ts";
import { JsonGrowth, type OutputDelta } from "../output/json-growth.ts";
import type { RunState } from "../run-state.ts";
import { stepLogger } from "../single-step.ts";
import { HeldAnswer } from "./check-partial.ts";
import { describeOther, prepareRequest } from "./prepare-turn.ts";

/** First delay before a broken stream is restarted, in milliseconds; doubles each time. */
const RESTART_DELAY_MS = 250;
/** Longest delay that the service may request in the middle of a stream, in milliseconds. */
const MAX_RESTART_WAIT_MS = 300_000;

/**
 * Sends one request, with the steering messages since the last one, and reports the answer while it arrives. A stream that breaks after its
 * first part is restarted, up to `limits.restarts` times, after a `discard`.
 * @returns `stopped` when a guardrail rejected a message;
 * `tooLong` when the prompt exceeds the model's limit and the history can be compacted.
 */
export async function modelStep(
  input: LoopInput,
  state: RunState,
  unsteered: ModelRequest,
  place: ModelPlace,
  step: LoopStep,
  budget: RequestBudget,
): Promise<ModelStepRecord> {
  const startedAt = input.now();
  const { turn, phase } = place;
  // The output phase takes no new messages, and nobody sees its answer before it is whole.
  const { steering, partial } = phase === "work" ? { steering: input.steering, partial: state.partial } : {};
  let steered = steering === undefined ? undefined : await steering.take(state.steeringCursor);
  const { guardrails, preparer, rehearsal } = input;
  let given: ModelResponse | undefined;
  let checked: readonly GuardrailAction[] | undefined;
  if (steered !== undefined && guardrails?.input !== undefined) {
    const verdict = await checkInput(input, steered.contents, turn, "steering", step.signal);
    const { contents = steered.contents } = verdict;
    const { upTo, read } = steered;
    if (verdict.actions.length > 0) checked = verdict.actions;
    if (input.emit !== undefined) await emitAll(actionEvents(turn, "input", verdict.actions), step);
    if (checked?.at(-1)?.action === "stop")
      return { stopped: true, checked, steered: { contents: [], upTo }, startedAt, endedAt: input.now() };
    steered = { contents, upTo, ...(read !== undefined && { read }) };
    given = verdict.response;
  }
  const guarded = guardrails?.output && (guardrails.streaming === "show" ? "shown" : "held");
  const isHeld = guarded === "held";
  const isWatched = input.emit !== undefined;
  // Most runs log nothing, and this is called for each request.
  const logger = input.logger.warn === SILENT.warn ? input.logger : stepLogger(input, turn, step);
  if (steered !== undefined && isWatched) await step.emit({ type: "steer", turn, contents: steered.contents });
  const added = { ...(steered !== undefined && { steered }), ...(checked !== undefined && { checked }) };
  if (given !== undefined) {
    if (isWatched) await emitParts(given.content.parts, turn, step);
    return { response: given, ...added, startedAt, endedAt: input.now() };
  }
  let request =
    steered === undefined ? unsteered : { ...unsteered, contents: [...unsteered.contents, ...steered.contents] };
  const prepared = preparer && (await prepareRequest(preparer, input, state, request, place, step));
  if (prepared !== undefined) request = prepared.request;
  const { model = input.model } = prepared ?? {};
  const known = [...state.read];
  const { byName, standIns } = state.turnTools ?? input.toolset;
  for (const { name, origin, untrustedDescription } of byName.values())
    if (untrustedDescription === true) addRead(known, { tool: name, reads: "untrusted", origin, description: true });
  const described = known.slice(state.read.length);
  const record = { ...(input.author !== undefined && describeOther(input, model)), ...prepared?.record };

  let growth: JsonGrowth | undefined;
  let held: HeldAnswer | undefined;
  const shown = unsteered.output === undefined ? partial : undefined;
  const isSeen = isWatched || partial?.isWatched === true;
  const hold = () => (isHeld && isSeen ? new HeldAnswer(input, turn, step, shown) : undefined);
  const onNotice = (notice: ModelNotice): void => {
    if (notice.type === "rewind") {
      partial?.clear();
      growth &&= new JsonGrowth();
      held = hold();
    }
    if (!isWatched) return;
    void step.emit(
      notice.type === "rewind" ? { type: "discard", turn, reason: notice.reason } : { type: "notice", turn, notice },
    );
  };
  const { sent, accepted } = budget;
  let lost = NO_USAGE;
  const onLost = (usage: Usage): void => {
    lost = addUsage(lost, usage);
  };
  for (let restarts = 0; ; restarts++) {
    let hasParts = false;
    let hasDeepParts = false;
    held = hold();
    growth = isWatched && !isHeld && unsteered.output !== undefined ? new JsonGrowth() : undefined;
    const onParts = (parts: readonly Part[]): void | Promise<void> => {
      hasParts = true;
      hasDeepParts ||= nestTooDeep(parts);
      // The answer is refused, so nobody needs them.
      if (hasDeepParts) return;
      if (step.chunk !== undefined && parts.some(({ text }) => text !== "")) step.chunk();
      partial?.add(parts);
      if (held !== undefined) return held.add(parts);
      if (growth !== undefined) return emitAll(typedEvents(parts, turn, growth), step);
      if (isWatched) return emitParts(parts, turn, step);
    };
    partial?.begin(place, guarded);
    step.asks?.(request, model);
    try {
      const answering = rehearsal?.model?.(model, { ...input.identity, parent: input.parent }) ?? model;
      const response = await answering.respond(request, {
        signal: step.signal,
        conversation: input.conversation,
        logger,
        budget,
        onParts,
        onNotice,
        onLost,
        onQueued: step.queued,
        tap: step.tap,
      });
      // A model of another library may return parts that nobody has checked.
      if (hasDeepParts || isTooDeep(response)) {
        const problem = `nests more than ${MAX_LEVELS} levels of lists and objects, so it cannot be used; ask again`;
        throw new ApiShapeError(`The answer ${problem}.`, "$", "");
      }
      if (growth !== undefined) await emitAll(growthEvents(growth.end(), turn), step);
      const steeringWaits =
        steering !== undefined &&
        openCallsIn([response.content]).length === 0 &&
        (await steering.take(steered?.upTo ?? state.steeringCursor)) !== undefined;
      partial?.clear(partial.released);
      const endedAt = input.now();
      const called = standIns?.filter((name) =>
        response.content.parts.some((part) => part.functionCall?.name === name),
      );
      return {
        response: restarts > 0 || called !== undefined ? withMarks(response, restarts > 0, called) : response,
        ...added,
        ...(Object.keys(record).length > 0 && { prepared: record }),
        ...(described.length > 0 && { described }),
        ...(guarded !== undefined && { guarded }),
        ...(input.prices !== undefined &&
          costOf(input.prices, response.usage, response.envelope.modelVersion ?? model.id, endedAt)),
        ...(steeringWaits && { steeringWaits }),
        startedAt,
        endedAt,
      };
    } catch (error) {
      if (lost !== NO_USAGE || budget.accepted > accepted)
        lost = { ...lost, requests: Math.max(budget.sent - sent, lost.requests), incomplete: true };
      // Not on the reason, which other runs may share.
      if (step.signal.aborted && partial !== undefined) partial.lost = lost;
      if (step.signal.aborted) throw step.signal.reason;
      if (restarts >= input.limits.restarts || !canRestart(error, hasParts)) {
        if (input.compaction !== undefined && isPromptTooLong(error)) return { tooLong: true };
        if (lost !== NO_USAGE) attachLost(error, lost);
        throw error;
      }
      budget.failed(error);
      if (partial !== undefined) partial.released = "";
      const { message } = describeError(error);
      logger.warn({ restarts: restarts + 1, error: message }, "the stream broke; retrying");
      if (isWatched) await step.emit({ type: "discard", turn, reason: message });
      const requestedMs = error instanceof ApiStatusError ? error.retryAfterMs : undefined;
      await sleep(requestedMs ?? RESTART_DELAY_MS * 2 ** restarts, step.signal);
    }
  }
}

/** @param standIns - The stand-in tools that it calls. */
function withMarks(response: ModelResponse, wasLost: boolean, standIns: readonly string[] = []): ModelResponse {
  const usage = wasLost ? { ...response.usage, incomplete: true } : response.usage;
  return { ...response, usage, ...(standIns.length > 0 && { standIns }) };
}

/** An answer's cost; empty if the prices throw. That fails the run only after the answer, which was paid for, is recorded. */
export function costOf(table: PriceTable, usage: Usage, modelId: string, at: number): Pick<Cost, "cost" | "unpriced"> {
  const priced = tryOr<Cost>(() => priceUsage(table, usage, modelId, at), {});
  return priced.unpriced !== undefined || Number.isFinite(priced.cost) ? priced : {};
}

/** Like {@link isTooDeep}, without allocating anything per text: an answer may arrive in thousands of pieces. */
function nestTooDeep(parts: readonly Part[]): boolean {
  for (const part of parts)
    for (const key in part) {
      // A key of this part, whatever its type lists. The list and the part are two levels themselves.
      const member = part[key as keyof Part];
      if (typeof member === "object" && isTooDeep(member, MAX_LEVELS - 2)) return true;
    }
  return false;
}

/** Failures before the first part have been retried by the client; a stream that ends without a finish reason is detected only here. */
function canRestart(error: unknown, hasParts: boolean): boolean {
  if (error instanceof StreamIncompleteError) return error.retryable;
  if (error instanceof ApiStatusError && (error.retryAfterMs ?? 0) > MAX_RESTART_WAIT_MS) return false;
  return hasParts && error instanceof AgentError && error.retryable;
}

/** The events of parts of a JSON answer, and of its growing value. */
function typedEvents(parts: readonly Part[], turn: number, growth: JsonGrowth): readonly RunEvent[] {
  const texts = parts.filter(({ text, thought }) => text !== undefined && thought !== true);
  return [...partEvents(parts, turn), ...texts.flatMap(({ text = "" }) => growthEvents(growth.add(text), turn))];
}

function growthEvents(delta: OutputDelta | undefined, turn: number): readonly RunEvent[] {
  return delta === undefined ? [] : [{ type: "output-delta", turn, ...delta }];
}

/** The events of a whole answer, and of its end. */
export function responseEvents(response: ModelResponse, turn: number, isTyped: boolean): readonly RunEvent[] {
  return [...wholeEvents(response.content.parts, turn, isTyped), { type: "response", turn, response }];
}

/** The events of the parts of a whole answer. */
export function wholeEvents(parts: readonly Part[], turn: number, isTyped: boolean): readonly RunEvent[] {
  if (!isTyped) return partEvents(parts, turn);
  const growth = new JsonGrowth();
  return [...typedEvents(parts, turn, growth), ...growthEvents(growth.end(), turn)];
}

/** Reports parts; adjacent text of the same kind becomes one delta. */
function emitParts(parts: readonly Part[], turn: number, step: LoopStep): void | Promise<void> {
  const [only] = parts;
  // The usual chunk.
  if (parts.length === 1 && only?.text !== undefined) {
    if (only.text === "") return;
    return step.emit({ type: only.thought === true ? "thought-delta" : "text-delta", turn, delta: only.text });
  }
  return emitAll(partEvents(parts, turn), step);
}

async function emitAll(events: readonly RunEvent[], step: LoopStep): Promise<void> {
  for (const event of events) await step.emit(event);
}

function partEvents(parts: readonly Part[], turn: number): readonly RunEvent[] {
  const events: RunEvent[] = [];
  for (const part of parts) {
    const { text, thought, functionCall: call } = part;
    if (text === undefined && isCallPiece(part)) {
      const { name = "", id, partialArgs: delta = [] } = call ?? {};
      events.push({ type: "call-args-delta", turn, name, ...(id !== undefined && { id }), delta });
    } else if (text === undefined) events.push({ type: "part", turn, part });
    else if (text !== "") {
      const type = thought === true ? "thought-delta" : "text-delta";
      const last = events.at(-1);
      const isAdjacent = last?.type === type && (last.type === "text-delta" || last.type === "thought-delta");
      if (isAdjacent) events.pop();
      events.push({ type, turn, delta: isAdjacent ? last.delta + text : text });
    }
  }
  return events;
}
