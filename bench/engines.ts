import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { COLUMNS } from "../test/engines/support/matrix.ts";
import { openOutside } from "../test/engines/support/outside.ts";
import type { EnginePlace } from "../test/engines/support/engine-place.ts";
import {
  dbosTimes,
  journalTimes,
  passThroughTimes,
  restateTimes,
  type StepLoad,
  type StepTimes,
} from "./engine-steps.ts";
import { memoryOf } from "./memory-of.ts";

// What durability costs: steps alone, then runs of an agent by two workers. `node bench/engines.ts [--quick] [--json FILE]`

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false }, json: { type: "string" } } });
const load: StepLoad = values.quick ? { steps: 20, runs: 4 } : { steps: 200, runs: 20 };
const RUNS = values.quick ? 6 : 60;

/** Figures of two workers. */
interface RunFigures {
  readonly runsPerSecond: number;
  /** Memory in megabytes: of the larger worker, and of the server with all its processes. */
  readonly workerMb: number;
  readonly serverMb?: number | undefined;
}

const STEPS: readonly (readonly [name: string, measure: () => Promise<StepTimes>])[] = [
  ["pass-through", () => passThroughTimes(load)],
  ["journal, memory", () => journalTimes("memory", load)],
  ["journal, SQLite", () => journalTimes("sqlite", load)],
  ["journal, JSONL", () => journalTimes("jsonl", load)],
  ["Restate", () => restateTimes(load)],
  ["DBOS, PGlite", () => dbosTimes("pglite", load)],
  ["DBOS, Postgres", () => dbosTimes("debian", load)],
];

const figures: Record<string, Partial<StepTimes & RunFigures>> = {};
for (const [name, measure] of STEPS) {
  const column = COLUMNS.find((one) => one.name === name);
  if (column?.absent !== undefined) {
    console.error(`${name}: ${column.absent}`);
    continue;
  }
  console.error(`${name} …`);
  figures[name] = { ...(await measure()), ...(column !== undefined && (await runsOf(column.open))) };
}

const floor = figures["pass-through"]?.stepMs ?? 0;
const text = (value: number | undefined, digits = 0): string => value?.toFixed(digits) ?? "";
console.log(`| | added ms a step | steps/s, ${load.runs} runs at once | runs/s, two workers | worker MB | server MB |`);
console.log("| --- | --- | --- | --- | --- | --- |");
for (const [name, one] of Object.entries(figures)) {
  const added = one.stepMs === undefined ? undefined : one.stepMs - floor;
  console.log(
    `| ${name} | ${text(added, 2)} | ${text(one.perSecond)} | ${text(one.runsPerSecond, 1)} | ${text(one.workerMb)} | ${text(one.serverMb)} |`,
  );
}
if (values.json !== undefined)
  await writeFile(values.json, `${JSON.stringify({ load, runs: RUNS, figures }, undefined, 2)}\n`);
process.exit();

/** Runs with three model requests and three calls each. */
async function runsOf(open: (outside: string) => Promise<EnginePlace>): Promise<RunFigures> {
  await using outside = await openOutside();
  const place = await open(outside.url);
  try {
    // The first worker creates the tables.
    await place.startWorker("w1");
    await place.startWorker("w2");
    await runAll(place, "warm", 4);
    const began = performance.now();
    await runAll(place, "run", RUNS);
    const seconds = (performance.now() - began) / 1000;
    const workers = await memoryOf("worker-process.ts");
    const server = [
      ...(await memoryOf("restate-server")),
      ...(await memoryOf("bin/postgres")),
      ...(await memoryOf("postgres: ")),
    ];
    return {
      runsPerSecond: RUNS / seconds,
      workerMb: Math.max(...workers),
      ...(server.length > 0 && { serverMb: server.reduce((sum, one) => sum + one, 0) }),
    };
  } finally {
    await place.close();
  }
}

async function runAll(place: EnginePlace, name: string, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `${name}-${index}`);
  await Promise.all(names.map((run) => place.start(run, "two")));
  for (const { status } of await Promise.all(names.map((run) => place.report(run))))
    if (status !== "ended") throw new Error(`a run was ${status}`);
}
