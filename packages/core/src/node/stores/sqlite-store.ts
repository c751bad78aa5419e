import { messageOf } from "../../errors/agent-error.ts";
import { SessionConflictError, SessionDamagedError, SessionStoreError } from "../../errors/run-errors.ts";
import type { Json } from "../../internal/json.ts";
import { sleep } from "../../internal/abort.ts";
import type { ListOptions, SessionStore, SessionSummary } from "../../session/store.ts";
import {
  type Database,
  encodeKey,
  isBusy,
  openSqlite,
  parseSummary,
  primaryCode,
  transaction,
} from "./sqlite-database.ts";

/** Options of {@link SqliteStore}. */
export interface SqliteStoreOptions {
  /** How long to wait for another process that is writing to the file, in milliseconds. @defaultValue 10_000 */
  readonly lockTimeoutMs?: number | undefined;
}

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

const MAX_PAUSE_MS = 50;

/**
 * Sessions in one SQLite file, which any number of processes on a machine may share. Requires Node 22.13 or later.
 *
 * An append is one transaction and one disk sync, however long the log is. Reads and writes are synchronous: each blocks the
 * process for as long as the disk takes, about a millisecond. Keep the file on a local disk; SQLite's locks do not work over a
 * network.
 *
 * The tables are `pollux_session` and `pollux_entry`; other tables in the file are left alone.
 *
 * @example
 * using store = new SqliteStore("sessions.db");
 * const session = agent.session({ id: "order-17", store });
 */
export class SqliteStore implements SessionStore {
  readonly #database: Database;
  readonly #waitMs: number;
  #closed = false;

  /**
   * @param file - Created if it does not exist; its folder must exist. `":memory:"` keeps everything in memory.
   * @throws {ConfigurationError} On an older Node, and when the file cannot be opened.
   */
  constructor(file: string, options: SqliteStoreOptions = {}) {
    this.#waitMs = options.lockTimeoutMs ?? 10_000;
    this.#database = openSqlite(file);
  }

  async load(id: string, from = 0): Promise<readonly Json[]> {
    const rows = await this.#try(id, "its log cannot be read", () =>
      this.#database
        .prepare(
          "select entry from pollux_entry where session = (select number from pollux_session where key = ?) and position >= ? order by position",
        )
        .all(encodeKey(id), from),
    );
    return rows.map(({ entry }, index) => parse(id, from + index, String(entry)));
  }

  async append(id: string, expectedLength: number, entries: readonly Json[]): Promise<void> {
    // Serialized at once: the caller may change them while the append waits.
    const texts = entries.map((entry) => JSON.stringify(entry));
    const actual = await this.#try(id, "its log cannot be written", () =>
      transaction(this.#database, () => this.#append(id, expectedLength, texts)),
    );
    if (actual !== expectedLength) throw new SessionConflictError(id, expectedLength, actual);
  }

  async list({ prefix = "", after = "", limit = 100 }: ListOptions = {}): Promise<readonly SessionSummary[]> {
    const end = endOfPrefix(prefix);
    const rows = await this.#try(`${prefix}*`, "sessions cannot be listed", () =>
      this.#database
        .prepare(
          "select key, length, updated_at from pollux_session where key >= ? and key > ? and (? is null or key < ?) order by key limit ?",
        )
        .all(encodeKey(prefix), encodeKey(after), end, end, Math.min(limit, Number.MAX_SAFE_INTEGER)),
    );
    return rows.map(parseSummary);
  }

  async delete(id: string): Promise<void> {
    const key = encodeKey(id);
    await this.#try(id, "its log cannot be removed", () =>
      transaction(this.#database, () => {
        this.#database
          .prepare("delete from pollux_entry where session = (select number from pollux_session where key = ?)")
          .run(key);
        this.#database.prepare("delete from pollux_session where key = ?").run(key);
      }),
    );
  }

  /** Closes the file. Acknowledged appends are in it; later calls fail. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** @returns The length before; nothing is written when it is not the expected one. */
  #append(id: string, expectedLength: number, texts: readonly string[]): number {
    const key = encodeKey(id);
    const found = this.#database.prepare("select number, length from pollux_session where key = ?").get(key);
    const length = Number(found?.["length"] ?? 0);
    if (length !== expectedLength || texts.length === 0) return length;
    const number =
      found?.["number"] ??
      this.#database
        .prepare("insert into pollux_session (key, id, length, updated_at) values (?, ?, 0, 0)")
        .run(key, id).lastInsertRowid;
    const insert = this.#database.prepare("insert into pollux_entry (session, position, entry) values (?, ?, ?)");
    for (const [index, text] of texts.entries()) insert.run(number, length + index, text);
    this.#database
      .prepare("update pollux_session set length = ?, updated_at = ? where number = ?")
      .run(length + texts.length, Date.now(), number);
    return length;
  }

  async #try<Result>(id: string, doing: string, work: () => Result): Promise<Result> {
    const until = performance.now() + this.#waitMs;
    for (let pause = 1; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
      if (this.#closed) throw new SessionStoreError(id, `${doing}: the store is closed; open a new one`);
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() >= until) throw asStoreError(id, doing, error);
      }
      await sleep(pause * (0.5 + Math.random()));
    }
  }
}

/** The first key after all keys with a prefix; `null` when there is none. */
function endOfPrefix(prefix: string): Uint8Array | null {
  const key = encodeKey(prefix);
  let end = key.length;
  while (end > 0 && key[end - 1] === 0xff) end--;
  if (end === 0) return null;
  const next = Uint8Array.from(key.subarray(0, end));
  next[end - 1] = (next[end - 1] ?? 0) + 1;
  return next;
}

function parse(id: string, position: number, text: string): Json {
  try {
    // JSON.parse returns JSON.
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new SessionDamagedError(id, `entry ${position} is not JSON`, { cause: error });
  }
}

function asStoreError(id: string, doing: string, error: unknown): Error {
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
