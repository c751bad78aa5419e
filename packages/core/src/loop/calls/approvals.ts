import { isWaitTimedOut, type Outcome } from "../../durable/steps.ts";
import { type CallRoute, routeStepName } from "../../durable/run-log.ts";
import { abortable } from "../../internal/abort.ts";
import { copyJson, isObject } from "../../internal/json.ts";
import type { Approval, PendingQuestion, Tool, ToolOutcome } from "../../tool/tool.ts";
import { answerTimedOut, callDenied, NO_RESULT } from "../../tool/model-texts.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { singleStep } from "../single-step.ts";
import { answered, type CallState, denied, type PlannedCall, toolOf } from "./call-state.ts";

const RUN: CallRoute = { do: "run" };

/** Where the calls of a turn go, in call order: one step for all of them. */
export async function routesOf(
  input: LoopInput,
  calls: readonly PlannedCall[],
  turn: number,
): Promise<readonly CallRoute[] | "wall-time"> {
  const outcome = await singleStep(input, routeStepName(turn), ({ signal }) =>
    // Rejects only when `approve` throws: it is the application's own code.
    Promise.all(calls.map((call) => routeOf(input, call, signal))),
  );
  return outcome === "wall-time" ? outcome : outcome.value;
}

async function routeOf(input: LoopInput, planned: PlannedCall, signal: AbortSignal): Promise<CallRoute> {
  const tool = toolOf(input, planned);
  if (tool === undefined) return RUN;
  const checked = await check(tool, planned);
  // Running it answers with what is wrong; nobody needs to be asked about a call that cannot be carried out.
  if (!checked.ok) return RUN;
  if (checked.needsApproval) {
    if (input.approve === undefined) return { do: "ask-approval" };
    const { turn, callId, call } = planned;
    const asked = input.approve({ turn, callId, call: copyJson(call), question: "approval" }, { signal });
    const why = denialOf(await abortable(Promise.resolve(asked), signal));
    if (why !== undefined) return { do: "deny", why };
  }
  return tool.external ? { do: "ask-outcome" } : RUN;
}

async function check(
  tool: Tool,
  { call }: PlannedCall,
): Promise<{ readonly ok: false } | { readonly ok: true; readonly needsApproval: boolean }> {
  let checked: unknown;
  try {
    checked = await tool.parse(copyJson(call.args ?? {}));
  } catch {
    return { ok: false };
  }
  try {
    return { ok: true, needsApproval: (await tool.needsApproval?.(checked, copyJson(call))) ?? false };
  } catch {
    // Better to ask once too often.
    return { ok: true, needsApproval: true };
  }
}

/** What a denied call's model is told; `undefined` when it may run. Anything but a plain yes is a no. */
function denialOf(answer: Approval | undefined): string | undefined {
  if (answer === true) return undefined;
  // Answers come from outside, and are kept: a run that could not read one could never go on.
  const given: unknown = isObject(answer) ? answer["deny"] : undefined;
  const why = typeof given === "string" ? given.trim() : "";
  return callDenied(why);
}

/** A call that waits for an answer from outside. */
export type AwaitingState = Extract<CallState, { state: "awaiting-approval" | "awaiting-output" | "interrupted" }>;

/** What is asked while a call is in such a state. */
export const QUESTIONS: { readonly [State in AwaitingState["state"]]: PendingQuestion } = {
  "awaiting-approval": "approval",
  "awaiting-output": "outcome",
  interrupted: "unknown-outcome",
};

/** True when the call waits for an answer from outside. */
export function isAwaiting(current: CallState): current is AwaitingState {
  return Object.hasOwn(QUESTIONS, current.state);
}

/** What an answer from outside leads to. */
export function afterAnswer(
  input: LoopInput,
  state: RunState,
  call: PlannedCall,
  current: AwaitingState,
  outcome: Outcome | undefined,
): CallState {
  const answer = (given: ToolOutcome): CallState => answered(input, call, given, state.endedAt);
  if (outcome?.ok !== true) {
    if (isWaitTimedOut(outcome)) return answer(nobodyAnswered(input, call, QUESTIONS[current.state]));
    return answer({ ok: false, kind: "failed", message: outcome?.error.message ?? NO_RESULT });
  }
  const given: unknown = outcome.value;
  if (current.state === "awaiting-approval") {
    // Whoever resumed the run was typed to give one; anything else is a no.
    const why = denialOf(given as Approval);
    if (why !== undefined) return answer(denied(why));
    return toolOf(input, call)?.external === true ? { state: "awaiting-output" } : { state: "running", attempt: 0 };
  }
  if (isObject(given) && "notExecuted" in given)
    return { state: "running", attempt: current.state === "interrupted" ? current.time : 1 };
  if (isObject(given) && "output" in given) return answer({ ok: true, output: given["output"] });
  const message = isObject(given) ? String(given["error"]) : String(given);
  return answer({ ok: false, kind: "failed", message });
}

function nobodyAnswered(input: LoopInput, { call }: PlannedCall, question: PendingQuestion): ToolOutcome {
  const message = answerTimedOut[question](input.toolset.byName.get(call.name)?.answerTimeoutMs);
  return { ok: false, kind: "timeout", message };
}
