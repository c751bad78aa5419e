import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { SqliteStore } from "@pollux/core/node";
import { type EvalProgress, type EvalRun, junitReport, markdownReport, writeBaseline } from "@pollux/evals";

/** Files that a run is written to. */
export interface Reports {
  readonly json?: string | undefined;
  readonly junit?: string | undefined;
  readonly markdown?: string | undefined;
}

/** Opens the store of trials. Git ignores the folder if it is there for evals alone: it holds what agents said. */
export async function openStore(file: string): Promise<SqliteStore> {
  if (basename(dirname(file)) === ".pollux") await write(join(dirname(file), ".gitignore"), "*\n");
  await mkdir(dirname(file), { recursive: true });
  return new SqliteStore(file);
}

export function reportFiles(reports: Reports): readonly string[] {
  return Object.values<string | undefined>({ ...reports }).filter((file) => file !== undefined);
}

/** Writes the baseline, unless the run is incomplete. Gives what a person is told. */
export async function updateBaseline(run: EvalRun, file: string): Promise<string> {
  if (run.verdict.outcome === "incomplete") return `The run is incomplete, so ${file} is not written.\n`;
  await write(file, writeBaseline(run));
  return `The baseline is written to ${file}: commit it.\n`;
}

/** Keeps a run beside the store of its trials, for the inspector's page. */
export async function keepRun(run: EvalRun, folder: string): Promise<void> {
  await write(join(folder, "evals", run.suite, `${run.id.replaceAll(":", "-")}.json`), `${JSON.stringify(run)}\n`);
}

export async function writeReports(runs: readonly EvalRun[], { json, junit, markdown }: Reports): Promise<void> {
  if (json !== undefined) await write(json, `${JSON.stringify(runs, undefined, 2)}\n`);
  if (junit !== undefined) await write(junit, junitReport(runs));
  if (markdown !== undefined) await write(markdown, runs.map(markdownReport).join("\n"));
}

/** One line for a person: `support: 47/60 trials of 12 cases, 20 of them before, cost 0.3100, 40 s left`. */
export function formatEvalProgress({ suite, done, total, cases, reused, cost, timeLeftMs = 0 }: EvalProgress): string {
  const seconds = Math.ceil(timeLeftMs / 1000);
  return [
    `${suite}: ${done}/${total} trials of ${cases} ${cases === 1 ? "case" : "cases"}`,
    reused > 0 && `${reused} of them before`,
    cost > 0 && `cost ${cost.toFixed(cost < 1 ? 4 : 2)}`,
    seconds > 0 && `${seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`} left`,
  ]
    .filter((part) => part !== false)
    .join(", ");
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
