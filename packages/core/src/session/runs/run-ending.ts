import { modelStepName } from "../../durable/run-log.ts";
import { describeError } from "../../durable/steps.ts";
import type { RunResult } from "../../loop/result.ts";
import type { EndEntry, InterruptedAnswer } from "../log/entries.ts";
import type { Draft } from "../store/records.ts";
import type { OpenedRun } from "./session-host.ts";
import type { NewEntry } from "../log/session-log.ts";
import {
  buildRefs,
  checkedInput,
  type HistorySegment,
  placeCutInHistory,
  type RunRecord,
} from "../log/session-view.ts";

/** How a run ended, in the words of its log. */
export type RunEnding = Pick<EndEntry, "stopReason" | "limit" | "guardrail" | "pending" | "error">;

/** The ending of a run that gave a result. */
export function buildEnding(result: RunResult<unknown>): RunEnding {
  const { stopReason } = result;
  if (stopReason === "limit") return { stopReason, limit: result.limit.name };
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
  segments: readonly HistorySegment[],
  { interrupted, ...how }: RunEnding & Pick<EndEntry, "interrupted">,
): Extract<NewEntry, { type: "end" }> {
  const { contents, compaction, interrupted: unfinished } = run.soFar();
  const { turns, toolCalls, usage, cost } = run.spent();
  const end = unfinished === undefined ? contents.length : contents.length - 1;
  return {
    type: "end",
    runId: record.entry.runId,
    added: buildRefs(contents.slice(run.historyLength + checkedInput(record).length, end), record.outcomes),
    turns,
    toolCalls,
    usage,
    ...(cost > 0 && { cost }),
    ...(compaction !== undefined && {
      compaction: placeCutInHistory(compaction, contents, run.historyLength, segments),
    }),
    ...how,
    ...(interrupted !== undefined && { interrupted }),
  };
}

export function interruptedAnswer({
  step,
  attempt,
  parts,
  truncated,
}: Omit<InterruptedAnswer, "truncated"> & { readonly truncated?: boolean | undefined }): InterruptedAnswer {
  return { step, attempt, parts, ...(truncated === true && { truncated }) };
}

/** True when the log holds what the run did after it would have finished: it was steered at the last moment. */
export function hasLaterTurn({ outcomes }: RunRecord, { turns }: { readonly turns: number }): boolean {
  return outcomes.has(modelStepName("work", turns + 1, 0));
}

export function endOfRecord(record: RunRecord, result: RunResult<unknown>): "ended" | "more-was-said" {
  return result.stopReason === "finished" && hasLaterTurn(record, result) ? "more-was-said" : "ended";
}

/** True for the draft of a step that never ended. */
export function isOpenDraft({ runId, step }: Draft, { entry, end, outcomes }: RunRecord): boolean {
  return end === undefined && runId === entry.runId && !outcomes.has(step);
}
