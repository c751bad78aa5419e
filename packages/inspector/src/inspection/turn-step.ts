import type { Json } from "@pollux/core";
import { type Fields, fieldsOf, numberOf, textOf } from "./read-values.ts";

/** A step of the turn with its outcome, where it stands in the log. */
export interface TurnStep {
  readonly name: string;
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
    position,
    at: numberOf(fields["at"]) ?? 0,
    type,
    value: type === "answer" ? fields["value"] : ok === true ? value : undefined,
    error: type === "step" && ok !== true ? fieldsOf(error) : undefined,
  };
}
