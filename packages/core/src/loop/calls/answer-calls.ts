import { isRunSuspended, type Op, type Outcome } from "../../durable/steps.ts";
import { callIdOf, callStepName, hookStepName, waitName } from "../../durable/run-log.ts";
import { RunStepError } from "../../errors/run-errors.ts";
import { isObject, type Json } from "../../internal/json.ts";
import type { PendingCall, Tool } from "../../tool/tool.ts";
import { callLimitReached, toolDisabled } from "../../tool/model-texts.ts";
import type { Content, FunctionCall, Part } from "../../wire/types/content.ts";
import type { Emit, RunEvent } from "../events.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { responsesContent } from "../transcript.ts";
import { executeStep } from "../single-step.ts";
import { afterAnswer, isAwaiting, QUESTIONS, routesOf } from "./approvals.ts";
import {
  answered,
  type CallState,
  cancelled,
  routed,
  toolEnd,
  toolOf,
  toolStart,
  type TurnCall,
} from "./call-state.ts";
import { afterChild, beginChild, childOp, isChild } from "./child-run.ts";
import { afterRun, cutOff, runCall } from "./run-call.ts";

const PLANNED: CallState = { state: "planned" };
const RUNNING: CallState = { state: "running", attempt: 0 };

/** The answers to the calls of one turn. */
export interface AnsweredCalls {
  /** One function response for each call, in call order. */
  readonly responses: readonly Part[];
  /** What goes into the history: one `user` content with the responses and nothing else; media that may not stand there in one of its own. */
  readonly contents: readonly Content[];
}

/**
 * Answers every call of one turn, each exactly once, in as few rounds as the questions allow: calls that need nobody's word
 * run in the round in which the others are asked about.
 *
 * @param refusal - When given, no call is run and each is answered with this text.
 * @returns Undefined when some of them wait for somebody outside, which suspended the run.
 */
export async function answerCalls(
  input: LoopInput,
  state: RunState,
  calls: readonly FunctionCall[],
  refusal?: string,
): Promise<AnsweredCalls | undefined> {
  const turn = state.turns;
  const planned: TurnCall[] = [];
  // Only calls whose tools need somebody's word cost a step.
  let needRoutes = false;
  for (const call of calls) {
    const refused = refusal ?? refusalOf(input, state, call);
    const tool = refused === undefined ? input.toolset.byName.get(call.name) : undefined;
    needRoutes ||= tool !== undefined && (tool.external || tool.needsApproval !== undefined);
    planned.push({
      turn,
      callId: callIdOf(turn, planned.length),
      call,
      refusal: refused,
      current: PLANNED,
      failure: undefined,
      startReported: false,
      endReported: false,
    });
    state.toolCalls++;
  }
  state.calls = planned;

  const routes = needRoutes ? await routesOf(input, planned, turn) : undefined;
  // The limit ends the run before its next request; a resumed one asks again.
  if (routes === "wall-time") {
    state.useUpWallTime(input.limits);
    for (const call of planned) call.current = answered(input, call, cancelled(), state.endedAt);
  } else
    for (let i = 0; i < planned.length; i++) {
      const [call, route] = [planned[i], routes?.[i]];
      if (call !== undefined) call.current = route === undefined ? RUNNING : routed(input, call, route, state.endedAt);
    }

  for (;;) {
    if (input.steps.children !== undefined) await beginChildren(input, state, planned);
    const open: TurnCall[] = [];
    for (const call of planned) if (call.current.state !== "answered") open.push(call);
    if (open.length === 0) break;
    const inRound = input.steps.children === undefined ? open : sideBySide(input, open);
    if ((await callRound(input, state, inRound)) === "suspended") return undefined;
  }

  // The step of a call that a journal answered has reported nothing.
  if (input.emit !== undefined) for (const call of planned) if (!call.startReported) await input.emit(toolStart(call));
  const responses: Part[] = [];
  const after: Part[] = [];
  for (const call of planned) {
    if (call.current.state !== "answered") throw new RunStepError(`${call.callId} has no answer`, call.callId);
    const { value } = call.current;
    if (input.emit !== undefined && !call.endReported) await input.emit(toolEnd(call, value));
    state.addCall(call.call.name, value);
    responses.push(value.part);
    after.push(...value.after);
  }
  state.calls = [];
  state.unsettled.length = 0;
  const content = responsesContent(responses);
  return { responses, contents: after.length === 0 ? [content] : [content, { role: "user", parts: after }] };
}

/** Calls of agents that have runs of their own here take that way, once nothing else has to come first. */
async function beginChildren(input: LoopInput, state: RunState, calls: readonly TurnCall[]): Promise<void> {
  for (const call of calls) {
    const { current } = call;
    if (current.state === "running" && current.attempt === 0)
      call.current = (await beginChild(input, state, call)) ?? current;
  }
}

/** Those of the open calls that may share a round: no gate holds a run of its own back from a call that has to be alone. */
function sideBySide(input: LoopInput, open: readonly TurnCall[]): readonly TurnCall[] {
  if (!open.some(({ current }) => current.state === "child-run")) return open;
  return open.filter(
    ({ current, call }) => current.state !== "running" || input.toolset.byName.get(call.name)?.sequential !== true,
  );
}

/** One round for some open calls: each of them takes one step further. When it suspends the run, the state knows what is waited for. */
async function callRound(
  input: LoopInput,
  state: RunState,
  calls: readonly TurnCall[],
): Promise<"suspended" | undefined> {
  if (input.emit !== undefined) await reportRound(input.emit, calls);
  const before: CallState[] = [];
  const operations: Op<RunEvent>[] = [];
  for (const call of calls) {
    before.push(call.current);
    operations.push(operationFor(input, state, call));
  }
  let outcomes: readonly Outcome[];
  try {
    outcomes = await input.steps.round(operations);
  } catch (error) {
    if (isRunSuspended(error)) {
      // What cut the other calls off ends the run; its questions are asked again when it is resumed.
      throwFailure(calls);
      state.pending = calls.flatMap((call, position) => {
        const isWaiting = error.waiting.includes(operations[position]?.name ?? "");
        return isWaiting ? (questionOf(call) ?? []) : [];
      });
      if (state.pending.length > 0) return "suspended";
    }
    throw error;
  }
  // A run that fails further on says what was done, whether that was just now or was read again.
  for (let i = 0; i < calls.length; i++) keepAnswer(calls[i], outcomes[i]);
  throwFailure(calls);
  for (let i = 0; i < calls.length; i++) {
    const [call, from] = [calls[i], before[i]];
    if (call === undefined || from === undefined) continue;
    const next = transition(input, state, call, from, outcomes[i]);
    call.current = next instanceof Promise ? await next : next;
  }
  return undefined;
}

/** What is asked about a call that waits for an answer from outside. */
function questionOf({ current, turn, callId, call }: TurnCall): PendingCall | undefined {
  return isAwaiting(current) ? { turn, callId, call, question: QUESTIONS[current.state] } : undefined;
}

async function reportRound(emit: Emit, calls: readonly TurnCall[]): Promise<void> {
  for (const call of calls) {
    const pending = questionOf(call);
    if (pending !== undefined) await emit({ type: "tool-pending", ...pending });
  }
  for (const call of calls) {
    if (call.current.state !== "child-run") continue;
    call.startReported = true;
    await emit(toolStart(call));
  }
}

/** A failure of the application's own code in a step of this process ends the run with its error. */
function throwFailure(calls: readonly TurnCall[]): void {
  for (const { failure } of calls) if (failure !== undefined) throw failure.error;
}

/** Where an operation's outcome takes a call. */
function transition(
  input: LoopInput,
  state: RunState,
  call: TurnCall,
  from: CallState,
  outcome: Outcome | undefined,
): CallState | Promise<CallState> {
  if (from.state === "running") return afterRun(input, state, call, from.attempt, outcome);
  if (isAwaiting(from)) return afterAnswer(input, state, call, from, outcome);
  if (isChild(from)) return afterChild(input, state, call, from, outcome);
  throw new RangeError(`${call.callId} is ${from.state} and has no operation`);
}

function keepAnswer(call: TurnCall | undefined, outcome: Outcome | undefined): void {
  if (call === undefined || outcome?.ok !== true || !isObject(outcome.value) || !("part" in outcome.value)) return;
  // Only a call's own step leaves a part.
  const value = outcome.value as unknown as Extract<CallState, { state: "answered" }>["value"];
  if (value.unknown !== true) call.current = { state: "answered", value };
}

/** Name of the operation that a call in its state is. */
function operationName({ callId, current }: TurnCall): string {
  switch (current.state) {
    case "running":
      return callStepName(callId, current.attempt);
    case "awaiting-approval":
    case "awaiting-output":
      return waitName(callId, QUESTIONS[current.state]);
    case "interrupted":
      return waitName(callId, QUESTIONS[current.state], current.time);
    case "before-hook":
      return hookStepName(callId, "before");
    case "after-hook":
      return hookStepName(callId, "after");
    default:
      return callId;
  }
}

function operationFor(input: LoopInput, state: RunState, call: TurnCall): Op<RunEvent> {
  const { current } = call;
  if (current.state !== "running" && isChild(current)) return childOp(input, call, current);
  const name = operationName(call);
  const tool = toolOf(input, call);
  const question = current.state === "running" ? undefined : questionOf(call);
  if (question !== undefined) {
    const timeoutMs = answerTimeoutOf(tool);
    // JSON all through: the call is as the model made it.
    return { kind: "wait", name, question: question as unknown as Json, ...(timeoutMs !== undefined && { timeoutMs }) };
  }
  const once = tool?.effects === "once";
  return {
    kind: "step",
    name,
    ...(once && { once }),
    run: async (step) => {
      let begun = false;
      try {
        const value = await state.gate.through(tool?.sequential ?? false, () => {
          begun = !step.signal.aborted;
          return executeStep(input, name, step, (timed) => runCall(input, state, call, timed), call.call);
        });
        // Known at once: the round may end with an abort.
        if (value.unknown !== true) call.current = { state: "answered", value };
        return value;
      } catch (error) {
        call.failure = { error };
        // Read when the conversation goes on without resuming: a model that is told less would call it again.
        if (once && begun) call.current = cutOff(input, state, call);
        throw error;
      }
    },
  };
}

function answerTimeoutOf(tool: Tool | undefined): number | undefined {
  const timeoutMs = tool?.answerTimeoutMs;
  return timeoutMs === Number.POSITIVE_INFINITY ? undefined : timeoutMs;
}

/** Why a call is not run, if it is not. */
function refusalOf(input: LoopInput, state: RunState, call: FunctionCall): string | undefined {
  const limit = input.limits.toolCalls;
  if (limit !== undefined && state.toolCalls >= limit) return callLimitReached(limit);
  const tool = input.toolset.byName.get(call.name);
  const badCalls = state.badCalls.get(call.name) ?? 0;
  if (tool === undefined || badCalls <= tool.maxRetries) return undefined;
  return toolDisabled(tool.name, badCalls);
}
