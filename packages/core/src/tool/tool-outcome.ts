/** How a call that did not succeed ended. */
export type ToolFailureKind =
  /** No tool has that name. */
  | "not-found"
  /** The arguments do not fit the schema, or the tool threw `ToolRetry`. */
  | "bad-input"
  /** The tool threw. */
  | "failed"
  | "timeout"
  /** The run was aborted before the call ended. */
  | "cancelled"
  /** A person or a hook said no. */
  | "denied"
  /** It had started when the process died, and nobody knows whether it happened. */
  | "unknown-outcome"
  /** The answer that held the call was cut off, or the call came once too often. */
  | "not-run";

/** How one call ended. A failure is data: the model reads it and can correct itself. */
export type ToolOutcome =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly kind: ToolFailureKind; readonly message: string };
