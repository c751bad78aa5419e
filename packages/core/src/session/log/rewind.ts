import { RewindTargetError } from "../../errors/session-errors.ts";
import type { Compaction } from "../../loop/turn/compaction.ts";
import type { RunEntry } from "./entries.ts";

/** The beginning of a run that is part of the conversation, and what there was before it. */
export interface RunStart {
  readonly entry: RunEntry;
  /** Its place in the log. */
  readonly position: number;
  /** How many segments the history had. */
  readonly segments: number;
  readonly steeringCursor: number;
  readonly compaction: Compaction | undefined;
}

/** The id of the message that began a run. */
export function userMessageId(runId: string): string {
  return `${runId}:user`;
}

/** The id of what a run answered. */
export function answerId(runId: string): string {
  return `${runId}:assistant`;
}

/**
 * Finds the run that a conversation is taken back to.
 *
 * @param messageId - The message that began it, or what it answered. @defaultValue the last run
 * @throws {RewindTargetError} When the conversation has no such run.
 */
export function findStart(starts: readonly RunStart[], sessionId: string, messageId: string | undefined): RunStart {
  const found =
    messageId === undefined
      ? starts.at(-1)
      : starts.findLast(({ entry: { runId } }) => messageId === userMessageId(runId) || messageId === answerId(runId));
  if (found !== undefined) return found;
  const choices = starts.map(({ entry: { runId, input } }) =>
    input.length > 0 ? userMessageId(runId) : answerId(runId),
  );
  throw new RewindTargetError(sessionId, messageId, choices);
}
