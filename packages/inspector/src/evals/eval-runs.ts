import { type Dirent } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { EvalRun } from "@pollux/evals";
import type { EvalRunRow, EvalSuiteRuns } from "../inspection/eval-rows.ts";
import { HttpError } from "../server/http.ts";
import { problemOfRun } from "./check-run.ts";

/** Suites that are listed, and the runs of each in the list. */
const MAX_SUITES = 200;
const LISTED_RUNS = 20;
/** Runs of one suite that are read, unless a query asks for more. */
const RUNS = 60;
const MAX_RUNS = 1000;
/** Largest file that is read, in bytes. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Rows that are kept in memory. */
const MAX_ROWS = 5000;

/** The folder that `pollux eval` writes its runs to: a folder for each suite, and in it a file for each run, whose names sort by time. */
export class EvalRuns {
  readonly #folder: string;
  /** By path: what was read, and of which state of the file. */
  readonly #rows: Map<string, { readonly state: string; readonly row: EvalRunRow | string }> = new Map();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * All suites (`GET api/evals`), one of them (`api/evals/SUITE?runs=60`), or a whole run (`api/evals/SUITE/RUN`).
   *
   * @throws {HttpError} When there is no such thing.
   */
  async show(suite: string, run: string, query: URLSearchParams): Promise<object> {
    const names = namesOf(await entriesOf(this.#folder), (entry) => entry.isDirectory());
    if (suite === "")
      return await Promise.all(names.slice(0, MAX_SUITES).map((name) => this.#suite(name, LISTED_RUNS, false)));
    // A lookup among known names: no path leads out of the folder, and no link is followed.
    if (!names.includes(suite)) throw missing("suite");
    if (run !== "") return await this.#run(suite, run);
    const limit = Number(query.get("runs") ?? RUNS);
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_RUNS)
      throw new HttpError(400, "invalid", `runs must be an integer from 1 to ${MAX_RUNS}.`);
    return await this.#suite(suite, limit, true);
  }

  async #suite(suite: string, limit: number, hasCases: boolean): Promise<EvalSuiteRuns> {
    const files = await this.#files(suite);
    const unreadable: { readonly file: string; readonly problem: string }[] = [];
    const runs: EvalRunRow[] = [];
    for (const file of files.slice(-limit)) {
      const row = await this.#row(join(this.#folder, suite, file), file);
      if (typeof row === "string") unreadable.push({ file, problem: row });
      else runs.push(hasCases ? row : { ...row, cases: [] });
    }
    return { suite, runs, unreadable, omitted: Math.max(0, files.length - limit) };
  }

  async #run(suite: string, id: string): Promise<EvalRun> {
    const file = `${id}.json`;
    if (!(await this.#files(suite)).includes(file)) throw missing("run");
    const run = await readRun(join(this.#folder, suite, file));
    if (typeof run === "string") throw new HttpError(422, "not-readable", `${file} could not be read: ${run}.`);
    return run;
  }

  async #files(suite: string): Promise<readonly string[]> {
    const entries = await entriesOf(join(this.#folder, suite));
    return namesOf(entries, (entry) => entry.isFile() && entry.name.endsWith(".json"));
  }

  async #row(path: string, file: string): Promise<EvalRunRow | string> {
    const { mtimeMs, size } = await stat(path).catch(() => ({ mtimeMs: 0, size: 0 }));
    const state = `${mtimeMs} ${size}`;
    const known = this.#rows.get(path);
    if (known?.state === state) return known.row;
    const run = await readRun(path);
    const row = typeof run === "string" ? run : rowOf(run, file.slice(0, -".json".length));
    this.#rows.set(path, { state, row });
    if (this.#rows.size > MAX_ROWS) this.#rows.delete(this.#rows.keys().next().value ?? "");
    return row;
  }
}

/** A folder that is not there is empty: nothing was run yet. */
async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  return await readdir(folder, { withFileTypes: true }).catch(() => []);
}

function namesOf(entries: readonly Dirent[], isOne: (entry: Dirent) => boolean): readonly string[] {
  return entries
    .filter(isOne)
    .map(({ name }) => name)
    .toSorted();
}

/** A run, or why the file is none. */
async function readRun(path: string): Promise<EvalRun | string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) return `it has more than ${MAX_BYTES} bytes`;
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    // Checked to the last member that is used.
    return problemOfRun(value) ?? (value as EvalRun);
  } catch (error) {
    return error instanceof SyntaxError ? "it is not valid JSON" : `it failed with ${String(error)}`;
  }
}

function rowOf(run: EvalRun, id: string): EvalRunRow {
  const { at, version, variant, verdict, passed, cost, cases } = run;
  const { tree, commit, hasChanges } = version;
  const [broken, flaky, added] = [verdict.broken.map((one) => one.id), verdict.flaky, verdict.added].map(
    (ids) => new Set(ids),
  );
  return {
    id,
    at,
    version: `${(commit ?? tree).slice(0, 7)}${hasChanges === true ? "+" : ""}`,
    ...(variant !== undefined && { variant }),
    outcome: verdict.outcome,
    text: verdict.text,
    passed: { share: passed.share, low: passed.low, high: passed.high },
    cost: cost.total,
    unpriced: cost.unpriced,
    trials: cases.reduce((sum, { trials }) => sum + trials.length, 0),
    cases: cases.map(({ id: name, trials }) => ({
      id: name,
      trials: trials.map(({ number, status }) => ({ number, status })),
      isBroken: broken?.has(name) === true,
      isFlaky: flaky?.has(name) === true,
      isNew: added?.has(name) === true,
    })),
  };
}

function missing(what: string): HttpError {
  return new HttpError(404, "not-found", `There is no such ${what} of evals.`);
}
