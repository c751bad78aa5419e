import type { Agent } from "@pollux/core";
import { type BodyDifference, replayRun } from "@pollux/core/rehearsal";
import type { SessionCase } from "../cases/eval-case.ts";
import type { TrialResult } from "../report/eval-run.ts";

/**
 * Makes a recorded run again without key, network and tools, and compares each request: a difference fails the trial, and says where.
 *
 * @throws The signal's reason when it aborts.
 */
export async function replayTrial(
  agent: Agent,
  { recording, runId }: Pick<SessionCase, "recording" | "runId">,
  { context, signal }: { readonly context: unknown; readonly signal: AbortSignal },
): Promise<TrialResult> {
  try {
    const { isSame, difference, problem, result } = await replayRun(agent, recording, { runId, context, signal });
    const why = difference === undefined ? problem : describeDifference(difference);
    const metrics = result && { turns: result.turns, calls: result.toolCalls.length };
    return {
      number: 1,
      status: isSame ? "passed" : "failed",
      ...(why !== undefined && { why }),
      scores: [],
      metrics: metrics ?? {},
      ...(result && { stopReason: result.stopReason }),
      answer: result?.text.slice(0, 300) ?? "",
    };
  } catch (error) {
    signal.throwIfAborted();
    // Such as a recording without requests.
    const why = error instanceof Error ? error.message : String(error);
    return { number: 1, status: "invalid", why, scores: [], metrics: {}, answer: "" };
  }
}

/** A difference of a request, in words. */
export function describeDifference({ request, step, field, was, is }: BodyDifference): string {
  const change = [was === undefined ? "it is new" : `was ${was}`, is === undefined ? "it is gone" : `is ${is}`];
  return `request ${request + 1} (${step}) differs at ${field}: ${change.join(", ")}`;
}
