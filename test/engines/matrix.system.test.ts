import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SEED } from "../faults/support/random.ts";
import { sideBySide } from "../faults/support/side-by-side.ts";
import { type Cell, printTable } from "./support/engine-table.ts";
import { later } from "./support/later.ts";
import { CASES, COLUMNS, tryColumn } from "./support/matrix.ts";

// The implementations run in parallel; each test waits for its own cell of the table.

/** Ends a hang, in milliseconds: tests wait for cells from the start, and each case has its own limit. */
const PATIENCE_MS = 3_600_000;

const present = COLUMNS.filter(({ absent }) => absent === undefined);
const cells = new Map(CASES.map(({ name }) => [name, new Map(present.map((column) => [column.name, later<Cell>()]))]));
let over: Promise<unknown> | undefined;

beforeAll(() => {
  over = sideBySide(present, 3, (column) =>
    tryColumn(column, CASES, (name, cell) => cells.get(name)?.get(column.name)?.resolve(cell)),
  );
});

afterAll(async () => {
  await over;
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
}, PATIENCE_MS);

describe.each(COLUMNS)("on $name", ({ name: column, absent }) => {
  if (absent !== undefined) {
    test.skip(`nothing is tried: ${absent}`, () => {});
    return;
  }
  test.for(CASES)("$name", { timeout: PATIENCE_MS }, async ({ name }, { skip }) => {
    const cell = await cells.get(name)?.get(column)?.promise;
    skip(cell?.state === "n/a", cell?.note);
    expect(cell?.problems).toEqual([]);
  });
});
