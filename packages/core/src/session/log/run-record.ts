import type { LostUsage } from "../../durable/closed-turn.ts";
import type { StepPlace } from "../../durable/run-log.ts";
import type { Outcome } from "../../durable/steps.ts";
import type { Spent } from "../../loop/limits.ts";
import type { EndEntry, EntryOfRun, RunEntry } from "./entries.ts";
import type { StepRecord, TurnRecord } from "./turn-record.ts";

/** What the log holds of one run. */
export interface RunRecord {
  readonly entry: RunEntry;
  /** Steering messages before this place in the log were part of the history when the run began. */
  readonly steeringCursor: number;
  /** What the runs before it have used. */
  readonly spentBefore: Spent;
  /** Its closed turns, in order. */
  readonly turns: TurnRecord[];
  /** By name, in the order in which they were recorded. */
  readonly outcomes: Map<string, StepRecord>;
  /** `once` calls, and waits with a timeout. */
  readonly begun: Map<string, Pick<StepRecord, "place" | "at">>;
  /** What broken answers used, for each of its ends. */
  readonly lost: LostUsage[];
  /** Its last ending, unless it was opened again. */
  end: EndEntry | undefined;
  /** Calls whose answer has come and is in no end, and with which neither the call nor the model has gone on. */
  readonly answered: Set<string>;
  /** When it last asked something, in milliseconds since the epoch. */
  askedAt: number;
}

export function beginRecord(entry: RunEntry, before: Pick<RunRecord, "steeringCursor" | "spentBefore">): RunRecord {
  return {
    entry,
    ...before,
    turns: [],
    outcomes: new Map(),
    begun: new Map(),
    lost: [],
    end: undefined,
    answered: new Set(),
    askedAt: entry.at,
  };
}

export function addToRecord(run: RunRecord, entry: EntryOfRun): void {
  switch (entry.type) {
    case "begin":
      run.begun.set(entry.step, entry);
      useAnswers(run, entry.place);
      return;
    case "step":
      setOutcome(run, entry, entry.outcome);
      useAnswers(run, entry.place);
      run.askedAt = entry.at;
      return;
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

/** One that is recorded again stands behind what came before it. */
function setOutcome(
  { outcomes }: RunRecord,
  { step, place, at, by }: { readonly step: string } & Omit<StepRecord, "outcome">,
  outcome: Outcome,
): void {
  outcomes.delete(step);
  outcomes.set(step, { place, outcome, at, by });
}

/** A step goes on with answers: that of its call, or the model with all. */
function useAnswers({ answered }: RunRecord, place: StepPlace): void {
  if (place.kind === "model") answered.clear();
  else if (place.kind === "call") answered.delete(place.callId);
}
