import { SessionDamagedError, SessionStoreError } from "../errors/session-errors.ts";
import { LockTimeoutError } from "./file-lock.ts";

/** What to do about an error of the file system, by its code. */
const ADVICE: { readonly [code: string]: string } = {
  ENOSPC: "the disk is full; free some space",
  EDQUOT: "the disk quota is used up; free some space",
  EFBIG: "the file may not grow any more; raise the limit of file sizes, or free some space",
  EROFS: "the file system is read-only; give the store a place that can be written",
  EACCES: "this process has no right to; give it the right, or give the store another place",
  EPERM: "this process has no right to; give it the right, or give the store another place",
  ENOENT: "the folder is gone",
  ENOTDIR: "a part of the path is no folder; give the store another place",
  EMFILE: "this process has too many files open",
  EIO: "the disk does not work",
};

/** An error of the file system as the error of a store. One that is a session's already stays as it is. */
export function storeError(sessionId: string, doing: string, error: unknown): Error {
  if (error instanceof SessionStoreError || error instanceof SessionDamagedError) return error;
  if (error instanceof LockTimeoutError) return lockError(sessionId, error);
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const why = error instanceof Error ? error.message : String(error);
  const advice = ADVICE[code];
  return new SessionStoreError(sessionId, `${doing}${advice === undefined ? "" : `: ${advice}`} (${why})`, {
    cause: error,
  });
}

function lockError(sessionId: string, error: LockTimeoutError): SessionStoreError {
  const { file, holder, takenAt } = error.held;
  const who = holder === undefined ? "a process that left no name" : `process ${holder.pid} on ${holder.host}`;
  return new SessionStoreError(
    sessionId,
    `it is locked by ${who} since ${new Date(takenAt).toISOString()}; try again, and if that process is no writer of sessions ` +
      `any more, delete ${file}`,
    { cause: error },
  );
}
