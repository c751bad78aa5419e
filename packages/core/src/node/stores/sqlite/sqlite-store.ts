import { SessionDamagedError, SessionStoreError } from "../../../errors/run-errors.ts";
import type { Json } from "../../../internal/json.ts";
import {
  checkDeleteFilter,
  type Decide,
  DecidingStore,
  type ListOptions,
  type ProcessKnowledge,
  type SessionFilter,
  type SessionRecords,
  type SessionStore,
  type SessionSummary,
} from "../../../session/store/store.ts";
import { ChangeWatch } from "../change-watch.ts";
import { knowProcesses } from "../file-lock.ts";
import { storeError } from "../store-error.ts";
import { type Database, encodeKey, openSqlite, prepare, transaction } from "./sqlite-database.ts";
import {
  changeSession,
  deleteMatching,
  deleteSession,
  listSummaries,
  readRecords,
  readSignature,
} from "./sqlite-sessions.ts";
import { type Commits, placeOf, takeTurn } from "./sqlite-turns.ts";

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
 * While another process has the file locked, writes wait in the order of the calls, without blocking this process, and reads continue.
 * All stores of this process that have the same file open share one queue.
 *
 * Drafts and renewals of leases are transactions without a disk sync. The store notices changes by other processes within half a second,
 * by asking SQLite whether the file has changed; changes through this object at once.
 *
 * The tables are `pollux_session`, `pollux_entry`, `pollux_record` and `pollux_draft`; other tables in the file are left alone. Opening a
 * file of an earlier release adds the missing tables and columns.
 *
 * @example
 * using store = new SqliteStore("sessions.db");
 * const session = agent.session({ id: "order-17", store });
 */
export class SqliteStore extends DecidingStore implements SessionStore {
  readonly processes: ProcessKnowledge = knowProcesses();
  readonly #database: Database;
  readonly #place: string;
  readonly #closing: AbortController = new AbortController();
  readonly #turnOptions: { readonly waitMs: number; readonly signal: AbortSignal };
  readonly #changes: ChangeWatch = new ChangeWatch(
    (id) => readSignature(this.#database, id),
    () => this.#hasChangedElsewhere(),
  );
  #commits: Commits = "full";
  #version: unknown;
  /** The file is known to have all tables. */
  #isPrepared = false;

  /**
   * @param file - Created if it does not exist; its folder must exist. `":memory:"` keeps everything in memory.
   * @throws {ConfigurationError} On an older Node, and when the file cannot be opened.
   */
  constructor(file: string, options: SqliteStoreOptions = {}) {
    super();
    this.#turnOptions = { waitMs: options.lockTimeoutMs ?? 10_000, signal: this.#closing.signal };
    this.#database = openSqlite(file);
    this.#place = placeOf(file);
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

  async list(options: ListOptions = {}): Promise<readonly SessionSummary[]> {
    const ids = `${options.prefix ?? ""}*`;
    return await this.#read(ids, "sessions cannot be listed", () => listSummaries(this.#database, options));
  }

  async delete(id: string): Promise<void> {
    await this.#write(id, "its log cannot be removed", "full", () => deleteSession(this.#database, id));
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
    return await this.#read(id, "its records cannot be read", () => readRecords(this.#database, id));
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

  protected async change(id: string, what: string, decide: Decide): Promise<boolean> {
    const commits = what === "log" ? "full" : "normal";
    const isChanged = await this.#write(id, `its ${what} cannot be written`, commits, () =>
      changeSession(this.#database, id, decide),
    );
    if (isChanged) this.#changes.changed(id);
    return isChanged;
  }

  /** True when another connection has committed since the last call. */
  #hasChangedElsewhere(): boolean {
    const before = this.#version;
    this.#version = this.#database.prepare("pragma data_version").get()?.["data_version"];
    return this.#version !== before;
  }

  #read<Result>(id: string, doing: string, work: () => Result): Promise<Result> {
    const prepared = (): Result => {
      this.#prepare();
      return work();
    };
    return this.#try(id, doing, takeTurn("read", this.#place, this.#turnOptions, prepared));
  }

  /** @param work - See {@link takeTurn}. */
  #write<Result>(id: string, doing: string, commits: Commits, work: () => Result): Promise<Result> {
    const together = { transact: this.#transact, commits };
    return this.#try(id, doing, takeTurn("write", this.#place, this.#turnOptions, work, together));
  }

  readonly #transact = <Result>(commits: Commits, work: () => Result): Result => {
    this.#prepare();
    // With a write-ahead log a commit in `normal` mode waits for nothing, and the next one in the other mode syncs both.
    if (this.#commits !== commits) this.#database.exec(`pragma synchronous = ${commits}`);
    this.#commits = commits;
    return transaction(this.#database, work);
  };

  #prepare(): void {
    if (!this.#isPrepared) prepare(this.#database);
    this.#isPrepared = true;
  }

  async #try<Result>(id: string, doing: string, turn: Promise<Result>): Promise<Result> {
    try {
      return await turn;
    } catch (error) {
      const { signal } = this.#closing;
      throw signal.aborted && error === signal.reason
        ? new SessionStoreError(id, `${doing}: the store is closed; open a new one`)
        : storeError(id, doing, error);
    }
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
