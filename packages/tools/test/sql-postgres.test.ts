import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { LogMethod } from "@pollux/core";
import { type SqlDriver, sqlTools, type SqlToolOptions } from "../src/sql.ts";
import { SILENT, use } from "./mcp/support.ts";

afterEach(() => void vi.useRealTimers());

/** A database without tables that answers each query with one row, and never the one that says "endless". */
function database(): { readonly statements: string[]; readonly query: SqlDriver; readonly cancel: () => void } {
  const statements: string[] = [];
  let stop = (_reason: Error): void => {};
  return {
    statements,
    query: async (sql) => {
      statements.push(sql);
      if (sql.includes("endless")) await new Promise((_resolve, reject) => (stop = reject));
      return { rows: [{ read_only: "on", a: 1 }], fields: [{ name: "read_only" }, { name: "a" }] };
    },
    cancel: () => stop(new Error("cancelled")),
  };
}

/** Each statement in short. */
const shortly = (statements: readonly string[]): string[] =>
  statements.map((sql) => sql.split(/[\s(]/, 3).slice(0, 3).join(" "));

const BEGIN = ["BEGIN TRANSACTION READ", "SELECT set_config 'statement_timeout',"];
const END = ["ROLLBACK", "SELECT pg_advisory_unlock_all )"];

test("a query is one read-only transaction with a limit of rows, rolled back", async () => {
  const { statements, query } = database();
  const tools = sqlTools({ dialect: "postgres", query });
  expect(await use(tools, "sql_query", { sql: "select 1 as a;", limit: 5 })).toEqual({
    ok: true,
    output: { columns: ["read_only", "a"], rows: [["on", 1]] },
  });
  expect(shortly(statements)).toEqual([...BEGIN, "SELECT * FROM", ...END]);
  expect(statements[2]).toBe("SELECT * FROM (select 1 as a\n) AS pollux LIMIT $1::int8 OFFSET $2::int8");
});

test("a connection that is not in a read-only transaction is not used", async () => {
  const { statements, query } = database();
  const pooled: SqlDriver = async (sql, values) => ({ ...(await query(sql, values)), rows: [{ read_only: "off" }] });
  const error = vi.fn<LogMethod>();
  const outcome = await use(
    sqlTools({ dialect: "postgres", query: pooled }),
    "sql_query",
    { sql: "select 1" },
    { logger: { ...SILENT, error } },
  );
  expect(outcome).toEqual({ ok: false, kind: "failed", message: "sql_query failed with an internal error" });
  // For the author, not for the model.
  expect(error.mock.calls).toMatchObject([
    [{ err: { message: expect.stringMatching(/must use a dedicated connection/) } }, "tool failed"],
  ]);
  expect(shortly(statements)).toEqual([...BEGIN, ...END]);
});

describe("a statement without an end", () => {
  const endless = { sql: "select endless" };

  /** Resolves when the statement is at work. */
  async function atWork(statements: readonly string[]): Promise<void> {
    while (!statements.some((sql) => sql.includes("endless"))) await setImmediate();
  }

  test("is not stopped early by a time limit longer than a timer can wait", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { statements, query, cancel } = database();
    const tools = sqlTools({ dialect: "postgres", query, cancel, timeoutMs: 30 * 86_400_000 });
    const ended = vi.fn<() => void>();
    void use(tools, "sql_query", endless).then(ended);
    await atWork(statements);
    vi.advanceTimersByTime(20 * 86_400_000);
    await setImmediate();
    expect(ended).not.toHaveBeenCalled();
    cancel();
  });

  test("is stopped at the time limit; a call that waited as long for the connection fails as busy", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { statements, query, cancel } = database();
    const tools = sqlTools({ dialect: "postgres", query, cancel, timeoutMs: 500 });
    const outcomes = Promise.all([use(tools, "sql_query", endless), use(tools, "sql_query", { sql: "select 2 as a" })]);
    await atWork(statements);
    // The database has a second to stop it by its own limit.
    vi.advanceTimersByTime(1_499);
    await setImmediate();
    expect(shortly(statements)).toEqual([...BEGIN, "SELECT * FROM"]);
    vi.advanceTimersByTime(1);
    expect(await outcomes).toEqual([
      { ok: false, kind: "failed", message: expect.stringMatching(/took longer than 500 ms; narrow it/) },
      { ok: false, kind: "failed", message: "the connection is busy with an earlier statement; try again later" },
    ]);
    vi.useRealTimers();
    expect(await use(tools, "sql_query", { sql: "select 3 as a" })).toMatchObject({ ok: true });
    expect(shortly(statements)).toEqual([...BEGIN, "SELECT * FROM", ...END, ...BEGIN, "SELECT * FROM", ...END]);
  });

  test("is stopped by an abort", async () => {
    const { statements, query, cancel } = database();
    const options: SqlToolOptions = { dialect: "postgres", query, cancel };
    const controller = new AbortController();
    const outcome = use(sqlTools(options), "sql_query", endless, { signal: controller.signal });
    await atWork(statements);
    controller.abort();
    expect(await outcome).toMatchObject({ ok: false, kind: "cancelled" });
    await expect.poll(() => shortly(statements)).toEqual([...BEGIN, "SELECT * FROM", ...END]);
  });
});

test("options are checked", () => {
  expect(() => sqlTools({ dialect: "oracle" as "postgres", query: database().query })).toThrow(
    /dialect must be "postgres"/,
  );
  expect(() => sqlTools({ dialect: "postgres", query: 7 as never })).toThrow(/query must be a function/);
});
