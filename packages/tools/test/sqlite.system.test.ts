import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { HOSTILE_INPUTS } from "../../../test/support/hostile-inputs.ts";
import { sqliteTools } from "../src/sql.ts";
import { use } from "./mcp/support.ts";
import { HOSTILE } from "./sql/hostile-sqlite.ts";
import { survivesStatements } from "./sql/survives-statements.ts";

test("a statement that does not only read is refused in its process, and changes nothing", async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "pollux-sql-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "shop.db");
  const database = new DatabaseSync(file);
  database.exec(`
    create table customer (id integer primary key, name text not null, born text, photo blob);
    create virtual table note using fts5(text);
    insert into customer values (1, 'Ada', '1815-12-10', x'00ff10');
  `);
  database.close();
  const before = readFileSync(file);
  const tools = sqliteTools({ file, timeoutMs: 120_000 });
  const taken: string[] = [];
  for (const sql of HOSTILE) if ((await use(tools, "sql_query", { sql })).ok) taken.push(sql);
  expect(taken).toEqual([]);
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(readdirSync(folder)).toEqual(["shop.db"]);
  expect(existsSync("evil.db")).toBe(false);
});

test("a statement gets its rows within the limit of memory, however large all of them are together", async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "pollux-sql-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "empty.db");
  new DatabaseSync(file).close();
  const query = async (sql: string, limit: number) =>
    await use(sqliteTools({ file, timeoutMs: 120_000 }), "sql_query", { sql, limit });
  const sorted =
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100) select zeroblob(1000000 + i) as blob from n order by blob desc";
  expect(await query(sorted, 1)).toMatchObject({
    ok: true,
    output: { rows: [[expect.stringMatching(/^\[1000100 bytes/)]] },
  });
  const large = "with recursive n(i) as (select 1 union all select i + 1 from n) select zeroblob(10000000) from n";
  expect(await query(large, 200)).toMatchObject({ ok: true, output: { next_offset: 200 } });
});

test("thousands of hostile statements have rows or a problem with advice", { timeout: 1_800_000 }, async () => {
  await survivesStatements(HOSTILE_INPUTS, 100);
});
