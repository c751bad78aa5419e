import { findFull, type QuotaCounter, type QuotaStore } from "../../../quota/quota-store.ts";
import { storeError } from "../store-error.ts";
import { type Database, openSqlite, transaction } from "./sqlite-database.ts";
import { placeOf, takeTurn } from "./sqlite-turns.ts";

/**
 * The counters of a `Quota` in an SQLite file, which any number of processes on a machine may share; also a `SqliteStore`'s. The table is
 * `pollux_quota`. Requires Node 22.13 or later.
 *
 * @example
 * using store = new SqliteQuotaStore("quota.db");
 * const quota = new Quota({ store, requestsPerMinute: 300 });
 */
export class SqliteQuotaStore implements QuotaStore {
  readonly #database: Database;
  readonly #place: string;
  #isPrepared = false;

  /**
   * @param file - Created if it does not exist; its folder must exist.
   * @throws {ConfigurationError} On an older Node, and when the file cannot be opened.
   */
  constructor(file: string) {
    this.#database = openSqlite(file);
    this.#place = placeOf(file);
  }

  async add(counters: readonly QuotaCounter[]): ReturnType<QuotaStore["add"]> {
    try {
      return await takeTurn("write", this.#place, { waitMs: 10_000 }, () =>
        transaction(this.#database, () => this.#addNow(counters)),
      );
    } catch (error) {
      throw storeError("quota", "the quota cannot be counted", error);
    }
  }

  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #addNow(counters: readonly QuotaCounter[]): Awaited<ReturnType<QuotaStore["add"]>> {
    const database = this.#database;
    if (!this.#isPrepared)
      database.exec(
        "create table if not exists pollux_quota (key text primary key, total real not null, expires_at integer not null) strict",
      );
    this.#isPrepared = true;
    database.prepare("delete from pollux_quota where expires_at < ?").run(Date.now());
    const select = database.prepare("select total from pollux_quota where key = ?");
    const read = (): number[] => counters.map(({ key }) => Number(select.get(key)?.["total"] ?? 0));
    const full = findFull(counters, read());
    const insert = database.prepare(
      "insert into pollux_quota values (?, ?, ?) on conflict (key) do update set total = total + excluded.total",
    );
    if (full === undefined) for (const { key, amount, expiresAt } of counters) insert.run(key, amount, expiresAt);
    return { totals: read(), full };
  }
}
