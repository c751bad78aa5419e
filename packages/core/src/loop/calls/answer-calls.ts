import { buildCallId, callStepName, hookStepName, waitName } from "../../durable/run-log.ts";
import { findRecorded, isRunSuspended, type Op, type Outcome } from "../../durable/steps.ts";
import { RunStepError } from "../../errors/run-errors.ts";
import type { Json } from "../../internal/json.ts";
import { callLimitReached, toolDisabled } from "../../tool/model-texts.ts";
import type { PendingCall } from "../../tool/tool.ts";
import type { Content, FunctionCall, Part } from "../../wire/types/content.ts";
import type { Emit, RunEvent } from "../events.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { executeStep } from "../single-step.ts";
import { afterAnswer, routeCalls } from "./approvals.ts";
import { CallGate } from "./call-gate.ts";
import { type CallState, isAwaiting, QUESTIONS, type TurnCall } from "./call-state.ts";
import { afterChild, beginChild, runHook } from "./child-run.ts";
import { afterRun, cutOff, runCall, toolEnd, toolStart } from "./run-call.ts";

const RUNNING: CallState = { state: "running", attempt: 0 };

/** The answers to the calls of one turn. */
export interface AnsweredCalls {
  /** One function response for each call, in call order. */
  readonly responses: readonly Part[];
  /** For the history: one `user` content with exactly the responses; a second one for media that may not be in it. */
  readonly contents: readonly Content[];
  /** The first call of a tool that ends the run: its name and output. */
  readonly ending?: { readonly endedBy: string; readonly output: unknown } | undefined;
}

/**
 * Answers every call of one turn exactly once, in as few rounds as possible: calls that need no approval run in the round
 * in which the others wait for theirs.
 *
 * @param refusal - Answers every call with this text instead of running it.
 * @returns Undefined when some calls wait for an answer from outside, which suspended the run.
 */
export async function answerCalls(
  input: LoopInput,
  state: RunState,
  calls: readonly FunctionCall[],
  refusal?: string,
): Promise<AnsweredCalls | undefined> {
  const planned: TurnCall[] = [];
  // Only calls that may need an answer from outside cost a step.
  let needsRoutes = false;
  for (const call of calls) {
    const next = planCall(input, state, call, planned.length, refusal);
    needsRoutes ||= next.tool?.external === true || next.tool?.needsApproval !== undefined;
    planned.push(next);
  }
  state.calls = planned;
  if (needsRoutes) await routeCalls(input, state, planned);

  const hasChildren = input.steps.children !== undefined;
  for (;;) {
    if (hasChildren) await beginChildren(input, state, planned);
    const open: TurnCall[] = [];
    for (const call of planned) if (call.current.state !== "answered") open.push(call);
    if (open.length === 0) break;
    if ((await callRound(input, state, hasChildren ? sideBySide(open) : open)) !== "suspended") continue;
    if (input.emit !== undefined) await reportAnswers(input.emit, planned);
    return undefined;
  }

  let allReported = true;
  for (const { endReported } of planned) allReported &&= endReported;
  if (input.emit !== undefined && !allReported) await reportAnswers(input.emit, planned);
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
  state.unsettled.length = 0;
  const content: Content = { role: "user", parts: responses };
  return { responses, contents: after.length === 0 ? [content] : [content, { role: "user", parts: after }], ending };
}

/** Reports calls whose steps emitted nothing: a journal or somebody outside answered them. */
async function reportAnswers(emit: Emit, calls: readonly TurnCall[]): Promise<void> {
  const unreported = calls.flatMap((call) => {
    const { current, fromJournal, endReported } = call;
    if (current.state !== "answered" || endReported) return [];
    return [{ call, value: current.value, mark: fromJournal && ({ replayed: true } as const) }];
  });
  for (const { call, value, mark } of unreported)
    if (!call.begun && value.notRun !== true) await emit({ ...toolStart(call), ...mark });
  for (const { call, value, mark } of unreported) await emit({ ...toolEnd(call, value), ...mark });
}

function planCall(input: LoopInput, state: RunState, call: FunctionCall, index: number, refusal?: string): TurnCall {
  const tool = input.toolset.byName.get(call.name);
  const limit = input.limits.toolCalls;
  const badCalls = state.badCalls.get(call.name) ?? 0;
  if (limit !== undefined && state.toolCalls >= limit) refusal ??= callLimitReached(limit);
  else if (tool !== undefined && badCalls > tool.maxRetries) refusal ??= toolDisabled(tool.name, badCalls);
  state.toolCalls++;
  return {
    turn: state.turns,
    callId: buildCallId(state.turns, index),
    call,
    tool: refusal === undefined ? tool : undefined,
    refusal,
    current: RUNNING,
    failure: undefined,
    executed: false,
    fromJournal: false,
    begun: false,
    endReported: false,
  };
}

/** Calls of agents that are separate runs here leave the other calls once they may run. */
async function beginChildren(input: LoopInput, state: RunState, calls: readonly TurnCall[]): Promise<void> {
  for (const call of calls) {
    const { current } = call;
    if (current.state === "running" && current.attempt === 0)
      call.current = (await beginChild(input, state, call)) ?? current;
  }
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
): Promise<"suspended" | undefined> {
  if (input.emit !== undefined) await reportRound(input.emit, calls);
  const gate = calls.length > 1 ? new CallGate(input.concurrency) : undefined;
  const before: CallState[] = [];
  const operations: Op<RunEvent>[] = [];
  for (const call of calls) {
    before.push(call.current);
    operations.push(operationFor(input, state, call, gate));
  }
  let outcomes: readonly Outcome[];
  try {
    outcomes = await input.steps.round(operations);
  } catch (error) {
    keepRecorded(input, state, calls, operations);
    if (isRunSuspended(error)) {
      // A failure ends the run; its questions are asked again when it is resumed.
      throwFailure(calls);
      state.pending = calls.flatMap((call, position) => {
        const isWaiting = error.waiting.includes(operations[position]?.name ?? "");
        return isWaiting ? (questionOf(call) ?? []) : [];
      });
      if (state.pending.length > 0) return "suspended";
    }
    throw error;
  }
  // First what succeeded, here or in a journal: a run that fails below reports it.
  for (const [index, call] of calls.entries()) {
    const [from, outcome] = [before[index], outcomes[index]];
    if (from?.state !== "running" || outcome?.ok !== true) continue;
    call.fromJournal = !call.executed;
    call.current = afterRun(input, state, call, from.attempt, outcome);
  }
  throwFailure(calls);
  for (const [index, call] of calls.entries()) {
    const [from, outcome] = [before[index], outcomes[index]];
    if (from === undefined || from.state === "answered") continue;
    if (from.state === "running") {
      if (outcome?.ok !== true) call.current = afterRun(input, state, call, from.attempt, outcome);
    } else if (isAwaiting(from)) call.current = afterAnswer(input, state, call, from, outcome);
    else call.current = await afterChild(input, state, call, from, outcome);
  }
  return undefined;
}

/** What came of calls in an earlier process, when their round has no outcomes: the conversation may go on from here without them. */
function keepRecorded(
  input: LoopInput,
  state: RunState,
  calls: readonly TurnCall[],
  operations: readonly Op<RunEvent>[],
): void {
  for (const [index, call] of calls.entries()) {
    const { current } = call;
    const operation = operations[index];
    if (current.state !== "running" || operation === undefined) continue;
    const { outcome, begun } = findRecorded(input.steps, operation.name);
    if (outcome?.ok === true) {
      call.fromJournal = !call.executed;
      call.current = afterRun(input, state, call, current.attempt, outcome);
    } else if (begun && call.tool?.effects === "once") call.current = cutOff(input, state, call);
  }
}

/** A failure of the application's own code in a step of this process ends the run with its error. */
function throwFailure(calls: readonly TurnCall[]): void {
  for (const { failure } of calls) if (failure !== undefined) throw failure.error;
}

/** What a call that waits for an answer from outside asks. */
function questionOf({ current, turn, callId, call, edited }: TurnCall): PendingCall | undefined {
  if (!isAwaiting(current)) return undefined;
  return { turn, callId, call, question: QUESTIONS[current.state], ...(edited && { edited }) };
}

async function reportRound(emit: Emit, calls: readonly TurnCall[]): Promise<void> {
  for (const call of calls) {
    if (call.current.state === "running") continue;
    const pending = questionOf(call);
    if (pending !== undefined) await emit({ type: "tool-pending", ...pending });
  }
  for (const call of calls) {
    if (call.current.state !== "child-run") continue;
    call.begun = true;
    await emit(toolStart(call));
  }
}

/** The operation of a call in its state. */
function operationFor(input: LoopInput, state: RunState, call: TurnCall, gate: CallGate | undefined): Op<RunEvent> {
  const { current, callId } = call;
  switch (current.state) {
    case "running":
      return runOperation(input, state, call, callStepName(callId, current.attempt), gate);
    case "awaiting-approval":
    case "awaiting-output":
    case "interrupted": {
      const timeoutMs = call.tool?.answerTimeoutMs;
      return {
        kind: "wait",
        name: waitName(callId, QUESTIONS[current.state], current.state === "interrupted" ? current.time : 1),
        // A PendingCall is JSON: its call is as the model made it.
        question: questionOf(call) as unknown as Json,
        ...(timeoutMs !== undefined && timeoutMs !== Infinity && { timeoutMs }),
      };
    }
    case "child-run":
      return { kind: "child", name: callId, agent: current.agent, input: current.input };
    case "before-hook":
    case "after-hook": {
      const name = hookStepName(callId, current.state === "before-hook" ? "before" : "after");
      return {
        kind: "step",
        name,
        run: async (step) => {
          try {
            return await executeStep(input, name, step, (timed) => runHook(input, call, current, step, timed));
          } catch (error) {
            call.failure = { error };
            throw error;
          }
        },
      };
    }
    case "answered":
      throw new RangeError(`${callId} is answered already`);
  }
}

function runOperation(
  input: LoopInput,
  state: RunState,
  call: TurnCall,
  name: string,
  gate: CallGate | undefined,
): Op<RunEvent> {
  const { tool } = call;
  const once = tool?.effects === "once";
  return {
    kind: "step",
    name,
    ...(once && { once }),
    run: async (step) => {
      call.executed = true;
      const run = (): ReturnType<typeof runCall> =>
        executeStep(input, name, step, (timed) => runCall(input, state, call, timed), call);
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
