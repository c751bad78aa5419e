import type { SessionEntry } from "../session/entries.ts";
import type { LogLine } from "../doctor/read-lines.ts";
import { repairSession, type SessionRepair } from "../doctor/repair-session.ts";
import { type Database, sqlite } from "./open-sqlite.ts";
import { readText, type StoredSession, textOf } from "./stored-session.ts";

/** How long to wait for a process that writes to the file. */
const WAIT_MS = 10_000;

/** A session's row. */
export interface SqliteSession {
  readonly number: number;
  readonly id: string;
  readonly length: number;
  /** Milliseconds since the epoch. */
  readonly updatedAt: number;
}

/** Opens a file with sessions in it. Unlike a store it makes no tables. */
export function openSessions(file: string, access: "read" | "write"): Database {
  const { DatabaseSync } = sqlite();
  const database = new DatabaseSync(file, { readOnly: access === "read" });
  try {
    database.exec(`pragma busy_timeout = ${WAIT_MS}`);
    database.prepare("select count(*) from pollux_entry, pollux_session limit 1").get();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The sessions of a file, in the order of their ids. */
export function sessionsIn(database: Database): SqliteSession[] {
  const rows = database.prepare("select number, key, length, updated_at from pollux_session order by key").all();
  return rows.map(({ number, key, length, updated_at: updatedAt }) => ({
    number: Number(number),
    // The column is of this type.
    id: Buffer.from(key as Uint8Array)
      .swap16()
      .toString("utf16le"),
    length: Number(length),
    updatedAt: Number(updatedAt),
  }));
}

/** Reads a session, whatever state it is in. */
export function readSqliteSession(database: Database, { number, id, length }: SqliteSession): StoredSession {
  const texts = new WeakMap<object, string>();
  const lines: LogLine[] = [];
  const rows = database
    .prepare("select position, entry from pollux_entry where session = ? order by position")
    .all(number);
  for (const { position, entry } of rows) {
    if (Number(position) > lines.length) lines.push({ problem: gap(lines.length, Number(position)) });
    lines.push(readText(String(entry), texts));
  }
  if (rows.length < length && lines.length === rows.length) lines.push({ problem: gap(rows.length, length) });
  return { id, lines, texts };
}

/** Copies a whole database into a new file. @throws When there is such a file. */
export function copyDatabase(database: Database, file: string): void {
  database.prepare("vacuum into ?").run(file);
}

/** Repairs sessions in one transaction. @returns What was done to each. */
export function repairSqlite(
  database: Database,
  sessions: readonly SqliteSession[],
): { readonly session: SqliteSession; readonly repair: SessionRepair }[] {
  database.exec("begin immediate");
  try {
    const repairs = sessions.map((session) => {
      const stored = readSqliteSession(database, session);
      const repair = repairSession(stored.lines);
      if (repair.done.length > 0) replaceEntries(database, session, stored, repair.entries);
      return { session, repair };
    });
    database.exec("commit");
    return repairs;
  } catch (error) {
    database.exec("rollback");
    throw error;
  }
}

function replaceEntries(
  database: Database,
  { number }: SqliteSession,
  stored: StoredSession,
  entries: readonly SessionEntry[],
): void {
  database.prepare("delete from pollux_entry where session = ?").run(number);
  const insert = database.prepare("insert into pollux_entry (session, position, entry) values (?, ?, ?)");
  for (const [position, entry] of entries.entries()) insert.run(number, position, textOf(entry, stored));
  // A store knows no empty sessions.
  if (entries.length === 0) database.prepare("delete from pollux_session where number = ?").run(number);
  else database.prepare("update pollux_session set length = ? where number = ?").run(entries.length, number);
}

function gap(from: number, to: number): string {
  return to - from === 1 ? `it is missing` : `entries ${from} to ${to - 1} are missing`;
}
