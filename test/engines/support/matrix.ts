import { postgresKinds } from "../../../packages/dbos/test/support/postgres.ts";
import { restateBinary } from "../../../packages/restate/test/support/restate-server.ts";
import { randomFrom, SEED } from "../../faults/support/random.ts";
import { APPROVED_WHILE_DOWN, ONCE_CALLS, WAITS_END } from "../cases/answers.ts";
import { CHANGED_CODE, SLEEPS } from "../cases/code-and-time.ts";
import { ENGINE_KILLED } from "../cases/engine-killed.ts";
import { JOBS_KILLED } from "../cases/jobs.ts";
import { KILLED_AT_EVERY_STEP, KILLED_AT_RANDOM } from "../cases/kills.ts";
import { CANCELLED, OVER_SIZE, PARALLEL } from "../cases/shapes.ts";
import { ONE_OF_TWO_KILLED } from "../cases/two-workers.ts";
import { dbosPlace } from "./dbos-place.ts";
import type { EngineCase } from "./engine-case.ts";
import type { EnginePlace } from "./engine-place.ts";
import type { Cell } from "./engine-table.ts";
import { journalPlace } from "./journal-place.ts";
import { openOutside, type Outside } from "./outside.ts";
import { restatePlace } from "./restate-place.ts";

/** The rows. */
export const CASES: readonly EngineCase[] = [
  KILLED_AT_EVERY_STEP,
  KILLED_AT_RANDOM,
  ONE_OF_TWO_KILLED,
  ENGINE_KILLED,
  APPROVED_WHILE_DOWN,
  CANCELLED,
  PARALLEL,
  OVER_SIZE,
  CHANGED_CODE,
  WAITS_END,
  SLEEPS,
  ONCE_CALLS,
  JOBS_KILLED,
];

/** A column: an implementation, or why it is not available here. */
export interface Column {
  readonly name: string;
  /** Why it is not available. */
  readonly absent?: string | undefined;
  readonly open: (outside: string) => Promise<EnginePlace>;
}

const debian = postgresKinds().some(({ kind, installed }) => kind === "debian" && installed);

/** The columns. */
export const COLUMNS: readonly Column[] = [
  { name: "pass-through", open: (outside) => journalPlace("none", outside) },
  { name: "journal, SQLite", open: (outside) => journalPlace("sqlite", outside) },
  { name: "journal, JSONL", open: (outside) => journalPlace("jsonl", outside) },
  {
    name: "Restate",
    absent: restateBinary() === undefined ? "there is no Restate server for this platform" : undefined,
    open: (outside) => restatePlace(outside),
  },
  { name: "DBOS, PGlite", open: (outside) => dbosPlace("pglite", outside) },
  {
    name: "DBOS, Postgres",
    absent: debian ? undefined : "Debian's PostgreSQL 15 is not installed",
    open: (outside) => dbosPlace("debian", outside),
  },
];

/** Runs cases on one implementation, one after the other, and reports each result. */
export async function tryColumn(
  column: Column,
  cases: readonly EngineCase[],
  onCell: (name: string, cell: Cell) => void,
): Promise<void> {
  const left = new Set(cases.map(({ name }) => name));
  const failAll = (error: unknown): void => {
    for (const name of left) onCell(name, failed(error));
  };
  const random = randomFrom(SEED);
  let outside: Outside | undefined;
  let place: EnginePlace | undefined;
  try {
    outside = await openOutside();
    place = await column.open(outside.url);
    for (const [index, one] of cases.entries()) {
      const cell = await tryCase(one, place, outside, random, index);
      left.delete(one.name);
      onCell(one.name, cell);
    }
  } catch (error) {
    failAll(error);
  } finally {
    await place?.close().catch(() => {});
    await outside?.[Symbol.asyncDispose]();
  }
}

async function tryCase(
  one: EngineCase,
  place: EnginePlace,
  outside: Outside,
  random: () => number,
  index: number,
): Promise<Cell> {
  const reason = place.missing[one.name];
  if (reason !== undefined) return { state: "n/a", note: reason, problems: [] };
  const began = performance.now();
  try {
    const { problems, note } = await one.try({ place, outside, random, run: (name) => `c${index}-${name}` });
    const notes = [place.notes[one.name], note].filter((each) => each !== undefined).join("; ");
    return { state: problems.length === 0 ? "ok" : "FAILED", problems, ...(notes !== "" && { note: notes }) };
  } catch (error) {
    return failed(error);
  } finally {
    await outside.pace(0);
    await outside.release();
    await place.stopWorkers();
    console.info(`${place.name}: ${one.name} took ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
}

function failed(error: unknown): Cell {
  return { state: "FAILED", problems: [error instanceof Error ? error.message : String(error)] };
}
