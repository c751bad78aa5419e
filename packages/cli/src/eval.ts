import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ConfigurationError } from "@pollux/core";
import { SqliteStore } from "@pollux/core/node";
import {
  baselineName,
  codeVersion,
  type EvalProgress,
  type EvalRun,
  exitCode,
  formatRun,
  gateEval,
  junitReport,
  markdownReport,
  type RunEvalOptions,
  type World,
  writeBaseline,
} from "@pollux/evals";
import { type CliProcess, type Command, parseOptions, UsageError } from "./command.ts";
import { findSuites, type FoundSuite } from "./eval/find-suites.ts";
import { ProgressLine } from "./progress-line.ts";
import { parseNumber } from "./serving.ts";
import { printable } from "./terminal-text.ts";

const WORLDS: readonly World[] = ["replay", "recorded-tools", "fork", "live"];
const STORE = join(".pollux", "evals.sqlite");

const HELP = `Usage: pollux eval [FILE, FOLDER or part of a path ...] [options]

Tries the cases of *.eval.ts files, and says whether an agent got worse since its baseline. Earlier trials of
the same code are read again, so that the same command continues after Ctrl-C.

Which:
      --suite NAME       only this suite; this one and the next three may be given more than once
      --case ID          only this case
      --tag TAG          only cases with this tag
      --variant NAME     only this variant of the suite

How:
      --world WORLD      ${WORLDS.join(", ")} (default the suite's)
      --trials N         trials of each case (default the suite's, or 5)
      --fresh            make new trials, and read none
      --max-cost N       start nothing new once this much is spent (default the budget of each suite's gate)
  -c, --concurrency N    trials at the same time (default the suite's, or 4)
      --store FILE       SQLite file of the trials (default ${STORE})

Compared with:
      --baseline FILE    (default NAME.baseline.json beside the suite, or NAME.VARIANT.baseline.json)
      --update-baseline  make three times the trials, and write the baseline

Reports, besides the table:
      --json FILE        a list of runs, each as it is kept beside the store, in evals/SUITE
      --junit FILE       a test for each case, and one for the gate
      --markdown FILE    for a pull request
  -h, --help             show this help

Progress is shown on standard error.
Exit codes: 0 not worse, or no baseline; 1 worse, or failed; 2 invalid command line or suite;
            3 incomplete: out of money, or too many errors; 130 after Ctrl-C.

Cases of recorded sessions: pollux eval add --help

Examples:
  pollux eval
  pollux eval support --update-baseline
  pollux eval evals/support.eval.ts --case policy --trials 20
`;

/** Tries suites, and judges them. */
export const evalCommand: Command = { help: HELP, run: runEvals };

async function runEvals(args: readonly string[], terminal: CliProcess): Promise<number> {
  const options = parseEvalOptions(args);
  const found = await findSuites(options);
  if (options.baseline !== undefined && (found.length > 1 || (found[0]?.variants.length ?? 0) > 1))
    throw new UsageError("--baseline is a file of one suite, and of one variant: name them with --suite and --variant");
  using store = await openStore(options.store);
  const written = ["", "-wal", "-shm"].map((end) => `${options.store}${end}`);
  const version = await codeVersion(dirname(found[0]?.file ?? ""), [
    ...written,
    ...Object.values(options.reports).filter((file) => file !== undefined),
  ]);
  if (version.hasChanges === undefined)
    terminal.stderr.write("Not in a git repository: no other run can read or continue these trials.\n");
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  // Once: a second Ctrl-C finds no listener, and ends the process at once.
  terminal.once("SIGINT", onSignal);
  const runs: EvalRun[] = [];
  const progress = new ProgressLine(terminal);
  const onProgress = (now: EvalProgress): void => progress.show(formatEvalProgress(now), now.done, now.total);
  try {
    for (const one of found) {
      const spent = runs.reduce((sum, { cost }) => sum + cost.total, 0);
      const made = await runSuite(one, options, spent, { version, store, signal: stop.signal, onProgress });
      progress.end();
      for (const run of made) {
        runs.push(run);
        terminal.stdout.write(`${runs.length === 1 ? "" : "\n"}${printable(formatRun(run))}`);
        await keepRun(run, dirname(options.store));
        if (options.update) terminal.stderr.write(await updateBaseline(run, baselineFile(one, run.variant, options)));
      }
    }
  } catch (error) {
    progress.end();
    if (!stop.signal.aborted) throw error;
    terminal.stderr.write("Stopped; the same command continues.\n");
    return 130;
  } finally {
    terminal.off("SIGINT", onSignal);
    // Also for suites that ran before one that failed.
    if (runs.length > 0) await writeReports(runs, options.reports);
  }
  // One suite that is worse decides, even if another is incomplete.
  const codes = runs.map(({ verdict }) => exitCode(verdict));
  return codes.find((code) => code === 1) ?? Math.max(...codes);
}

/**
 * @param spent - Cost of the suites before.
 * @throws {UsageError} For a suite that is not valid.
 */
async function runSuite(
  one: FoundSuite,
  options: EvalOptions,
  spent: number,
  setting: Pick<RunEvalOptions, "version" | "store" | "signal" | "onProgress">,
): Promise<readonly EvalRun[]> {
  const { suite, file, variants } = one;
  const { maxCost, update } = options;
  const budget = maxCost === undefined ? suite.gate?.budget : Math.max(0, maxCost - spent);
  try {
    const how = { ...options.how, variants, budget, folder: dirname(file), baseline: update };
    return await gateEval(suite, { ...setting, ...how }, (variant) => baselineFile(one, variant, options));
  } catch (error) {
    if (error instanceof TypeError || error instanceof ConfigurationError)
      throw new UsageError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

function baselineFile({ suite, file }: FoundSuite, variant: string | undefined, { baseline }: EvalOptions): string {
  return baseline ?? join(dirname(file), baselineName(suite.name, variant));
}

/** Opens the store of trials. Git ignores the folder if it is there for evals alone: it holds the agents' answers. */
async function openStore(file: string): Promise<SqliteStore> {
  if (basename(dirname(file)) === ".pollux") await write(join(dirname(file), ".gitignore"), "*\n");
  await mkdir(dirname(file), { recursive: true });
  return new SqliteStore(file);
}

/** Writes the baseline, unless the run is incomplete. Returns the message for the person. */
async function updateBaseline(run: EvalRun, file: string): Promise<string> {
  if (run.verdict.outcome === "incomplete") return `The run is incomplete, so ${file} is not written.\n`;
  await write(file, writeBaseline(run));
  return `The baseline is written to ${file}: commit it.\n`;
}

/** Keeps a run beside the store of its trials, for the inspector's page. */
async function keepRun(run: EvalRun, folder: string): Promise<void> {
  await write(join(folder, "evals", run.suite, `${run.id.replaceAll(":", "-")}.json`), `${JSON.stringify(run)}\n`);
}

async function writeReports(
  runs: readonly EvalRun[],
  { json, junit, markdown }: EvalOptions["reports"],
): Promise<void> {
  if (json !== undefined) await write(json, `${JSON.stringify(runs, undefined, 2)}\n`);
  if (junit !== undefined) await write(junit, junitReport(runs));
  if (markdown !== undefined) await write(markdown, runs.map(markdownReport).join("\n"));
}

/** One line for a person: `support: 47/60 trials of 12 cases, 20 of them before, cost 0.3100, 40 s left`. */
function formatEvalProgress({ suite, done, total, cases, reused, cost, timeLeftMs = 0 }: EvalProgress): string {
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

type EvalOptions = ReturnType<typeof parseEvalOptions>;

function parseEvalOptions(args: readonly string[]) {
  const { values, positionals } = parseOptions(args, {
    suite: { type: "string", multiple: true, default: [] },
    case: { type: "string", multiple: true },
    tag: { type: "string", multiple: true },
    variant: { type: "string", multiple: true, default: [] },
    world: { type: "string" },
    trials: { type: "string" },
    fresh: { type: "boolean", default: false },
    "max-cost": { type: "string" },
    concurrency: { type: "string", short: "c" },
    store: { type: "string", default: STORE },
    baseline: { type: "string" },
    "update-baseline": { type: "boolean", default: false },
    json: { type: "string" },
    junit: { type: "string" },
    markdown: { type: "string" },
  });
  const { suite, variant, fresh, store, baseline, json, junit, markdown } = values;
  const world = WORLDS.find((name) => name === values.world);
  if (world !== values.world)
    throw new UsageError(`--world must be one of ${WORLDS.join(", ")}, not "${values.world}"`);
  const update = values["update-baseline"];
  if (update && (values.case ?? values.tag) !== undefined)
    throw new UsageError("--update-baseline is for all cases of a suite: leave out --case and --tag");
  if (baseline !== undefined && !update && !existsSync(baseline))
    throw new UsageError(`There is no file "${baseline}"`);
  const number = (name: "trials" | "concurrency"): number | undefined =>
    values[name] === undefined ? undefined : parseNumber(`--${name}`, values[name], 100_000, 1);
  const { "max-cost": limit } = values;
  if (limit !== undefined && !(Number(limit) > 0))
    throw new UsageError(`--max-cost must be a number above 0, not "${limit}"`);
  const how = { filter: { ids: values.case, tags: values.tag }, world, fresh, trials: number("trials") };
  return {
    paths: positionals,
    suites: suite,
    variants: variant,
    store,
    baseline,
    update,
    how: { ...how, concurrency: number("concurrency") },
    maxCost: limit === undefined ? undefined : Number(limit),
    reports: { json, junit, markdown },
  };
}
