import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { LogMethod } from "@pollux/core";
import { type SqlConnection, type SqlDriver, sqlTools, type SqlToolOptions } from "../src/sql.ts";
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

describe("a connection", () => {
  /** Connections that die of a statement that says "terminate" or of `kill`, and hang at one that says "hang". */
  function server() {
    const connections: { readonly statements: string[]; isDead: boolean; isClosed: boolean }[] = [];
    let isDown = false;
    const connect = async (): Promise<SqlConnection> => {
      if (isDown) throw new Error("connect ECONNREFUSED 10.0.0.1:5432");
      const own = { statements: [] as string[], isDead: false, isClosed: false };
      connections.push(own);
      const { query } = database();
      return {
        query: async (sql, values) => {
          own.statements.push(sql);
          if (own.isDead) throw new Error("Connection terminated");
          if (sql.includes("hang")) return await new Promise<never>(() => {});
          if (!sql.includes("terminate")) return await query(sql, values);
          own.isDead = true;
          throw Object.assign(new Error("terminating connection due to administrator command"), { code: "57P01" });
        },
        close: () => void (own.isClosed = true),
      };
    };
    const kill = (): void => connections.forEach((one) => (one.isDead = true));
    return { connections, connect, kill, setDown: (down: boolean) => void (isDown = down) };
  }

  const LOST = /^the connection to the database was lost during this statement; other statements may work/;
  const one = { sql: "select 1 as a" };

  test("that a statement ends is replaced for the next call, and closed", async () => {
    const { connect, connections } = server();
    const tools = sqlTools({ dialect: "postgres", connect });
    expect(connections).toHaveLength(0);
    for (let time = 0; time < 3; time++) {
      expect(await use(tools, "sql_query", { sql: "select pg_terminate_backend(pg_backend_pid())" })).toEqual({
        ok: false,
        kind: "failed",
        message: expect.stringMatching(LOST),
      });
      expect(await use(tools, "sql_query", one)).toMatchObject({ ok: true });
    }
    expect(connections.map(({ isClosed }) => isClosed)).toEqual([true, true, true, false]);
  });

  test("that was lost between two calls is replaced before anything runs, unseen by the model", async () => {
    const { connect, connections, kill } = server();
    const tools = sqlTools({ dialect: "postgres", connect });
    expect(await use(tools, "sql_query", one)).toMatchObject({ ok: true });
    kill();
    expect(await use(tools, "sql_query", one)).toMatchObject({ ok: true });
    expect(await use(tools, "sql_schema")).toMatchObject({ ok: true });
    expect(connections.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  });

  test("that cannot be opened is a failure of each call, without its address, until it can", async () => {
    const { connect, setDown } = server();
    const tools = sqlTools({ dialect: "postgres", connect });
    setDown(true);
    for (let time = 0; time < 2; time++)
      expect(await use(tools, "sql_query", one)).toEqual({
        ok: false,
        kind: "failed",
        message: "the database cannot be reached now; try again later, or continue without it",
      });
    setDown(false);
    expect(await use(tools, "sql_query", one)).toMatchObject({ ok: true });
  });

  test("that does not answer in time is replaced; calls in line run one at a time on the new one", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { connect, connections } = server();
    const tools = sqlTools({ dialect: "postgres", connect, timeoutMs: 500 });
    const hanging = use(tools, "sql_query", { sql: "select hang" });
    while (!connections[0]?.statements.some((sql) => sql.includes("hang"))) await setImmediate();
    vi.advanceTimersByTime(1_000);
    const inLine = [use(tools, "sql_query", one), use(tools, "sql_query", one)];
    await setImmediate();
    expect(connections).toHaveLength(1);
    vi.advanceTimersByTime(500);
    expect(await hanging).toMatchObject({ ok: false, message: expect.stringMatching(/took longer than 500 ms/) });
    expect(await Promise.all(inLine)).toMatchObject([{ ok: true }, { ok: true }]);
    expect(connections.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    const whole = [...BEGIN, "SELECT * FROM", ...END];
    expect(shortly(connections[1]?.statements ?? [])).toEqual([...whole, ...whole]);
  });

  test("that is the only one is a failure in words once it is lost", async () => {
    const { connect } = server();
    const { query } = await connect();
    const tools = sqlTools({ dialect: "postgres", query });
    expect(await use(tools, "sql_query", { sql: "select terminate" })).toMatchObject({
      message: expect.stringMatching(LOST),
    });
    expect(await use(tools, "sql_query", one)).toMatchObject({
      message: expect.stringMatching(/^the database cannot be reached now/),
    });
  });
});

test("options are checked", () => {
  const { query } = database();
  const connect = () => ({ query });
  for (const both of [{}, { query, connect }])
    expect(() => sqlTools({ dialect: "postgres", ...both })).toThrow(/pass either connect or query/);
  expect(() => sqlTools({ dialect: "postgres", connect: 7 as never })).toThrow(/connect must be a function/);
  expect(() => sqlTools({ dialect: "oracle" as "postgres", query: database().query })).toThrow(
    /dialect must be "postgres"/,
  );
  expect(() => sqlTools({ dialect: "postgres", query: 7 as never })).toThrow(/query must be a function/);
});
