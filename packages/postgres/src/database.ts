import { setTimeout as sleep } from "node:timers/promises";
import { SessionStoreError } from "@pollux/core/errors";
import type { OpenPool, PostgresClient } from "./pool.ts";
import { asStoreError, isCollision, isLostConnection, isUncertain, QueryTimeoutError } from "./store-error.ts";

/** How often work is tried that collides with another transaction, or loses its connection. */
const TRIES = 6;

const MAX_PAUSE_MS = 200;

/** One row of a query. All columns are selected as text: the parsers of `pg` are shared, and may have been replaced. */
export type Row = Readonly<Record<string, string | null>>;

/** Facts about one attempt of some work. */
export interface Try {
  readonly query: (sql: string, values?: readonly unknown[]) => Promise<readonly Row[]>;
  /** An earlier try lost its connection, and may have made its write. */
  readonly uncertain: boolean;
}

/** Queries over a pool, each with a time limit; tried again where that helps, and failing with errors of this library. */
export class Database {
  readonly #open: OpenPool;
  readonly #timeoutMs: number;
  readonly #silenced = new WeakSet<PostgresClient>();
  #closing: Promise<void> | undefined;

  constructor(open: OpenPool, timeoutMs: number) {
    this.#open = open;
    this.#timeoutMs = timeoutMs;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Does some work of one statement at a time.
   *
   * @param problem - What could not be done, for the error if it fails.
   */
  async run<Result>(id: string, problem: string, work: (one: Try) => Promise<Result>): Promise<Result> {
    let uncertain = false;
    for (let left = TRIES - 1; ; left--) {
      if (this.closed) throw new SessionStoreError(id, `${problem}: the store is closed; open a new one`);
      try {
        return await work({ query: (sql, values) => this.query(sql, values), uncertain });
      } catch (error) {
        if (left === 0 || !(isCollision(error) || isLostConnection(error))) {
          if (!uncertain || isUncertain(error)) throw this.asError(error, id, problem);
          throw this.asError(error, id, `${problem}, and a try before this one may have made the write`);
        }
        uncertain ||= isUncertain(error);
        await sleep(Math.min(5 * 2 ** (TRIES - left), MAX_PAUSE_MS) * (0.5 + Math.random()));
      }
    }
  }

  /** One statement. @throws What the driver throws, or {@link QueryTimeoutError}. */
  async query(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const { rows } = await this.#inTime(this.#open.pool.query(sql, [...values]));
    // Every column of every statement here is cast to text.
    return rows as readonly Row[];
  }

  /** One statement through a connection of the caller. */
  async queryThrough(client: PostgresClient, sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const { rows } = await this.#inTime(client.query(sql, [...values]));
    // As for `query`.
    return rows as readonly Row[];
  }

  /** Some statements in one transaction. @throws What the driver throws. */
  async transaction<Result>(work: (query: Try["query"]) => Promise<Result>): Promise<Result> {
    const client = await this.connect();
    const query: Try["query"] = (sql, values) => this.queryThrough(client, sql, values);
    let broken = true;
    try {
      await query("begin");
      const result = await work(query);
      await query("commit");
      broken = false;
      return result;
    } catch (error) {
      await query("rollback").then(
        () => (broken = false),
        () => {},
      );
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** A connection for the caller alone, who releases it. */
  async connect(): Promise<PostgresClient> {
    const connecting = this.#open.pool.connect();
    try {
      const client = await this.#inTime(connecting);
      // The query that is under way rejects as well. A pool gives the same client many times.
      if (!this.#silenced.has(client)) client.on("error", () => {});
      this.#silenced.add(client);
      return client;
    } catch (error) {
      // A connection that comes too late goes back to the pool.
      if (error instanceof QueryTimeoutError) void connecting.then((client) => client.release()).catch(() => {});
      throw error;
    }
  }

  asError(error: unknown, id: string, problem: string): Error {
    return asStoreError(error, id, problem, this.#open);
  }

  /** Refuses further work; ends a pool of our own once its running queries are done. */
  async close(): Promise<void> {
    this.#closing ??= this.#open.end();
    await this.#closing;
  }

  async #inTime<Result>(answer: Promise<Result>): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const message = `no answer within ${this.#timeoutMs} ms`;
      timer = setTimeout(() => reject(new QueryTimeoutError(message)), Math.min(this.#timeoutMs, 2 ** 31 - 1));
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
