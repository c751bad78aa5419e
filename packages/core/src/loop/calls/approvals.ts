import { isWaitTimedOut, type Outcome } from "../../durable/steps.ts";
import { type CallRoute, routeStepName } from "../../durable/run-log.ts";
import { InvalidApprovalError } from "../../errors/run-errors.ts";
import { abortable } from "../../internal/abort.ts";
import { copyJson, isObject } from "../../internal/json.ts";
import { editedArgs, findArgumentProblem } from "../../tool/edited-args.ts";
import { jsonSafe } from "../../tool/function-response.ts";
import type { Approval, ApprovalContext, ToolOutcome } from "../../tool/tool.ts";
import { answerTimedOut, callDenied, NO_RESULT } from "../../tool/model-texts.ts";
import type { JsonObject } from "../../wire/types/content.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { singleStep } from "../single-step.ts";
import {
  type AwaitingState,
  type CallState,
  editCall,
  type PlannedCall,
  QUESTIONS,
  type TurnCall,
} from "./call-state.ts";
import { answered, cancelled, denied } from "./run-call.ts";

const RUN: CallRoute = { do: "run" };

/** Decides which calls of a turn run and which wait, in one step for all of them. */
export async function routeCalls(input: LoopInput, state: RunState, calls: readonly TurnCall[]): Promise<void> {
  const outcome = await singleStep(input, routeStepName(state.turns), ({ signal }) =>
    // Rejects only when `approve` throws, which is the application's own code.
    Promise.all(calls.map((call) => routeCall(input, call, signal))),
  );
  if (outcome === "wall-time") {
    // The limit ends the run before its next request; a resumed run asks again.
    state.useUpWallTime(input.limits);
    for (const call of calls) call.current = answered(input, call, cancelled(), state.endedAt);
    return;
  }
  for (const [index, call] of calls.entries()) {
    const route = outcome.value[index] ?? RUN;
    if ("args" in route && route.args !== undefined) editCall(call, route.args);
    if (route.do === "deny") call.current = answered(input, call, denied(route.why), state.endedAt);
    if (route.do === "ask-approval") call.current = { state: "awaiting-approval" };
    if (route.do === "ask-outcome") call.current = { state: "awaiting-output" };
  }
}

async function routeCall(input: LoopInput, planned: PlannedCall, signal: AbortSignal): Promise<CallRoute> {
  const { turn, callId, call, tool } = planned;
  if (tool === undefined) return RUN;
  let args: unknown;
  try {
    args = await tool.parse(copyJson(call.args ?? {}));
  } catch {
    // Running it tells the model what is wrong; an invalid call needs no approval.
    return RUN;
  }
  const { context, identity } = input;
  const run: ApprovalContext = { ...identity, signal, context };
  let edited: JsonObject | undefined;
  let needsApproval: boolean;
  try {
    needsApproval = (await tool.needsApproval?.(args, copyJson(call), run)) ?? false;
  } catch {
    needsApproval = true;
  }
  if (needsApproval) {
    if (input.approve === undefined) return { do: "ask-approval" };
    const pending = { turn, callId, call: copyJson(call), question: "approval" } as const;
    const approval = input.approve(pending, run);
    const answer = await abortable(Promise.resolve(approval), signal);
    const why = findDenial(answer);
    if (why !== undefined) return { do: "deny", why };
    const given = editedArgs(answer);
    if (given !== undefined) {
      // jsonSafe makes an object of an object.
      edited = jsonSafe(given).value as JsonObject;
      const problem = await findArgumentProblem(tool, edited);
      if (problem !== undefined) throw new InvalidApprovalError(callId, call.name, problem);
    }
  }
  return { do: tool.external ? "ask-outcome" : "run", ...(edited !== undefined && { args: edited }) };
}

/** Why a call is denied, for the model; `undefined` when it may run. Anything but `true` or arguments is a denial. */
function findDenial(answer: Approval | undefined): string | undefined {
  if (answer === true || editedArgs(answer) !== undefined) return undefined;
  // Answers come from outside and are recorded: a run that threw here could never be resumed.
  const given: unknown = isObject(answer) && "deny" in answer ? answer.deny : undefined;
  return callDenied(typeof given === "string" ? given.trim() : "");
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
  if (isWaitTimedOut(outcome)) {
    const message = answerTimedOut[QUESTIONS[current.state]](call.tool?.answerTimeoutMs);
    return answer({ ok: false, kind: "timeout", message });
  }
  if (outcome?.ok !== true) return answer({ ok: false, kind: "failed", message: outcome?.error.message ?? NO_RESULT });
  const given: unknown = outcome.value;
  if (current.state === "awaiting-approval") {
    // Typed where the run is resumed; anything else is a denial.
    const why = findDenial(given as Approval);
    if (why !== undefined) return answer(denied(why));
    const args = editedArgs(given);
    // They were checked where the answer was given, if the tool was known there. The model reads what is wrong with others.
    if (args !== undefined) editCall(call, args);
    return call.tool?.external === true ? { state: "awaiting-output" } : { state: "running", attempt: 0 };
  }
  if (isObject(given) && "notExecuted" in given)
    return { state: "running", attempt: current.state === "interrupted" ? current.time : 1 };
  if (isObject(given) && "output" in given) return answer({ ok: true, output: given["output"] });
  return answer({ ok: false, kind: "failed", message: String(isObject(given) ? given["error"] : given) });
}
