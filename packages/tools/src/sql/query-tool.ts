import { defineTool, type Tool, type ToolContext, ToolError, ModelRetry } from "@pollux/core";
import { z } from "zod/v4";
import { bytesOf } from "../openapi/bounded-json.ts";
import type { Bounds } from "./sql-options.ts";
import { countStatements } from "./statements.ts";
import type { SqlQuestion, SqlRows, SqlTable } from "./table.ts";

/** A read-only database. */
export interface ReadOnlyDatabase {
  /** SQL dialect for the model, such as `SQLite`. */
  readonly dialect: string;
  /** Form of placeholders, such as `?`. */
  readonly placeholder: string;
  /** @throws {ToolError} @throws {ModelRetry} */
  rows(question: SqlQuestion, context: Pick<ToolContext, "signal">): Promise<SqlRows>;
  /** All tables, or the named ones, in full detail. @throws {ToolError} */
  tables(names: readonly string[] | undefined, context: Pick<ToolContext, "signal">): Promise<readonly SqlTable[]>;
}

/** The model's input. */
export interface SqlQueryInput {
  readonly sql: string;
  readonly parameters?: readonly (string | number | boolean | null)[] | undefined;
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

/** One page of rows. */
export interface SqlQueryResult {
  readonly columns: readonly string[];
  /** Values by column, in order. */
  readonly rows: readonly (readonly unknown[])[];
  /** `offset` of the next page; absent after the last row. */
  readonly next_offset?: number | undefined;
  readonly note?: string | undefined;
}

/** Longest statement, in characters. */
const MAX_STATEMENT = 100_000;

/** Bytes reserved for everything except the rows. */
const BESIDE = 1_000;

/** `sql_query`: rows of one read-only statement. */
export function queryTool(database: ReadOnlyDatabase, bounds: Bounds): Tool<SqlQueryInput, SqlQueryResult> {
  const { maxRows } = bounds;
  const usual = Math.min(50, maxRows);
  return defineTool({
    name: `${bounds.prefix}sql_query`,
    description:
      `Runs one read-only ${database.dialect} statement and returns its rows. Look at the schema first. ` +
      `Nothing can be changed. ${bounds.description}`.trim(),
    input: z.object({
      sql: z
        .string()
        .min(1)
        .max(MAX_STATEMENT)
        .describe(`One SELECT (or WITH … SELECT, or VALUES), with ${database.placeholder} for the parameters`),
      parameters: z
        .array(z.union([z.string(), z.number(), z.boolean(), z.null()]))
        .optional()
        .describe("Values for the placeholders, in order"),
      limit: z.int().min(1).max(maxRows).optional().describe(`Maximum number of rows (default ${usual})`),
      offset: z.int().min(0).optional().describe("Rows to skip: next_offset of the previous page. Requires ORDER BY"),
    }),
    effects: "none",
    reads: ["untrusted", "private"],
    // Covers the wait for a turn, the statement, and ending it; the database's own limit expires first, with a better message.
    timeoutMs: 2 * bounds.timeoutMs + 5_000,
    maxResultBytes: bounds.maxResultBytes,
    run: async ({ sql, parameters = [], limit = usual, offset = 0 }, { signal }): Promise<SqlQueryResult> => {
      const count = countStatements(sql);
      if (count !== 1)
        throw new ModelRetry(
          count === 0 ? "sql: contains no statement" : `sql: contains ${count} statements; send one at a time`,
        );
      const found = await database.rows({ sql, parameters, limit: limit + 1, offset }, { signal });
      return page(found, { limit, offset, maxBytes: bounds.maxResultBytes - BESIDE });
    },
  });
}

interface PageBounds {
  readonly limit: number;
  readonly offset: number;
  readonly maxBytes: number;
}

function page({ columns, rows }: SqlRows, { limit, offset, maxBytes }: PageBounds): SqlQueryResult {
  const taken: (readonly unknown[])[] = [];
  let bytes = bytesOf(columns);
  for (const row of rows.slice(0, limit)) {
    bytes += bytesOf(row) + 1;
    if (bytes > maxBytes) break;
    taken.push(row);
  }
  if (taken.length === 0 && rows.length > 0)
    throw new ToolError("one row is too large to return; select fewer columns, or parts of them with substr()");
  const isCut = taken.length < Math.min(rows.length, limit);
  const next = taken.length < rows.length ? { next_offset: offset + taken.length } : {};
  const note = isCut
    ? "more rows would be too large for one result; continue with next_offset, or select fewer columns"
    : rows.length === 0
      ? offset > 0
        ? "there are no more rows"
        : "there are no matching rows"
      : undefined;
  return { columns, rows: taken, ...next, ...(note !== undefined && { note }) };
}
