import { AgentError, ApiNetworkError, ApiShapeError, ApiStatusError, ApiTimeoutError } from "@pollux/core/wire";

/**
 * A request to create an interaction went out, and it is not known whether it was received: the connection broke, a limit passed, or the
 * service answered with an error that can come after the work began. It was not sent again, because that could begin, and bill, the work
 * twice. `cause` has the failure.
 */
export class OutcomeUnknownError extends AgentError {
  static override readonly name = "OutcomeUnknownError";
  override readonly code = "outcome_unknown";
}

/** A stream of an interaction broke off and cannot be resumed. What was received until then is complete and in order. */
export class InteractionStreamError extends AgentError {
  static override readonly name = "InteractionStreamError";
  override readonly code = "interaction_stream";
  /** Id of the interaction, if it is stored: `get()` and `wait()` return how it ended. */
  readonly interactionId: string | undefined;

  constructor(message: string, interactionId?: string, options?: ErrorOptions) {
    super(message, options);
    this.interactionId = typeof interactionId === "string" ? interactionId : undefined;
  }
}

/** The error of a failed `create()`: an {@link OutcomeUnknownError} if the interaction may have been created. */
export function explainCreate(error: unknown): unknown {
  if (!isUnknownOutcome(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new OutcomeUnknownError(
    `The interaction may or may not have been created, and was not sent again, because it could be billed twice: ${message}`,
    { cause: error },
  );
}

/** No connection was made, so nothing was sent. */
const UNCONNECTED =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT)$|CERT|^UNABLE_TO_/;

/** Whether a request with this failure may have begun an interaction all the same. */
function isUnknownOutcome(error: unknown): boolean {
  if (error instanceof ApiTimeoutError || error instanceof ApiShapeError) return true;
  if (error instanceof ApiNetworkError) return !codesOf(error.cause).some((code) => UNCONNECTED.test(code));
  if (!(error instanceof ApiStatusError)) return false;
  if (error.status === 408 || error.status === 499) return true;
  const isRefusal =
    error.status === 501 || (error.status === 503 && /^(?:service_)?unavailable$/i.test(error.reason ?? ""));
  return error.status >= 500 && !isRefusal;
}

function codesOf(cause: unknown): readonly string[] {
  if (!(cause instanceof Error)) return [];
  const own = "code" in cause && typeof cause.code === "string" ? [cause.code] : [];
  return [...own, ...codesOf(cause.cause)];
}
