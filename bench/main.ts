/** `pnpm bench`: see `--help`, and docs/benchmarks.md for what the figures mean. */
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { casesOf } from "./cases.ts";
import { driversAgainst } from "./against.ts";
import { machine } from "./conditions.ts";
import { type Driver, driverOf, OWN_DRIVERS } from "./drivers.ts";
import { measureBundle } from "./measure-bundle.ts";
import { measureCase } from "./measure-case.ts";
import { measureFirst } from "./measure-first.ts";
import { measureIdle } from "./measure-idle.ts";
import { measureInstall } from "./measure-install.ts";
import { isProgramMetric, measureProgram } from "./measure-programs.ts";
import { measureSession } from "./measure-session.ts";
import { measureStart } from "./measure-start.ts";
import { measureWaits } from "./measure-waits.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { blocksOf, conditionsOf, type Results, writeBlocks } from "./pages.ts";
import { installPeers, type InstalledPeers, PEER_NAMES } from "./peers.ts";
import { setup as installPrograms } from "../test/support/install-programs.ts";
import { reportOf } from "./report.ts";
import type { Measured, Row } from "./row.ts";
import { startServer } from "./start-server.ts";

const root = join(import.meta.dirname, "..");
const NO_PEERS: InstalledPeers = { drivers: [], folders: [], absences: [] };

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(HELP);
  else await bench(options);
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  process.stderr.write(`${error.message}\nSee --help.\n`);
  process.exitCode = 2;
}

async function bench(options: Options): Promise<void> {
  const names = options.drivers ?? [...OWN_DRIVERS, ...(options.peers ? PEER_NAMES : [])];
  const wanted = options.peers ? names.filter((name) => PEER_NAMES.includes(name)) : [];
  const own = names.filter((name) => !wanted.includes(name));
  const ours = options.against === undefined ? own.map(driverOf) : driversAgainst(options.against);
  if (options.build) build();
  if (!existsSync(join(root, "packages/core/dist/index.js")))
    throw new TypeError("@pollux/core is not built; leave out --no-build.");

  if (options.metrics.some(isProgramMetric)) installPrograms();
  const peers = wanted.length > 0 ? await installPeers(wanted, progress) : NO_PEERS;
  const measured = await measureAll(options, [...ours, ...peers.drivers], peers);
  const results: Results = { machine: machine(), rounds: options.runs, ...measured };
  const report = `${conditionsOf(results)}\n\n${reportOf(measured)}`;
  const data = `${JSON.stringify(results, undefined, 2)}\n`;
  process.stdout.write(report);
  if (options.out !== undefined) writeFileSync(options.out, report);
  if (options.json !== undefined) writeFileSync(options.json, data);
  const failed = measured.absences.some(({ isFailure }) => isFailure);
  if (failed) process.exitCode = 1;
  if (options.docs && !failed) {
    writeFileSync(join(import.meta.dirname, "results.json"), data);
    writeBlocks(blocksOf(results));
  } else if (options.docs) progress("Nothing is written: some of it failed.");
}

async function measureAll(
  { metrics, quick, runs }: Options,
  drivers: readonly Driver[],
  peers: InstalledPeers,
): Promise<Measured> {
  const parts: Measured[] = [{ rows: [], absences: peers.absences }];
  const service = await startServer();
  try {
    for (const metric of metrics) {
      for (const one of casesOf(metric, quick)) parts.push(await measureCase(one, drivers, runs, service, progress));
      if (metric === "start") parts.push(await measureStart(drivers, quick ? 1 : runs * 8, progress));
      if (metric === "first") parts.push(await measureFirst(drivers, quick ? 1 : runs * 3, service, progress));
      if (metric === "waits") parts.push(await measureWaits(quick ? 3 : 200, quick ? 1 : runs, progress));
      if (metric === "bundle") parts.push(await measureBundle(drivers, progress));
      if (metric === "install") parts.push(await measureInstall(peers.folders, progress));
      if (metric === "session") parts.push(await measureSession(quick ? 3 : 200, quick ? 1 : runs, progress));
      if (isProgramMetric(metric)) parts.push(await measureProgram(metric, quick, progress));
      if (metric === "idle") parts.push(await measureIdle(quick ? 50 : 10_000, quick ? 1 : 3, progress));
    }
  } finally {
    service.close();
  }
  const rows = parts.flatMap((part) => part.rows).filter(isComplete);
  return { rows, absences: parts.flatMap(({ absences }) => absences) };
}

/** Without its baseline, a row has no meaning. */
function isComplete({ baseline, relation, figures }: Row): boolean {
  return relation === "own" ? figures.length > 0 : figures.some(({ driver }) => driver === baseline);
}

/** Users get the build, so the build is measured. */
function build(): void {
  progress("build");
  const { status } = spawnSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new TypeError("The build failed; --no-build measures the previous build.");
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
