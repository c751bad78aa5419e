import type { LostUsage } from "../../durable/closed-turn.ts";
import {
  type StepPlace,
  type GivenCheckValue,
  stepName,
  type CallRoute,
  type CallStepValue,
  type NumberedCall,
} from "../../durable/run-log.ts";
import { type Outcome, isWaitTimedOut, valueLeft } from "../../durable/steps.ts";
import type { Json } from "../../internal/json.ts";
import { NO_USAGE } from "../../model/usage.ts";
import type { Spent } from "../../loop/limits.ts";
import type { EndEntry, EntryOfRun, JobEntry, RunEntry } from "./entries.ts";
import type { StepRecord, TurnRecord, CallRecord } from "./turn-record.ts";
import { findCheckable } from "../../loop/calls/check-given.ts";
import { readStop } from "../../loop/guardrails.ts";
import { type OutsideAnswer, readOutsideAnswer, type AskedOf, isEdit, outcomeOf } from "../../tool/pending-call.ts";
import { settledValue } from "../../loop/calls/run-call.ts";
import { unansweredResponse } from "../../loop/transcript.ts";
import { failure } from "../../tool/call-failure.ts";
import { answerTimedOut, INTERRUPTED, JOB_LEFT, UNANSWERED } from "../../tool/model-texts.ts";
import { asMade } from "../../tool/stand-in.ts";
import type { StartedJob } from "../../tool/job.ts";
import type { PendingCall, PendingQuestion, ToolOutcome } from "../../tool/tool.ts";
import type { FunctionCall, JsonObject, Part } from "../../wire/types/content.ts";

/** The log's record of one run. */
export interface RunRecord {
  readonly entry: RunEntry;
  /** Steering messages before this place in the log were part of the history when the run began. */
  readonly steeringCursor: number;
  /** Usage of the runs before it. */
  readonly spentBefore: Spent;
  /** Its closed turns, in order. */
  readonly turns: TurnRecord[];
  /** By step name, in the order of recording. */
  readonly outcomes: Map<string, StepRecord>;
  /** `once` calls and waits with a timeout that have begun. */
  readonly begun: Map<string, Pick<StepRecord, "place" | "at">>;
  /** Usage of broken answers, for each of its ends. */
  readonly lost: LostUsage[];
  /** Its last end, unless it was reopened. */
  end: EndEntry | undefined;
  /** The jobs that its calls have started, by call. */
  readonly jobs: Map<string, RecordedJob>;
  /** Calls with an answer that is in no end, and that neither the call nor the model has used yet. */
  readonly answered: Set<string>;
  /** When it last began, recorded a step or ended, in milliseconds since the epoch: its questions were open by then. */
  askedAt: number;
}

export function beginRecord(
  entry: RunEntry,
  before: Pick<RunRecord, "steeringCursor" | "spentBefore"> = FIRST,
): RunRecord {
  return {
    entry,
    ...before,
    turns: [],
    outcomes: new Map(),
    begun: new Map(),
    lost: [],
    end: undefined,
    jobs: new Map(),
    answered: new Set(),
    askedAt: entry.at,
  };
}

const FIRST = {
  steeringCursor: 0,
  spentBefore: { turns: 0, toolCalls: 0, usage: NO_USAGE, cost: 0, wallTimeMs: 0 },
};

export function addToRecord(run: RunRecord, entry: EntryOfRun): void {
  switch (entry.type) {
    case "begin":
      run.begun.set(entry.step, entry);
      useAnswers(run, entry.place);
      return;
    case "step":
      setOutcome(run, entry, entry.outcome);
      useAnswers(run, entry.place);
      if (entry.place.kind === "call") {
        const { turn, callId } = entry.place;
        const { job, part } = valueLeft(entry.outcome);
        if (job !== undefined) run.jobs.set(callId, { ...job, turn, callId, name: part?.functionResponse?.name ?? "" });
      }
      run.askedAt = entry.at;
      return;
    case "job":
      return addReport(run, entry);
    case "answer":
      setOutcome(run, entry, { ok: true, value: entry.value });
      if ("callId" in entry.place) run.answered.add(entry.place.callId);
      if (run.end?.pending !== undefined)
        run.end = { ...run.end, pending: run.end.pending.filter(({ token }) => token !== entry.token) };
      return;
    case "turn":
      if (entry.turn > (run.turns.at(-1)?.turn ?? 0)) run.turns.push(entry);
      return;
    case "resume":
      run.end = undefined;
      return;
    case "end":
      run.end = entry;
      if (entry.lost !== undefined) run.lost.push(entry.lost);
      run.answered.clear();
      run.askedAt = entry.at;
      return;
  }
}

/** A job and its state. */
export interface RecordedJob extends StartedJob {
  readonly turn: number;
  readonly callId: string;
  /** Name of its tool. */
  readonly name: string;
  readonly progress?: Json | undefined;
}

function addReport(run: RunRecord, entry: JobEntry): void {
  const { callId, outcome, progress } = entry;
  const job = run.jobs.get(callId);
  if (outcome === undefined) {
    if (job !== undefined) run.jobs.set(callId, { ...job, progress });
    return;
  }
  setOutcome(run, entry, { ok: true, value: outcome });
  // An abandoned job gives the run nothing to continue with.
  if (!("withdrawn" in outcome)) run.answered.add(callId);
  const { end } = run;
  const isOf = (one: PendingCall): boolean => one.callId === callId && one.question === "job";
  if (end?.pending !== undefined) run.end = { ...end, pending: end.pending.filter((one) => !isOf(one)) };
}

/** A step that is recorded again moves to the end of the order. */
function setOutcome(
  { outcomes }: RunRecord,
  { step, place, at, by }: { readonly step: string } & Omit<StepRecord, "outcome">,
  outcome: Outcome,
): void {
  outcomes.delete(step);
  outcomes.set(step, { place, outcome, at, by });
}

/** A step uses answers: a call its own, a request all of them. */
function useAnswers({ answered }: RunRecord, place: StepPlace): void {
  if (place.kind === "model") answered.clear();
  else if (place.kind === "call") answered.delete(place.callId);
}

/** A step that succeeded, and its value. */
export interface PlacedStep<Value = unknown> {
  readonly name: string;
  readonly place: StepPlace;
  readonly value: Value;
}

/** The steps of a run by place: another version of the loop may have named them differently. */
export class PlacedSteps {
  readonly #byPlace = new Map<string, PlacedStep>();
  readonly #byTurn = new Map<number, PlacedStep[]>();
  readonly #begun = new Set<string>();
  readonly #timedOut = new Set<string>();
  readonly #isGuarded: boolean;

  /** @param closed - Number of the last closed turn: only the steps of later turns are included. */
  constructor(
    {
      entry,
      outcomes,
      begun,
    }: Partial<Pick<RunRecord, "outcomes" | "begun">> & { readonly entry: Pick<RunEntry, "guarded"> },
    closed: number = 0,
  ) {
    this.#isGuarded = entry.guarded === true;
    for (const [name, { place, outcome }] of outcomes ?? []) if (place.turn > closed) this.add(name, place, outcome);
    for (const { place } of begun?.values() ?? []) if (place.turn > closed) this.begin(place);
  }

  add(name: string, place: StepPlace, outcome: Outcome): void {
    if (isWaitTimedOut(outcome)) this.#timedOut.add(stepName(place));
    if (!outcome.ok) return;
    const step = { name, place, value: outcome.value };
    this.#byPlace.set(stepName(place), step);
    const turn = this.#byTurn.get(place.turn);
    if (turn === undefined) this.#byTurn.set(place.turn, [step]);
    else turn.push(step);
  }

  begin(place: StepPlace): void {
    this.#begun.add(stepName(place));
  }

  /** Turns with a request, a check or a summary, in order. */
  turns(): readonly number[] {
    const isTurn = (steps: readonly PlacedStep[]): boolean =>
      steps.some(({ place: { kind } }) => kind === "model" || kind === "guard" || kind === "compact");
    return [...this.#byTurn].flatMap(([turn, steps]) => (isTurn(steps) ? [turn] : [])).toSorted((a, b) => a - b);
  }

  inTurn(turn: number): readonly PlacedStep[] {
    return this.#byTurn.get(turn) ?? [];
  }

  find<Value>(place: StepPlace): PlacedStep<Value> | undefined {
    return this.#byPlace.get(stepName(place)) as PlacedStep<Value> | undefined;
  }

  /** Whether the effect of a `once` call began. */
  hasBegun(place: StepPlace): boolean {
    return this.#begun.has(stepName(place));
  }

  /** The outside answer, as guardrails passed it; `timed-out` if none came in time, `withheld` if they stopped or have not checked it. */
  findGiven(wait: Extract<StepPlace, { kind: "wait" }>): OutsideAnswer | "timed-out" | "withheld" | undefined {
    if (this.#timedOut.has(stepName(wait))) return "timed-out";
    const step = this.find<unknown>(wait);
    if (step === undefined) return undefined;
    const { turn, question } = wait;
    const check = this.find<GivenCheckValue>({ kind: "guard", turn, side: "input", attempt: 0, wait: step.name });
    // An answer that guardrails have not checked, or have stopped, is never read.
    if (check === undefined && this.#isGuarded && findCheckable(question, step.value) !== undefined) return "withheld";
    if (readStop("input", check?.value.actions) !== undefined) return "withheld";
    return readOutsideAnswer(question, check?.value.given ?? step.value);
  }
}

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
