import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SEED, sideBySide } from "../faults/support/full.ts";
import { type Cell, printTable } from "./support/engine-table.ts";
import { FULL } from "./support/full.ts";
import { later } from "./support/later.ts";
import { CASES, COLUMNS, tryColumn } from "./support/matrix.ts";

// The implementations are tried side by side; each test waits for its own cell of the table.

/** Without `POLLUX_ENGINES=full`: one kill each, and no server that is not from npm. */
const cases = FULL ? CASES : CASES.slice(0, 1);
const columns = FULL ? COLUMNS : COLUMNS.filter(({ name }) => name !== "pass-through" && name !== "DBOS, Postgres");
const present = columns.filter(({ absent }) => absent === undefined);

const cells = new Map(cases.map(({ name }) => [name, new Map(present.map((column) => [column.name, later<Cell>()]))]));
let over: Promise<unknown> | undefined;

beforeAll(() => {
  over = sideBySide(present, 3, (column) =>
    tryColumn(column, cases, (name, cell) => cells.get(name)?.get(column.name)?.resolve(cell)),
  );
});

afterAll(async () => {
  await over;
  if (!FULL) return;
  const rows = await Promise.all(
    [...cells].map(async ([name, row]) => {
      const done = await Promise.all([...row].map(async ([place, cell]) => [place, await cell.promise] as const));
      return [name, new Map(done)] as const;
    }),
  );
  const names = present.map(({ name }) => name);
  const table = printTable(`Engines, seed ${SEED}`, names, new Map(rows));
  console.info(`\n${table}`);
  const file = process.env["POLLUX_ENGINES_TABLE"];
  if (file !== undefined) await writeFile(file, `${table}\n`);
}, 600_000);

describe.each(columns)("on $name", ({ name: column, absent }) => {
  if (absent !== undefined) {
    test.skip(`nothing is tried: ${absent}`, () => {});
    return;
  }
  test.for(cases)("$name", { timeout: 600_000 }, async ({ name }, { skip }) => {
    const cell = await cells.get(name)?.get(column)?.promise;
    skip(cell?.state === "n/a", cell?.note);
    expect(cell?.problems).toEqual([]);
  });
  if (!FULL) test.skip(`${CASES.length - cases.length} more cases, with POLLUX_ENGINES=full`, () => {});
});
