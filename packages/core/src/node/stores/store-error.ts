import { messageOf } from "../../errors/agent-error.ts";
import { SessionConflictError, SessionDamagedError, SessionStoreError } from "../../errors/run-errors.ts";
import { SessionLeaseLostError } from "../../errors/session-errors.ts";
import { codeOf, LockTimeoutError } from "./file-lock.ts";

const DENIED = "permission denied; grant it to this process, or put the store elsewhere";
const LOCKED = "another process has the file locked; try again, or find that process";

/** Advice by the code of a file system error, or by SQLite's primary result code. */
const ADVICE: { readonly [code: string]: string } = {
  ENOSPC: "the disk is full; free some space",
  EDQUOT: "the disk quota is used up; free some space",
  EFBIG: "the file size limit is reached; raise it or free some space",
  EROFS: "the file system is read-only; put the store in a writable place",
  EACCES: DENIED,
  EPERM: DENIED,
  ENOENT: "the folder is gone",
  ENOTDIR: "part of the path is not a folder; put the store elsewhere",
  EMFILE: "this process has too many files open",
  EIO: "the disk reported an error",
  5: LOCKED,
  6: LOCKED,
  8: "the file or its folder is read-only; make it writable, or put the store elsewhere",
  10: "the disk failed to read or write; check whether it is full or faulty",
  13: "the disk is full; free some space",
  14: "the file cannot be opened; check that its folder still exists",
};

/** Converts an error of the file system or of SQLite to one that says what failed and what to do; errors of sessions stay as they are. */
export function storeError(id: string, doing: string, error: unknown): Error {
  if (isRefusal(error) || error instanceof SessionStoreError || error instanceof SessionDamagedError) return error;
  if (error instanceof LockTimeoutError) return new SessionStoreError(id, error.message, { cause: error });
  const code = primaryCode(error);
  // SQLITE_CORRUPT and SQLITE_NOTADB.
  if (code === 11 || code === 26)
    return new SessionDamagedError(
      id,
      `the database file is damaged (${messageOf(error)}); restore it, or see the recover command of sqlite3`,
      { cause: error },
    );
  const advice = ADVICE[codeOf(error)] ?? ADVICE[code];
  const what = advice === undefined ? doing : `${doing}: ${advice}`;
  return new SessionStoreError(id, `${what} (${messageOf(error)})`, { cause: error });
}

/** The result of the work; a failure becomes a {@link storeError}. */
export async function orStoreError<Result>(id: string, doing: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw storeError(id, doing, error);
  }
}

/** True for a conflict and for a lost lease. */
export function isRefusal(error: unknown): error is SessionConflictError | SessionLeaseLostError {
  return error instanceof SessionConflictError || error instanceof SessionLeaseLostError;
}

/** True for an error of SQLite that goes away when another process has finished. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === 5 || primaryCode(error) === 6;
}

/** SQLite's primary result code; 0 for other errors. @see https://www.sqlite.org/rescode.html */
function primaryCode(error: unknown): number {
  return ((error as { readonly errcode?: number }).errcode ?? 0) & 0xff;
}
