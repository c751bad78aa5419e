import type { Approval, ExternalOutcome, PendingCall } from "../tool/approval.ts";
import type { StopReason } from "../loop/result.ts";
import type { Usage } from "../model/usage.ts";
import type { SessionLimits } from "../session/session-host.ts";
import type { Unfinished } from "../session/session-runs.ts";
import type { SessionStore } from "../session/store.ts";

/** Which conversation a session is, and where it is kept. */
export interface SessionOptions {
  /** The session's name in its store. @defaultValue a random UUID */
  readonly id?: string | undefined;
  /** @defaultValue a new {@link MemoryStore} */
  readonly store?: SessionStore | undefined;
  /** Bounds of all runs of the session together; a run that reaches one ends with `limit`, its `scope` being `"session"`. @defaultValue none */
  readonly limits?: SessionLimits | undefined;
}

/** How a message is sent. */
export interface SendOptions {
  /**
   * What to do when the last run was cut off by a crash, or waits for an answer: refuse the message, or answer the open calls
   * as cancelled and go on. @defaultValue "refuse"
   */
  readonly unfinished?: Unfinished | undefined;
}

/** What a run is given to go on with. */
export interface ResumeOptions {
  /** A person's word on calls that wait for it, by call id: `true` runs the call, `false` or `{ deny }` tells the model no. */
  readonly approvals?: { readonly [callId: string]: Approval } | undefined;
  /** What came of calls that were carried out elsewhere, by call id. */
  readonly outcomes?: { readonly [callId: string]: ExternalOutcome } | undefined;
  /** Go on with a run that another version of the loop began. @defaultValue false */
  readonly anyLoopVersion?: boolean | undefined;
}

/** Where a session stands. */
export interface SessionState {
  /** Runs that ended, in whatever way. */
  readonly runs: number;
  readonly turns: number;
  readonly toolCalls: number;
  /** Sum over all runs. */
  readonly usage: Usage;
  /** Cost of all runs; 0 without a price table. */
  readonly cost: number;
  /** How the last run ended; `"cut-off"` when its process died, `undefined` when there was none. */
  readonly lastRun: StopReason | "failed" | "aborted" | "cut-off" | undefined;
  /** True when {@link Session.resume} has something to go on with. */
  readonly resumable: boolean;
  /** What the last run waits for. */
  readonly pending: readonly PendingCall[];
}
