import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, onTestFinished } from "vitest";
import { sqliteTools } from "../../src/sql.ts";
import { countStatements, trimmed } from "../../src/sql/statements.ts";
import type { SqliteRequest } from "../../src/sql/sqlite-request.ts";
import { processorTime } from "../helpers/processor-time.ts";
import { use } from "../mcp/support.ts";
import { hostileParameters, hostileStatement } from "./hostile-statements.ts";

/** Only ends a hang: a hundred times the time of the slowest statement on a machine of 2020. */
const FREEZE_MS = 20_000;

/** Memory that the reading process may occupy: values have at most 20 MB, and a few of them may exist at once. */
const MOST_RESIDENT = 500_000_000;

interface Reply {
  readonly isProblem: boolean;
  readonly text: string;
  readonly residentBytes: number;
}

/**
 * Sends many hostile statements to a database, in processes that must survive them, and some through the whole tool. Each returns rows or
 * a problem with advice, and nothing changes.
 */
export async function survivesStatements(count: number, wholeCount: number): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "pollux-sql-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "shop.db");
  const database = new DatabaseSync(file);
  database.exec(
    "create table customer (id integer primary key, name text); insert into customer values (1, 'Ada'), (2, 'Al')",
  );
  database.close();
  const before = readFileSync(file);
  const reader = new Reader();
  onTestFinished(() => reader.end());
  let rows = 0;
  const asked = fc.asyncProperty(hostileStatement, hostileParameters, async (sql, parameters) => {
    expect(await processorTime(() => [countStatements(sql), trimmed(sql)])).toBeLessThan(FREEZE_MS);
    const ask = { kind: "rows", sql, parameters, limit: 10, offset: 0 } as const;
    const request: SqliteRequest = { file, ask, maxCellCharacters: 100, maxBytes: 10_000 };
    const { isProblem, text, residentBytes } = await reader.send(request);
    expect(text).toMatch(isProblem ? /^\{"problem":\{"message":".+","advice":".+/s : /^\{"rows":/);
    expect(residentBytes).toBeLessThan(MOST_RESIDENT);
    if (!isProblem) rows++;
  });
  await fc.assert(asked, { numRuns: count });
  // Otherwise the test would have tried nothing.
  expect(rows).toBeGreaterThan(count / 100);
  const tools = sqliteTools({ file, timeoutMs: 120_000 });
  const whole = fc.asyncProperty(hostileStatement, hostileParameters, async (sql, parameters) => {
    const outcome = await use(tools, "sql_query", { sql, parameters });
    expect(outcome.ok || ["failed", "bad-input"].includes(outcome.kind)).toBe(true);
  });
  await fc.assert(whole, { numRuns: wholeCount });
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(readdirSync(folder)).toEqual(["shop.db"]);
}

/** A process that answers statements, replaced when it ends and after 100 statements. */
class Reader {
  #process: ChildProcess | undefined;
  #left = 0;

  async send(request: SqliteRequest): Promise<Reply> {
    if (this.#process?.exitCode !== null || this.#process.signalCode !== null || this.#left-- === 0) this.#begin();
    const reader = this.#process;
    if (reader === undefined) throw new Error("there is no process");
    const given = new AbortController();
    const ended = once(reader, "exit", { signal: given.signal }).then(() => "the process ended" as const);
    const reply = once(reader, "message") as Promise<[Reply]>;
    reader.send(request);
    const first = await Promise.race([reply, ended]);
    if (first === "the process ended") throw new Error(first);
    ended.catch(() => {});
    given.abort();
    return first[0];
  }

  /** The tool starts a process per statement: in a single process, freed memory that the allocator keeps would add up. */
  #begin(): void {
    this.end();
    this.#left = 100;
    this.#process = fork(fileURLToPath(new URL("statement-process.ts", import.meta.url)), {
      execArgv: ["--no-warnings", "--max-old-space-size=256"],
    });
  }

  end(): void {
    this.#process?.kill("SIGKILL");
  }
}
