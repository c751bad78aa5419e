import { findFull, type QuotaCounter, type QuotaStore } from "@pollux/core/quota";
import { Database, type Try } from "./database.ts";
import { type ConnectionOptions, openPool, type PostgresPool } from "./pool.ts";
import { tablesIn } from "./tables.ts";

/** Options of {@link PostgresQuotaStore}. */
export interface PostgresQuotaStoreOptions {
  /** Schema of its table `quota`; created with it. @defaultValue "pollux" */
  readonly schema?: string | undefined;
  /** Most milliseconds that one query may take. @defaultValue 30_000 */
  readonly timeoutMs?: number | undefined;
}

/** Held by one transaction at a time, so that counters are compared and increased in one step. Any number that others do not use. */
const LOCK = 7_214_930_552;

/**
 * The counters of a `Quota` in a Postgres database, for any number of processes on any number of machines. Takes what a `PostgresStore`
 * takes; both may share a pool.
 *
 * @example
 * await using store = new PostgresQuotaStore("postgresql://ada@db.example/app");
 * const quota = new Quota({ store, requestsPerMinute: 300 });
 */
export class PostgresQuotaStore implements QuotaStore {
  readonly #database: Database;
  readonly #schema: string;
  #ready: Promise<unknown> | undefined;

  /** Connects to nothing yet. @param connection - As for a `PostgresStore`. */
  constructor(connection: string | ConnectionOptions | PostgresPool, options: PostgresQuotaStoreOptions = {}) {
    const { schema = "pollux", timeoutMs = 30_000 } = options;
    this.#schema = tablesIn(schema).schema;
    this.#database = new Database(openPool(connection, timeoutMs), timeoutMs);
  }

  async add(counters: readonly QuotaCounter[]): ReturnType<QuotaStore["add"]> {
    // If the connection is lost, it may have been counted already. It is counted again: once too often is the safe side.
    return await this.#database.run("quota", "the quota cannot be counted", async () => {
      this.#ready ??= this.#prepare();
      await this.#ready.catch((error: unknown) => {
        this.#ready = undefined;
        throw error;
      });
      return await this.#database.transaction((query) => this.#addNow(query, counters));
    });
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #prepare(): Promise<void> {
    await this.#database.transaction(async (query) => {
      await query(`select pg_advisory_xact_lock(${LOCK})::text`);
      await query(`create schema if not exists ${this.#schema}`);
      await query(
        `create table if not exists ${this.#schema}.quota (key text primary key, total double precision not null, expires_at bigint not null)`,
      );
    });
  }

  async #addNow(query: Try["query"], counters: readonly QuotaCounter[]): ReturnType<QuotaStore["add"]> {
    const table = `${this.#schema}.quota`;
    await query(`select pg_advisory_xact_lock(${LOCK})::text`);
    await query(`delete from ${table} where expires_at < $1::text::bigint`, [String(Date.now())]);
    const keys = counters.map(({ key }) => key);
    const read = async (): Promise<number[]> => {
      const rows = await query(`select key, total::text from ${table} where key = any($1::text[])`, [keys]);
      const known = new Map(rows.map(({ key, total }) => [key, Number(total)]));
      return keys.map((key) => known.get(key) ?? 0);
    };
    const totals = await read();
    const full = findFull(counters, totals);
    if (full !== undefined) return { totals, full };
    for (const { key, amount, expiresAt } of counters)
      await query(
        `insert into ${table} values ($1::text, $2::text::double precision, $3::text::bigint)
          on conflict (key) do update set total = ${table}.total + excluded.total`,
        [key, String(amount), String(expiresAt)],
      );
    return { totals: await read(), full };
  }
}
