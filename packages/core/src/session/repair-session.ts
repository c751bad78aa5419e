import type { SessionEntry } from "./entries.ts";
import type { LogLine, SessionProblem } from "./log-line.ts";
import { mendLog } from "./mend-log.ts";

/** What a repair did. */
export interface SessionRepair {
  /** The repaired log; that of before, as far as it can be read, when there was nothing to do or nothing may be done. */
  readonly entries: readonly SessionEntry[];
  /** What was wrong and what was made of it; empty when there was nothing to do. */
  readonly done: readonly SessionProblem[];
  /** Why nothing may be changed: the log was written by a newer release. */
  readonly refused: SessionProblem | undefined;
}

/**
 * Makes a log that opens, and whose history can be sent, of one that is damaged. What can be read and means something stays;
 * what is lost by it is said.
 *
 * A run that lost an entry and could be resumed is over: nothing whose outcome is lost may happen twice.
 *
 * @param lines - The whole log, oldest first.
 */
export function repairSession(lines: readonly LogLine[]): SessionRepair {
  const { entries, problems, refused } = mendLog(lines);
  return { entries, done: refused === undefined ? problems : [], refused };
}
