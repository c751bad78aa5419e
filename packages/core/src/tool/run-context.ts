import type { JsonObject } from "../wire/types/content.ts";

/** Which run something belongs to: in its first event, in hooks and in lines of the log. */
export interface RunIdentity {
  /** Of the run, which keeps it when it is resumed. */
  readonly runId: string;
  /** Name of the agent. */
  readonly agent: string;
  /** Absent for a run without a session. */
  readonly sessionId?: string | undefined;
  /** What the caller said about the run. */
  readonly metadata?: JsonObject | undefined;
}

/** A run, for the functions among its options. */
export interface RunContext<Context = unknown> extends RunIdentity {
  /** What the run was given as `context`. */
  readonly context: Context;
  /** Aborts with the run. */
  readonly signal: AbortSignal;
}
