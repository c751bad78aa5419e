import { resolve } from "node:path";
import type * as Sqlite from "node:sqlite";
import { ConfigurationError, messageOf } from "../../../errors/agent-error.ts";
import { isBusy } from "../store-error.ts";

/** An open database file. */
export type Database = Sqlite.DatabaseSync;

/**
 * One row per session, and one per entry. The key is the id as big-endian UTF-16, which sorts by code unit and keeps every id
 * intact. The entry is text, which keeps the order of its keys. Records that change beside the log are in separate tables, because a
 * session has a lease before its first entry, and a draft is long.
 */
const TABLES = `
create table if not exists pollux_session (
  number integer primary key,
  key blob not null unique,
  id text not null,
  length integer not null,
  updated_at integer not null
) strict;
create table if not exists pollux_entry (
  session integer not null,
  position integer not null,
  entry text not null,
  primary key (session, position)
) strict;
create table if not exists pollux_record (
  key blob primary key,
  lease text,
  stop_token integer
) strict;
create table if not exists pollux_draft (
  key blob primary key,
  draft text not null,
  stamp integer not null
) strict;
`;

/** Columns that the first version of the tables did not have: JSON, which keeps any string, and the state. */
const INFO_COLUMNS = ["info", "owner", "metadata", "state"];

const INDEXES = `
create index if not exists pollux_session_recent on pollux_session (updated_at, key);
create index if not exists pollux_session_owner on pollux_session (owner, updated_at, key) where owner is not null;
`;

/** SQLite's own waits would block the process. */
const NEVER_WAIT = "pragma busy_timeout = 0";

const PARTS = ["session", "entry", "record", "draft", "session_recent", "session_owner"].map(
  (name) => `pollux_${name}`,
);

/**
 * Opens a database file, and {@link prepare}s it unless another process has it locked.
 *
 * @throws {ConfigurationError} On a Node without SQLite, and when the file cannot be opened or is not a database.
 */
export function openSqlite(file: string): Database {
  const { DatabaseSync } = sqlite();
  let database: Database | undefined;
  try {
    database = new DatabaseSync(file);
    prepare(database);
    return database;
  } catch (error) {
    if (database !== undefined && isBusy(error)) return database;
    database?.close();
    throw new ConfigurationError(
      `The sessions in ${file === ":memory:" ? file : resolve(file)} cannot be opened: ${messageOf(error)}. ` +
        "Use a file in an existing folder that this process may write to, and free some space if the disk is full.",
      { cause: error },
    );
  }
}

/**
 * Opens a database that has session tables. For reading it changes nothing; for writing it creates what an earlier version lacks.
 *
 * @throws SQLite's error when there are none.
 */
export function openSessionTables(file: string, access: "read" | "write"): Database {
  const { DatabaseSync } = sqlite();
  const database = new DatabaseSync(file, { readOnly: access === "read" });
  try {
    database.exec(NEVER_WAIT);
    database.prepare("select count(*) from pollux_entry, pollux_session limit 1").get();
    if (access === "write") createMissing(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Runs `work` in a transaction that no other process writes into. */
export function transaction<Result>(database: Database, work: () => Result): Result {
  database.exec("begin immediate");
  try {
    const result = work();
    database.exec("commit");
    return result;
  } catch (error) {
    try {
      database.exec("rollback");
    } catch {
      // SQLite has already rolled back, as it does when the disk is full.
    }
    throw error;
  }
}

/** A session's key: its id as big-endian UTF-16. */
export function encodeKey(id: string): Uint8Array {
  return Buffer.from(id, "utf16le").swap16();
}

/** Creates missing tables and columns. @throws SQLite's error; when another process has the file locked, it may be called again. */
export function prepare(database: Database): void {
  // A write-ahead log lets others read while one writes; FULL syncs it with every commit. The mode is changed only when it
  // has to be: that needs an exclusive lock.
  database.exec(`${NEVER_WAIT}; pragma synchronous = full`);
  const { journal_mode: mode } = database.prepare("pragma journal_mode").get() ?? {};
  if (mode !== "wal" && mode !== "memory") database.exec("pragma journal_mode = wal");
  createMissing(database);
}

function createMissing(database: Database): void {
  const names = PARTS.map((name) => `'${name}'`).join();
  const { found } =
    database.prepare(`select count(*) as found from sqlite_schema where name in (${names})`).get() ?? {};
  if (found === PARTS.length) return;
  transaction(database, () => {
    database.exec(TABLES);
    // Another process may have been faster.
    const columns = database.prepare("select name from pragma_table_info('pollux_session')").all();
    for (const name of INFO_COLUMNS)
      if (columns.every((column) => column["name"] !== name))
        database.exec(`alter table pollux_session add column ${name} text`);
    database.exec(INDEXES);
  });
}

/** Node's SQLite module. @throws {ConfigurationError} On a Node without it. */
function sqlite(): typeof Sqlite {
  // Not imported, so that this file loads on a Node without it.
  const found = process.getBuiltinModule?.("node:sqlite");
  if (found !== undefined) return found;
  throw new ConfigurationError(
    `SQLite session files require Node 22.13 or later; this is ${process.version}. Update Node, or use a JsonlStore.`,
  );
}
