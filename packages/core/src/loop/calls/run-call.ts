import { type CallStepValue, stepName } from "../../durable/run-log.ts";
import { type Outcome, type Step, VALUE_TOO_LARGE } from "../../durable/steps.ts";
import { RunStepError } from "../../errors/run-errors.ts";
import { abortable } from "../../internal/abort.ts";
import { isTooDeep } from "../../internal/json.ts";
import { type Logger, SILENT } from "../../logging/logger.ts";
import { depthError, partsBytes } from "../../model/request/contents-size.ts";
import { callTool } from "../../tool/call-tool.ts";
import { functionResponse, jsonSafe, type ResponseParts } from "../../tool/function-response.ts";
import { argumentsEdited, CANCELLED, INTERRUPTED, OUTCOME_UNKNOWN } from "../../tool/model-texts.ts";
import type { ToolRetryNotice } from "../../tool/retry-call.ts";
import type { NestedRun, ParentRun, ToolContext, ToolOutcome } from "../../tool/tool.ts";
import type { FunctionCall, Part } from "../../wire/types/content.ts";
import type { RunEvent } from "../events.ts";
import { remainingLimits } from "../limits.ts";
import type { LoopInput } from "../loop-input.ts";
import type { LoopStep } from "../observers/observer.ts";
import type { RunState } from "../run-state.ts";
import { stepLogger } from "../single-step.ts";
import type { AnsweredState, CallState, PlannedCall, TurnCall } from "./call-state.ts";
import { checkDecision, checkReplaced } from "./hook-answers.ts";

/** Runs one call with its hooks and returns what its step records. Rejects only when a hook throws, or with the reason of an abort. */
export async function runCall(
  input: LoopInput,
  state: RunState,
  planned: TurnCall,
  step: LoopStep,
): Promise<CallStepValue> {
  const { callId, call, tool, refusal } = planned;
  const startedAt = input.now();
  const interrupted = step.attempt > 1 && (tool?.effects === "once" || planned.recorded === "begun");
  const asks = interrupted && tool?.unknownOutcome === "ask";
  const isWatched = input.emit !== undefined && !asks;
  // Most runs log nothing, and this is called for each call.
  const logger = input.logger.warn === SILENT.warn ? input.logger : stepLogger(input, planned.turn, step);

  const nested: NestedRun[] = [];
  const run: CallParts = {
    logger,
    attach: (one) => {
      if (nested.includes(one)) return;
      nested.push(one);
      state.unsettled.push(one);
    },
    parent: parentRun(input, state, planned, step, startedAt),
  };
  if (tool?.retry !== undefined) planned.onRetry = (notice) => reportRetry(input, planned, step, logger, notice);
  const { beforeCall, afterCall } = input.hooks;
  let outcome: ToolOutcome;
  if (refusal !== undefined) outcome = { ok: false, kind: "not-run", message: refusal };
  else if (interrupted) outcome = { ok: false, kind: "unknown-outcome", message: INTERRUPTED };
  else if (beforeCall === undefined && afterCall === undefined) {
    const beginning = beginCall(planned, step, isWatched);
    if (beginning !== undefined) await beginning;
    outcome = await callTool(input.toolset.byName, call, toolContext(input, planned, step, run), planned);
  } else outcome = await runWithHooks(input, planned, step, run, isWatched);
  // An aborted call has no outcome: a resumed run makes it again, or asks.
  if (!outcome.ok && outcome.kind === "cancelled" && planned.isCancelled !== true && input.signal.aborted)
    throw input.signal.reason;
  const value: CallStepValue = {
    ...recordOutcome(input, planned, outcome, startedAt, input.now()),
    ...(!planned.begun && !interrupted && { notRun: true }),
    nested,
    ...(asks && { unknown: true }),
  };
  if (logger.debug !== SILENT.debug)
    logger.debug({ callId, tool: call.name, ok: outcome.ok, ms: value.durationMs }, "tool call");
  if (isWatched) {
    planned.endReported = true;
    await step.emit(toolEnd(planned, value));
  }
  return value;
}

function reportRetry(
  input: LoopInput,
  { turn, callId, call }: PlannedCall,
  step: Step<RunEvent>,
  logger: Logger,
  notice: ToolRetryNotice,
): void | Promise<void> {
  logger.debug({ callId, tool: call.name, ...notice }, "tool failed; retrying");
  // Observers read it, too.
  if (input.emit !== undefined || input.observed !== undefined)
    return step.emit({ type: "tool-retry", turn, callId, name: call.name, ...notice });
}

/** Called right before the tool runs. */
function beginCall(planned: TurnCall, step: Step<RunEvent>, isWatched: boolean): void | Promise<void> {
  if (step.begin !== undefined) return recordBegin(planned, step, isWatched);
  planned.begun = true;
  if (isWatched) return step.emit(toolStart(planned));
}

async function recordBegin(planned: TurnCall, step: Step<RunEvent>, isWatched: boolean): Promise<void> {
  await step.begin?.();
  planned.begun = true;
  if (isWatched) await step.emit(toolStart(planned));
}

async function runWithHooks(
  input: LoopInput,
  planned: TurnCall,
  step: LoopStep,
  run: CallParts,
  isWatched: boolean,
): Promise<ToolOutcome> {
  const { turn, callId, call } = planned;
  const { signal } = step;
  const { beforeCall, afterCall } = input.hooks;
  const info = { ...input.identity, context: input.context, turn, callId, call, signal };
  try {
    const decision =
      beforeCall === undefined ? undefined : checkDecision(await abortable(Promise.resolve(beforeCall(info)), signal));
    let outcome: ToolOutcome;
    if (decision !== undefined && "deny" in decision) outcome = denied(decision.deny);
    else if (decision !== undefined && "output" in decision) outcome = { ok: true, output: decision.output };
    else {
      if (decision !== undefined && isTooDeep(decision.args))
        throw depthError(
          `The arguments that beforeCall returned for ${callId} (${call.name}) nest`,
          "the tool cannot run",
        );
      const changed = decision === undefined ? planned : { ...planned, call: { ...call, args: decision.args } };
      await beginCall(planned, step, isWatched);
      outcome = await callTool(input.toolset.byName, changed.call, toolContext(input, changed, step, run), planned);
    }
    if (afterCall === undefined) return outcome;
    return checkReplaced(await abortable(Promise.resolve(afterCall({ ...info, outcome })), signal)) ?? outcome;
  } catch (error) {
    // The abort itself is reported by the loop.
    if (signal.aborted) return cancelled();
    throw error;
  }
}

/** What the context of a call has of its run. */
type CallParts = Pick<ToolContext, "attach" | "logger" | "parent">;

function toolContext(
  input: LoopInput,
  { turn, callId, call }: PlannedCall,
  step: LoopStep,
  run: CallParts,
): Omit<ToolContext, "attempt"> {
  const { identity, context, steps } = input;
  const { traceparent } = step;
  return {
    ...identity,
    context,
    signal: step.signal,
    callId,
    call,
    // Not the step's own key, which differs when a call that was not executed is run again.
    idempotencyKey: `${identity.runId}/${callId}`,
    turn,
    ...(traceparent !== undefined && { traceparent }),
    step: steps.record && ((name, work) => steps.record?.({ kind: "inner", turn, callId, name }, work) ?? work()),
    progress: async (progress) => {
      if (input.emit !== undefined) await step.emit({ type: "tool-progress", turn, callId, progress });
    },
    ...run,
  };
}

/** What a run inside the call receives from this one. */
function parentRun(
  input: LoopInput,
  state: RunState,
  { turn, callId, current }: TurnCall,
  { traceparent }: LoopStep,
  startedAt: number,
): ParentRun {
  const attempt = current.state === "running" ? current.attempt : 0;
  return {
    step: {
      runId: state.runId,
      step: stepName({ kind: "call", turn, callId, attempt }),
      callId,
      ...(traceparent !== undefined && { traceparent }),
    },
    get remaining() {
      return remainingLimits(input, state.spentInside(input.now() - startedAt), state.maxCost);
    },
    prices: input.prices,
    metadata: input.identity.metadata,
    approve: input.approve,
  };
}

/** The state of a call after its step. A step fails only when a hook threw, in this process or another; that ends the run. */
export function afterRun(
  input: LoopInput,
  state: RunState,
  call: PlannedCall,
  attempt: number,
  outcome: Outcome | undefined,
): CallState {
  if (outcome?.ok === true) {
    // What runCall returned, through JSON.
    const value = outcome.value as unknown as CallStepValue;
    return value.unknown === true ? { state: "interrupted", time: attempt + 1 } : { state: "answered", value };
  }
  // The call ran, but its result is too large to record: the model has to ask for less.
  if (outcome?.error.code === VALUE_TOO_LARGE)
    return answered(input, call, { ok: false, kind: "failed", message: outcome.error.message }, state.endedAt);
  throw callFailed(call, outcome);
}

/** The error of a call whose hook failed. */
export function callFailed({ callId, call }: PlannedCall, outcome: Outcome | undefined): RunStepError {
  const cause = outcome?.ok === false ? outcome.error : undefined;
  return new RunStepError(`${callId} (${call.name}) failed: ${cause?.message ?? "no outcome"}`, callId, { cause });
}

/** The answer of a call that may have taken effect when the run ended; the text keeps the model from repeating it. */
export function cutOff(input: LoopInput, state: RunState, call: PlannedCall): AnsweredState {
  return answered(input, call, cancelled(`${CANCELLED}; ${OUTCOME_UNKNOWN}`), state.endedAt);
}

/** A call with this outcome. Times are in milliseconds since the epoch. */
export function answered(
  input: LoopInput,
  call: PlannedCall,
  outcome: ToolOutcome,
  startedAt: number,
  endedAt: number = startedAt,
): AnsweredState {
  return { state: "answered", value: recordOutcome(input, call, outcome, startedAt, endedAt) };
}

function recordOutcome(
  input: LoopInput,
  planned: PlannedCall,
  outcome: ToolOutcome,
  startedAt: number,
  endedAt: number,
): CallStepValue {
  const { call, tool } = planned;
  const response = functionResponse(call, outcome, {
    mediaInFunctionResponses: input.model.capabilities.mediaInFunctionResponses,
    officeInput: input.model.capabilities.officeInput,
    maxResultBytes: tool?.maxResultBytes,
    maxMediaBytes: planned.mediaRoom,
  });
  const { part, after } = response;
  const hasMedia = after.length > 0 || part.functionResponse?.parts !== undefined;
  if (hasMedia) planned.responseBytes = partsBytes([part, ...after]);
  const ending = tool?.endsRun === true && outcome.ok && { ending: { output: jsonSafe(outcome.output).value } };
  return {
    ...describeOutcome(planned, outcome, response),
    ...ending,
    durationMs: endedAt - startedAt,
    startedAt,
    endedAt,
  };
}

/** The answer of a call that was not made here, as the model reads it with the default limits. */
export function settledValue(
  made: Pick<PlannedCall, "call" | "edited">,
  outcome: ToolOutcome,
  at: number,
): CallStepValue {
  const response = functionResponse(made.call, outcome, { mediaInFunctionResponses: false });
  return { ...describeOutcome(made, outcome, response), durationMs: 0, startedAt: at, endedAt: at };
}

function describeOutcome(
  { call, edited }: Pick<PlannedCall, "call" | "edited">,
  outcome: ToolOutcome,
  { part, after, shortened }: ResponseParts,
): Omit<CallStepValue, "durationMs" | "startedAt" | "endedAt"> {
  // A hook's outcome may have other members.
  const failure = outcome.ok ? undefined : ({ ok: false, kind: outcome.kind, message: outcome.message } as const);
  const notRun = failure?.kind === "denied" || failure?.kind === "withdrawn" || failure?.kind === "not-run";
  return {
    part,
    after: edited === undefined ? after : [editedNote(call), ...after],
    ...(shortened === true && { shortened }),
    failure,
    ...(notRun && { notRun }),
    nested: [],
  };
}

/** A text after the responses: whether a model reads other members of a response than the output is not documented. */
function editedNote({ name, id, args = {} }: FunctionCall): Part {
  return { text: argumentsEdited(name, id === "" ? undefined : id, JSON.stringify(args)) };
}

/** The outcome of a call that was denied; the message is for the model. */
export function denied(message: string): ToolOutcome {
  return { ok: false, kind: "denied", message };
}

/** The outcome of a call whose request was taken back; the message is for the model. */
export function taken(message: string): ToolOutcome {
  return { ok: false, kind: "withdrawn", message };
}

/** The outcome of a call that the end of its run cut off. */
export function cancelled(message: string = CANCELLED): Extract<ToolOutcome, { ok: false }> {
  return { ok: false, kind: "cancelled", message };
}

type NamedCall = Pick<PlannedCall, "turn" | "callId" | "call" | "edited">;

/** The event of a call that begins. */
export function toolStart({ turn, callId, call, edited }: NamedCall): RunEvent {
  return { type: "tool-start", turn, callId, name: call.name, call, ...(edited && { edited }) };
}

/** The event of a call that has ended. */
export function toolEnd({ turn, callId, call, edited }: NamedCall, value: CallStepValue): RunEvent {
  const { durationMs } = value;
  const event = {
    type: "tool-end",
    turn,
    callId,
    name: call.name,
    call,
    durationMs,
    ...(edited && { edited }),
  } as const;
  const outcome = readOutcome(value);
  // The same either way; the types are two.
  return outcome.ok && outcome.shortened === undefined ? { ...event, outcome } : { ...event, outcome };
}

/** The outcome that a call's step recorded, as the model reads it. */
export function readOutcome({ failure, part, shortened }: CallStepValue): ToolEndOutcome {
  if (failure !== undefined) return failure;
  const output = part.functionResponse?.response["output"];
  // Only a text is shortened.
  return shortened === true ? { ok: true, output: output as string, shortened } : { ok: true, output };
}

type ToolEndOutcome = Extract<RunEvent, { readonly type: "tool-end" }>["outcome"];
