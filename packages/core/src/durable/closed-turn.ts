import type { Cost, Usage } from "../model/usage.ts";
import type { StartedJob } from "../tool/job.ts";
import type { PendingCall } from "../tool/tool.ts";
import type { Content } from "../wire/types/content.ts";
import type { CallStepValue, StepPlace } from "./run-log.ts";

/**
 * A turn of a run with what the loop needs to go on after it: folding all turns gives the state in which the run was.
 *
 * Closed when the next turn begins. The objects are those of the journal and of the history.
 */
export interface ClosedTurn {
  readonly turn: number;
  /** The answer was converted to the schema. Absent for a turn of the work. */
  readonly phase?: "output" | undefined;
  /** What it added, in order: to the history, or, in the output phase, to what that phase sends. Ends on no open call. */
  readonly contents: readonly Content[];
  /** All that has been recorded in it, in order, but for the steps of its calls. */
  readonly steps: readonly TurnStep[];
  /** Its calls that have an answer, in call order. */
  readonly calls: readonly AnsweredCall[];
}

/** A step of a turn, or an answer from outside. */
export interface TurnStep {
  readonly name: string;
  /** Says what its value is; never `call`, `hook` or `inner`. */
  readonly place: StepPlace;
  /** What was recorded; of a wait, the answer, `undefined` if none came in time. */
  readonly value: unknown;
  /** Of an answer of the model that is not the turn's first: how many of the turn's contents were there before. */
  readonly at?: number | undefined;
  /** Why the model was asked again after this answer. */
  readonly discarded?: TurnProblem | undefined;
  /** Of a summary: the index of the first content of the conversation that is still sent. */
  readonly keepFrom?: number | undefined;
  /** Of a wait for a job that was read from a log: what the call has started. */
  readonly job?: StartedJob | undefined;
}

/** Why an answer is unusable. */
export type TurnProblem =
  /** Nothing to read and nothing to do: no text, no call, no media. */
  | "empty"
  /** The model wrote a call that the service could not read, one without a name, or one that was lost in transit. */
  | "malformed-call"
  /** The model called a function that was not declared, and the call is missing from the answer. */
  | "undeclared-call"
  /** The token limit cut the answer off in the middle of its calls. */
  | "truncated-call"
  /** The service stopped for an unspecified reason. */
  | "interrupted"
  /** The answer does not match the output schema. */
  | "invalid-output";

/** A call that has its answer. */
export interface AnsweredCall extends Pick<PendingCall, "turn" | "callId" | "call" | "edited"> {
  /** It ends the run. */
  readonly endsRun?: true | undefined;
  /** What its step recorded; made by the loop where no step left it: denied, answered from outside, out of time. */
  readonly value: CallStepValue;
}

/** What broken answers used before a run failed: it stays counted when the run is resumed. */
export interface LostUsage extends Pick<Cost, "cost" | "unpriced"> {
  /** The turn that failed. */
  readonly turn: number;
  readonly usage: Usage;
}
