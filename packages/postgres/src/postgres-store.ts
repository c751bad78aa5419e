import type {
  AppendOptions,
  Draft,
  Json,
  Lease,
  ListOptions,
  SessionFilter,
  SessionRecords,
  SessionStore,
  SessionSummary,
} from "@pollux/core";
import { SessionDamagedError, SessionStoreError } from "@pollux/core/errors";
import { ChangeWatch } from "./change-watch.ts";
import { Database, type Row, type Try } from "./database.ts";
import { deleteStatement, listStatement, numbersStatement, type Statement, summaryOf } from "./list-sessions.ts";
import { checkMigrated, migrate } from "./migrations.ts";
import { type ConnectionOptions, openPool, type PostgresPool } from "./pool.ts";
import { hashOf } from "./session-keys.ts";
import { type Tables, tablesIn } from "./tables.ts";
import {
  type Append,
  appendStatement,
  draftStatement,
  isRenewal,
  leaseStatement,
  refusalOf,
  standingOf,
  standingStatement,
} from "./write-session.ts";

/** Options of {@link PostgresStore}. */
export interface PostgresStoreOptions {
  /** Schema of the store's tables; created with them. @defaultValue "pollux" */
  readonly schema?: string | undefined;
  /** Whether the first use creates or updates the tables. If not, call `migrate()` yourself. @defaultValue true */
  readonly migrate?: boolean | undefined;
  /**
   * Whether to keep one connection for LISTEN while someone watches a session, to get changes of other processes at
   * once. Without it, and wherever notifications do not arrive, the store polls every {@link
   * PostgresStoreOptions.pollMs}.
   *
   * @defaultValue true, unless the pool has only one connection
   */
  readonly listen?: boolean | undefined;
  /** Milliseconds between looks at the watched sessions while no notifications arrive. @defaultValue 1_000 */
  readonly pollMs?: number | undefined;
  /** Most milliseconds that one query may take. @defaultValue 30_000 */
  readonly timeoutMs?: number | undefined;
}

/** Tries of an append that is refused although the session then looks as expected: others write as fast. */
const ROUNDS = 20;

/** Sessions that {@link PostgresStore.deleteSessions} deletes in one transaction. */
const DELETED_AT_ONCE = 500;

/**
 * Sessions in a Postgres database, for any number of processes on any number of machines. Requires Postgres 12 or later, and `pg`.
 *
 * @example
 * await using store = new PostgresStore("postgresql://ada@db.example/app");
 * const session = agent.session({ id: "order-17", store });
 */
export class PostgresStore implements SessionStore {
  readonly #database: Database;
  readonly #tables: Tables;
  readonly #migrates: boolean;
  readonly #changes: ChangeWatch;
  #ready: Promise<void> | undefined;

  /**
   * Connects to nothing yet.
   *
   * @param connection - A `Pool` of `pg`, which the caller ends after the store; or where the database is, for a pool that `close()` ends.
   */
  constructor(connection: string | ConnectionOptions | PostgresPool, options: PostgresStoreOptions = {}) {
    const { schema = "pollux", migrate: migrates = true, timeoutMs = 30_000, pollMs = 1000, listen = true } = options;
    for (const [name, value] of Object.entries({ timeoutMs, pollMs }))
      if (!(Number.isFinite(value) && value > 0))
        throw new TypeError(`${name} must be a number of milliseconds above 0, got ${value}`);
    this.#tables = tablesIn(schema);
    const open = openPool(connection, timeoutMs);
    this.#database = new Database(open, timeoutMs);
    this.#migrates = migrates;
    const spare = open.pool.options?.max !== 1;
    this.#changes = new ChangeWatch(this.#database, this.#tables, { listen: listen && spare, pollMs });
  }

  /**
   * Creates the tables, or brings them to the version of this release. Any number of processes may do so at once.
   *
   * @throws {ConfigurationError} When the tables are of a newer version, or the user may not create them.
   */
  async migrate(): Promise<void> {
    await this.#database.run("*", "the session tables cannot be created", async () => {
      await migrate(this.#database, this.#tables);
    });
    this.#ready = Promise.resolve();
  }

  async load(id: string, from = 0): Promise<readonly Json[]> {
    const rows = await this.#run(id, "its log cannot be read", ({ query }) => this.#rowsFrom(query, id, from));
    return rows.map(({ entry }, index) => parseEntry(id, from + index, entry ?? ""));
  }

  async append(
    id: string,
    expectedLength: number,
    entries: readonly Json[],
    options: AppendOptions = {},
  ): Promise<void> {
    // As text at once: the caller may change them while the append waits.
    const texts = entries.map((entry) => JSON.stringify(entry));
    const append: Append = { ...options, id, expectedLength, texts };
    const changed = await this.#run(id, "its log cannot be written", async (one) => {
      for (let round = 0; round < ROUNDS; round++) {
        const changes = texts.length > 0 || options.lease !== undefined;
        if (changes && (await ask(one, appendStatement(this.#tables, append))).length > 0) return true;
        const [row] = await ask(one, standingStatement(this.#tables, id));
        const refusal = refusalOf(append, row);
        if (refusal !== undefined && one.uncertain && (await this.#isWritten(one.query, append, row))) return true;
        if (refusal !== undefined) throw refusal;
        if (!changes) return false;
      }
      throw new SessionStoreError(id, "its log cannot be written: others keep changing it; try again");
    });
    if (changed) await this.#changed(id);
  }

  async list(options: ListOptions = {}): Promise<readonly SessionSummary[]> {
    const rows = await this.#run(`${options.prefix ?? ""}*`, "sessions cannot be listed", (one) =>
      ask(one, listStatement(this.#tables, options)),
    );
    return rows.map(summaryOf);
  }

  async delete(id: string): Promise<void> {
    const sql = `delete from ${this.#tables.sessions} where hash = decode($1::text, 'hex')`;
    await this.#run(id, "it cannot be removed", ({ query }) => query(sql, [hashOf(id)]));
    await this.#changed(id);
  }

  async deleteSessions(filter: SessionFilter): Promise<number> {
    checkDeleteFilter(filter);
    let count = 0;
    for (let behind = "0"; ;) {
      const deleted = await this.#run(`${filter.prefix ?? ""}*`, "sessions cannot be removed", async (one) => {
        const found = await ask(one, numbersStatement(this.#tables, filter, behind, DELETED_AT_ONCE));
        const numbers = found.map(({ number }) => number ?? "");
        const last = numbers.at(-1);
        if (last === undefined) return undefined;
        return { last, rows: await ask(one, deleteStatement(this.#tables, filter, numbers)) };
      });
      if (deleted === undefined) return count;
      behind = deleted.last;
      count += deleted.rows.length;
      const hashes = deleted.rows.map(({ hash }) => hash ?? "");
      for (const hash of hashes) this.#changes.changedHere(hash);
      await this.#changes.tell(hashes);
    }
  }

  async records(id: string): Promise<SessionRecords> {
    const { sessions, drafts } = this.#tables;
    const [row] = await this.#run(id, "its records cannot be read", ({ query }) =>
      query(
        `select s.lease, s.stop_token::text, d.draft from ${sessions} s
          left join ${drafts} d on d.session = s.number and s.lease_held and d.term = s.releases
          where s.hash = decode($1::text, 'hex')`,
        [hashOf(id)],
      ),
    );
    const { lease = null, draft = null, stop_token: stopToken = null } = row ?? {};
    return {
      // Written by this store, from records.
      ...(lease !== null && { lease: JSON.parse(lease) as Lease }),
      ...(draft !== null && { draft: JSON.parse(draft) as Draft }),
      ...(stopToken !== null && { stopToken: Number(stopToken) }),
    };
  }

  async setLease(id: string, expected: Lease | undefined, next: Lease): Promise<boolean> {
    const hash = hashOf(id);
    const statement = leaseStatement(this.#tables, id, expected, next, this.#changes.payload(hash));
    const changed = await this.#run(id, "its lease cannot be changed", async (one) => {
      if ((await ask(one, statement)).length > 0) return true;
      if (!one.uncertain) return false;
      const [row] = await ask(one, standingStatement(this.#tables, id));
      return JSON.stringify(standingOf(row).lease) === JSON.stringify(next);
    });
    if (!changed) return false;
    if (isRenewal(expected, next)) this.#changes.changedHere(hash);
    else await this.#changed(id);
    return true;
  }

  async setDraft(id: string, token: number, draft: Draft | undefined): Promise<void> {
    const hash = hashOf(id);
    const text = draft === undefined ? undefined : JSON.stringify(draft);
    const statement = draftStatement(this.#tables, id, token, text, this.#changes.payload(hash));
    const rows = await this.#run(id, "its draft cannot be written", (one) => ask(one, statement));
    if (rows.length > 0) this.#changes.changedHere(hash);
  }

  async requestStop(id: string, token: number): Promise<void> {
    const sql = `update ${this.#tables.sessions} set stop_token = $2::bigint
      where hash = decode($1::text, 'hex') and coalesce(stop_token, 0) <= $2::bigint`;
    await this.#run(id, "the request to stop cannot be written", ({ query }) => query(sql, [hashOf(id), token]));
    await this.#changed(id);
  }

  watch(id: string, onChange: () => void): () => void {
    return this.#changes.watch(hashOf(id), onChange);
  }

  /** Ends what the store keeps open: its watchers, its connection for LISTEN, and its pool, unless it is yours. Later calls fail. */
  async close(): Promise<void> {
    this.#changes.close();
    await this.#database.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** True when a log holds what an append would have written, in its place. */
  async #isWritten(query: Try["query"], append: Append, row: Row | undefined): Promise<boolean> {
    const { id, expectedLength, texts, lease } = append;
    if (texts.length === 0) return JSON.stringify(standingOf(row).lease) === JSON.stringify(lease?.next);
    const rows = await this.#rowsFrom(query, id, expectedLength);
    return texts.every((text, index) => rows[index]?.["entry"] === text);
  }

  async #rowsFrom(query: Try["query"], id: string, from: number): Promise<readonly Row[]> {
    const { sessions, entries } = this.#tables;
    return await query(
      `select e.entry from ${sessions} s join ${entries} e on e.session = s.number
        where s.hash = decode($1::text, 'hex') and e.position >= $2::bigint order by e.position`,
      [hashOf(id), from],
    );
  }

  async #changed(id: string): Promise<void> {
    const hash = hashOf(id);
    this.#changes.changedHere(hash);
    await this.#changes.tell([hash]);
  }

  async #run<Result>(id: string, problem: string, work: (one: Try) => Promise<Result>): Promise<Result> {
    return await this.#database.run(id, problem, async (one) => {
      await this.#prepare();
      return await work(one);
    });
  }

  /** Creates or checks the tables before the first use, and again after a failure. */
  async #prepare(): Promise<void> {
    const prepare = this.#migrates ? migrate : checkMigrated;
    this.#ready ??= prepare(this.#database, this.#tables);
    const ready = this.#ready;
    try {
      await ready;
    } catch (error) {
      if (this.#ready === ready) this.#ready = undefined;
      throw error;
    }
  }
}

async function ask({ query }: Try, { sql, values }: Statement): Promise<readonly Row[]> {
  return await query(sql, values);
}

function parseEntry(id: string, position: number, text: string): Json {
  try {
    // JSON.parse returns JSON.
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new SessionDamagedError(id, `entry ${position} is not JSON`, { cause: error });
  }
}

/** @throws {TypeError} For a filter that would remove every session. */
function checkDeleteFilter({ metadata = {}, ...filter }: SessionFilter): void {
  const named = Object.values(filter).some((condition) => condition !== undefined && condition !== "");
  if (named || Object.keys(metadata).length > 0) return;
  throw new TypeError(
    "deleteSessions needs a condition, such as { owner } or { updatedBefore }: without one it would remove every session",
  );
}
