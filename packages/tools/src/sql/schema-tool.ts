import { defineTool, type Tool, ModelRetry } from "@pollux/core";
import { z } from "zod/v4";
import { bytesOf } from "../openapi/bounded-json.ts";
import { namesOf } from "./advice.ts";
import type { ReadOnlyDatabase } from "./query-tool.ts";
import type { Bounds } from "./sql-options.ts";
import type { SqlTable } from "./table.ts";

/** The model's input. */
export interface SqlSchemaInput {
  readonly tables?: readonly string[] | undefined;
}

/** As many tables as fit. */
export interface SqlSchemaResult {
  readonly tables: readonly SqlTable[];
  /** Names of omitted tables, which the model can request. */
  readonly more?: readonly string[] | undefined;
  readonly note?: string | undefined;
}

/** Bytes reserved for everything except the tables. */
const BESIDE = 1_000;

/** `sql_schema`: tables and views with columns, keys and row counts. */
export function schemaTool(database: ReadOnlyDatabase, bounds: Bounds): Tool<SqlSchemaInput, SqlSchemaResult> {
  return defineTool({
    name: `${bounds.prefix}sql_schema`,
    description:
      `Describes the tables of a ${database.dialect} database: columns, keys and row counts. ${bounds.description}`.trim(),
    input: z.object({
      tables: z.array(z.string()).optional().describe("Names of tables to describe (default: as many as fit)"),
    }),
    effects: "none",
    reads: ["untrusted", "private"],
    // Covers the wait for a turn, the statement, and ending it.
    timeoutMs: 2 * bounds.timeoutMs + 5_000,
    maxResultBytes: bounds.maxResultBytes,
    run: async ({ tables: names }, { signal }): Promise<SqlSchemaResult> => {
      const wanted = names === undefined || names.length === 0 ? undefined : names;
      const found = await database.tables(wanted, { signal });
      if (wanted !== undefined && found.length === 0) {
        const all = await database.tables(undefined, { signal });
        throw new ModelRetry(`tables: no such table; there are ${namesOf(all)}`);
      }
      return fitting(found, bounds.maxResultBytes - BESIDE);
    },
  });
}

function fitting(all: readonly SqlTable[], maxBytes: number): SqlSchemaResult {
  if (all.length === 0) return { tables: [], note: "the database has no tables" };
  const tables: SqlTable[] = [];
  const more: string[] = [];
  let bytes = 0;
  for (const table of all) {
    bytes += bytesOf(table) + 1;
    // The rest is reserved for the names of the others.
    if (bytes <= (all.length > 1 ? maxBytes * 0.7 : maxBytes)) tables.push(table);
    else more.push(table.table);
  }
  if (more.length === 0) return { tables };
  const kept: string[] = [];
  let room = maxBytes * 0.3;
  for (const name of more) {
    room -= bytesOf(name) + 1;
    if (room < 0) break;
    kept.push(name);
  }
  const unnamed = more.length - kept.length;
  const others = unnamed > 0 ? `; ${unnamed} more are not shown` : "";
  return { tables, more: kept, note: `request tables listed in \`more\` by name${others}` };
}
