import type { Json } from "@pollux/core";
import { type Fields, fieldsOf, isFields, numberOf, textOf } from "./read-values.ts";
import type { RunFold } from "./run-fold.ts";
import type { SessionFold } from "./session-fold.ts";
import { type ReadPlace, readPlace } from "./step-place.ts";
import type { TurnFold } from "./turn-fold.ts";

/** A step of a turn with its outcome and its position in the log. */
export interface TurnStep {
  readonly name: string;
  readonly place: ReadPlace;
  readonly position: number;
  readonly at: number;
  readonly type: "begin" | "step" | "answer" | "job";
  /** The step's recorded value, the answer, or the outcome of the job; undefined for one that failed or has no outcome. */
  readonly value: unknown;
  readonly error: Fields | undefined;
}

/** Reads an entry of a turn, even a damaged one. */
export function readStep(entry: Json | undefined, position: number): TurnStep {
  const fields = fieldsOf(entry);
  const { type: is } = fields;
  const type = is === "begin" || is === "answer" || is === "job" ? is : "step";
  const { ok, value, error } = fieldsOf(fields["outcome"]);
  return {
    name: textOf(fields["step"]) ?? "",
    place: readPlace(fields),
    position,
    at: numberOf(fields["at"]) ?? 0,
    type,
    value: type === "answer" ? fields["value"] : type === "job" ? outcomeOf(fields) : ok === true ? value : undefined,
    error: type === "step" && ok !== true ? fieldsOf(error) : undefined,
  };
}

/** All steps and answers of a turn, in the order of the log. */
export function stepsOf({ entries }: Pick<SessionFold, "entries">, { positions }: TurnFold): readonly TurnStep[] {
  return positions.map((position) => readStep(entries[position], position));
}

/** All steps and answers of a run. */
export function stepsOfRun(fold: Pick<SessionFold, "entries">, { turns }: RunFold): readonly TurnStep[] {
  return [...turns.values()].flatMap((turn) => stepsOf(fold, turn));
}

/** Undefined for a job that has only reported progress. */
function outcomeOf({ outcome }: Fields): Fields | undefined {
  return isFields(outcome) ? outcome : undefined;
}

/** True for the outcome of a call that somebody outside, or a job, reported. */
export function isOutcomeFromOutside({ place, type, value }: TurnStep): boolean {
  if (type === "job") return value !== undefined;
  return type === "answer" && place.kind === "wait" && place.question === "outcome";
}

/** The final response to a call: of a step, or an outcome from outside. Undefined while a job runs. */
export function outcomeOfCall(callId: string, steps: readonly TurnStep[]): unknown {
  const done = steps.findLast(
    (step) =>
      "callId" in step.place &&
      step.place.callId === callId &&
      (step.place.kind === "call"
        ? step.type === "step" && fieldsOf(step.value)["job"] === undefined
        : isOutcomeFromOutside(step)),
  );
  const { response } = fieldsOf(fieldsOf(fieldsOf(done?.value)["part"])["functionResponse"]);
  return response ?? (done?.type === "step" ? undefined : done?.value);
}

/** The last answer that the steps recorded; empty without any. */
export function lastResponse(steps: readonly TurnStep[]): Fields {
  const answer = steps.findLast(({ value }) => fieldsOf(value)["response"] !== undefined);
  return fieldsOf(fieldsOf(answer?.value)["response"]);
}
