import { type Tool, ModelRetry } from "@pollux/core";
import { cellOf } from "./cell.ts";
import { rowsOf, type SqlConnection, type SqlDriver } from "./driver.ts";
import { postgresProblem } from "./postgres-problem.ts";
import { postgresTables } from "./postgres-tables.ts";
import { queryTool, type ReadOnlyDatabase } from "./query-tool.ts";
import { ReadOnlySession } from "./read-only-session.ts";
import { schemaTool } from "./schema-tool.ts";
import { type Bounds, boundsOf, type SqlBounds } from "./sql-options.ts";
import { trimmed } from "./statements.ts";
import type { SqlQuestion, SqlRows, SqlTable } from "./table.ts";

/** Options of {@link sqlTools}. */
export interface SqlToolOptions extends SqlBounds {
  readonly dialect: "postgres";
  /**
   * Opens a connection: for the first call, and again after one was lost, since a statement can end its own connection. With a pool, check
   * out a client. Replaces `query` and `cancel`.
   */
  readonly connect?: (() => SqlConnection | Promise<SqlConnection>) | undefined;
  /**
   * Sends a statement. Must use a connection that nothing else uses; with a pool, a client checked out from it. When the connection is lost,
   * all later calls fail: use `connect` where that matters.
   */
  readonly query?: SqlDriver | undefined;
  /** Stops the current statement, like `pg_cancel_backend`; called on aborts. @defaultValue it runs until the time limit */
  readonly cancel?: (() => void | Promise<void>) | undefined;
}

/**
 * `sql_schema` and `sql_query` for Postgres, over the driver you use. Each call is a READ ONLY transaction with a time limit
 * that is rolled back. It runs one statement, which the database itself parses as a query and limits to a number of rows.
 *
 * @throws {TypeError} If an option is malformed.
 * @example
 * ```ts
 * const connect = async () => {
 *   const client = await pool.connect();
 *   client.on("error", () => {}); // the next call replaces it
 *   return { query: (sql: string, values: readonly unknown[]) => client.query(sql, [...values]), close: () => client.release(true) };
 * };
 * const tools = sqlTools({ dialect: "postgres", connect });
 * ```
 */
export function sqlTools(options: SqlToolOptions): Tool[] {
  const bounds = boundsOf(options);
  if (options.dialect !== "postgres")
    throw new TypeError(`dialect must be "postgres", got ${JSON.stringify(options.dialect)}`);
  const database = new Postgres(options, bounds);
  return [schemaTool(database, bounds), queryTool(database, bounds)];
}

/** @throws {TypeError} Unless exactly one of `connect` and `query` is set, to a function. */
function connectorOf({ connect, query, cancel }: SqlToolOptions): () => SqlConnection | Promise<SqlConnection> {
  if ((connect === undefined) === (query === undefined)) throw new TypeError("pass either connect or query");
  if (typeof connect === "function") return connect;
  if (typeof query === "function") return () => ({ query, cancel });
  throw new TypeError(
    query === undefined
      ? "connect must be a function that opens a connection"
      : "query must be a function that sends a statement",
  );
}

class Postgres implements ReadOnlyDatabase {
  readonly dialect = "Postgres";
  readonly placeholder = "$1, $2, …";
  readonly #session: ReadOnlySession;
  readonly #bounds: Bounds;

  constructor(options: SqlToolOptions, bounds: Bounds) {
    this.#bounds = bounds;
    const reconnects = options.connect !== undefined;
    this.#session = new ReadOnlySession({ connect: connectorOf(options), reconnects, timeoutMs: bounds.timeoutMs });
  }

  async rows(
    { sql, parameters, limit, offset }: SqlQuestion,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<SqlRows> {
    const used = Math.max(0, ...[...sql.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
    if (used > parameters.length)
      throw new ModelRetry(`parameters: the statement uses ${used}, but ${parameters.length} were given`);
    const count = parameters.length;
    // Parentheses allow only a query. With parameters, drivers use the protocol that allows only one statement.
    const whole = `SELECT * FROM (${trimmed(sql)}\n) AS pollux LIMIT $${count + 1}::int8 OFFSET $${count + 2}::int8`;
    try {
      return await this.#session.read(async (query) => {
        const found = rowsOf(await query(whole, [...parameters, limit, offset]));
        const rows = found.rows.slice(0, limit);
        return {
          columns: found.columns,
          rows: rows.map((row) => row.map((cell) => cellOf(cell, this.#bounds.maxCellCharacters))),
        };
      }, signal);
    } catch (error) {
      throw await postgresProblem(error, sql, () => this.#tables(undefined, 0, signal));
    }
  }

  async tables(
    names: readonly string[] | undefined,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly SqlTable[]> {
    try {
      return await this.#tables(names, this.#bounds.maxCount, signal);
    } catch (error) {
      throw await postgresProblem(error, "", async () => []);
    }
  }

  #tables(names: readonly string[] | undefined, maxCount: number, signal: AbortSignal): Promise<readonly SqlTable[]> {
    return this.#session.read((query) => postgresTables(query, names, maxCount), signal);
  }
}
