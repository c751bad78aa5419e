import type { DatabaseSync } from "node:sqlite";
import { columnsText, namesOf } from "./advice.ts";
import { SMALLER } from "./sqlite-request.ts";
import { readTables } from "./sqlite-read.ts";
import type { SqlProblem, SqlTable } from "./table.ts";

/** SQLite's error message, with advice for the model. */
export function sqliteProblem(error: unknown, database: DatabaseSync | undefined, sql: string): SqlProblem {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, 300);
  if (database === undefined) return { message, advice: "the database cannot be opened; calling again does not help" };
  return { message, advice: adviceFor(message, () => tablesOf(database), sql) };
}

function adviceFor(message: string, tables: () => readonly SqlTable[], sql: string): string {
  if (/no such table/i.test(message)) return `there are ${namesOf(tables())}`;
  if (/no such column/i.test(message)) return columnsText(tables(), sql);
  if (/not authorized|authorization denied|prohibited|readonly|read-only|unsafe use/i.test(message))
    return "the database is read-only here: send one SELECT";
  if (
    /near "(?:insert|update|delete|replace|create|drop|alter|attach|detach|pragma|vacuum|begin|commit|rollback|savepoint|release|reindex|analyze|explain)"/i.test(
      message,
    )
  )
    return "the database is read-only here: send one SELECT, WITH … SELECT or VALUES; sql_schema describes the tables";
  if (/column index out of range|bind|parameter/i.test(message))
    return "pass exactly one value for each ? in parameters";
  if (/out of memory/i.test(message)) return SMALLER;
  if (/too big|too large|string or blob/i.test(message)) return "request less, for example with substr() or LIMIT";
  return "correct the statement; it must be in SQLite's dialect";
}

function tablesOf(database: DatabaseSync): readonly SqlTable[] {
  try {
    return readTables(database, { kind: "tables", names: undefined, maxCount: 0 });
  } catch {
    return [];
  }
}
