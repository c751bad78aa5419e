import type { Agent } from "@pollux/core";
import { type BodyDifference, type ReplayReport, replayRun } from "@pollux/core/rehearsal";
import type { SessionCase } from "../cases/eval-case.ts";
import type { TrialResult } from "../report/eval-run.ts";

/** The result of a replay; `isSame` is absent where nothing could be compared. */
type Replay = Partial<Pick<ReplayReport, "isSame" | "requests" | "result">> & { readonly why?: string | undefined };

/**
 * Makes a recorded run again without key, network and tools, and compares each request: says where the first difference is.
 *
 * @throws The signal's reason when it aborts.
 */
export async function replayCase(
  agent: Agent,
  { recording, runId }: Pick<SessionCase, "recording" | "runId">,
  { context, signal }: { readonly context: unknown; readonly signal?: AbortSignal | undefined },
): Promise<Replay> {
  try {
    const { isSame, difference, problem, requests, result } = await replayRun(agent, recording, {
      runId,
      context,
      signal,
    });
    const why = difference === undefined ? problem : describeDifference(difference);
    return { isSame, requests, result, ...(!isSame && { why: why ?? "the result differs" }) };
  } catch (error) {
    signal?.throwIfAborted();
    // Such as a recording without requests.
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

/** A replay as a trial: a difference fails it. */
export function replayTrial({ isSame, why, result }: Replay): TrialResult {
  return {
    number: 1,
    status: isSame === undefined ? "invalid" : isSame ? "passed" : "failed",
    ...(why !== undefined && { why }),
    scores: [],
    metrics: result ? { turns: result.turns, calls: result.toolCalls.length } : {},
    ...(result && { stopReason: result.stopReason }),
    answer: result?.text.slice(0, 300) ?? "",
  };
}

/** A difference of a request, in words. */
function describeDifference({ request, step, field, was, is }: BodyDifference): string {
  const change = [was === undefined ? "it is new" : `was ${was}`, is === undefined ? "it is gone" : `is ${is}`];
  return `request ${request + 1} (${step}) differs at ${field}: ${change.join(", ")}`;
}
