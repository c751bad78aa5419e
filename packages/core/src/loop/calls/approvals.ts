import { isWaitTimedOut, type Outcome } from "../../durable/steps.ts";
import { type CallRoute, routeStepName } from "../../durable/run-log.ts";
import { abortable } from "../../internal/abort.ts";
import { copyJson, isObject } from "../../internal/json.ts";
import type { Approval, ApprovalContext, ToolOutcome } from "../../tool/tool.ts";
import { answerTimedOut, callDenied, NO_RESULT } from "../../tool/model-texts.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { singleStep } from "../single-step.ts";
import { type AwaitingState, type CallState, type PlannedCall, QUESTIONS, type TurnCall } from "./call-state.ts";
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
  let needsApproval: boolean;
  try {
    needsApproval = (await tool.needsApproval?.(args, copyJson(call))) ?? false;
  } catch {
    needsApproval = true;
  }
  if (needsApproval) {
    if (input.approve === undefined) return { do: "ask-approval" };
    const { context, identity } = input;
    const run: ApprovalContext = { signal, context, metadata: identity.metadata };
    const pending = { turn, callId, call: copyJson(call), question: "approval" } as const;
    const approval = input.approve(pending, run);
    const why = findDenial(await abortable(Promise.resolve(approval), signal));
    if (why !== undefined) return { do: "deny", why };
  }
  return tool.external ? { do: "ask-outcome" } : RUN;
}

/** Why a call is denied, for the model; `undefined` when it may run. Anything but `true` is a denial. */
function findDenial(answer: Approval | undefined): string | undefined {
  if (answer === true) return undefined;
  // Answers come from outside and are recorded: a run that threw here could never be resumed.
  const given: unknown = isObject(answer) ? answer["deny"] : undefined;
  return callDenied(typeof given === "string" ? given.trim() : "");
}

/** The state of a call after the outcome of its wait. */
export function afterAnswer(
  input: LoopInput,
  state: RunState,
  call: PlannedCall,
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
    return call.tool?.external === true ? { state: "awaiting-output" } : { state: "running", attempt: 0 };
  }
  if (isObject(given) && "notExecuted" in given)
    return { state: "running", attempt: current.state === "interrupted" ? current.time : 1 };
  if (isObject(given) && "output" in given) return answer({ ok: true, output: given["output"] });
  return answer({ ok: false, kind: "failed", message: String(isObject(given) ? given["error"] : given) });
}
