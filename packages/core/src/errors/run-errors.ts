import { AgentError } from "./agent-error.ts";

/** The reader left a stream before the run ended. */
export class RunAbandonedError extends AgentError {
  override readonly code = "run_aborted";
}

/** A step that was run elsewhere (journal, engine) failed; `cause` is the recorded error. */
export class RunStepError extends AgentError {
  override readonly code = "run_step";
  /** Name of the step, such as `model:3` or `call:3.0`. */
  readonly step: string;

  constructor(message: string, step: string, options?: ErrorOptions) {
    super(message, options);
    this.step = step;
  }
}

/** `finished(result)` was asked of a run that ended otherwise. */
export class OutputMissingError extends AgentError {
  override readonly code = "output_missing";
  /** Why the run ended. */
  readonly stopReason: string;

  constructor(message: string, stopReason: string) {
    super(message);
    this.stopReason = stopReason;
  }
}
