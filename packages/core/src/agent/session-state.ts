import { present } from "../internal/json.ts";
import type { Usage } from "../model/usage.ts";
import { type EndReason, isResumable } from "../session/log/entries.ts";
import { openQuestions } from "../session/runs/session-answers.ts";
import type { SessionView } from "../session/log/session-view.ts";
import type { PendingCall } from "../tool/tool.ts";

/** State of a session. */
export interface SessionState {
  /** Runs that have ended, however they ended. */
  readonly runs: number;
  /** Of all runs. */
  readonly turns: number;
  /** Of all runs. */
  readonly toolCalls: number;
  /** Sum over all runs. */
  readonly usage: Usage;
  /** Cost of all runs; 0 without a price table. */
  readonly cost: number;
  /** A model that answered and has no price: what it cost is not in `cost`. */
  readonly unpriced?: string | undefined;
  /** Day of the price list of the last run that had one. */
  readonly pricesAsOf?: string | undefined;
  /**
   * How the last run of the conversation ended. `"running"` while it is going, or may be: a lease that nobody has renewed is only
   * known to be abandoned once it has expired. `"cut-off"` when its process died; `undefined` when there was none, or after a
   * rewind.
   */
  readonly lastRun: EndReason | "running" | "cut-off" | undefined;
  /** Whether `Session.resume` can continue the last run. */
  readonly resumable: boolean;
  /** Calls the last run waits for, also while it is still busy with others. */
  readonly pending: readonly PendingCall[];
}

/** What a log says of its session. @param isHeld - Whether somebody holds the lease on the session. */
export function buildSessionState({ run, info }: SessionView, isHeld: boolean): SessionState {
  const isRunning = isHeld && run !== undefined && run.end === undefined;
  return {
    ...present(info.ended),
    lastRun: run === undefined ? undefined : isRunning ? "running" : (run.end?.stopReason ?? "cut-off"),
    resumable: run !== undefined && !isRunning && (run.end === undefined || isResumable(run.end)),
    pending: run === undefined ? [] : openQuestions(run),
  };
}
