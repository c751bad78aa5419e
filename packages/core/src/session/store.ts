import { SessionConflictError } from "../errors/run-errors.ts";
import type { Json } from "../internal/json.ts";

/** One session, as a store lists it. */
export interface SessionSummary {
  readonly id: string;
  /** Entries in its log. */
  readonly length: number;
  /** When it was last written to, in milliseconds since the epoch. */
  readonly updatedAt: number;
}

/** Which sessions to list. */
export interface ListOptions {
  /** Only ids that begin with this. @defaultValue all */
  readonly prefix?: string | undefined;
  /** Only ids that sort after this one: the last of the page before. */
  readonly after?: string | undefined;
  /** At most this many. @defaultValue 100 */
  readonly limit?: number | undefined;
}

/**
 * Where sessions live: an append-only log of JSON entries for each id. The entries are the session's business; a store
 * keeps them as they are, key order included, and never looks inside.
 *
 * Four promises make a store:
 *
 * 1. `append` resolves when the entries would survive a crash of the process, and of the machine where the store can.
 * 2. `append` writes all of its entries or none.
 * 3. Of two appends that expect the same length one wins, in whatever processes they run; the other rejects with
 *    `SessionConflictError` and has written nothing.
 * 4. `load` gives whole entries only: never one whose append has not resolved and might still fail.
 *
 * `storeConformance` in `@pollux/core/testing` checks them.
 *
 * @example A store on Postgres: one table `(id text, position int, entry json, primary key (id, position))`; `append`
 * inserts in one transaction and turns a violation of the key into `SessionConflictError`. Use `json` and not `jsonb`,
 * which orders keys anew.
 */
export interface SessionStore {
  /** Entries from position `from` on (default 0), oldest first; empty when there are none. */
  load(id: string, from?: number): Promise<readonly Json[]>;
  /**
   * Adds entries after the first `expectedLength`.
   *
   * @throws {SessionConflictError} When the log has another length.
   * @throws {SessionStoreError} When it cannot be written; nothing was.
   */
  append(id: string, expectedLength: number, entries: readonly Json[]): Promise<void>;
  /** Sessions in the order of their ids (by UTF-16 code unit). */
  list(options?: ListOptions): Promise<readonly SessionSummary[]>;
  /** Removes a session. One that is not there is no error. */
  delete(id: string): Promise<void>;
}

interface Log {
  /** As text, so that nobody can change what was stored. */
  readonly lines: string[];
  updatedAt: number;
}

/** Sessions in the memory of this process: for tests, and for chats that need not outlive it. */
export class MemoryStore implements SessionStore {
  readonly #logs: Map<string, Log> = new Map();

  async load(id: string, from = 0): Promise<readonly Json[]> {
    const lines = this.#logs.get(id)?.lines ?? [];
    return lines.slice(from).map((line): Json => JSON.parse(line) as Json);
  }

  async append(id: string, expectedLength: number, entries: readonly Json[]): Promise<void> {
    const log = this.#logs.get(id) ?? { lines: [], updatedAt: 0 };
    if (log.lines.length !== expectedLength) throw new SessionConflictError(id, expectedLength, log.lines.length);
    const added = entries.map((entry) => JSON.stringify(entry));
    if (added.length === 0) return;
    log.lines.push(...added);
    log.updatedAt = Date.now();
    this.#logs.set(id, log);
  }

  async list({ prefix = "", after = "", limit = 100 }: ListOptions = {}): Promise<readonly SessionSummary[]> {
    const ids = [...this.#logs.keys()].filter((id) => id.startsWith(prefix) && (after === "" || id > after));
    // By code unit, as every store does.
    ids.sort((a, b) => (a < b ? -1 : 1));
    return ids.slice(0, limit).map((id) => {
      const log = this.#logs.get(id);
      return { id, length: log?.lines.length ?? 0, updatedAt: log?.updatedAt ?? 0 };
    });
  }

  async delete(id: string): Promise<void> {
    this.#logs.delete(id);
  }
}
