import type { JsonObject } from "../wire/types/content.ts";

/** The identity of a run, in its first event, in hooks and in log lines. */
export interface RunIdentity {
  /** Stays the same when the run is resumed. */
  readonly runId: string;
  /** Name of the agent. */
  readonly agent: string;
  /** Absent for a run without a session. */
  readonly sessionId?: string | undefined;
  /** The caller's data about the run. */
  readonly metadata?: JsonObject | undefined;
}

/** A run, as the functions in its options see it. */
export interface RunContext<Context = unknown> extends RunIdentity {
  /** The run's `context` option. */
  readonly context: Context;
  /** Aborts with the run. */
  readonly signal: AbortSignal;
}
