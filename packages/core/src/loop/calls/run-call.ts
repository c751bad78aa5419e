import { markOfCall } from "../../durable/read-by-step.ts";
import { type CallStepValue, stepName } from "../../durable/run-log.ts";
import { type Outcome, VALUE_TOO_LARGE } from "../../durable/steps.ts";
import { ModelRetry, RunStepError } from "../../errors/run-errors.ts";
import { copyJson, present, tryOr } from "../../internal/json.ts";
import { type Logger, SILENT } from "../../logging/logger.ts";
import { maxMediaBytes, partsBytes } from "../../model/request/check-contents.ts";
import { failure } from "../../tool/call-failure.ts";
import { callTool, report } from "../../tool/call-tool.ts";
import { functionResponse, jsonSafe, type ResponseParts } from "../../tool/function-response.ts";
import type { StartedJob } from "../../tool/job.ts";
import { asMade } from "../../tool/stand-in.ts";
import { type ReadByCall, type ReadingTool, usualRead } from "../../tool/reads.ts";
import {
  argumentsEdited,
  CANCELLED,
  INTERRUPTED,
  JOB_LEFT,
  OUTCOME_UNKNOWN,
  unreadable,
  WAS_INVALID,
} from "../../tool/model-texts.ts";
import type { NestedRun, Tool, ToolContext, ToolJob, ToolOutcome } from "../../tool/tool.ts";
import type { FunctionCall, Part } from "../../wire/types/content.ts";
import type { RunEvent } from "../events.ts";
import { remainingLimits } from "../limits.ts";
import type { LoopInput } from "../loop-input.ts";
import type { LoopStep } from "../observers/observer.ts";
import type { RunState } from "../run-state.ts";
import { stepLogger } from "../single-step.ts";
import { askAfter, askBefore, readDecision, withArguments } from "./call-hooks.ts";
import { isReported } from "./job-call.ts";
import { type AnsweredState, type CallState, type TurnCall, readOutcome } from "./call-state.ts";

/** Runs one call with its hooks and returns what its step records. Rejects only when a hook throws, or with the reason of an abort. */
export async function runCall(
  input: LoopInput,
  state: RunState,
  planned: TurnCall,
  step: LoopStep,
): Promise<CallStepValue> {
  const { turn, callId, call, tool, refusal, current } = planned;
  const number = current.state === "running" && current.attempt > 0 ? current.attempt + 1 : undefined;
  const startedAt = input.now();
  const interrupted = step.attempt > 1 && (tool?.effects === "once" || planned.recorded === "begun");
  const canWait = input.steps.cannotWait !== true;
  const job = canWait ? tool?.job : undefined;
  // A report that arrived meanwhile proves that the job was started, even if its tool no longer exists.
  const wasStarted = interrupted && canWait && isReported(input, { turn, callId, number });
  let asks = interrupted && (wasStarted || tool?.unknownOutcome === "ask");
  const isWatched = input.emit !== undefined && !asks && job === undefined;
  // Most runs log nothing, and this is called for each call.
  const logger = input.logger.warn === SILENT.warn ? input.logger : stepLogger(input, planned.turn, step);
  const nested: NestedRun[] = [];
  planned.onThrow = step.threw;
  if (tool?.retry !== undefined)
    planned.onRetry = (notice) => {
      logger.debug({ callId, tool: call.name, ...notice }, "tool failed; retrying");
      // Observers read it, too.
      if (input.emit !== undefined || input.observed !== undefined)
        return step.emit({ type: "tool-retry", turn: planned.turn, callId, name: call.name, ...notice });
    };

  let outcome: ToolOutcome | undefined;
  let isGiven = false;
  let isRehearsed = false;
  let started: StartedJob | undefined = wasStarted ? present({ jobId: "", since: startedAt, number }) : undefined;
  if (refusal !== undefined) outcome = failure("not-run", refusal);
  else if (interrupted) outcome = failure("unknown-outcome", INTERRUPTED);
  else {
    const { beforeCall, afterCall } = input.hooks;
    try {
      const decision = beforeCall && readDecision(await askBefore(input, planned, step.signal));
      outcome = decision?.outcome;
      isGiven = outcome?.ok === true;
      if (outcome === undefined) {
        const made = decision?.args === undefined ? call : withArguments(planned, decision.args);
        if (tool !== undefined && input.rehearsal?.call !== undefined) {
          const { call: answer } = input.rehearsal;
          planned.answer = async () => {
            const given = await answer({ ...input.identity, turn, callId, call: copyJson(made), tool });
            isRehearsed = given !== undefined;
            return given;
          };
        }
        if (step.begin !== undefined) await step.begin();
        planned.begun = true;
        if (isWatched) await step.emit(toolStart(planned));
        const run = { logger, nested, startedAt };
        outcome = await callTool(
          toolsFor(input, planned, job, number),
          made,
          toolContext(input, state, planned, made, step, run),
          planned,
        );
        if (isRehearsed && tool?.readsNested === true) {
          // No run inside the call reports what the answer brings.
          isGiven = true;
          planned.ran = undefined;
        }
        const begunJob = isRehearsed ? undefined : job;
        if (begunJob !== undefined && outcome.ok) {
          const since = input.now();
          const { timeoutMs, checkEveryMs } = begunJob;
          // What ToolJob.start returned.
          const jobId = outcome.output as string;
          const until = timeoutMs === Infinity ? undefined : since + timeoutMs;
          const everyMs = begunJob.check === undefined ? undefined : checkEveryMs;
          started = present({ jobId, since, until, everyMs, number });
          outcome = failure("unknown-outcome", JOB_LEFT);
        } else if (begunJob !== undefined && tool?.effects === "once" && !outcome.ok) {
          // Like a call whose process died: the service may have received it.
          const isUnknown = outcome.kind === "unknown-outcome" || outcome.kind === "timeout";
          asks = isUnknown && tool.unknownOutcome === "ask";
        }
      }
      if (afterCall !== undefined && started === undefined && !asks) {
        const given = await askAfter(input, planned, step.signal, outcome);
        isGiven ||= given !== undefined;
        outcome = given ?? outcome;
      }
    } catch (error) {
      // The abort itself is reported by the loop.
      if (!step.signal.aborted) throw error;
      outcome = failure("cancelled", CANCELLED);
    }
  }
  // An aborted call has no outcome: a resumed run makes it again, or asks.
  if (!outcome.ok && outcome.kind === "cancelled" && planned.isCancelled !== true && input.signal.aborted)
    throw input.signal.reason;
  const value: CallStepValue = {
    ...recordOutcome(input, state, planned, outcome, startedAt, input.now(), logger),
    ...(tool?.reads !== "trusted" && findRead(planned, outcome, isGiven, asks || started !== undefined)),
    ...(planned.begun !== true && !interrupted && { notRun: true }),
    nested,
    ...((asks || started !== undefined) && { unknown: true }),
    ...(started !== undefined && { job: started }),
  };
  if (logger.debug !== SILENT.debug)
    logger.debug({ callId, tool: call.name, ok: value.failure === undefined, ms: value.durationMs }, "tool call");
  if (isWatched || (job !== undefined && input.emit !== undefined && value.unknown !== true)) {
    planned.endReported = true;
    // A job that has started is reported later.
    if (!isWatched && planned.begun === true) await step.emit(toolStart(planned));
    await step.emit(toolEnd(planned, value));
  }
  // For its reader, the call begins when its outcome arrives.
  if (value.unknown === true) planned.begun = undefined;
  return value;
}

/** The tools that a call may run; its own is replaced if it starts a job, or if the arguments were invalid before approval. */
function toolsFor(
  { toolset: { byName } }: LoopInput,
  { isInvalid, tool, before }: TurnCall,
  job: ToolJob | undefined,
  number: number | undefined,
): ReadonlyMap<string, Tool> {
  if (tool === undefined || (isInvalid !== true && job === undefined)) return byName;
  const own =
    job === undefined
      ? tool
      : { ...tool, run: (given: unknown, context: ToolContext) => job.start(given, context, number, before) };
  return new Map([[tool.name, isInvalid === true ? asInvalid(own) : own]]);
}

/** A tool that accepts no arguments: the model reads what was wrong with the invalid ones. */
function asInvalid(tool: Tool): Tool {
  const parse = async (args: unknown): Promise<never> => {
    await tool.parse(args);
    throw new ModelRetry(WAS_INVALID);
  };
  return { ...tool, parse };
}

/** False for outcomes whose text is the loop's own. */
export function isResult(outcome: ToolOutcome): boolean {
  return outcome.ok || outcome.kind === "failed" || outcome.kind === "bad-input";
}

/** What the result of a call brings into the history. @param isGiven - A hook gave it. @param asks - Somebody is asked for it. */
function findRead({ tool, ran }: TurnCall, outcome: ToolOutcome, isGiven: boolean, asks: boolean): ReadByCall {
  if (!isGiven && !asks && (ran === undefined || !isResult(outcome))) return {};
  // An unknown tool is like one that declares nothing: both.
  const { reads, readsNested, origin }: ReadingTool = tool ?? {};
  if (readsNested === true && ran !== undefined) return {};
  if (typeof reads !== "function" || ran === undefined || asks) return usualRead({ reads, readsNested, origin });
  const output = outcome.ok ? outcome.output : undefined;
  return usualRead({ reads: tryOr(() => reads(ran.input as never, output as never), undefined), origin });
}

/** @param call - With the arguments that it runs with. */
function toolContext(
  input: LoopInput,
  state: RunState,
  { turn, callId, current, tool, next }: TurnCall,
  call: FunctionCall,
  step: LoopStep,
  { logger, nested, startedAt }: { readonly logger: Logger; readonly nested: NestedRun[]; readonly startedAt: number },
): Omit<ToolContext, "attempt"> {
  const { identity, context, steps } = input;
  const traced = step.traceparent !== undefined && { traceparent: step.traceparent };
  const attempt = current.state === "running" ? current.attempt : 0;
  return {
    ...identity,
    context,
    signal: step.signal,
    callId,
    call,
    // Not the step's own key, which differs when a call that was not executed is run again.
    idempotencyKey: `${identity.runId}/${callId}${next === undefined ? "" : `/${next}`}`,
    turn,
    logger,
    ...traced,
    step: steps.record && ((name, work) => steps.record?.({ kind: "inner", turn, callId, name }, work) ?? work()),
    progress: async (progress) => {
      // A job's progress comes later.
      if (input.emit !== undefined && tool?.job === undefined)
        await step.emit({ type: "tool-progress", turn, callId, progress });
    },
    attach: (one) => {
      if (nested.includes(one)) return;
      nested.push(one);
      state.unsettled.push(one);
    },
    parent: {
      step: { runId: state.runId, step: stepName({ kind: "call", turn, callId, attempt }), callId, ...traced },
      get remaining() {
        return remainingLimits(input, state.spentInside(input.now() - startedAt), state.maxCost);
      },
      prices: input.prices,
      metadata: identity.metadata,
      approve: input.approve,
      rehearsal: input.rehearsal,
      read: [...state.read],
    },
  };
}

/** The state of a call after its step. A step fails only when a hook threw, in this process or another; that ends the run. */
export function afterRun(
  input: LoopInput,
  state: RunState,
  call: TurnCall,
  attempt: number,
  outcome: Outcome | undefined,
): CallState {
  if (outcome?.ok === true) {
    call.fromJournal = call.executed !== true;
    // What runCall returned, through JSON.
    const value = outcome.value as unknown as CallStepValue;
    if (value.unknown !== true) return { state: "answered", value };
    call.asked = { ...call.asked, reads: value.reads, origin: value.origin, job: value.job };
    if (value.job !== undefined) return { state: "awaiting-job", time: value.job.number ?? 1, attempt };
    return { state: "interrupted", time: attempt + 1 };
  }
  // The call ran, but its result is too large to record: the model has to ask for less.
  if (outcome?.error.code === VALUE_TOO_LARGE)
    return answered(input, state, call, failure("failed", outcome.error.message));
  throw callFailed(call, outcome);
}

/** The error of a call whose hook failed. */
export function callFailed({ callId, call }: TurnCall, outcome: Outcome | undefined): RunStepError {
  const cause = outcome?.ok === false ? outcome.error : undefined;
  return new RunStepError(`${callId} (${call.name}) failed: ${cause?.message ?? "no outcome"}`, callId, { cause });
}

/** The answer of a call that may have taken effect when the run ended; the text keeps the model from repeating it. */
export function cutOff(input: LoopInput, state: RunState, call: TurnCall): AnsweredState {
  return answered(input, state, call, failure("cancelled", `${CANCELLED}; ${OUTCOME_UNKNOWN}`));
}

/** A call with this outcome, which is known as soon as the last recorded step. */
export function answered(
  input: LoopInput,
  state: RunState,
  call: TurnCall,
  outcome: ToolOutcome,
  activeMs: number = 0,
): AnsweredState {
  const { endedAt } = state;
  return { state: "answered", value: recordOutcome(input, state, call, outcome, endedAt, endedAt + activeMs) };
}

function recordOutcome(
  input: LoopInput,
  state: RunState,
  planned: TurnCall,
  outcome: ToolOutcome,
  startedAt: number,
  endedAt: number,
  logger: Logger = input.logger,
): CallStepValue {
  const { call, callId, tool } = planned;
  const { mediaInFunctionResponses, officeInput } = input.model.capabilities;
  const response = functionResponse(planned.via === undefined ? call : asMade(planned), outcome, {
    mediaInFunctionResponses,
    officeInput,
    maxResultBytes: tool?.maxResultBytes,
    maxMediaBytes: () => maxMediaBytes(input.model, state.sentBytes()),
  });
  const { part, after } = response;
  const hasMedia = after.length > 0 || part.functionResponse?.parts !== undefined;
  if (hasMedia) planned.responseBytes = partsBytes([part, ...after]);
  // The author's mistake, like what a tool throws.
  if (response.refused !== undefined) report(response.refused, "reading the result", call, { logger, callId });
  const endsRun = tool?.endsRun === true && outcome.ok && response.refused === undefined;
  // Not for a call whose output a hook gives.
  const handsOver = outcome.ok && planned.begun === true;
  return {
    ...describeOutcome(planned, outcome, response),
    ...(endsRun && { ending: { output: jsonSafe(outcome.output).value } }),
    ...(tool?.handoff !== undefined && handsOver && { handoff: tool.handoff.to().name }),
    durationMs: endedAt - startedAt,
    startedAt,
    endedAt,
  };
}

/** The answer of a call that was not made here, as the model reads it with the default limits. */
export function settledValue(
  made: Pick<TurnCall, "call" | "via" | "edited" | "asked">,
  outcome: ToolOutcome,
  at: number,
): CallStepValue {
  const response = functionResponse(asMade(made), outcome, { mediaInFunctionResponses: false });
  return { ...describeOutcome(made, outcome, response), durationMs: 0, startedAt: at, endedAt: at };
}

function describeOutcome(
  { call, via, edited, asked }: Pick<TurnCall, "call" | "via" | "edited" | "asked">,
  given: ToolOutcome,
  { part, after, shortened, refused }: ResponseParts,
): Omit<CallStepValue, "durationMs" | "startedAt" | "endedAt"> {
  const outcome = refused === undefined ? given : failure("failed", unreadable(call.name));
  // A hook's outcome may have other members.
  const failed = outcome.ok ? undefined : failure(outcome.kind, outcome.message);
  const notRun = failed?.kind === "denied" || failed?.kind === "withdrawn" || failed?.kind === "not-run";
  return {
    part,
    ...(via !== undefined && { name: call.name }),
    after: edited === undefined ? after : [editedNote(call), ...after],
    ...(shortened === true && { shortened }),
    failure: failed,
    // For an outcome from outside, its tool declared this when it was requested.
    ...(asked?.reads !== undefined && isResult(outcome) && { reads: asked.reads, origin: asked.origin }),
    ...(notRun && { notRun }),
    nested: [],
  };
}

/** A text after the responses: whether a model reads other members of a response than the output is not documented. */
function editedNote({ name, id, args = {} }: FunctionCall): Part {
  return { text: argumentsEdited(name, id === "" ? undefined : id, JSON.stringify(args)) };
}

type NamedCall = Pick<TurnCall, "turn" | "callId" | "call" | "edited">;

/** The event of a call that begins. */
export function toolStart({ turn, callId, call, edited }: NamedCall): RunEvent {
  return { type: "tool-start", turn, callId, name: call.name, call, ...(edited && { edited }) };
}

/** The event of a call that has ended. */
export function toolEnd({ turn, callId, call, edited }: NamedCall, value: CallStepValue): RunEvent {
  const outcome = readOutcome(value);
  const { durationMs, origin } = value;
  // A trusted result has no mark.
  const reads = value.reads === undefined && value.nested.length === 0 ? undefined : markOfCall(value);
  const event = {
    type: "tool-end",
    turn,
    callId,
    name: call.name,
    call,
    durationMs,
    ...(edited && { edited }),
    ...(reads !== undefined && { reads, origin }),
    outcome,
  };
  // The types of the event differ only for a shortened outcome.
  return event as RunEvent;
}
