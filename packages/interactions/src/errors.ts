import { AgentError } from "@pollux/core/wire";

/**
 * A request to create an interaction went out, and nobody knows whether it was received: the connection broke, a limit passed, or the
 * service answered with an error that can come after the work began. It was not sent again, because that could begin, and bill, the work
 * twice. `cause` is what happened.
 */
export class OutcomeUnknownError extends AgentError {
  static override readonly name = "OutcomeUnknownError";
  override readonly code = "outcome_unknown";
}

/** A stream of an interaction broke off and cannot be resumed. What was received until then is complete and in order. */
export class InteractionStreamError extends AgentError {
  static override readonly name = "InteractionStreamError";
  override readonly code = "interaction_stream";
  /** Of the interaction, if it is stored: `get()` and `wait()` tell how it ended. */
  readonly interactionId: string | undefined;

  constructor(message: string, interactionId?: string, options?: ErrorOptions) {
    super(message, options);
    this.interactionId = typeof interactionId === "string" ? interactionId : undefined;
  }
}
