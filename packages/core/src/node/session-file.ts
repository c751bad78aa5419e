import { open } from "node:fs/promises";
import { readRange } from "./file-io.ts";
import { readJsonlSession } from "./jsonl-session.ts";
import type { Database } from "./open-sqlite.ts";
import { UsageError } from "./session-cli-options.ts";
import { openSessions, readSqliteSession, type SqliteSession, sessionsIn } from "./sqlite-session.ts";
import type { StoredSession } from "./stored-session.ts";

/** A file with sessions, open to be read. */
export interface OpenedFile extends Disposable {
  /** What a place in the log is called. */
  readonly unit: "line" | "entry";
  /** How many sessions there are. */
  readonly count: number;
  /** Sessions of a database, without their entries. */
  list(): readonly SqliteSession[];
  /** Each is read when its turn comes. */
  sessions(): Iterable<StoredSession>;
}

/**
 * Opens a file of a JsonlStore or of a SqliteStore.
 *
 * @param id - Which session of a database; absent for all.
 * @throws {UsageError} When it cannot be read, or has no such session.
 */
export async function openSessionFile(file: string, id: string | undefined): Promise<OpenedFile> {
  if (await isSqlite(file)) {
    const database = openDatabase(file, "read");
    try {
      const list = choose(sessionsIn(database), id, file);
      return {
        unit: "entry",
        count: list.length,
        list: () => list,
        sessions: function* () {
          for (const session of list) yield readSqliteSession(database, session);
        },
        [Symbol.dispose]: () => database.close(),
      };
    } catch (error) {
      database.close();
      throw error;
    }
  }
  noSession(id, file);
  const stored = await readJsonlSession(file);
  return { unit: "line", count: 1, list: () => [], sessions: () => [stored], [Symbol.dispose]: () => {} };
}

/** True for a database. @throws {UsageError} When the file cannot be read. */
export async function isSqlite(file: string): Promise<boolean> {
  try {
    await using handle = await open(file, "r");
    return (await readRange(handle, 0, 16)).toString("latin1") === "SQLite format 3\0";
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${file} cannot be read: ${why}`, { cause: error });
  }
}

/** @throws {UsageError} When it has no sessions in it. */
export function openDatabase(file: string, access: "read" | "write"): Database {
  try {
    return openSessions(file, access);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${file} has no sessions that can be read: ${why}`, { cause: error });
  }
}

/** The sessions that are asked for. @throws {UsageError} When there is none with that id. */
export function choose(all: readonly SqliteSession[], id: string | undefined, file: string): readonly SqliteSession[] {
  if (id === undefined) return all;
  const found = all.filter((session) => session.id === id);
  if (found.length === 0) throw new UsageError(`${file} has no session "${id}"`);
  return found;
}

/** @throws {UsageError} When a session is chosen in a file that is one. */
export function noSession(id: string | undefined, file: string): void {
  if (id !== undefined) throw new UsageError(`--session is for SQLite files, and ${file} is one session`);
}
