import type { LostUsage } from "../../durable/closed-turn.ts";
import { type GivenCheckValue, stepName, type StepPlace } from "../../durable/run-log.ts";
import { type Outcome, isWaitTimedOut, valueLeft } from "../../durable/steps.ts";
import type { Json } from "../../internal/json.ts";
import { NO_USAGE } from "../../model/usage.ts";
import type { Spent } from "../../loop/limits.ts";
import type { EndEntry, EntryOfRun, JobEntry, RunEntry } from "./entries.ts";
import type { StepRecord, TurnRecord } from "./turn-record.ts";
import { findCheckable } from "../../loop/calls/check-given.ts";
import { readStop } from "../../loop/guardrails.ts";
import { type OutsideAnswer, readOutsideAnswer } from "../../tool/pending-call.ts";
import type { StartedJob } from "../../tool/job.ts";
import type { PendingCall } from "../../tool/tool.ts";

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
