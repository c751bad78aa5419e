import type { Agent } from "../agent/agent.ts";
import type { AnyRunOptions } from "../agent/options.ts";
import type { RunResult } from "../loop/result.ts";
import type { BodyDifference } from "./compare-bodies.ts";
import type { Recording } from "./recording.ts";

/** Options of {@link replayRun}: those of the run, and which. */
export interface ReplayOptions extends Pick<AnyRunOptions, "output" | "context" | "signal"> {
  /** @defaultValue the last one */
  readonly runId?: string | undefined;
}

/** What a replay found. */
export interface ReplayReport {
  readonly runId: string;
  readonly isSame: boolean;
  /** Requests that were built and compared. */
  readonly requests: number;
  /** The first request that differs; the replay ends there. */
  readonly difference?: BodyDifference | undefined;
  /** Where something else differs: an outcome, an ending, a missing or further request. Text for a person. */
  readonly problem?: string | undefined;
  /** Absent when the replay ended early. */
  readonly result?: RunResult<unknown> | undefined;
}

/**
 * Makes a run again from its recording, without key, network or tools: every request is built by the agent as it is now and compared, byte for
 * byte, with the one that was kept. Answers, outcomes, approvals and the time are the recorded ones.
 *
 * @throws {TypeError} When requests were not kept: see `keepExchanges`.
 */
export async function replayRun(
  _agent: Agent,
  _recording: Recording,
  _options: ReplayOptions = {},
): Promise<ReplayReport> {
  throw new TypeError("replayRun() is not here yet");
}
