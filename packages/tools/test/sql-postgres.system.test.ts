import { Worker } from "node:worker_threads";
import type { PGlite } from "@electric-sql/pglite";
import { Agent, type ToolOutcome } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPglite } from "../../dbos/test/support/open-pglite.ts";
import { type SqlDriver, sqlTools, type SqlToolOptions } from "../src/sql.ts";
import { use } from "./mcp/support.ts";

let database: PGlite;
let statements: string[] = [];

beforeAll(async () => {
  database = await openPglite();
  await database.exec(`
    create table customer (id bigint primary key, name text not null, born date, seen timestamptz, data jsonb, photo bytea, balance numeric(10,2) default 0);
    create table "Order" (customer bigint references customer(id), line int, total float8, primary key (customer, line));
    create schema other;
    create table other.log (at timestamp);
    create view rich as select id from customer where balance > 10;
    create sequence counter;
    create function evil() returns int language plpgsql volatile as $$ begin delete from customer; return 1; end $$;
    create function sneaky() returns int language plpgsql volatile as $$ begin perform set_config('transaction_read_only', 'off', false); delete from customer; return 1; end $$;
    insert into customer values
      (1, 'Ada', '1815-12-10', '2020-01-02T03:04:05Z', '{"a":[1,{"b":null}]}', '\\x00ff10', 12.5),
      (9007199254740993, 'Big', null, null, null, null, 'NaN');
    insert into "Order" values (1, 1, 9.5), (1, 2, 'Infinity');
  `);
});

afterAll(async () => {
  await database.close();
});

const driver: SqlDriver = async (sql, parameters) => {
  statements.push(sql);
  return await database.query(sql, [...parameters]);
};

function tools(options: Partial<SqlToolOptions> = {}) {
  return sqlTools({ dialect: "postgres", query: driver, timeoutMs: 120_000, ...options });
}

async function query(
  sql: string,
  more: Record<string, unknown> = {},
  options: Partial<SqlToolOptions> = {},
): Promise<ToolOutcome> {
  return await use(tools(options), "sql_query", { sql, ...more });
}

async function failure(sql: string, more: Record<string, unknown> = {}): Promise<string> {
  const outcome = await query(sql, more);
  expect(outcome, sql).toMatchObject({ ok: false });
  return outcome.ok ? "" : outcome.message;
}

/** Everything that a statement could have changed. */
async function state(): Promise<unknown> {
  const { rows } = await database.query(
    `select (select count(*) from customer) as customers, (select last_value from counter) as counter,
       (select string_agg(relname, ',' order by relname) from pg_class where relnamespace = 'public'::regnamespace) as relations,
       current_setting('transaction_read_only') as read_only, current_setting('statement_timeout') as timeout,
       (select count(*) from pg_locks where locktype = 'advisory') as locks`,
  );
  return rows;
}

describe("sql_schema", () => {
  test("describes tables and views with keys and rows", async () => {
    expect(await use(tools({ maxCount: 1 }), "sql_schema")).toEqual({
      ok: true,
      output: {
        tables: [
          {
            table: "Order",
            kind: "table",
            columns: [
              { name: "customer", type: "bigint", not_null: true },
              { name: "line", type: "integer", not_null: true },
              { name: "total", type: "double precision" },
            ],
            primary_key: ["customer", "line"],
            foreign_keys: [{ columns: ["customer"], references: "customer(id)" }],
            rows: "more than 1",
          },
          {
            table: "customer",
            kind: "table",
            columns: [
              { name: "id", type: "bigint", not_null: true },
              { name: "name", type: "text", not_null: true },
              { name: "born", type: "date" },
              { name: "seen", type: "timestamp with time zone" },
              { name: "data", type: "jsonb" },
              { name: "photo", type: "bytea" },
              { name: "balance", type: "numeric(10,2)", default: "0" },
            ],
            primary_key: ["id"],
            rows: "more than 1",
          },
          { table: "rich", kind: "view", columns: [{ name: "id", type: "bigint" }] },
          {
            table: "other.log",
            kind: "table",
            columns: [{ name: "at", type: "timestamp without time zone" }],
            rows: 0,
          },
        ],
      },
    });
    expect(await use(tools(), "sql_schema", { tables: ["other.log"] })).toMatchObject({
      ok: true,
      output: { tables: [{ table: "other.log" }] },
    });
    expect(await use(tools(), "sql_schema", { tables: ["nothing"] })).toEqual({
      ok: false,
      kind: "bad-input",
      message: "tables: no such table; there are Order, customer, rich, other.log",
    });
  });
});

describe("sql_query", () => {
  test("gives values of all types, with parameters", async () => {
    expect(await query("select * from customer where name like $1 order by id;", { parameters: ["%"] })).toEqual({
      ok: true,
      output: {
        columns: ["id", "name", "born", "seen", "data", "photo", "balance"],
        rows: [
          [1, "Ada", "1815-12-10", "2020-01-02T03:04:05.000Z", { a: [1, { b: null }] }, "[3 bytes: 00ff10]", "12.50"],
          ["9007199254740993", "Big", null, null, null, null, "NaN"],
        ],
      },
    });
    expect(await query('select total from "Order" order by line -- all')).toEqual({
      ok: true,
      output: { columns: ["total"], rows: [[9.5], ["Infinity"]] },
    });
  });

  test("keeps days and times without a zone as they are, wherever this runs", async () => {
    const { TZ } = process.env;
    try {
      for (const zone of ["UTC", "America/New_York", "Asia/Tokyo"]) {
        process.env["TZ"] = zone;
        const sql =
          "select date '2020-01-02' as day, timestamp '2020-01-02 03:04:05' as time, timestamptz '2020-01-02T03:04:05Z' as moment";
        expect(await query(sql), zone).toMatchObject({
          output: { rows: [["2020-01-02", "2020-01-02T03:04:05.000", "2020-01-02T03:04:05.000Z"]] },
        });
        // As `pg` gives a day: its midnight here.
        const here = async () => ({
          rows: [{ read_only: "on", day: new Date(2020, 0, 2) }],
          fields: [{ name: "read_only" }, { name: "day", dataTypeID: 1082 }],
        });
        expect(await query("select 1", {}, { query: here }), zone).toMatchObject({
          output: { rows: [["on", "2020-01-02"]] },
        });
      }
    } finally {
      if (TZ === undefined) delete process.env["TZ"];
      else process.env["TZ"] = TZ;
    }
  });

  test("is one read-only transaction with limits, rolled back", async () => {
    statements = [];
    const sql = "select current_setting('transaction_read_only') as a, current_setting('statement_timeout') as b";
    expect(await query(sql, {}, { timeoutMs: 7_000 })).toMatchObject({ ok: true, output: { rows: [["on", "7s"]] } });
    expect(statements.map((one) => one.split(/[\s(]/, 3).slice(0, 3).join(" "))).toEqual([
      "BEGIN TRANSACTION READ",
      "SELECT set_config 'statement_timeout',",
      "SELECT * FROM",
      "ROLLBACK",
      "SELECT pg_advisory_unlock_all )",
    ]);
    expect(statements[2]).toBe(`SELECT * FROM (${sql}\n) AS pollux LIMIT $1::int8 OFFSET $2::int8`);
  });

  test("comes in pages; an endless list is not asked for whole", async () => {
    const sql = "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n";
    expect(await query(sql, { limit: 2 })).toEqual({
      ok: true,
      output: { columns: ["i"], rows: [[1], [2]], next_offset: 2 },
    });
    expect(await query(sql, { limit: 1, offset: 5 })).toMatchObject({ output: { rows: [[6]], next_offset: 6 } });
  });

  test("tells the model what would work", async () => {
    expect(await failure("select nme from customer")).toBe(
      'column "nme" does not exist; customer has id, name, born, seen, data, photo, balance',
    );
    expect(await failure("select * from costumer")).toBe(
      'relation "costumer" does not exist; there are Order, customer, rich, other.log',
    );
    expect(await failure("select $2::int", { parameters: [1] })).toBe(
      "parameters: the statement uses 2, but 1 were given",
    );
    expect(await failure("select $1::int", { parameters: [1, 2] })).toMatch(
      /; pass exactly one value for each of \$1, \$2/,
    );
    expect(await failure("select 1; select 2")).toBe("sql: contains 2 statements; send one at a time");
    expect(await query("select ';' as a, $$;$$ as b, 1 /* ; /* ; */ */")).toMatchObject({ ok: true });
  });
});

const HOSTILE: readonly string[] = [
  "insert into customer (id, name) values (3, 'Eve')",
  "update customer set name = 'x'",
  "delete from customer",
  "delete from customer returning *",
  "with x as (delete from customer returning *) select * from x",
  "merge into customer c using (select 1) s on true when matched then delete",
  "truncate customer",
  "select * into evil from customer",
  "select * from customer for update",
  "create table evil (a int)",
  "create temp table evil (a int)",
  "create table evil as select 1",
  "drop table customer",
  "alter table customer add column evil int",
  "grant all on customer to public",
  "copy customer to '/tmp/evil'",
  "copy customer from program 'id'",
  "copy (select 1) to stdout",
  "set transaction read write",
  "set session characteristics as transaction read write",
  "begin",
  "commit",
  "rollback",
  "commit and chain",
  "prepare evil as delete from customer",
  "do $$ begin delete from customer; end $$",
  "call evil()",
  "listen evil",
  "vacuum",
  "explain analyze delete from customer",
  "select evil()",
  "select sneaky()",
  "select nextval('counter')",
  "select setval('counter', 100)",
  "select set_config('transaction_read_only', 'off', false), evil()",
  "select lo_create(0)",
  // What a scanner could take for one statement.
  "select 1) x; commit; delete from customer; select * from (select 1",
  "select 1) x limit $1 offset $2; delete from customer --",
  "select 1 /* ' */; commit; delete from customer /* ' */",
];

describe("statements that do not only read", () => {
  test.each(HOSTILE)("%s: is refused, and changes nothing", async (sql) => {
    const before = await state();
    expect(await query(sql)).toMatchObject({ ok: false });
    expect(await state()).toEqual(before);
  });

  test("several statements are refused by Postgres too, even if they were counted as one", async () => {
    // A comment that ends elsewhere than a scanner for both dialects believes.
    for (const sql of ["select 1) x; delete from customer; select 1 from (select 1"]) {
      const before = await state();
      await expect(driver(`SELECT * FROM (${sql}\n) AS pollux LIMIT $1::int8`, [1])).rejects.toThrow(
        /multiple commands/,
      );
      expect(await state()).toEqual(before);
    }
  });

  test("settings and locks that a query takes are gone after it", async () => {
    const before = await state();
    expect(await query("select set_config('statement_timeout', '0', false), pg_advisory_lock(7)")).toMatchObject({
      ok: true,
    });
    expect(await state()).toEqual(before);
  });

  test("a refusal says what is possible", async () => {
    expect(await failure("delete from customer")).toMatch(/syntax error at or near "from"; send one SELECT/);
    expect(await failure("select nextval('counter')")).toBe(
      "cannot execute nextval() in a read-only transaction; the database is read-only here: send one SELECT that changes nothing",
    );
  });

  test("a connection that is not in a read-only transaction is not used", async () => {
    const pooled: SqlDriver = async (sql, parameters) =>
      sql.startsWith("BEGIN") ? { rows: [] } : await driver(sql, parameters);
    statements = [];
    const outcome = await query("select 1", {}, { query: pooled });
    // Why is for the author and only in the log.
    expect(outcome).toEqual({ ok: false, kind: "failed", message: "sql_query failed with an internal error" });
    expect(statements.some((sql) => sql.startsWith("SELECT * FROM ("))).toBe(false);
  });
});

/** PGlite in a thread, so that a statement without an end can be stopped as a server's can. */
function threaded(): { readonly query: SqlDriver; readonly cancel: () => Promise<void> } {
  let worker: Worker | undefined;
  const waiting = new Map<
    number,
    { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void }
  >();
  let count = 0;
  const start = (): Worker => {
    const code = `
      const { parentPort } = require("node:worker_threads");
      const ready = import(${JSON.stringify(new URL("../../dbos/test/support/open-pglite.ts", import.meta.url).href)}).then(({ openPglite }) => openPglite());
      parentPort.on("message", async ({ id, sql, parameters }) => {
        try { const { rows, fields } = await (await ready).query(sql, parameters); parentPort.postMessage({ id, result: { rows, fields } }); }
        catch (error) { parentPort.postMessage({ id, error: { message: error.message, code: error.code } }); }
      });`;
    const started = new Worker(code, { eval: true });
    started.on("message", ({ id, result, error }) => {
      const one = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) one?.resolve(result as never);
      else one?.reject(Object.assign(new Error(error.message), { code: error.code }));
    });
    return started;
  };
  return {
    query: (sql, parameters) => {
      worker ??= start();
      const id = count++;
      const answer = new Promise<never>((resolve, reject) => waiting.set(id, { resolve, reject }));
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread of Node's has no origin
      worker.postMessage({ id, sql, parameters });
      return answer;
    },
    cancel: async () => {
      const [stopped, open] = [worker, [...waiting.values()]];
      worker = undefined;
      waiting.clear();
      await stopped?.terminate();
      for (const { reject } of open) reject(new Error("cancelled"));
    },
  };
}

describe("a statement without an end", () => {
  const endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";

  test("is stopped at the time limit", async () => {
    const { query: send, cancel } = threaded();
    await send("select 1", []);
    expect(await query(endless, {}, { query: send, cancel, timeoutMs: 500 })).toEqual({
      ok: false,
      kind: "failed",
      message: expect.stringMatching(/took longer than 500 ms; narrow it/),
    });
    await cancel();
  });

  test("is stopped by an abort, and the next one is answered", async () => {
    const { query: send, cancel } = threaded();
    const controller = new AbortController();
    const abortAtWork: SqlDriver = (sql, parameters) => {
      const answer = send(sql, parameters);
      // The thread has it by then, or gets it together with its end.
      if (sql.includes("recursive")) setImmediate(() => controller.abort());
      return answer;
    };
    const all = tools({ query: abortAtWork, cancel, timeoutMs: 120_000 });
    expect(await use(all, "sql_query", { sql: endless }, { signal: controller.signal })).toMatchObject({
      ok: false,
      kind: "cancelled",
    });
    expect(await use(all, "sql_query", { sql: "select 3 as a" })).toMatchObject({
      ok: true,
      output: { rows: [[3]] },
    });
    await cancel();
  });
});

test("an agent looks at the schema and asks", async () => {
  const model = new ScriptedModel(
    call("shop_sql_schema", { tables: ["customer"] }),
    call("shop_sql_query", { sql: "select name from customer where born < $1", parameters: ["1900-01-01"] }),
    say("Ada."),
  );
  const result = await new Agent({ model, tools: tools({ prefix: "shop" }) }).run("Who was born before 1900?");
  expect(result.text).toBe("Ada.");
  expect(JSON.stringify(model.requests.at(-1))).toContain('"rows":[["Ada"]]');
});
