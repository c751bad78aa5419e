import type { Cost, Usage } from "../model/usage.ts";
import type { StartedJob } from "../tool/job.ts";
import type { PendingCall } from "../tool/tool.ts";
import type { Content } from "../wire/types/content.ts";
import type { CallStepValue, StepPlace } from "./run-log.ts";

/**
 * A turn of a run, with everything that the loop needs to continue after it: folding all turns restores the run's state.
 *
 * A turn is closed when the next one begins. Its objects are the same as in the journal and in the history.
 */
export interface ClosedTurn {
  readonly turn: number;
  /** The answer was converted to the schema. Absent for a turn of the work. */
  readonly phase?: "output" | undefined;
  /** What it added, in order: to the history or, in the output phase, to that phase's contents. Does not end on an open call. */
  readonly contents: readonly Content[];
  /** All its recorded steps, in order, except the steps of its calls. */
  readonly steps: readonly TurnStep[];
  /** Its calls that have an answer, in call order. */
  readonly calls: readonly AnsweredCall[];
}

/** A step of a turn, or an answer from outside. */
export interface TurnStep {
  readonly name: string;
  /** Tells the type of the value; never `call`, `hook` or `inner`. */
  readonly place: StepPlace;
  /** The recorded value; for a wait, the answer, `undefined` if none came in time. */
  readonly value: unknown;
  /** For an answer of the model after the turn's first: how many of the turn's contents precede it. */
  readonly at?: number | undefined;
  /** Why the model was asked again after this answer. */
  readonly discarded?: TurnProblem | undefined;
  /** For a summary: the index of the first content of the conversation that is still sent. */
  readonly keepFrom?: number | undefined;
  /** For a wait for a job, read from a log: the job that the call started. */
  readonly job?: StartedJob | undefined;
}

/** Why an answer is unusable. */
export type TurnProblem =
  /** No text, no call, no media. */
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
  /** The record of its step; made by the loop where there is none: denied, answered from outside, out of time. */
  readonly value: CallStepValue;
}

/** Usage of broken answers before a run failed: it still counts after the run is resumed. */
export interface LostUsage extends Pick<Cost, "cost" | "unpriced"> {
  /** The turn that failed. */
  readonly turn: number;
  readonly usage: Usage;
}
