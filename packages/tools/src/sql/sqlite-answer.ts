import type * as Sqlite from "node:sqlite";
import { openReadOnly } from "./sqlite-guard.ts";
import { sqliteProblem } from "./sqlite-problem.ts";
import { readRows, readTables } from "./sqlite-read.ts";
import type { SqliteRequest, SqliteResponse } from "./sqlite-request.ts";

/** Opens the database of a request and reads its rows or tables. Never throws; may take forever. */
export function answerRequest(sqlite: typeof Sqlite, request: SqliteRequest): SqliteResponse {
  const { ask } = request;
  let database: Sqlite.DatabaseSync | undefined;
  try {
    database = openReadOnly(sqlite, request.file);
    if (ask.kind === "tables") return { tables: readTables(database, ask) };
    return { rows: readRows(database, ask, request) };
  } catch (error) {
    return { problem: sqliteProblem(error, database, ask.kind === "rows" ? ask.sql : "") };
  } finally {
    database?.close();
  }
}
