import { type StepPlace, type CallRoute, type CallStepValue, type NumberedCall } from "../../durable/run-log.ts";
import { settledValue } from "../../loop/calls/run-call.ts";
import { unansweredResponse } from "../../loop/transcript.ts";
import { failure } from "../../tool/call-failure.ts";
import { answerTimedOut, INTERRUPTED, JOB_LEFT, UNANSWERED } from "../../tool/model-texts.ts";
import { type AskedOf, isEdit, type OutsideAnswer, outcomeOf } from "../../tool/pending-call.ts";
import { asMade } from "../../tool/stand-in.ts";
import type { PendingQuestion, ToolOutcome } from "../../tool/tool.ts";
import type { FunctionCall, JsonObject, Part } from "../../wire/types/content.ts";
import type { PlacedStep, PlacedSteps } from "./run-record.ts";
import type { CallRecord } from "./turn-record.ts";

export interface OpenCallTexts {
  readonly cancelled: string;
  /** The text is the calls' final answer: the run is over. */
  readonly areFinal?: boolean | undefined;
}

export const TEXTS_AFTER_STOP: OpenCallTexts = { cancelled: UNANSWERED, areFinal: true };

/** The recorded state of a call. */
export type CallStanding = {
  /** With the arguments that a person changed, if any. */
  readonly call: FunctionCall;
  readonly edited?: true | undefined;
  /** Details of the last question about it. */
  readonly asked?: AskedOf | undefined;
} & (
  | { readonly state: "ended"; readonly step: PlacedStep<CallStepValue> }
  /** Without a step: it was denied, answered from outside, or its answer did not come in time. */
  | { readonly state: "settled"; readonly outcome: ToolOutcome }
  | { readonly state: "asking"; readonly question: PendingQuestion; readonly asked: AskedOf; readonly time: number }
  /** The answer about it still needs a check or a decision. */
  | { readonly state: "deciding" }
  | { readonly state: "begun" }
  | { readonly state: "open" }
);

/** A call's answer, or what the model reads instead. */
export type FollowedCall = { readonly record: CallRecord; readonly value: CallStepValue } | { readonly part: Part };

/** What the model reads for a call, according to the record. `endedAt`: when the model's answer with the call was complete. */
export function followCall(
  steps: PlacedSteps,
  made: NumberedCall & { readonly endedAt: number },
  route: CallRoute | undefined,
  { cancelled, areFinal = false }: OpenCallTexts,
): FollowedCall {
  const standing = standOf(steps, made, route);
  const { call, edited, asked } = standing;
  const edit = { callId: made.callId, ...(edited && { args: call.args ?? {} }) };
  const settle = (settled: ToolOutcome): FollowedCall => {
    const value = settledValue({ call, via: made.via, edited, asked }, settled, made.endedAt);
    return { record: { ...edit, value }, value };
  };
  const leave = (kind: "not-run" | "unknown-outcome", message: string): FollowedCall =>
    areFinal
      ? settle({ ok: false, kind, message })
      : { part: unansweredResponse(asMade({ call, via: made.via }), message) };
  if (standing.state === "ended") {
    const { name, value } = standing.step;
    return { record: { ...edit, step: name }, value };
  }
  if (standing.state === "settled") return settle(standing.outcome);
  const { state } = standing;
  if (state === "asking" && standing.question === "job") return leave("unknown-outcome", JOB_LEFT);
  if (state === "begun" || (state === "asking" && standing.question === "unknown-outcome"))
    return leave("unknown-outcome", INTERRUPTED);
  return leave("not-run", state === "open" ? cancelled : UNANSWERED);
}

/** Follows a call through its recorded decisions, questions, answers and steps. */
export function standOf(
  steps: PlacedSteps,
  { turn, callId, call: made }: NumberedCall,
  first: CallRoute | undefined,
): CallStanding {
  let at: Pick<CallStanding, "call" | "edited" | "asked"> = { call: made };
  /** Number of the current question about its arguments; 0 before the first. */
  let decided = (first?.do ?? "run") === "run" ? 0 : 1;
  let routed = followRoute(first);
  for (let attempt = 0; ; attempt++) {
    const place: StepPlace = { kind: "call", turn, callId, attempt };
    const step = steps.find<CallStepValue>(place);
    // A call that was made needs no decision any more.
    if (routed !== undefined && (routed.state === "settled" || step === undefined)) return routed;
    routed = undefined;
    const given = steps.findGiven({ kind: "wait", turn, callId, question: "outcome", time: 1 });
    const outcome = given === undefined || given === "withheld" ? undefined : asOutcome("outcome", given);
    if (outcome !== undefined) return { ...at, state: "settled", outcome };
    const { job } = step?.value ?? {};
    const number = job === undefined ? attempt + 1 : (job.number ?? 1);
    const ended = steps.findGiven({ kind: "wait", turn, callId, question: "job", time: number });
    if (ended === "withheld") return { ...at, state: "begun" };
    const reported = ended === undefined ? undefined : asOutcome("job", ended);
    if (reported !== undefined) return { ...at, state: "settled", outcome: reported, asked: step?.value };
    if (typeof ended === "object" && ended.kind === "asks") {
      routed = followRoute(decideAgain({ ...at.call.args, ...ended.args }));
      continue;
    }
    if (step === undefined) return { ...at, state: steps.hasBegun(place) ? "begun" : "open" };
    if (step.value.unknown !== true) return { ...at, state: "ended", step };
    if (job !== undefined) return { ...at, state: "asking", question: "job", asked: { job }, time: number };
    const time = attempt + 1;
    const answer = steps.findGiven({ kind: "wait", turn, callId, question: "unknown-outcome", time });
    if (answer === undefined) return { ...at, state: "asking", question: "unknown-outcome", asked: {}, time };
    if (answer === "withheld") return { ...at, state: "begun" };
    const settled = asOutcome("unknown-outcome", answer);
    if (settled !== undefined) return { ...at, state: "settled", outcome: settled, asked: step.value };
    if (typeof answer === "object" && answer.kind === "asks")
      routed = followRoute(decideAgain({ ...at.call.args, ...answer.args }));
  }

  function edit(args: JsonObject): void {
    at = { call: { ...at.call, args }, edited: true };
  }

  function decideAgain(args: JsonObject): CallRoute | undefined {
    edit(args);
    return steps.find<readonly CallRoute[]>({ kind: "reroute", turn, callId, time: decided++ })?.value[0];
  }

  /** The call's state after a route and the answers to its questions; undefined when the call may be made. */
  function followRoute(given: CallRoute | undefined): CallStanding | undefined {
    for (let route = given; ;) {
      if (route?.do === "deny") {
        const outcome = failure(route.withdrawn === true ? "withdrawn" : "denied", route.why);
        return { ...at, state: "settled", outcome };
      }
      if (route?.args !== undefined) edit(route.args);
      // Changed arguments need another decision.
      if (route === undefined) return decided > 0 ? { ...at, state: "deciding" } : undefined;
      if (route.do === "run") return undefined;
      const question = route.do === "ask-approval" ? "approval" : "outcome";
      const time = question === "outcome" ? 1 : decided;
      const answer = steps.findGiven({ kind: "wait", turn, callId, question, time });
      if (answer === undefined) return { ...at, state: "asking", question, asked: route, time };
      if (answer === "withheld") return { ...at, state: "deciding" };
      const outcome = asOutcome(question, answer);
      at = { ...at, asked: route };
      if (outcome !== undefined) return { ...at, state: "settled", outcome };
      if (typeof answer !== "object" || answer.kind !== "edited" || !isEdit(answer.args, at.call)) return undefined;
      route = decideAgain(answer.args);
    }
  }
}

/** @returns Undefined when the call continues. */
function asOutcome(question: PendingQuestion, given: OutsideAnswer | "timed-out"): ToolOutcome | undefined {
  return given === "timed-out"
    ? { ok: false, kind: "timeout", message: answerTimedOut[question](undefined) }
    : outcomeOf(question, given);
}
