import type { CallRoute, CallStepValue, NumberedCall, StepPlace } from "../../durable/run-log.ts";
import { settledValue } from "../../loop/calls/run-call.ts";
import { unansweredResponse } from "../../loop/transcript.ts";
import { failure } from "../../tool/call-failure.ts";
import { type AskedOf, isEdit, outcomeOf, type OutsideAnswer } from "../../tool/pending-call.ts";
import { answerTimedOut, INTERRUPTED, UNANSWERED } from "../../tool/model-texts.ts";
import type { PendingQuestion, ToolOutcome } from "../../tool/tool.ts";
import type { FunctionCall, JsonObject, Part } from "../../wire/types/content.ts";
import type { PlacedStep, PlacedSteps } from "./placed-steps.ts";
import type { CallRecord } from "./turn-record.ts";

export interface OpenCallTexts {
  readonly cancelled: string;
  /** They have that as their answer: the run is over. */
  readonly areFinal?: boolean | undefined;
}

export const TEXTS_AFTER_STOP: OpenCallTexts = { cancelled: UNANSWERED, areFinal: true };

/** How a call stands, as far as that is recorded. */
export type CallStanding = {
  /** With the arguments that a person gave it. */
  readonly call: FunctionCall;
  readonly edited?: true | undefined;
} & (
  | { readonly state: "ended"; readonly step: PlacedStep<CallStepValue> }
  /** Without a step: it was denied, answered from outside, or nobody answered in time. */
  | { readonly state: "settled"; readonly outcome: ToolOutcome }
  | { readonly state: "asking"; readonly question: PendingQuestion; readonly asked: AskedOf; readonly time: number }
  /** What was answered about it is still to be checked, or to be decided about. */
  | { readonly state: "deciding" }
  | { readonly state: "begun" }
  | { readonly state: "open" }
);

/** A call's answer, or what the model reads instead. */
export type FollowedCall = { readonly record: CallRecord; readonly value: CallStepValue } | { readonly part: Part };

/** What the model reads of a call, as far as that is recorded. `endedAt`: when the answer that made it was whole. */
export function followCall(
  steps: PlacedSteps,
  made: NumberedCall & { readonly endedAt: number },
  route: CallRoute | undefined,
  { cancelled, areFinal = false }: OpenCallTexts,
): FollowedCall {
  const standing = standOf(steps, made, route);
  const { call, edited } = standing;
  const edit = { callId: made.callId, ...(edited && { args: call.args ?? {} }) };
  const settle = (settled: ToolOutcome): FollowedCall => {
    const value = settledValue({ call, edited }, settled, made.endedAt);
    return { record: { ...edit, value }, value };
  };
  const leave = (kind: "not-run" | "unknown-outcome", message: string): FollowedCall =>
    areFinal ? settle({ ok: false, kind, message }) : { part: unansweredResponse(call, message) };
  if (standing.state === "ended") {
    const { name, value } = standing.step;
    return { record: { ...edit, step: name }, value };
  }
  if (standing.state === "settled") return settle(standing.outcome);
  const { state } = standing;
  if (state === "begun" || (state === "asking" && standing.question === "unknown-outcome"))
    return leave("unknown-outcome", INTERRUPTED);
  return leave("not-run", state === "open" ? cancelled : UNANSWERED);
}

/** Follows a call through what was decided, asked, answered and done about it. */
export function standOf(steps: PlacedSteps, made: NumberedCall, first: CallRoute | undefined): CallStanding {
  const { turn, callId } = made;
  const call = (attempt: number): StepPlace => ({ kind: "call", turn, callId, attempt });
  const routed = followRoute(steps, made, first);
  // What was made is no longer to be decided.
  if (routed.state === "settled" || (routed.state !== "open" && steps.find(call(0)) === undefined)) return routed;
  const at = { call: routed.call, edited: routed.edited };
  const given = steps.findGiven({ kind: "wait", turn, callId, question: "outcome", time: 1 });
  const outcome = given === undefined || given === "withheld" ? undefined : asOutcome("outcome", given);
  if (outcome !== undefined) return { ...at, state: "settled", outcome };
  for (let attempt = 0; ; attempt++) {
    const step = steps.find<CallStepValue>(call(attempt));
    if (step === undefined) return { ...at, state: steps.hasBegun(call(attempt)) ? "begun" : "open" };
    if (step.value.unknown !== true) return { ...at, state: "ended", step };
    const time = attempt + 1;
    const said = steps.findGiven({ kind: "wait", turn, callId, question: "unknown-outcome", time });
    if (said === undefined) return { ...at, state: "asking", question: "unknown-outcome", asked: {}, time };
    if (said === "withheld") return { ...at, state: "begun" };
    const decided = asOutcome("unknown-outcome", said);
    if (decided !== undefined) return { ...at, state: "settled", outcome: decided };
  }
}

/** Where a call's routes, and the answers to its questions, have brought it before it is made. */
function followRoute(
  steps: PlacedSteps,
  { turn, callId, call: made }: NumberedCall,
  first: CallRoute | undefined,
): CallStanding {
  let at: Pick<CallStanding, "call" | "edited"> = { call: made };
  const edit = (args: JsonObject): void => {
    at = { call: { ...at.call, args }, edited: true };
  };
  let route = first;
  for (let time = 1; ; time++) {
    if (route?.do === "deny")
      return {
        ...at,
        state: "settled",
        outcome: failure(route.withdrawn === true ? "withdrawn" : "denied", route.why),
      };
    if (route?.args !== undefined) edit(route.args);
    // Arguments that an approval changed are decided about once more.
    if (route === undefined) return { ...at, state: time > 1 ? "deciding" : "open" };
    if (route.do === "run") return { ...at, state: "open" };
    const question = route.do === "ask-approval" ? "approval" : "outcome";
    const given = steps.findGiven({ kind: "wait", turn, callId, question, time: question === "outcome" ? 1 : time });
    if (given === undefined)
      return { ...at, state: "asking", question, asked: route, time: question === "outcome" ? 1 : time };
    if (given === "withheld") return { ...at, state: "deciding" };
    const outcome = asOutcome(question, given);
    if (outcome !== undefined) return { ...at, state: "settled", outcome };
    if (typeof given !== "object" || given.kind !== "edited" || !isEdit(given.args, at.call))
      return { ...at, state: "open" };
    edit(given.args);
    route = steps.find<readonly CallRoute[]>({ kind: "reroute", turn, callId, time })?.value[0];
  }
}

/** @returns Undefined when the call goes on. */
function asOutcome(question: PendingQuestion, given: OutsideAnswer | "timed-out"): ToolOutcome | undefined {
  return given === "timed-out"
    ? { ok: false, kind: "timeout", message: answerTimedOut[question](undefined) }
    : outcomeOf(question, given);
}
