import type { SqlParameter } from "./table.ts";

/** What a driver gives for a statement; `pg`, PGlite and most others give it so. */
export interface SqlDriverResult {
  /** Objects by column, or lists of values. */
  readonly rows: readonly unknown[];
  readonly fields?: readonly { readonly name: string }[] | undefined;
}

/** Sends one statement over one connection, always the same, with `$1`, `$2`, … bound by the driver. */
export type SqlDriver = (sql: string, parameters: readonly SqlParameter[]) => Promise<SqlDriverResult>;

/** Rows by column. @throws {TypeError} When a driver gives something else. */
export function rowsOf(result: unknown): {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
} {
  const given = (Array.isArray(result) ? { rows: result as readonly unknown[] } : result) as
    | Partial<SqlDriverResult>
    | undefined;
  if (given === undefined || given === null || !Array.isArray(given.rows))
    throw new TypeError("`query` of sqlTools() must resolve to { rows } or to a list of rows");
  const rows = given.rows as readonly unknown[];
  const named = given.fields?.map(({ name }) => name);
  const columns = named ?? (isRecord(rows[0]) ? Object.keys(rows[0]) : []);
  // Objects hold one value for all columns of one name.
  const keys = [...new Set(columns)];
  if (rows.some((row) => Array.isArray(row)))
    return { columns, rows: rows.map((row) => (Array.isArray(row) ? (row as readonly unknown[]) : [])) };
  return { columns: keys, rows: rows.map((row) => keys.map((key) => (isRecord(row) ? row[key] : undefined))) };
}

/** The rows as objects. */
export function recordsOf(result: unknown): readonly { readonly [column: string]: unknown }[] {
  const { columns, rows } = rowsOf(result);
  return rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])));
}

function isRecord(value: unknown): value is { readonly [column: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
