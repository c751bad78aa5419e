import { type Tool, ToolRetry } from "@pollux/core";
import { cellOf } from "./cell.ts";
import { rowsOf, type SqlDriver } from "./driver.ts";
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
  /** Sends a statement. Must use one connection that nothing else uses; with a pool, a client checked out from it. */
  readonly query: SqlDriver;
  /** Stops what `query` is doing, like `pg_cancel_backend`; called on aborts. @defaultValue it runs until the time limit */
  readonly cancel?: (() => void | Promise<void>) | undefined;
}

/**
 * `sql_schema` and `sql_query` for Postgres, over the driver you use. Each call is a READ ONLY transaction with a time limit
 * that is rolled back. It runs one statement, which the database itself parses as a query and limits in rows.
 *
 * @throws {TypeError} If an option is malformed.
 * @example
 * ```ts
 * const client = await pool.connect();
 * const tools = sqlTools({ dialect: "postgres", query: (sql, values) => client.query(sql, [...values]) });
 * ```
 */
export function sqlTools(options: SqlToolOptions): Tool[] {
  const bounds = boundsOf(options);
  if (options.dialect !== "postgres")
    throw new TypeError(`dialect must be "postgres", got ${JSON.stringify(options.dialect)}`);
  if (typeof options.query !== "function") throw new TypeError("query must be a function that sends a statement");
  const database = new Postgres(options, bounds);
  return [schemaTool(database, bounds), queryTool(database, bounds)];
}

class Postgres implements ReadOnlyDatabase {
  readonly dialect = "Postgres";
  readonly placeholder = "$1, $2, …";
  readonly #session: ReadOnlySession;
  readonly #bounds: Bounds;

  constructor({ query, cancel }: SqlToolOptions, bounds: Bounds) {
    this.#bounds = bounds;
    this.#session = new ReadOnlySession({ query, cancel, timeoutMs: bounds.timeoutMs });
  }

  async rows(
    { sql, parameters, limit, offset }: SqlQuestion,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<SqlRows> {
    const used = Math.max(0, ...[...sql.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
    if (used > parameters.length)
      throw new ToolRetry(`parameters: the statement uses ${used}, but ${parameters.length} were given`);
    const count = parameters.length;
    // Parentheses allow only a query. And with parameters, drivers use the protocol that allows only one statement.
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
