import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
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

test("ten thousand hostile statements have rows or a problem with advice", { timeout: 1_800_000 }, async () => {
  await survivesStatements(10_000, 100);
});
