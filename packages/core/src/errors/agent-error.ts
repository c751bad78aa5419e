/** Kind of failure: a stable string to `switch` on, one per class. */
export type ErrorCode =
  | "api_status"
  | "api_network"
  | "api_timeout"
  | "api_shape"
  | "traffic_limit"
  | "quota_reached"
  | "request_limit"
  | "stream_incomplete"
  | "response_blocked"
  | "configuration"
  | "file_state"
  | "tool_definition"
  | "guardrail"
  | "output_missing"
  | "run_step"
  | "run_aborted"
  | "session_conflict"
  | "session_damaged"
  | "session_store"
  | "session_unfinished"
  | "session_running"
  | "session_lease_lost"
  | "session_limit"
  | "job_report"
  | "nothing_to_resume"
  | "unexpected_answer"
  | "invalid_approval"
  | "run_stopped"
  | "run_released"
  | "run_id_taken"
  | "rewind_target"
  | "loop_version"
  | "replay_difference"
  | "outcome_unknown"
  | "interaction_stream"
  | "webhook";

/** Marks the error classes; the same symbol in all copies of this package. */
const KNOWN: unique symbol = Symbol.for("pollux.error");

/** An error that `instanceof` also recognizes if it comes from another copy of this package: by the names of its classes. */
export abstract class KnownError extends Error {
  /** Written out in each class: a minifier renames classes. */
  static override readonly name: string = "KnownError";
  /** @internal */
  static readonly [KNOWN]: true = true;
  override readonly name: string = this.constructor.name;

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    let type: unknown = value instanceof Error && value.constructor;
    while (typeof type === "function" && KNOWN in type && type.name !== this.name) type = Object.getPrototypeOf(type);
    return typeof type === "function" && KNOWN in type;
  }
}

/** Base of all errors that this library throws deliberately; a plain `Error` from it is a bug. */
export abstract class AgentError extends KnownError {
  static override readonly name: string = "AgentError";
  /** Stable word for the kind of failure. */
  abstract readonly code: ErrorCode;
  /** True when the same call may succeed later. */
  readonly retryable: boolean = false;
}

/** A missing or invalid setting: no key, a thinking level that the model does not support. Thrown before any request. */
export class ConfigurationError extends AgentError {
  static override readonly name = "ConfigurationError";
  override readonly code = "configuration";
}

/** An error of one session. */
export abstract class SessionError extends AgentError {
  static override readonly name: string = "SessionError";
  readonly sessionId: string;

  constructor(sessionId: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.sessionId = sessionId;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Attaches a value to a thrown object, hidden from loggers and `JSON.stringify`. Frozen errors stay unchanged. */
export function attachTo(error: unknown, key: symbol, value: unknown): void {
  if (typeof error !== "object" || error === null || !Object.isExtensible(error)) return;
  Object.defineProperty(error, key, { value, enumerable: false, configurable: true, writable: true });
}

/** The value that {@link attachTo} attached. */
export function attachedTo(error: unknown, key: symbol): unknown {
  return typeof error === "object" && error !== null ? Reflect.get(error, key) : undefined;
}
