import { buildCallId, stepName, type StepPlace } from "../../durable/run-log.ts";
import { isRunSuspended, type NamedStep, type Op, type Outcome } from "../../durable/steps.ts";
import { RunStepError } from "../../errors/run-errors.ts";
import type { Json } from "../../internal/json.ts";
import { failure } from "../../tool/call-failure.ts";
import {
  callLimitReached,
  CANCELLED,
  INTERRUPTED,
  JOB_LEFT,
  ONE_HANDOFF,
  toolDisabled,
  UNANSWERED,
} from "../../tool/model-texts.ts";
import { type MeantCall, readStandIn } from "../../tool/stand-in.ts";
import type { ToolOutcome } from "../../tool/tool.ts";
import type { Content, FunctionCall, Part } from "../../wire/types/content.ts";
import type { Emit, RunEvent } from "../events.ts";
import type { GuardrailStop } from "../guardrails.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { executeStep, isRecorded } from "../single-step.ts";
import { afterAnswer, decideCalls, heldBy, rerouteCalls } from "./approvals.ts";
import { CallGate } from "./call-gate.ts";
import { type CallState, isAwaiting, questionOf, QUESTIONS, type TurnCall } from "./call-state.ts";
import { afterChild, beginChild, runHook } from "./child-run.ts";
import { checkAnswered } from "./check-given.ts";
import { cancelOperation, waitControls } from "./job-call.ts";
import { findBegun, keepRecorded, noteAnswer, reportAnswers, type RoundCall, wasAsked } from "./recorded-calls.ts";
import { afterRun, answered, cutOff, runCall, toolStart } from "./run-call.ts";

const RUNNING: CallState = { state: "running", attempt: 0 };

/** The answers to the calls of one turn. */
export interface AnsweredCalls {
  /** One function response for each call, in call order. */
  readonly responses: readonly Part[];
  /** For the history: one `user` content with exactly the responses; a second one for media that may not be in it. */
  readonly contents: readonly Content[];
  /** The first call of a tool that ends the run: its name and output. */
  readonly ending?: { readonly endedBy: string; readonly output: unknown } | undefined;
  /** A guardrail stopped the run because of an answer about a call. The calls that had not begun are answered as not run. */
  readonly guardrail?: GuardrailStop | undefined;
}

/**
 * Answers every call of one turn exactly once, in as few rounds as possible: calls that need no approval run in the round
 * in which the others wait for theirs.
 * @param refusal - Answers every call with this text instead of running it.
 * @param standIns - Names of the stand-in tools.
 * @returns Undefined when some calls wait for an answer from outside, which suspended the run.
 */
export function answerCalls(
  input: LoopInput,
  state: RunState,
  calls: readonly FunctionCall[],
  refusal?: string,
  standIns?: readonly string[],
): Promise<AnsweredCalls | undefined> {
  const planned: TurnCall[] = [];
  // Only calls that may need an answer from outside cost a step.
  const place: StepPlace = { kind: "route", turn: state.turns };
  let needsRoutes = input.steps.recorded !== undefined && isRecorded(input, place);
  for (const call of calls) {
    const next = planCall(input, state, call, planned, refusal, standIns);
    const { tool, recorded } = next;
    if (recorded === undefined && tool !== undefined)
      needsRoutes ||=
        tool.external ||
        tool.needsApproval !== undefined ||
        (state.read.length > 0 && heldBy(input, state.read, tool) !== undefined);
    planned.push(next);
  }
  state.calls = planned;
  if (!needsRoutes) return answerRest(input, state);
  return decideCalls(input, state, planned, place, 1).then((stop) => answerRest(input, state, stop));
}

/** Answers the calls of the open turn that have no answer yet. @param stop - Why no further call begins. */
export async function answerRest(
  input: LoopInput,
  state: RunState,
  stop?: GuardrailStop,
): Promise<AnsweredCalls | undefined> {
  const planned = state.calls;
  const hasChildren = input.steps.children !== undefined;
  let guardrail = stop;
  for (;;) {
    let isEdited = false;
    for (const { current } of planned) isEdited ||= current.state === "edited";
    if (isEdited) guardrail ??= await rerouteCalls(input, state, planned);
    if (guardrail !== undefined) stopCalls(input, state, planned);
    if (hasChildren) await beginChildren(input, state, planned);
    const open: TurnCall[] = [];
    for (const call of planned) if (call.current.state !== "answered") open.push(call);
    if (open.length === 0) break;
    const stopped = await callRound(input, state, hasChildren ? sideBySide(open) : open);
    if (stopped === "suspended") {
      if (input.emit !== undefined) await reportAnswers(input.emit, planned);
      return undefined;
    }
    guardrail ??= stopped;
  }

  if (input.emit !== undefined && planned.some(({ endReported }) => endReported !== true))
    await reportAnswers(input.emit, planned);
  const responses: Part[] = [];
  const after: Part[] = [];
  let ending: AnsweredCalls["ending"];
  for (const call of planned) {
    if (call.current.state !== "answered") throw new RunStepError(`${call.callId} has no answer`, call.callId);
    const { value } = call.current;
    const { turn, callId, call: made, edited } = call;
    const endsRun = value.ending !== undefined && ending === undefined;
    if (value.ending !== undefined) ending ??= { endedBy: made.name, output: value.ending.output };
    state.addCall({ turn, callId, call: made, value, edited, ...(endsRun && { endsRun }) });
    responses.push(value.part);
    after.push(...value.after);
  }
  state.calls = [];
  state.pending = [];
  state.unsettled.length = 0;
  const content: Content = { role: "user", parts: responses };
  return {
    responses,
    contents: after.length === 0 ? [content] : [content, { role: "user", parts: after }],
    ending,
    guardrail,
  };
}

/** No further call begins, and nobody is asked; separate runs continue. */
function stopCalls(input: LoopInput, state: RunState, calls: readonly TurnCall[]): void {
  for (const call of calls) {
    const { state: how } = call.current;
    if (how === "answered" || how === "child-run" || how === "after-hook") continue;
    // Nobody will decide anymore whether it happened.
    call.current = answered(input, state, call, outcomeAfterStop(how));
  }
}

function outcomeAfterStop(how: CallState["state"]): ToolOutcome {
  if (how === "interrupted") return failure("unknown-outcome", INTERRUPTED);
  if (how === "awaiting-job" || how === "cancelling-job") return failure("unknown-outcome", JOB_LEFT);
  return failure("not-run", UNANSWERED);
}

function planCall(
  input: LoopInput,
  state: RunState,
  written: FunctionCall,
  before: readonly TurnCall[],
  refusal?: string,
  standIns?: readonly string[],
): TurnCall {
  const { call, via }: MeantCall = standIns === undefined ? { call: written } : readStandIn(written, standIns);
  const { turns: turn } = state;
  const { length: index } = before;
  const tool = input.toolset.byName.get(call.name);
  const limit = input.limits.toolCalls;
  const badCalls = state.badCalls.get(call.name) ?? 0;
  const callId = buildCallId(turn, index);
  const hasJournal = input.steps.recorded !== undefined;
  const recorded = hasJournal ? findBegun(input, { turn, callId }) : undefined;
  if (recorded !== undefined || (hasJournal && wasAsked(input, turn, index))) refusal = undefined;
  else if (limit !== undefined && state.toolCalls >= limit) refusal ??= callLimitReached(limit);
  else if (tool !== undefined && badCalls > tool.maxModelRetries) refusal ??= toolDisabled(tool.name, badCalls);
  else if (tool?.handoff !== undefined && before.some((one) => one.tool?.handoff !== undefined))
    refusal ??= ONE_HANDOFF;
  state.toolCalls++;
  return {
    turn,
    callId,
    call,
    via,
    recorded,
    tool: refusal === undefined ? tool : undefined,
    refusal,
    current: RUNNING,
  };
}

/** Moves calls of agents that are separate runs here to their first state, once they may run. */
async function beginChildren(input: LoopInput, state: RunState, calls: readonly TurnCall[]): Promise<void> {
  for (const call of calls)
    if (call.current.state === "running" && call.current.attempt === 0)
      call.current = (await beginChild(input, state, call)) ?? call.current;
}

/** The open calls that may share a round: the gate cannot hold a separate run back while a sequential tool runs. */
function sideBySide(open: readonly TurnCall[]): readonly TurnCall[] {
  if (!open.some(({ current }) => current.state === "child-run")) return open;
  return open.filter(({ current, tool }) => current.state !== "running" || tool?.sequential !== true);
}

/** One round, which takes each of these calls one operation further. When it suspends the run, `state.pending` has what it waits for. */
async function callRound(
  input: LoopInput,
  state: RunState,
  calls: readonly TurnCall[],
): Promise<"suspended" | GuardrailStop | undefined> {
  if (input.emit !== undefined) await reportRound(input.emit, state.runId, calls);
  const gate = calls.length > 1 ? new CallGate(input.limits.concurrentCalls) : undefined;
  const round: RoundCall[] = [];
  for (const call of calls) round.push({ call, from: call.current, operation: operationOf(input, state, call, gate) });
  let outcomes: readonly Outcome[];
  try {
    outcomes = await input.steps.round(round.map(({ operation }) => operation));
  } catch (error) {
    keepRecorded(input, state, round);
    if (!isRunSuspended(error)) throw error;
    // A failure ends the run; its questions are asked again when it is resumed.
    for (const { failure: thrown } of calls) if (thrown !== undefined) throw thrown.error;
    // The next round waits for a job that has just started, with the rest.
    if (calls.some(({ current }, index) => current.state === "awaiting-job" && round[index]?.from !== current))
      return undefined;
    state.pending = round.flatMap(({ call, operation }) =>
      error.waiting.includes(operation.name) ? (questionOf(call, state.runId) ?? []) : [],
    );
    if (state.pending.length === 0) throw error;
    return "suspended";
  }
  // Calls that succeeded come first, here or in a journal: a run that fails below reports them.
  for (const [index, { call, from }] of round.entries()) {
    const outcome = outcomes[index];
    if (from.state === "running" && outcome?.ok === true)
      call.current = afterRun(input, state, call, from.attempt, outcome);
  }
  for (const { failure: thrown } of calls) {
    if (thrown === undefined) continue;
    keepRecorded(input, state, round);
    throw thrown.error;
  }
  for (const [index, { operation }] of round.entries())
    if (operation.kind === "wait") noteAnswer(input, operation, outcomes[index]);
  let guardrail: GuardrailStop | undefined;
  for (const [index, { call, from, operation }] of round.entries()) {
    const outcome = outcomes[index];
    if (from.state === "running") {
      if (outcome?.ok !== true) call.current = afterRun(input, state, call, from.attempt, outcome);
    } else if (isAwaiting(from)) {
      // After a stop, nothing more is read.
      if (guardrail !== undefined) continue;
      const checked = await checkAnswered(input, state, call, QUESTIONS[from.state], operation.name, outcome);
      if (checked === "wall-time") {
        state.useUpWallTime(input.limits);
        call.current = answered(input, state, call, failure("cancelled", CANCELLED));
      } else if ("guardrail" in checked) ({ guardrail } = checked);
      else call.current = afterAnswer(input, state, call, from, checked.outcome);
    } else if (from.state === "cancelling-job") call.current = answered(input, state, call, from.outcome);
    else if (from.state !== "edited" && from.state !== "answered")
      call.current = await afterChild(input, state, call, from, outcome);
  }
  return guardrail;
}

async function reportRound(emit: Emit, runId: string, calls: readonly TurnCall[]): Promise<void> {
  for (const call of calls) {
    if (call.current.state === "running" || call.asksFor === call.current) continue;
    const pending = questionOf(call, runId);
    call.asksFor = call.current;
    if (pending !== undefined) await emit({ type: "tool-pending", ...pending });
  }
  for (const call of calls) {
    if (call.current.state !== "child-run") continue;
    call.begun = true;
    await emit(toolStart(call));
  }
}

function operationOf(input: LoopInput, state: RunState, call: TurnCall, gate: CallGate | undefined): Op<RunEvent> {
  const { current, callId, turn } = call;
  switch (current.state) {
    case "running":
      return runOperation(input, state, call, current.attempt, gate);
    case "awaiting-approval":
    case "awaiting-output":
    case "interrupted":
    case "awaiting-job": {
      const { since, until = Infinity } = call.asked?.job ?? {};
      const isJob = current.state === "awaiting-job" && since !== undefined;
      const timeoutMs = isJob ? until - since : call.tool?.answerTimeoutMs;
      const question = QUESTIONS[current.state];
      return {
        kind: "wait",
        ...placed({ kind: "wait", turn, callId, question, time: current.time }),
        // A PendingCall is JSON: its call is as the model made it.
        question: questionOf(call, state.runId) as unknown as Json,
        ...(timeoutMs !== undefined && timeoutMs !== Infinity && { timeoutMs }),
        ...(isJob && { since, ...waitControls(input, call) }),
      };
    }
    case "cancelling-job":
      return cancelOperation(input, call);
    case "child-run":
      return {
        kind: "child",
        ...placed({ kind: "call", turn, callId, attempt: 0 }),
        agent: current.agent,
        input: current.input,
      };
    case "before-hook":
    case "after-hook": {
      const hook = current.state === "before-hook" ? "before" : "after";
      const place: StepPlace = { kind: "hook", turn, callId, hook };
      return {
        kind: "step",
        ...placed(place),
        run: async (step) => {
          try {
            return await executeStep(input, place, step, (timed) => runHook(input, call, current, step, timed));
          } catch (error) {
            call.failure = { error };
            throw error;
          }
        },
      };
    }
    case "edited":
    case "answered":
      throw new RangeError(`${callId} has no operation: it is ${current.state}`);
  }
}

function placed(place: StepPlace): NamedStep {
  return { name: stepName(place), place };
}

function runOperation(
  input: LoopInput,
  state: RunState,
  call: TurnCall,
  attempt: number,
  gate: CallGate | undefined,
): Op<RunEvent> {
  const { tool, turn, callId } = call;
  const place: StepPlace = { kind: "call", turn, callId, attempt };
  const once = tool?.effects === "once" || call.recorded === "begun";
  return {
    kind: "step",
    ...placed(place),
    ...(once && { once }),
    run: async (step) => {
      call.executed = true;
      const run = (): ReturnType<typeof runCall> =>
        executeStep(input, place, step, (timed) => runCall(input, state, call, timed), call);
      try {
        const value = await (gate === undefined ? run() : gate.through(tool?.sequential ?? false, run));
        // Kept at once: the round may end with an abort.
        if (value.unknown !== true) call.current = { state: "answered", value };
        return value;
      } catch (error) {
        call.failure = { error };
        // Read when the conversation continues without a resume: without it, the model would repeat the call.
        if (once && call.begun) call.current = cutOff(input, state, call);
        throw error;
      }
    },
  };
}
