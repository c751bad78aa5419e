// A separate process per request: Node can't interrupt SQLite, but a process can be killed.
import * as sqlite from "node:sqlite";
import { Worker } from "node:worker_threads";
import { openReadOnly } from "./sqlite-guard.ts";
import { sqliteProblem } from "./sqlite-problem.ts";
import { readRows, readTables } from "./sqlite-read.ts";
import type { SqliteRequest, SqliteResponse } from "./sqlite-request.ts";

process.once("message", (request: SqliteRequest) => {
  endLater(request.lifeMs);
  process.send?.(answer(request), () => process.exit(0));
});

function answer(request: SqliteRequest): SqliteResponse {
  const { ask } = request;
  let database: sqlite.DatabaseSync | undefined;
  try {
    database = openReadOnly(sqlite, request.file);
    if (ask.kind === "tables") return { tables: readTables(database, ask) };
    return { rows: readRows(database, ask, request) };
  } catch (error) {
    return { problem: sqliteProblem(error, database, ask.kind === "rows" ? ask.sql : "") };
  }
}

/** Ends this process even if SQLite never returns and the parent is gone. */
function endLater(milliseconds: number): void {
  const code = `setTimeout(() => process.kill(process.pid, "SIGKILL"), ${milliseconds})`;
  new Worker(code, { eval: true, stdout: true, stderr: true }).unref();
}
