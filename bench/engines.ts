// What durability costs: steps alone, then runs of an agent by two workers. A program of `pnpm bench --metrics engines`.
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
import { printSamples, type ProgramSample } from "./measure-programs.ts";
import { memoryOf } from "./memory-of.ts";

// `measureProgram` starts it.
const { quick } = JSON.parse(process.argv[2] ?? "{}") as { readonly quick?: boolean };
const load: StepLoad = quick === true ? { steps: 20, runs: 4 } : { steps: 200, runs: 20 };
const RUNS = quick === true ? 6 : 60;

/** Figures of two workers. */
interface RunFigures {
  readonly runsPerSecond: number;
  /** Memory in megabytes: of the larger worker, and of the server with all its processes. */
  readonly workerMb: number;
  readonly serverMb?: number | undefined;
}

/** Where steps are stored: its name in the table, its column in the matrix of engine tests, and what measures its steps. */
const PLACES: readonly (readonly [name: string, column: string, measure: () => Promise<StepTimes>])[] = [
  ["nothing persisted", "pass-through", () => passThroughTimes(load)],
  ["session in memory", "", () => journalTimes("memory", load)],
  ["session, SQLite", "journal, SQLite", () => journalTimes("sqlite", load)],
  ["session, JSONL", "journal, JSONL", () => journalTimes("jsonl", load)],
  ["Restate", "Restate", () => restateTimes(load)],
  ["DBOS, Postgres 15", "DBOS, Postgres", () => dbosTimes("debian", load)],
  ["DBOS, PGlite", "DBOS, PGlite", () => dbosTimes("pglite", load)],
];

const samples: ProgramSample[] = [];
let floor: number | undefined;
for (const [driver, name, measure] of PLACES) {
  const column = COLUMNS.find((one) => one.name === name);
  if (column?.absent !== undefined) continue;
  const take = (id: string, label: string, unit: string, value: number | undefined): void => {
    if (value !== undefined) samples.push({ id: `engines-${id}`, label, unit, driver, values: [value] });
  };
  const { stepMs, perSecond } = await measure();
  floor ??= stepMs;
  take("step", "added by a step", "ms", stepMs - floor);
  take("steps", `steps/s, ${load.runs} concurrent runs`, "", perSecond);
  if (column === undefined) continue;
  const { runsPerSecond, workerMb, serverMb } = await runsOf(column.open);
  take("runs", "runs/s, two workers", "", runsPerSecond);
  take("worker", "a worker", "MB", workerMb);
  take("server", "the server", "MB", serverMb);
}
printSamples(samples);
process.exit();

/** Runs with three model requests and three calls each, by two workers. */
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
