import type { Json } from "@pollux/core";
import { type Fields, fieldsOf, numberOf, textOf } from "./read-values.ts";
import { type ReadPlace, readPlace } from "./step-place.ts";

/** A step of the turn with its outcome, where it stands in the log. */
export interface TurnStep {
  readonly name: string;
  readonly place: ReadPlace;
  readonly position: number;
  readonly at: number;
  readonly type: "begin" | "step" | "answer";
  /** What the step recorded, or the answer; undefined for one that failed or only began. */
  readonly value: unknown;
  readonly error: Fields | undefined;
}

/** An entry of a turn, whatever is in it. */
export function readStep(entry: Json | undefined, position: number): TurnStep {
  const fields = fieldsOf(entry);
  const type = fields["type"] === "begin" || fields["type"] === "answer" ? fields["type"] : "step";
  const { ok, value, error } = fieldsOf(fields["outcome"]);
  return {
    name: textOf(fields["step"]) ?? "",
    place: readPlace(fields),
    position,
    at: numberOf(fields["at"]) ?? 0,
    type,
    value: type === "answer" ? fields["value"] : ok === true ? value : undefined,
    error: type === "step" && ok !== true ? fieldsOf(error) : undefined,
  };
}

/** True for what somebody outside answered as the outcome of a call. */
export function isOutcomeFromOutside({ place, type }: TurnStep): boolean {
  return type === "answer" && place.kind === "wait" && place.question === "outcome";
}

/** What a call came to at last: a step, or an answer from outside. */
export function lastOutcome(callId: string, steps: readonly TurnStep[]): TurnStep | undefined {
  return steps.findLast(
    (step) =>
      "callId" in step.place &&
      step.place.callId === callId &&
      (step.place.kind === "call" ? step.type === "step" : isOutcomeFromOutside(step)),
  );
}
