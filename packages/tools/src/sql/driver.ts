import type { SqlParameter } from "./table.ts";

/** A driver's result for a statement, in the form of `pg`, PGlite and most others. */
export interface SqlDriverResult {
  /** Objects by column, or lists of values. */
  readonly rows: readonly unknown[];
  /** The columns. `dataTypeID` is the type's OID, which distinguishes dates from timestamps. */
  readonly fields?: readonly { readonly name: string; readonly dataTypeID?: number | undefined }[] | undefined;
}

/** Sends one statement, always over the same connection, with `$1`, `$2`, … bound by the driver. */
export type SqlDriver = (sql: string, parameters: readonly SqlParameter[]) => Promise<SqlDriverResult>;

/** One connection to the database, which nothing else uses. */
export interface SqlConnection {
  readonly query: SqlDriver;
  /** Stops the current statement, like `pg_cancel_backend`; called on aborts. @defaultValue it runs until the time limit */
  readonly cancel?: (() => void | Promise<void>) | undefined;
  /** Frees the connection's resources. Called once, when it is lost or does not answer in time. @defaultValue nothing */
  readonly close?: (() => void | Promise<void>) | undefined;
}

/** Rows by column. @throws {TypeError} If the driver returns something else. */
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
  // An object has only one value for several columns with the same name.
  const keys = [...new Set(columns)];
  const isList = rows.some((row) => Array.isArray(row));
  const shown = isList ? columns : keys;
  const types = shown.map((_, index) =>
    isList ? given.fields?.[index]?.dataTypeID : given.fields?.find(({ name }) => name === shown[index])?.dataTypeID,
  );
  const cells = (row: unknown): readonly unknown[] =>
    Array.isArray(row) ? (row as readonly unknown[]) : keys.map((key) => (isRecord(row) ? row[key] : undefined));
  return { columns: shown, rows: rows.map((row) => cells(row).map((cell, index) => plainDate(cell, types[index]))) };
}

const DATE = 1082;
const TIMESTAMP = 1114;

/** Drivers turn values without a zone into a `Date`: a date into midnight here or in UTC, a timestamp into local time. */
function plainDate(value: unknown, type: number | undefined): unknown {
  if (!(value instanceof Date) || Number.isNaN(value.getTime()) || (type !== DATE && type !== TIMESTAMP)) return value;
  const isMidnight = value.getTime() % 86_400_000 === 0;
  const here = new Date(value.getTime() - value.getTimezoneOffset() * 60_000).toISOString().slice(0, -1);
  if (type === TIMESTAMP) return here;
  return (isMidnight ? value.toISOString() : here).slice(0, 10);
}

/** The rows as objects. */
export function recordsOf(result: unknown): readonly { readonly [column: string]: unknown }[] {
  const { columns, rows } = rowsOf(result);
  return rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])));
}

function isRecord(value: unknown): value is { readonly [column: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
