import { stepName } from "../../durable/run-log.ts";
import { describeError } from "../../durable/steps.ts";
import type { RunResult } from "../../loop/result.ts";
import { boundParts } from "../lease/draft-writer.ts";
import type { EndEntry, InterruptedAnswer } from "../log/entries.ts";
import type { Part } from "../../wire/types/content.ts";
import type { OpenedRun } from "./session-host.ts";
import type { NewEntry } from "../log/session-log.ts";
import type { RunRecord } from "../log/run-record.ts";
import type { TurnRecord } from "../log/turn-record.ts";

/** How a run ended, in the words of its log. */
export type RunEnding = Pick<EndEntry, "stopReason" | "reached" | "guardrail" | "pending" | "problem" | "error">;

/** The ending of a run that gave a result. */
export function buildEnding(result: RunResult<unknown>): RunEnding {
  const { stopReason } = result;
  if (stopReason === "limit") return { stopReason, reached: result.limit };
  if (stopReason === "invalid-output") return { stopReason, problem: result.problem };
  if (stopReason === "guardrail") return { stopReason, guardrail: result.guardrail };
  return "pending" in result ? { stopReason, pending: result.pending } : { stopReason };
}

export function buildFailure(error: unknown, aborted: boolean): RunEnding {
  return { stopReason: aborted ? "aborted" : "failed", error: describeError(error) };
}

/** The reader of the run left in the middle of it. */
export const LEFT = { name: "RunAbandonedError", message: "the reader left before the run ended", code: "run_aborted" };

/** The entry that ends a run. */
export function buildEndEntry(
  record: RunRecord,
  run: OpenedRun,
  open: readonly TurnRecord[],
  how: RunEnding,
): Extract<NewEntry, { type: "end" }> {
  const { wallTimeMs: _time, cost, ...spent } = run.spent();
  const lost = run.lost();
  const partial = run.partial();
  const interrupted = interruptedAnswer(partial, partial.kept());
  return {
    type: "end",
    runId: record.entry.runId,
    open,
    ...spent,
    ...(cost > 0 && { cost }),
    ...(lost !== undefined && { lost }),
    ...how,
    ...(interrupted !== undefined && { interrupted }),
  };
}

/**
 * What the end of a run keeps of the answer that it ended in the middle of.
 *
 * @param kept - What may be kept.
 * @param isCut - The answer was longer than is known.
 */
export function interruptedAnswer(
  { step, place, attempt, checked = [] }: Pick<InterruptedAnswer, "step" | "place" | "attempt" | "checked">,
  kept: readonly Part[],
  isCut: boolean = false,
): InterruptedAnswer | undefined {
  const { parts, truncated } = boundParts(kept);
  if (parts.length + checked.length === 0) return undefined;
  return {
    step,
    place,
    attempt,
    parts,
    ...((truncated || isCut) && { truncated: true }),
    ...(checked.length > 0 && { checked }),
  };
}

/** True when the log holds what the run did after it would have finished: it was steered at the last moment. */
export function hasLaterTurn({ outcomes }: RunRecord, { turns }: { readonly turns: number }): boolean {
  return outcomes.has(stepName({ kind: "model", phase: "work", turn: turns + 1, attempt: 0 }));
}
