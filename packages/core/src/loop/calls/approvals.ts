import { isWaitTimedOut, type Outcome } from "../../durable/steps.ts";
import type { CallRoute, GuardrailAction } from "../../durable/run-log.ts";
import { InvalidApprovalError } from "../../errors/run-errors.ts";
import { abortable } from "../../internal/abort.ts";
import { copyJson } from "../../internal/json.ts";
import { checkEditable, findArgumentProblem, isEdit, listEditable } from "../../tool/edited-args.ts";
import { jsonSafe } from "../../tool/function-response.ts";
import { answerTimedOut, NO_RESULT, UNANSWERED } from "../../tool/model-texts.ts";
import { outcomeOf, readOutsideAnswer } from "../../tool/outside-answer.ts";
import { type AskedOf, buildPendingCall } from "../../tool/pending-call.ts";
import type { ApprovalContext, Tool, ToolOutcome } from "../../tool/tool.ts";
import type { FunctionCall, JsonObject } from "../../wire/types/content.ts";
import { type GuardrailStop, readStop } from "../guardrails.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { isRecorded, singleStep } from "../single-step.ts";
import { reportActions } from "../turn/check-guardrails.ts";
import {
  type AwaitingState,
  type CallState,
  editCall,
  type PlannedCall,
  QUESTIONS,
  type TurnCall,
} from "./call-state.ts";
import { checkGiven } from "./check-given.ts";
import { answered, cancelled, denied, taken } from "./run-call.ts";

const RUN: CallRoute = { do: "run" };

/**
 * Decides which calls of a turn run and which wait, in one step for all of them.
 *
 * @returns Why a guardrail stops the run, if one does for what `approve` said.
 */
export async function routeCalls(
  input: LoopInput,
  state: RunState,
  calls: readonly TurnCall[],
): Promise<GuardrailStop | undefined> {
  const outcome = await singleStep(input, { kind: "route", turn: state.turns }, ({ signal }) =>
    // Rejects only when `approve` throws, which is the application's own code.
    Promise.all(calls.map(async (call) => (call.recorded === undefined ? await routeCall(input, call, signal) : RUN))),
  );
  return await takeRoutes(input, state, calls, outcome, 1);
}

/**
 * Decides once more about calls whose arguments an approval changed: who approved these may not be the one to approve those.
 *
 * @returns As {@link routeCalls}.
 */
export async function rerouteCalls(
  input: LoopInput,
  state: RunState,
  calls: readonly TurnCall[],
): Promise<GuardrailStop | undefined> {
  let stop: GuardrailStop | undefined;
  for (const call of calls) {
    const { current, callId, turn } = call;
    if (current.state !== "edited" || stop !== undefined) continue;
    const outcome = await singleStep(
      input,
      { kind: "reroute", turn, callId, time: current.time },
      async ({ signal }) => [await routeCall(input, call, signal, call.asked ?? {})],
    );
    stop = await takeRoutes(input, state, [call], outcome, current.time + 1);
  }
  return stop;
}

/**
 * Goes on with what a step decided about calls.
 *
 * @param time - Of the questions that the routes may ask.
 * @returns As {@link routeCalls}.
 */
async function takeRoutes(
  input: LoopInput,
  state: RunState,
  calls: readonly TurnCall[],
  outcome: { readonly value: readonly CallRoute[] } | "wall-time",
  time: number,
): Promise<GuardrailStop | undefined> {
  // The limit ends the run before its next request; a resumed run asks again.
  if (outcome === "wall-time") state.useUpWallTime(input.limits);
  let stop: GuardrailStop | undefined;
  for (const [index, call] of calls.entries()) {
    if (outcome === "wall-time") {
      call.current = answered(input, call, cancelled(), state.endedAt);
      continue;
    }
    const route = outcome.value[index] ?? RUN;
    if (route.checked !== undefined) await reportActions(input, state, "input", route.checked);
    stop ??= readStop("input", route.checked);
    call.current = takeRoute(input, state, call, route, time);
  }
  return stop;
}

/** The state of a call after what was decided about it. */
function takeRoute(input: LoopInput, state: RunState, call: TurnCall, route: CallRoute, time: number): CallState {
  if (route.do === "deny") {
    const { why, withdrawn } = route;
    return answered(input, call, withdrawn === true ? taken(why) : denied(why), state.endedAt);
  }
  if (route.args !== undefined) editCall(call, route.args);
  if (route.do === "run") return { state: "running", attempt: 0 };
  const { approvedBy, editable } = route;
  call.asked = { ...(approvedBy !== undefined && { approvedBy }), ...(editable !== undefined && { editable }) };
  return route.do === "ask-approval" ? { state: "awaiting-approval", time } : { state: "awaiting-output" };
}

/** Decides about one call; what guardrails did about what `approve` said is part of it. */
async function routeCall(
  input: LoopInput,
  planned: PlannedCall,
  signal: AbortSignal,
  approvedAs?: AskedOf,
): Promise<CallRoute> {
  const checked: GuardrailAction[] = [];
  const route = await decideRoute(checked, input, planned, signal, approvedAs);
  return checked.length === 0 ? route : { ...route, checked };
}

/**
 * @param checked - Gets what guardrails did.
 * @param approvedAs - Of arguments that an approval gave it: what its question said about who approves. The same one need not approve
 *   what they wrote.
 */
async function decideRoute(
  checked: GuardrailAction[],
  input: LoopInput,
  planned: PlannedCall,
  signal: AbortSignal,
  approvedAs?: AskedOf,
): Promise<CallRoute> {
  const { turn, callId, tool } = planned;
  let { call } = planned;
  let approved = approvedAs;
  let edited: JsonObject | undefined;
  const { context, identity } = input;
  const run: ApprovalContext = { ...identity, signal, context };
  for (;;) {
    const args = edited === undefined ? {} : { args: edited };
    if (tool === undefined) return { do: "run", ...args };
    let parsed: unknown;
    try {
      parsed = await tool.parse(copyJson(call.args ?? {}));
    } catch {
      // Running it tells the model what is wrong; an invalid call needs no approval.
      return { do: "run", ...args };
    }
    const asked = describeAsked(tool, parsed, call);
    let needs: boolean | "unknown";
    try {
      needs = (await tool.needsApproval?.(parsed, copyJson(call), run)) ?? false;
    } catch {
      needs = "unknown";
    }
    const isApproved = approved !== undefined && needs !== "unknown" && approved.approvedBy === asked.approvedBy;
    const allowed: CallRoute = tool.external ? { do: "ask-outcome", ...asked, ...args } : { do: "run", ...args };
    if (needs === false || isApproved) return allowed;
    if (input.approve === undefined) return { do: "ask-approval", ...asked, ...args };
    const question = "approval";
    const pending = buildPendingCall(identity.runId, { turn, callId, call: copyJson(call), question }, asked);
    const said = await abortable(Promise.resolve(input.approve(pending, run)), signal);
    const { actions, given = said } = await checkGiven(input, question, said, turn, signal);
    checked.push(...actions);
    if (readStop("input", actions) !== undefined) return { do: "deny", why: UNANSWERED };
    const answer = readOutsideAnswer(question, given);
    const refused = outcomeOf(question, answer);
    if (refused?.ok === false)
      return { do: "deny", why: refused.message, ...(answer.kind === "withdrawn" && { withdrawn: true }) };
    if (answer.kind !== "edited" || !isEdit(answer.args, call)) return allowed;
    // jsonSafe makes an object of an object.
    edited = jsonSafe(answer.args).value as JsonObject;
    const problem = await findArgumentProblem(tool, edited);
    if (problem !== undefined) throw new InvalidApprovalError(callId, call.name, problem);
    checkEditable(pending, edited);
    call = { ...planned.call, args: edited };
    approved = asked;
  }
}

/** What a tool says about the answers to the questions about a call. */
function describeAsked(tool: Tool, input: unknown, call: FunctionCall): AskedOf {
  const editable = listEditable(tool, call.args);
  const approvedBy = findApprover(tool, input, call);
  return { ...(approvedBy !== undefined && { approvedBy }), ...(editable !== undefined && { editable }) };
}

function findApprover(tool: Tool, input: unknown, call: FunctionCall): string | undefined {
  try {
    const name: unknown = tool.approvedBy?.(input, copyJson(call));
    return typeof name === "string" ? name : undefined;
  } catch {
    // The application decides, then: nobody is let in by an error.
    return undefined;
  }
}

/** The state of a call that an approval lets go on. What was recorded stands, whatever became of its tool. */
function approvedState(input: LoopInput, { turn, callId, tool, recorded }: TurnCall): CallState {
  const isExternal = tool?.external === true && recorded === undefined;
  const isAnswered = isRecorded(input, { kind: "wait", turn, callId, question: "outcome", time: 1 });
  return isExternal || isAnswered ? { state: "awaiting-output" } : { state: "running", attempt: 0 };
}

/** The state of a call after the outcome of its wait. */
export function afterAnswer(
  input: LoopInput,
  state: RunState,
  call: TurnCall,
  current: AwaitingState,
  outcome: Outcome | undefined,
): CallState {
  const answer = (given: ToolOutcome): CallState => answered(input, call, given, state.endedAt);
  const question = QUESTIONS[current.state];
  if (isWaitTimedOut(outcome)) {
    const message = answerTimedOut[question](call.tool?.answerTimeoutMs);
    return answer({ ok: false, kind: "timeout", message });
  }
  if (outcome?.ok !== true) return answer({ ok: false, kind: "failed", message: outcome?.error.message ?? NO_RESULT });
  // It comes from outside and is recorded: it was typed where the run was resumed.
  const given = readOutsideAnswer(question, outcome.value);
  const settled = outcomeOf(question, given);
  if (settled !== undefined) return answer(settled);
  switch (given.kind) {
    case "edited":
      if (current.state === "awaiting-approval" && isEdit(given.args, call.call)) {
        // They were checked where the answer was given, if the tool was known there. The model reads what is wrong with others.
        editCall(call, given.args);
        return { state: "edited", time: current.time };
      }
      return approvedState(input, call);
    case "not-executed":
      return { state: "running", attempt: current.state === "interrupted" ? current.time : 1 };
    default:
      return approvedState(input, call);
  }
}
