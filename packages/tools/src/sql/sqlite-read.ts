import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { cellOf } from "./cell.ts";
import { checkQuery } from "./sqlite-guard.ts";
import type { SqliteRequest } from "./sqlite-request.ts";
import { trimmed } from "./statements.ts";
import type { SqlParameter, SqlRows, SqlTable } from "./table.ts";

/** With more tables than this, rows are not counted, unless the tables were requested by name. */
const MOST_COUNTED = 200;

/** Methods of newer versions of Node. */
type Newer = Partial<Pick<StatementSync, "columns" | "setReturnArrays">>;

/** The rows of one query, up to a limit. */
export function readRows(
  database: DatabaseSync,
  ask: Extract<SqliteRequest["ask"], { kind: "rows" }>,
  { maxCellCharacters, maxBytes }: SqliteRequest,
): SqlRows {
  const sql = trimmed(ask.sql);
  checkQuery(database, sql);
  const statement = database.prepare(sql);
  statement.setReadBigInts(true);
  const newer: Newer = statement;
  newer.setReturnArrays?.(true);
  let columns = newer.columns?.().map(({ name }) => name) ?? [];
  const rows: (readonly unknown[])[] = [];
  let bytes = 0;
  let passed = 0;
  for (const row of statement.iterate(...ask.parameters.map(bound)) as Iterable<unknown>) {
    if (passed++ < ask.offset) continue;
    if (!Array.isArray(row) && columns.length === 0) columns = Object.keys(row as object);
    const values: readonly unknown[] = Array.isArray(row) ? row : Object.values(row as object);
    const cells = values.map((value) => cellOf(value, maxCellCharacters));
    rows.push(cells);
    bytes += JSON.stringify(cells).length;
    if (rows.length >= ask.limit || bytes > maxBytes) break;
  }
  return { columns, rows };
}

/** Whole numbers must be integers for SQLite too, or divisions would give different results. */
function bound(value: SqlParameter): SQLInputValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
}

/** Tables and views in full detail. */
export function readTables(
  database: DatabaseSync,
  ask: Extract<SqliteRequest["ask"], { kind: "tables" }>,
): readonly SqlTable[] {
  const wanted = ask.names?.map((name) => name.toLowerCase().replace(/^main\./, ""));
  const found = all(
    database,
    "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
  ).map((row) => ({ name: String(row["name"]), isView: row["type"] === "view" }));
  const chosen = found.filter(({ name }) => wanted === undefined || wanted.includes(name.toLowerCase()));
  const counts = wanted !== undefined || chosen.length <= MOST_COUNTED;
  return chosen.map(({ name, isView }) => describeTable(database, name, isView, counts ? ask.maxCount : 0));
}

function describeTable(database: DatabaseSync, name: string, isView: boolean, maxCount: number): SqlTable {
  // Hidden columns of virtual tables are commands, not data.
  const columns = attempt(() => all(database, "SELECT * FROM pragma_table_xinfo(?) WHERE hidden <> 1", name)) ?? [];
  const keys = columns.filter((row) => Number(row["pk"]) > 0).toSorted((a, b) => Number(a["pk"]) - Number(b["pk"]));
  const foreign = foreignKeys(database, name);
  const rows = isView || maxCount === 0 ? undefined : attempt(() => count(database, name, maxCount));
  return {
    table: name,
    kind: isView ? "view" : "table",
    columns: columns.map((row) => ({
      name: String(row["name"]),
      type: String(row["type"]),
      ...(Number(row["notnull"]) === 1 && { not_null: true as const }),
      ...(typeof row["dflt_value"] === "string" && { default: row["dflt_value"] }),
    })),
    ...(keys.length > 0 && { primary_key: keys.map((row) => String(row["name"])) }),
    ...(foreign.length > 0 && { foreign_keys: foreign }),
    ...(rows !== undefined && { rows }),
  };
}

function foreignKeys(database: DatabaseSync, name: string): NonNullable<SqlTable["foreign_keys"]> {
  const rows = attempt(() => all(database, "SELECT * FROM pragma_foreign_key_list(?) ORDER BY id, seq", name)) ?? [];
  const byId = new Map<unknown, { readonly table: string; readonly from: string[]; readonly to: string[] }>();
  for (const row of rows) {
    const key = byId.get(row["id"]) ?? { table: String(row["table"]), from: [], to: [] };
    key.from.push(String(row["from"]));
    if (typeof row["to"] === "string") key.to.push(row["to"]);
    byId.set(row["id"], key);
  }
  return [...byId.values()].map(({ table, from, to }) => ({
    columns: from,
    references: to.length > 0 ? `${table}(${to.join(", ")})` : table,
  }));
}

function count(database: DatabaseSync, name: string, most: number): number | string {
  const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM "${name.replaceAll('"', '""')}" LIMIT ${most + 1})`;
  const rows = Number(all(database, sql)[0]?.["n"]);
  return rows > most ? `more than ${most}` : rows;
}

type Row = { readonly [column: string]: unknown };

function all(database: DatabaseSync, sql: string, ...values: readonly SQLInputValue[]): readonly Row[] {
  return database.prepare(sql).all(...values);
}

/** Undefined on errors: a view whose table is gone, or a table of a missing module, is still listed by name. */
function attempt<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
