import { ToolError } from "@pollux/core";
import { columnsText, namesOf } from "./advice.ts";
import type { SqlTable } from "./table.ts";

/** Adds advice for the model to Postgres's error message. Returns other errors unchanged. */
export async function postgresProblem(
  error: unknown,
  sql: string,
  tables: () => Promise<readonly SqlTable[]>,
): Promise<unknown> {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  if (error instanceof ToolError || !(error instanceof Error) || !/^[0-9A-Z]{5}$/.test(code)) return error;
  const advice = await adviceFor(code, sql, tables);
  return new ToolError(`${error.message.slice(0, 300)}; ${advice}`, { cause: error });
}

/** @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
async function adviceFor(code: string, sql: string, tables: () => Promise<readonly SqlTable[]>): Promise<string> {
  if (code === "42703") return columnsText(await known(tables), sql);
  if (code === "42P01") return `there are ${namesOf(await known(tables))}`;
  if (code === "57014")
    return "it was stopped at its time limit; narrow it with WHERE, or bound a recursion with LIMIT";
  if (code === "55P03") return "the table is locked; try again later";
  if (code === "42501") return "this role may not read that; choose other tables";
  if (code === "25006") return "the database is read-only here: send one SELECT that changes nothing";
  if (code === "42601" || code === "0A000")
    return "send one SELECT, WITH … SELECT or VALUES in Postgres's dialect; nothing else is supported, not even SHOW and EXPLAIN";
  if (code === "08P01" || code === "42P02" || code === "42P18")
    return "pass exactly one value for each of $1, $2, … in parameters; a type can be named, as in $1::int";
  return "correct the statement; it must be in Postgres's dialect";
}

async function known(tables: () => Promise<readonly SqlTable[]>): Promise<readonly SqlTable[]> {
  try {
    return await tables();
  } catch {
    return [];
  }
}
