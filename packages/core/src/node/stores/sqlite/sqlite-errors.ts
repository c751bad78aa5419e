import { messageOf } from "../../../errors/agent-error.ts";
import { SessionConflictError, SessionDamagedError, SessionStoreError } from "../../../errors/run-errors.ts";
import { SessionLeaseLostError } from "../../../errors/session-errors.ts";
import { primaryCode } from "./sqlite-database.ts";

/** Advice for SQLite errors, by primary result code. */
const ADVICE: { readonly [code: number]: string } = {
  5: "another process has the file locked; try again, or find that process",
  6: "another process has the file locked; try again, or find that process",
  8: "the file or its folder is read-only; make it writable, or put the store elsewhere",
  10: "the disk failed to read or write; check whether it is full or faulty",
  13: "the disk is full; free some space",
  14: "the file cannot be opened; check that its folder still exists",
};

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGED: ReadonlySet<number> = new Set([11, 26]);

/** An error of SQLite as one that says what could not be done and what to do; errors of a store as they are. */
export function asStoreError(id: string, doing: string, error: unknown): Error {
  if (isRefusal(error)) return error;
  const code = primaryCode(error);
  if (DAMAGED.has(code))
    return new SessionDamagedError(
      id,
      `the database file is damaged (${messageOf(error)}); restore it, or see the recover command of sqlite3`,
      { cause: error },
    );
  const advice = ADVICE[code];
  const what = advice === undefined ? doing : `${doing}: ${advice}`;
  return new SessionStoreError(id, `${what} (${messageOf(error)})`, { cause: error });
}

/** True for a conflict and for a lost lease. */
export function isRefusal(error: unknown): error is SessionConflictError | SessionLeaseLostError {
  return error instanceof SessionConflictError || error instanceof SessionLeaseLostError;
}
