import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as sqlite from "node:sqlite";
import { Agent, ConfigurationError, type ToolOutcome } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { sqliteTools, type SqliteToolOptions } from "../src/sql.ts";
import { openReadOnly } from "../src/sql/sqlite-guard.ts";
import { readRows } from "../src/sql/sqlite-read.ts";
import { countProcesses } from "./helpers/count-processes.ts";
import { children, use, type Watch } from "./mcp/support.ts";
import { HOSTILE } from "./sql/hostile-sqlite.ts";
import { survivesStatements } from "./sql/survives-statements.ts";

const { DatabaseSync } = sqlite;

/** A limit that no statement with an end reaches, however busy the machine is. */
const PATIENT = { timeoutMs: 60_000 };

let folder: string;
let file: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pollux-sql-")));
  file = join(folder, "shop.db");
  const database = new DatabaseSync(file);
  database.exec(`
    create table customer (id integer primary key, name text not null, born text default 'unknown', photo blob);
    create table "order item" (customer int references customer(id), line int, total real, primary key (customer, line));
    create view rich as select * from customer where id > 1;
    create virtual table note using fts5(text);
    create virtual table place using rtree(id, x0, x1);
    insert into customer values (1, 'Ada', '1815-12-10', x'00ff10'), (2, 'Alan', '1912-06-23', null), (9007199254740993, 'Big', null, null);
    insert into "order item" values (1, 1, 9.5), (1, 2, 1e300);
    insert into note values ('hello world');
    insert into place values (1, 0, 2);
  `);
  database.close();
});

afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await expect.poll(() => children().filter((line) => line.includes("sqlite-child"))).toEqual([]);
});

async function query(
  sql: string,
  more: Record<string, unknown> = {},
  options: SqliteToolOptions = {},
  watch: Watch = {},
): Promise<ToolOutcome> {
  return await use(sqliteTools({ ...PATIENT, file, ...options }), "sql_query", { sql, ...more }, watch);
}

const isSqlite = (line: string): boolean => line.includes("sqlite-child");

/** What a process occupies, where the system tells. */
function residentBytes(line: string): number {
  const [, pid = ""] = line.trim().split(/\s+/);
  try {
    return 4096 * Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  } catch {
    return 0;
  }
}

async function failure(sql: string, more: Record<string, unknown> = {}): Promise<string> {
  const outcome = await query(sql, more);
  expect(outcome, sql).toMatchObject({ ok: false });
  return outcome.ok ? "" : outcome.message;
}

describe("sql_schema", () => {
  test("describes tables and views with keys and rows", async () => {
    expect(
      await use(sqliteTools({ ...PATIENT, file, maxCount: 2 }), "sql_schema", {
        tables: ["customer", "ORDER ITEM", "rich"],
      }),
    ).toEqual({
      ok: true,
      output: {
        tables: [
          {
            table: "customer",
            kind: "table",
            columns: [
              { name: "id", type: "INTEGER" },
              { name: "name", type: "TEXT", not_null: true },
              { name: "born", type: "TEXT", default: "'unknown'" },
              { name: "photo", type: "BLOB" },
            ],
            primary_key: ["id"],
            rows: "more than 2",
          },
          {
            table: "order item",
            kind: "table",
            columns: [
              { name: "customer", type: "INT" },
              { name: "line", type: "INT" },
              { name: "total", type: "REAL" },
            ],
            primary_key: ["customer", "line"],
            foreign_keys: [{ columns: ["customer"], references: "customer(id)" }],
            rows: 2,
          },
          {
            table: "rich",
            kind: "view",
            columns: [
              { name: "id", type: "INTEGER" },
              { name: "name", type: "TEXT" },
              { name: "born", type: "TEXT" },
              { name: "photo", type: "BLOB" },
            ],
          },
        ],
      },
    });
  });

  test("lists the names of tables that do not fit, and all names when one is wrong", async () => {
    const database = new DatabaseSync(file);
    for (let n = 0; n < 60; n++) database.exec(`create table t${n} (a, b, c, d)`);
    database.close();
    const outcome = await use(
      sqliteTools({ ...PATIENT, file, maxResultBytes: 4_000, prefix: "shop" }),
      "shop_sql_schema",
    );
    expect(outcome).toMatchObject({
      ok: true,
      output: { more: expect.arrayContaining(["t59"]), note: "request tables listed in `more` by name" },
    });
    expect(await use(sqliteTools({ ...PATIENT, file }), "sql_schema", { tables: ["nothing"] })).toEqual({
      ok: false,
      kind: "bad-input",
      message: expect.stringMatching(/^tables: no such table; there are customer, note, order item, place, rich, t0/),
    });
  });
});

describe("sql_query", () => {
  test("gives rows by column, with parameters; integers, blobs and repeated names", async () => {
    expect(
      await query("select id, id / ? as half, photo, name, name from customer where name like ? order by id", {
        parameters: [2, "A%"],
      }),
    ).toEqual({
      ok: true,
      output: {
        columns: ["id", "half", "photo", "name", "name"],
        rows: [
          [1, 0, "[3 bytes: 00ff10]", "Ada", "Ada"],
          [2, 1, null, "Alan", "Alan"],
        ],
      },
    });
    expect(await query("select id, 9e999, ? , ? from customer where id > 5;", { parameters: [true, null] })).toEqual({
      ok: true,
      output: { columns: ["id", "9e999", "?", "?"], rows: [["9007199254740993", "Infinity", 1, null]] },
    });
    expect(await query("values (1), (2) -- two")).toMatchObject({ ok: true, output: { rows: [[1], [2]] } });
    expect(await query("select text from note where note match 'hello'")).toMatchObject({
      output: { rows: [["hello world"]] },
    });
    expect(await query("select id from place where x0 < 1")).toMatchObject({ output: { rows: [[1]] } });
  });

  test("comes in pages, in order", async () => {
    const sql =
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < 7) select i from n order by i desc";
    expect(await query(sql, { limit: 3 })).toEqual({
      ok: true,
      output: { columns: ["i"], rows: [[7], [6], [5]], next_offset: 3 },
    });
    expect(await query(sql, { limit: 3, offset: 6 })).toEqual({ ok: true, output: { columns: ["i"], rows: [[1]] } });
    expect(await query(sql, { offset: 7 })).toEqual({
      ok: true,
      output: { columns: ["i"], rows: [], note: "there are no more rows" },
    });
    expect(await query(sql, { limit: 900 })).toMatchObject({ ok: false, kind: "bad-input" });
  });

  test("cuts long values, and pages that would be too large", async () => {
    expect(await query("select printf('%5000s', 'x') as text")).toEqual({
      ok: true,
      output: { columns: ["text"], rows: [[`${" ".repeat(1_000)}… [4000 more characters]`]] },
    });
    const many =
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100) select i, hex(zeroblob(400)) from n";
    const outcome = await query(many, { limit: 100 }, { maxResultBytes: 10_000 });
    expect(outcome).toMatchObject({ ok: true, output: { next_offset: 11, note: expect.stringMatching(/too large/) } });
    expect(await query("select hex(zeroblob(400))", {}, { maxResultBytes: 1_200 })).toMatchObject({
      ok: false,
      message: expect.stringMatching(/one row is too large.*substr/),
    });
  });

  test("tells the model what would work", async () => {
    expect(await failure("select nme from customer")).toBe("no such column: nme; customer has id, name, born, photo");
    expect(await failure("select * from costumer")).toBe(
      "no such table: costumer; there are customer, note, order item, place, rich",
    );
    expect(await failure("select ? + ?", { parameters: [1, 2, 3] })).toMatch(/; pass exactly one value for each \?/);
    expect(await failure("selct 1")).toBe(
      'near "1": syntax error; correct the statement; it must be in SQLite\'s dialect',
    );
    expect(await failure("select 1; select 2")).toBe("sql: contains 2 statements; send one at a time");
    expect(await failure(" -- nothing")).toBe("sql: contains no statement");
  });
});

/** Without SQLite's authorizer. */
class Older extends DatabaseSync {
  override setAuthorizer = undefined as never;
}

describe("statements that do not only read", () => {
  test("is refused with what is possible", async () => {
    expect(await query("delete from customer")).toEqual({
      ok: false,
      kind: "failed",
      message:
        'near "delete": syntax error; the database is read-only here: send one SELECT, WITH … SELECT or VALUES; sql_schema describes the tables',
    });
  });

  test.each<[string, typeof DatabaseSync, readonly string[]]>([
    ["by this Node", DatabaseSync, []],
    // They only read: where the file is, and where a function is.
    ["by an older Node", Older, ["select fts3_tokenizer('simple')", "select * from pragma_database_list"]],
  ])("is refused by the database, and changes nothing: %s", (_name, Database, reading) => {
    const before = readFileSync(file);
    const taken = HOSTILE.filter((sql) => {
      const database = openReadOnly({ ...sqlite, DatabaseSync: Database }, file);
      const request = { maxCellCharacters: 100, maxBytes: 1_000, file };
      const ask = { kind: "rows", sql, parameters: [], limit: 10, offset: 0 } as const;
      try {
        readRows(database, ask, { ...request, ask });
        return true;
      } catch {
        return false;
      } finally {
        database.close();
      }
    });
    expect(taken).toEqual(reading);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual(["shop.db"]);
    expect(existsSync("evil.db")).toBe(false);
  });

  test("cannot make the process large", async () => {
    expect(await failure("select zeroblob(900000000)")).toMatch(/too big; request less/);
  });
});

describe("a statement without an end", () => {
  /** Whether the process that asks SQLite is there and, where the system tells, has the database open. */
  const isAtWork = (): boolean => {
    const [, pid] =
      children()
        .find((line) => line.includes("sqlite-child"))
        ?.trim()
        .split(/\s+/) ?? [];
    if (pid === undefined || process.platform !== "linux") return pid !== undefined;
    const handles = `/proc/${pid}/fd`;
    return readdirSync(handles).some((handle) => readlinkSync(join(handles, handle)) === file);
  };
  const endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";

  test("is stopped at the time limit, and its process is gone", async () => {
    expect(await query(endless, {}, { timeoutMs: 200 })).toEqual({
      ok: false,
      kind: "failed",
      message: expect.stringMatching(/took longer than 200 ms and was stopped; narrow it/),
    });
    await expect.poll(() => children().filter((line) => line.includes("sqlite-child"))).toEqual([]);
  });

  test("is stopped by an abort", async () => {
    const controller = new AbortController();
    const outcome = query(endless, {}, {}, { signal: controller.signal });
    await expect.poll(isAtWork).toBe(true);
    controller.abort();
    expect(await outcome).toMatchObject({ ok: false, kind: "cancelled" });
    await expect.poll(() => children().filter((line) => line.includes("sqlite-child"))).toEqual([]);
  });

  test("gives its first rows when it has some", async () => {
    const rows = "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n";
    expect(await query(rows, { limit: 2 })).toEqual({
      ok: true,
      output: { columns: ["i"], rows: [[1], [2]], next_offset: 2 },
    });
  });
});

describe("a statement that takes much memory", () => {
  /** Sorts blobs of a megabyte each, without an end. */
  const sorting =
    "with recursive n(i) as (select 1 union all select i + 1 from n) select zeroblob(1000000 + i) as blob from n order by blob desc";

  test("is stopped at its limit, long before its time is up", async () => {
    const limit = 200_000_000;
    let largest = 0;
    const watch = setInterval(() => {
      largest = Math.max(largest, ...children().filter(isSqlite).map(residentBytes));
    }, 5);
    onTestFinished(() => clearInterval(watch));
    expect(await query(sorting, {}, { maxMemoryBytes: limit })).toEqual({
      ok: false,
      kind: "failed",
      message: expect.stringMatching(
        /^(?:the statement needed more than 200000000 bytes of memory and was stopped|out of memory); sort, group/,
      ),
    });
    // Linux ends it at the latest; see the address space that Node reserves.
    expect(largest).toBeLessThan(limit + 1_600_000_000);
    await expect.poll(() => children().filter(isSqlite)).toEqual([]);
  });
});

describe("statements side by side", () => {
  test("run in no more processes than the limit, also those of several tools", async () => {
    const processes = countProcesses();
    const options = { maxConcurrent: 2 };
    const outcomes = await Promise.all(
      [1, 2, 3, 4, 5, 6].map(async (value) => await query(`select ${value} as v`, {}, options)),
    );
    expect(outcomes.map((outcome) => (outcome.ok ? outcome.output : outcome))).toEqual(
      [1, 2, 3, 4, 5, 6].map((value) => ({ columns: ["v"], rows: [[value]] })),
    );
    expect(processes).toMatchObject({ started: 6, most: 2 });
  });

  test("are bounded by a whole number", () => {
    expect(() => sqliteTools({ file, maxConcurrent: 0 })).toThrow(
      new TypeError("maxConcurrent must be an integer of at least 1, got 0"),
    );
  });
});

describe("the database", () => {
  test("has to be a file that is there", () => {
    expect(() => sqliteTools({})).toThrow(ConfigurationError);
    expect(() => sqliteTools({ file: ":memory:" })).toThrow(/an in-memory database cannot be read/);
    expect(() => sqliteTools({ database: new DatabaseSync(":memory:") })).toThrow(
      /an in-memory database cannot be read/,
    );
    expect(() => sqliteTools({ file: join(folder, "none.db") })).toThrow(/there is no file .*none\.db/);
    expect(() => sqliteTools({ file, maxRows: 0 })).toThrow(TypeError);
    expect(() => sqliteTools({ file, maxMemoryBytes: 1_000 })).toThrow(/maxMemoryBytes must be an integer of at least/);
  });

  test("may be one that is open and being written to", async () => {
    const database = new DatabaseSync(file);
    database.exec("pragma journal_mode = wal; insert into customer values (3, 'Eve', null, null)");
    expect(await query("select name from customer where id = 3", {}, { file: undefined, database })).toMatchObject({
      ok: true,
      output: { rows: [["Eve"]] },
    });
    database.close();
  });

  test("that is not a SQLite database is a failure with an explanation", async () => {
    writeFileSync(file, "not a database at all, but long enough to be looked at as one");
    expect(await failure("select 1 from x")).toMatch(/file is not a database/);
  });
});

test("an agent looks at the schema and asks", async () => {
  const model = new ScriptedModel(
    call("sql_schema", {}),
    call("sql_query", { sql: "select name from customer where born < ? order by born", parameters: ["1900"] }),
    say("Ada."),
  );
  const result = await new Agent({ model, tools: sqliteTools({ ...PATIENT, file }) }).run("Who was born before 1900?");
  expect(result.text).toBe("Ada.");
  expect(JSON.stringify(model.requests.at(-1))).toContain('"rows":[["Ada"]]');
});

test("hostile statements have rows or a problem with advice", { timeout: 120_000 }, async () => {
  await survivesStatements(50, 2);
});
