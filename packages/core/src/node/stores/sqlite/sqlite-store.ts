import { SessionConflictError, SessionDamagedError, SessionStoreError } from "../../../errors/run-errors.ts";
import { SessionLeaseLostError } from "../../../errors/session-errors.ts";
import type { Json } from "../../../internal/json.ts";
import { type Draft, isSameLease, type Lease, type SessionRecords } from "../../../session/store/records.ts";
import {
  type AppendOptions,
  checkDeleteFilter,
  type ListOptions,
  type ProcessKnowledge,
  type SessionFilter,
  type SessionStore,
  type SessionSummary,
} from "../../../session/store/store.ts";
import { ChangeWatch } from "../change-watch.ts";
import { knowProcesses } from "../processes.ts";
import { type Database, encodeKey, openSqlite, prepare, transaction } from "./sqlite-database.ts";
import { asStoreError } from "./sqlite-errors.ts";
import { deleteMatching, deleteSession, listSummaries, writeInfo } from "./sqlite-lists.ts";
import { readLease, readRecords, readSignature, writeDraft, writeLease, writeStop } from "./sqlite-records.ts";
import { type Commits, placeOf, shareTurn, takeTurn } from "./sqlite-turns.ts";

/** Options of {@link SqliteStore}. */
export interface SqliteStoreOptions {
  /** How long a call waits for another process that has the file locked, in milliseconds. @defaultValue 10_000 */
  readonly lockTimeoutMs?: number | undefined;
}

/**
 * Sessions in one SQLite file, which any number of processes on a machine may share. Requires Node 22.13 or later.
 *
 * An append is one transaction and one disk sync, however long the log is. Writes made in the same turn of the event loop share both;
 * each still succeeds or fails on its own. Reads and writes are synchronous: each blocks the process for as long as the disk takes,
 * about a millisecond. Keep the file on a local disk; SQLite's locks do not work over a network.
 *
 * While another process has the file locked, writes wait in the order of the calls, without blocking this process, and reads go on.
 * All stores of this process that have the same file open share one queue.
 *
 * Drafts and renewals of leases are transactions without a disk sync. Changes by other processes are noticed within half a second, by
 * asking SQLite whether the file has changed; changes through this object at once.
 *
 * The tables are `pollux_session`, `pollux_entry`, `pollux_record` and `pollux_draft`; other tables in the file are left alone. A file
 * of an earlier release gets what it lacks when it is opened.
 *
 * @example
 * using store = new SqliteStore("sessions.db");
 * const session = agent.session({ id: "order-17", store });
 */
export class SqliteStore implements SessionStore {
  readonly processes: ProcessKnowledge = knowProcesses();
  readonly #database: Database;
  readonly #place: string;
  readonly #closing: AbortController = new AbortController();
  readonly #turnOptions: { readonly waitMs: number; readonly signal: AbortSignal };
  readonly #changes: ChangeWatch;
  #commits: Commits = "full";
  #version: unknown;
  /** The file has all tables. */
  #isPrepared: boolean;

  /**
   * @param file - Created if it does not exist; its folder must exist. `":memory:"` keeps everything in memory.
   * @throws {ConfigurationError} On an older Node, and when the file cannot be opened.
   */
  constructor(file: string, options: SqliteStoreOptions = {}) {
    this.#turnOptions = { waitMs: options.lockTimeoutMs ?? 10_000, signal: this.#closing.signal };
    ({ database: this.#database, isPrepared: this.#isPrepared } = openSqlite(file));
    this.#place = placeOf(file);
    this.#changes = new ChangeWatch(
      (id) => readSignature(this.#database, encodeKey(id)),
      () => this.#hasChangedElsewhere(),
    );
  }

  async load(id: string, from = 0): Promise<readonly Json[]> {
    const rows = await this.#read(id, "its log cannot be read", () =>
      this.#database
        .prepare(
          "select entry from pollux_entry where session = (select number from pollux_session where key = ?) and position >= ? order by position",
        )
        .all(encodeKey(id), from),
    );
    return rows.map(({ entry }, index) => parse(id, from + index, String(entry)));
  }

  async append(
    id: string,
    expectedLength: number,
    entries: readonly Json[],
    options: AppendOptions = {},
  ): Promise<void> {
    // Serialized at once: the caller may change them while the append waits.
    const texts = entries.map((entry) => JSON.stringify(entry));
    await this.#write(id, "its log cannot be written", "full", () => this.#append(id, expectedLength, texts, options));
    this.#changes.changed(id);
  }

  async list(options: ListOptions = {}): Promise<readonly SessionSummary[]> {
    const ids = `${options.prefix ?? ""}*`;
    return await this.#read(ids, "sessions cannot be listed", () => listSummaries(this.#database, options));
  }

  async delete(id: string): Promise<void> {
    await this.#write(id, "its log cannot be removed", "full", () => deleteSession(this.#database, encodeKey(id)));
    this.#changes.changed(id);
  }

  async deleteSessions(filter: SessionFilter): Promise<number> {
    checkDeleteFilter(filter);
    const deleted = await this.#write(`${filter.prefix ?? ""}*`, "logs cannot be removed", "full", () =>
      deleteMatching(this.#database, filter),
    );
    for (const id of deleted) this.#changes.changed(id);
    return deleted.length;
  }

  async records(id: string): Promise<SessionRecords> {
    return await this.#read(id, "its records cannot be read", () => readRecords(this.#database, encodeKey(id)));
  }

  async setLease(id: string, expected: Lease | undefined, next: Lease): Promise<boolean> {
    const key = encodeKey(id);
    const isSet = await this.#write(id, "its lease cannot be written", "normal", () => {
      if (!isSameLease(readLease(this.#database, key), expected)) return false;
      writeLease(this.#database, key, next);
      return true;
    });
    if (isSet) this.#changes.changed(id);
    return isSet;
  }

  async setDraft(id: string, token: number, draft: Draft | undefined): Promise<void> {
    const key = encodeKey(id);
    const text = draft === undefined ? undefined : JSON.stringify(draft);
    await this.#write(id, "its draft cannot be written", "normal", () => {
      const lease = readLease(this.#database, key);
      if (lease?.held === true && lease.token === token) writeDraft(this.#database, key, text);
    });
    this.#changes.changed(id);
  }

  async requestStop(id: string, token: number): Promise<void> {
    await this.#write(id, "its records cannot be written", "normal", () =>
      writeStop(this.#database, encodeKey(id), token),
    );
    this.#changes.changed(id);
  }

  watch(id: string, onChange: () => void): () => void {
    return this.#changes.watch(id, onChange);
  }

  /** Closes the file. Acknowledged appends are in it; calls that still wait for the file, and later ones, fail. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#changes.end();
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** @throws {SessionLeaseLostError | SessionConflictError} When it is refused, before anything is written. */
  #append(id: string, expectedLength: number, texts: readonly string[], options: AppendOptions): void {
    const { token, lease, info } = options;
    const key = encodeKey(id);
    if (token !== undefined || lease !== undefined) {
      const now = readLease(this.#database, key);
      if (token !== undefined && (now?.held !== true || now.token !== token))
        throw new SessionLeaseLostError(id, token);
      if (lease !== undefined && !isSameLease(now, lease.expected))
        throw new SessionLeaseLostError(id, lease.expected?.token);
    }
    const found = this.#database.prepare("select number, length from pollux_session where key = ?").get(key);
    const length = Number(found?.["length"] ?? 0);
    if (length !== expectedLength) throw new SessionConflictError(id, expectedLength, length);
    if (lease !== undefined) writeLease(this.#database, key, lease.next);
    if (texts.length === 0) return;
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
    if (info !== undefined) writeInfo(this.#database, number, info);
  }

  /** True when another connection has committed since it was last asked. */
  #hasChangedElsewhere(): boolean {
    const before = this.#version;
    this.#version = this.#database.prepare("pragma data_version").get()?.["data_version"];
    return this.#version !== before;
  }

  async #read<Result>(id: string, doing: string, work: () => Result): Promise<Result> {
    try {
      return await takeTurn("read", this.#place, this.#turnOptions, () => {
        this.#prepare();
        return work();
      });
    } catch (error) {
      throw this.#asError(id, doing, error);
    }
  }

  /** @param work - See {@link shareTurn}. */
  async #write<Result>(id: string, doing: string, commits: Commits, work: () => Result): Promise<Result> {
    try {
      return await shareTurn(this.#place, this.#turnOptions, { transact: this.#transact, commits }, work);
    } catch (error) {
      throw this.#asError(id, doing, error);
    }
  }

  readonly #transact = (commits: Commits, work: () => void): void => {
    this.#prepare();
    // With a write-ahead log a commit in `normal` mode waits for nothing, and the next one in the other mode syncs both.
    if (this.#commits !== commits) this.#database.exec(`pragma synchronous = ${commits}`);
    this.#commits = commits;
    transaction(this.#database, work);
  };

  #prepare(): void {
    if (!this.#isPrepared) prepare(this.#database);
    this.#isPrepared = true;
  }

  #asError(id: string, doing: string, error: unknown): Error {
    const { signal } = this.#turnOptions;
    return signal.aborted && error === signal.reason
      ? new SessionStoreError(id, `${doing}: the store is closed; open a new one`)
      : asStoreError(id, doing, error);
  }
}

function parse(id: string, position: number, text: string): Json {
  try {
    // JSON.parse returns JSON.
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new SessionDamagedError(id, `entry ${position} is not JSON`, { cause: error });
  }
}
