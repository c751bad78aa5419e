import type { LogLine, SessionProblem } from "./log-line.ts";
import { mendLog } from "./mend-log.ts";

/** What a check found. */
export interface SessionCheck {
  /** What keeps the session from opening, or its history from being sent; in the order of the log. */
  readonly problems: readonly SessionProblem[];
  /** What is as it may be, and worth knowing: a run that waits for an answer, or was cut off. */
  readonly notes: readonly SessionProblem[];
}

/**
 * Checks a session's log: that each line is an entry this release can read and stands where it may stand, that what one entry
 * says of another is there, that each call is answered once, and that signatures could be true.
 *
 * @param lines - The whole log, oldest first: of a store, `(await store.load(id)).map((value) => ({ value }))`.
 */
export function checkSession(lines: readonly LogLine[]): SessionCheck {
  const { problems, notes } = mendLog(lines);
  return { problems, notes };
}
