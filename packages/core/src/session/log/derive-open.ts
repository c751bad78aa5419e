import type { TurnProblem } from "../../durable/closed-turn.ts";
import {
  type CallRoute,
  type InputCheckValue,
  type ModelStepRecord,
  type ModelStepValue,
  numberCalls,
  type OutputCheckValue,
  type PhaseKind,
  type SteeringStopped,
  type StepPlace,
} from "../../durable/run-log.ts";
import { type GuardrailStop, needsCheck, readStop } from "../../loop/guardrails.ts";
import { classifyEnding, findProblem, isKept } from "../../loop/turn/classify-answer.ts";
import { openCallsIn } from "../../model/history/open-calls.ts";
import type { ModelResponse } from "../../model/model.ts";
import { CANCELLED } from "../../tool/model-texts.ts";
import type { Part } from "../../wire/types/content.ts";
import type { Draft } from "../store/store.ts";
import { followCall, type OpenCallTexts, TEXTS_AFTER_STOP } from "./call-standing.ts";
import { type PlacedStep, PlacedSteps, type RunRecord } from "./run-record.ts";
import type { CallRecord, ContentRef, StepRef, TurnRecord } from "./turn-record.ts";

/** A run's work after its last closed turn. */
export interface OpenPart {
  readonly turns: readonly TurnRecord[];
  /** How the run ended. A run that would have continued was aborted. */
  readonly ending: "finished" | "aborted" | GuardrailStop;
  /** The part of an answer that was never completed, or that its guardrails have not checked (`guarded`). */
  readonly draft: OpenDraft | undefined;
}

/** The error of a run that was cut off. */
export const CUT_OFF = { name: "AbortError", message: "the run was cut off here" } as const;

export type OpenDraft = Pick<Draft, "step" | "place" | "attempt" | "parts" | "guarded" | "truncated">;

export interface DeriveOptions {
  /** The unfinished answer; ignored if it belongs to another run, or to an answer that is recorded. */
  readonly draft?: Draft | undefined;
  readonly steeringWaits?: boolean | undefined;
  /** What the model reads for a call that did not end. @defaultValue it was cancelled */
  readonly cancelled?: string | undefined;
}

/**
 * Derives from the recorded steps what a run without an end did in the turns that it did not close. Needs no options, and decides nothing
 * again: a call that was made keeps its outcome; a call that may have been made is unknown; an answer that guardrails have not passed is
 * withheld.
 *
 * Handles any number of turns: where a log has lost the entries that close them, the texts of retries and summaries are missing.
 */
export function deriveOpen(
  record: RunRecord,
  { draft, steeringWaits = false, cancelled = CANCELLED }: DeriveOptions = {},
): OpenPart {
  const { entry } = record;
  const closed = record.turns.at(-1)?.turn ?? 0;
  const isOpen = draft?.runId === entry.runId && draft.place.turn > closed && !record.outcomes.has(draft.step);
  const open = isOpen ? draft : undefined;
  const steps = new PlacedSteps(record, closed);
  const turns: TurnRecord[] = [];
  let last: ReturnType<typeof deriveTurn> | undefined;
  for (const turn of steps.turns()) {
    last = deriveTurn(steps, turn, open?.place.turn === turn, cancelled);
    turns.push(last.turn);
  }
  const unfinished: OpenDraft | undefined = open ?? last?.unchecked;
  const stays = unfinished === undefined && !steeringWaits;
  const isFinished = last?.hasEnded === true || (last?.isComplete === true && entry.output === undefined);
  return { turns, ending: last?.stop ?? (stays && isFinished ? "finished" : "aborted"), draft: unfinished };
}

/** Derives the turns of a run, up to the last known one, that have steps but whose closing entry the log has lost. */
export function deriveLost(record: RunRecord, known: readonly TurnRecord[]): readonly TurnRecord[] {
  const last = known.at(-1)?.turn ?? 0;
  const steps = new PlacedSteps(record);
  return steps
    .turns()
    .filter((turn) => turn < last && !known.some((one) => one.turn === turn))
    .map((turn) => deriveTurn(steps, turn, false, CANCELLED).turn);
}

/** @param isAsking - The model was asked again, and has not answered. */
function deriveTurn(steps: PlacedSteps, turn: number, isAsking: boolean, cancelled: string) {
  const stop = findStop(steps.inTurn(turn));
  const contents: ContentRef[] = [];
  const calls: CallRecord[] = [];
  const discarded = new Map<string, TurnProblem>();
  const given = steps.find<InputCheckValue>({ kind: "guard", side: "input", turn, attempt: 0 });
  if (given?.value.response !== undefined) contents.push({ model: given.name });
  const attempts = listAttempts(steps, turn);
  const last = isAsking ? undefined : attempts.at(-1);
  for (const { name, value } of attempts) {
    if ("response" in value && value.steered !== undefined) contents.push({ steered: name });
    if (name === last?.name || !("response" in value)) continue;
    const { response } = value;
    // A discarded answer without another problem failed the output's schema.
    discarded.set(name, findProblem(response, openCallsIn([response.content])) ?? "invalid-output");
  }
  const isOutput = attempts[0]?.place.phase === "output";
  const used = last === undefined ? undefined : readAnswer(steps, last);
  let isComplete = given?.value.response !== undefined;
  let hasEnded = false;
  if (used?.response !== undefined && !isOutput && isKept(used.response)) {
    const { response, step } = used;
    contents.push({ model: step });
    const open = numberCalls(turn, response);
    const made = open.map(({ call }) => call);
    const problem = findProblem(response, made);
    isComplete =
      classifyEnding({ response, calls: made, problem })?.stopReason === "finished" && !used.value.steeringWaits;
    const routes = steps.find<readonly CallRoute[]>({ kind: "route", turn })?.value;
    const texts: OpenCallTexts = stop === undefined ? { cancelled } : TEXTS_AFTER_STOP;
    const responses: (string | Part)[] = [];
    const after: string[] = [];
    for (const [index, one] of open.entries()) {
      const { callId } = one;
      const followed = followCall(steps, { ...one, endedAt: used.value.endedAt }, routes?.[index], texts);
      responses.push("record" in followed ? callId : followed.part);
      if (!("record" in followed)) continue;
      const { record, value } = followed;
      const endsRun: boolean = value.ending !== undefined && !hasEnded;
      hasEnded ||= endsRun;
      calls.push(endsRun ? { ...record, endsRun: true } : record);
      if (value.after.length > 0) after.push(callId);
    }
    hasEnded &&= calls.length === open.length;
    if (responses.length > 0) contents.push({ calls: responses });
    if (after.length > 0) contents.push({ after });
  }
  const record: TurnRecord = {
    turn,
    ...(isOutput && { phase: "output" }),
    contents,
    steps: steps.inTurn(turn).flatMap(({ name, place: { kind } }): StepRef[] => {
      if (kind === "call" || kind === "hook" || kind === "inner") return [];
      const problem = discarded.get(name);
      return [{ step: name, ...(problem !== undefined && { discarded: problem }) }];
    }),
    calls,
  };
  let unchecked: OpenDraft | undefined;
  if (used?.isUnchecked === true && last !== undefined && !isOutput && isKept(used.value.response))
    unchecked = {
      step: last.name,
      place: last.place,
      attempt: 1,
      parts: used.value.response.content.parts,
      guarded: true,
    };
  return { turn: record, stop, unchecked, isComplete, hasEnded };
}

type Attempt = PlacedStep<ModelStepRecord> & {
  readonly place: Extract<StepPlace, { kind: "model" }>;
};

/** The requests of a turn, in order. */
export function listAttempts(steps: PlacedSteps, turn: number): readonly Attempt[] {
  return (
    steps
      .inTurn(turn)
      // Model steps record this type.
      .filter((step): step is Attempt => step.place.kind === "model")
      .toSorted((a, b) => a.place.attempt - b.place.attempt)
  );
}

interface ReadAnswer {
  /** The step that holds the answer as the run uses it. */
  readonly step: string;
  readonly phase: PhaseKind;
  /** As the model returned it. */
  readonly value: ModelStepValue;
  /** As its guardrails passed it; absent if they stopped it or have not seen it. */
  readonly response?: ModelResponse | undefined;
  readonly isUnchecked?: true | undefined;
}

/** An answer and its check; undefined for a request that was refused. */
export function readAnswer(steps: PlacedSteps, { name, place, value }: Attempt): ReadAnswer | undefined {
  if (!("response" in value)) return undefined;
  const { response, guarded } = value;
  const { turn, attempt, phase } = place;
  const how = { step: name, phase, value };
  if (guarded === undefined || !needsCheck(response.content)) return { ...how, response };
  const check = steps.find<OutputCheckValue>({ kind: "guard", side: "output", turn, attempt });
  if (check === undefined) return { ...how, isUnchecked: true };
  const { actions, response: replaced } = check.value;
  if (readStop("output", actions) !== undefined) return how;
  return replaced === undefined ? { ...how, response } : { ...how, step: check.name, response: replaced };
}

/** Why a guardrail ended the run in a turn, if one did: nothing comes after it. */
function findStop(steps: readonly PlacedStep[]): GuardrailStop | undefined {
  for (const { place, value } of steps) {
    if (place.kind === "guard") {
      // Guardrail steps record this type.
      const stop = readStop(place.side, (value as OutputCheckValue).actions);
      if (stop !== undefined) return stop;
    } else if (place.kind === "route" || place.kind === "reroute") {
      for (const { checked } of value as readonly CallRoute[]) {
        const stop = readStop("input", checked);
        if (stop !== undefined) return stop;
      }
    } else if (place.kind === "model" && (value as Partial<SteeringStopped>).stopped === true)
      return readStop("input", (value as SteeringStopped).checked);
  }
  return undefined;
}
