import { isWaitTimedOut, type Outcome } from "../../durable/steps.ts";
import type { CallRoute, GuardrailAction, StepPlace } from "../../durable/run-log.ts";
import { InvalidApprovalError } from "../../errors/run-errors.ts";
import { abortable } from "../../internal/abort.ts";
import { copyJson, tryOr } from "../../internal/json.ts";
import { failure } from "../../tool/call-failure.ts";
import {
  type AskedOf,
  buildPendingCall,
  checkEditable,
  findArgumentProblem,
  isEdit,
  listEditable,
  outcomeOf,
  readOutsideAnswer,
} from "../../tool/pending-call.ts";
import { jsonSafe } from "../../tool/function-response.ts";
import { answerTimedOut, CANCELLED, deniedAsUntrusted, NO_RESULT, UNANSWERED } from "../../tool/model-texts.ts";
import { CALLER, isUntrusted, type Reach, type ReadSource, type UntrustedReason, usualRead } from "../../tool/reads.ts";
import { asMeant } from "../../tool/stand-in.ts";
import type { ApprovalContext, Tool } from "../../tool/tool.ts";
import type { FunctionCall, JsonObject } from "../../wire/types/content.ts";
import type { RunEvent } from "../events.ts";
import { type GuardrailStop, readStop } from "../guardrails.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { isRecorded, singleStep } from "../single-step.ts";
import { reportActions } from "../turn/check-guardrails.ts";
import { type AwaitingState, type CallState, editCall, QUESTIONS, type TurnCall } from "./call-state.ts";
import { checkGiven } from "./check-given.ts";
import { leaveJob } from "./job-call.ts";
import { answered } from "./run-call.ts";

const RUN: CallRoute = { do: "run" };

/** Decides which calls run and which wait, in one step. @returns Why a guardrail stops the run, because of a decision by `approve`. */
export async function decideCalls(
  input: LoopInput,
  state: RunState,
  calls: readonly TurnCall[],
  place: StepPlace,
  time: number,
): Promise<GuardrailStop | undefined> {
  const outcome = await singleStep(input, place, ({ signal }) =>
    // Rejects only when `approve` throws, which is the application's own code.
    Promise.all(calls.map((call) => routeCall(input, state, call, signal))),
  );
  if (outcome === "wall-time") {
    // The limit ends the run before its next request; a resumed run asks again.
    state.useUpWallTime(input.limits);
    for (const call of calls) call.current = answered(input, state, call, failure("cancelled", CANCELLED));
    return undefined;
  }
  let stop: GuardrailStop | undefined;
  for (const [index, call] of calls.entries()) {
    const route = outcome.value[index] ?? RUN;
    if (route.because !== undefined && input.emit !== undefined) await input.emit(heldEvent(call, route.because));
    if (route.checked !== undefined) await reportActions(input, state, "input", route.checked);
    stop ??= readStop("input", route.checked);
    call.time = place.kind === "route" && route.do === "run" ? undefined : time;
    call.current = takeRoute(input, state, call, route, time);
  }
  return stop;
}

/** Decides again about calls whose arguments an approval changed: the new arguments may need another approver. */
export async function rerouteCalls(
  input: LoopInput,
  state: RunState,
  calls: readonly TurnCall[],
): Promise<GuardrailStop | undefined> {
  let stop: GuardrailStop | undefined;
  for (const call of calls) {
    const { current, callId, turn } = call;
    if (current.state !== "edited") continue;
    const { time } = current;
    stop ??= await decideCalls(input, state, [call], { kind: "reroute", turn, callId, time }, time + 1);
  }
  return stop;
}

function takeRoute(input: LoopInput, state: RunState, call: TurnCall, route: CallRoute, time: number): CallState {
  if (route.do === "deny")
    return answered(input, state, call, failure(route.withdrawn === true ? "withdrawn" : "denied", route.why));
  if (route.args !== undefined) editCall(call, route.args);
  if (route.do === "run") call.isInvalid = route.invalid;
  if (route.do === "run") return { state: "running", attempt: call.next ?? 0 };
  call.asked = route;
  return route.do === "ask-approval" ? { state: "awaiting-approval", time } : { state: "awaiting-output", time: 1 };
}

/** The event of a call that needs approval, or is denied, because the model has read untrusted content. */
export function heldEvent(
  { turn, callId, call }: Pick<TurnCall, "turn" | "callId" | "call">,
  because: UntrustedReason,
): RunEvent {
  return { type: "untrusted", turn, callId, name: call.name, because };
}

/** Decides about one call; includes what guardrails did about a decision by `approve`. */
async function routeCall(
  input: LoopInput,
  state: RunState,
  planned: TurnCall,
  signal: AbortSignal,
): Promise<CallRoute> {
  const { turn, callId, tool, call: made, recorded, current } = planned;
  // A call that has begun is not decided again, unless its arguments changed.
  if (recorded !== undefined && current.state !== "edited") return RUN;
  const { context, identity, rehearsal } = input;
  const run: ApprovalContext = { ...identity, signal, context };
  const checked: GuardrailAction[] = [];
  let because: UntrustedReason | undefined;
  const end = (route: CallRoute): CallRoute => ({
    ...route,
    ...(checked.length > 0 && { checked }),
    ...(because !== undefined && { because }),
  });
  let call = made;
  // The question whose answer gave these arguments: the same person need not approve their own arguments.
  let approved = planned.asked;
  let jobAsks = current.state === "edited" && current.asks === true;
  for (;;) {
    const args = call === made ? {} : { args: call.args };
    if (tool === undefined) return end({ do: "run", ...args });
    const rule = heldBy(input, state.read, tool);
    let parsed: unknown;
    try {
      parsed = await tool.parse(copyJson(call.args ?? {}));
    } catch {
      // Running it tells the model what is wrong; an invalid call needs no approval.
      const mayAsk = rule !== undefined || tool.needsApproval !== undefined;
      return end({ do: "run", ...args, ...(mayAsk && { invalid: true }) });
    }
    if (rule !== undefined) {
      const { findReason } = await import("./find-reason.ts");
      const asks = { call, tool, input: parsed, usualReach: usualReach(tool), rule };
      because = findReason(state, asks, { ...input.toolset, usualRead, meant: asMeant, caller: CALLER }) ?? because;
    }
    if (because?.rule === "deny") return end({ do: "deny", why: deniedAsUntrusted(because.untrusted) });
    const asked = describeAsked(tool, parsed, call);
    let needs: boolean | "unknown";
    try {
      needs = (await tool.needsApproval?.(parsed, copyJson(call), run)) ?? false;
    } catch {
      needs = "unknown";
    }
    if ((because !== undefined || jobAsks) && needs === false) needs = true;
    const isApproved =
      approved !== undefined && !jobAsks && needs !== "unknown" && approved.approvedBy === asked.approvedBy;
    const isAsked = tool.external && rehearsal?.call === undefined;
    const allowed: CallRoute = isAsked ? { do: "ask-outcome", ...asked, ...args } : { do: "run", ...args };
    if (needs === false || isApproved) return end(allowed);
    if (input.approve === undefined) return end({ do: "ask-approval", ...asked, ...args });
    const question = "approval";
    const about = { ...asked, because };
    const pending = buildPendingCall(identity.runId, { turn, callId, call: copyJson(call), question }, about);
    const decision = await abortable(Promise.resolve(input.approve(pending, run)), signal);
    const { actions, given = decision } = await checkGiven(input, question, decision, turn, signal);
    checked.push(...actions);
    if (readStop("input", actions) !== undefined) return end({ do: "deny", why: UNANSWERED });
    const answer = readOutsideAnswer(question, given);
    const refused = outcomeOf(question, answer);
    if (refused?.ok === false)
      return end({ do: "deny", why: refused.message, ...(answer.kind === "withdrawn" && { withdrawn: true }) });
    if (answer.kind !== "edited" || !isEdit(answer.args, call)) return end(allowed);
    // jsonSafe makes an object of an object.
    const edited = jsonSafe(answer.args).value as JsonObject;
    const problem = await findArgumentProblem(tool, edited);
    if (problem !== undefined) throw new InvalidApprovalError(callId, call.name, problem);
    checkEditable(pending, edited);
    call = { ...made, args: edited };
    approved = asked;
    jobAsks = false;
  }
}

/** What happens to outside calls of a tool after the model has read untrusted content. `isTrusting`: an older loop made the run. */
export function heldBy(
  { afterUntrusted: own, isTrusting }: LoopInput,
  read: readonly ReadSource[],
  tool: Tool,
): UntrustedReason["rule"] | undefined {
  const { reach = usualReach(tool), afterUntrusted = own ?? "ask" } = tool;
  if (reach === "inside" || isTrusting === true || !read.some(isUntrusted)) return undefined;
  if (own === "deny") return own;
  return afterUntrusted === "allow" ? undefined : afterUntrusted;
}

/** How far the calls of a tool reach, if it declares nothing. */
function usualReach(tool: Tool): Reach {
  return tool.effects === "once" || tool.needsApproval !== undefined ? "outside" : "inside";
}

function describeAsked(tool: Tool, input: unknown, call: FunctionCall): AskedOf {
  const editable = listEditable(tool, call.args);
  // If it throws, the application decides: nobody is let in by an error.
  const approvedBy: unknown = tryOr(() => tool.approvedBy?.(input, copyJson(call)), undefined);
  return {
    ...(typeof approvedBy === "string" && { approvedBy }),
    ...(editable !== undefined && { editable }),
    // The tool may be gone when its outcome comes.
    ...(tool.external && tool.reads !== "trusted" && usualRead(tool)),
  };
}

/** The state of a call after the outcome of its wait. */
export function afterAnswer(
  input: LoopInput,
  state: RunState,
  call: TurnCall,
  current: AwaitingState,
  outcome: Outcome | undefined,
): CallState {
  const question = QUESTIONS[current.state];
  if (isWaitTimedOut(outcome)) {
    const { since, until } = call.asked?.job ?? {};
    const isJob = current.state === "awaiting-job" && since !== undefined && until !== undefined;
    const late = failure("timeout", answerTimedOut[question](isJob ? until - since : call.tool?.answerTimeoutMs));
    return (isJob && leaveJob(call, late)) || answered(input, state, call, late);
  }
  if (outcome?.ok !== true) return answered(input, state, call, failure("failed", outcome?.error.message ?? NO_RESULT));
  // It comes from outside and is recorded: its type was known where the run was resumed.
  const given = readOutsideAnswer(question, outcome.value);
  const settled = outcomeOf(question, given);
  const isLeft = question === "job" && settled !== undefined && given.kind === "withdrawn" && !given.isCancelled;
  if (settled !== undefined) return (isLeft && leaveJob(call, settled)) || answered(input, state, call, settled);
  if (given.kind === "asks") {
    const { asked, time = 0 } = call;
    call.next = current.state === "awaiting-job" ? current.attempt + 1 : current.time;
    const args = { ...call.call.args, ...given.args };
    call.before = { jobId: asked?.job?.jobId ?? "", args };
    editCall(call, args);
    return { state: "edited", time, asks: true };
  }
  if (given.kind === "not-executed")
    return { state: "running", attempt: current.state === "interrupted" ? current.time : 1 };
  if (given.kind === "edited" && current.state === "awaiting-approval" && isEdit(given.args, call.call)) {
    // They were checked where the answer was given, if the tool was known there. Otherwise, the model reads what is wrong.
    editCall(call, given.args);
    return { state: "edited", time: current.time };
  }
  // A record stands, whatever happened to its tool.
  const isExternal = call.tool?.external === true && call.recorded === undefined && input.rehearsal?.call === undefined;
  const { turn, callId, next } = call;
  const isAnswered = isRecorded(input, { kind: "wait", turn, callId, question: "outcome", time: 1 });
  return isExternal || isAnswered ? { state: "awaiting-output", time: 1 } : { state: "running", attempt: next ?? 0 };
}
