import { HttpError } from "@pollux/core/serving";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { EvalRun } from "@pollux/evals";
import { fieldsOf, numberOf } from "../inspection/read-values.ts";

/** Suites in the list; runs read of one suite, by default and at most. */
const [MAX_SUITES, RUNS, MAX_RUNS] = [200, 40, 1000];
/** Bytes of all runs read for one answer. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Files reported as no runs. */
const MAX_UNREADABLE = 50;

/** The runs of one suite. */
export interface EvalSuiteRuns {
  /** Name of its folder. */
  readonly suite: string;
  /** The latest ones, oldest first. */
  readonly runs: readonly EvalRun[];
  /** Files that are no runs, with the reason. */
  readonly unreadable: readonly { readonly file: string; readonly problem: string }[];
  /** Files that were not read. */
  readonly omitted: number;
}

/**
 * Reads the folder that `pollux eval` writes to: a folder for each suite, and in it a file for each run, whose names sort by time.
 *
 * @param suite - Empty for all, with the last run of each.
 * @param query - `runs` is how many to read; each `with` is the id of a run to read, no matter how old.
 * @throws {HttpError} When there is no such suite.
 */
export async function readEvals(
  folder: string,
  suite: string,
  query: URLSearchParams,
): Promise<readonly EvalSuiteRuns[]> {
  // A lookup among known names: no path leads out of the folder, and no link is followed.
  const suites = await namesIn(folder, "isDirectory");
  if (suite === "")
    return await Promise.all(suites.slice(0, MAX_SUITES).map((name) => readSuite(folder, name, 1, new Set())));
  if (!suites.includes(suite)) throw new HttpError(404, "not_found", "There is no such suite of evals.");
  const limit = Math.min(MAX_RUNS, Number(/^[1-9]\d{0,8}$/.exec(query.get("runs") ?? "")?.[0] ?? RUNS));
  return [await readSuite(folder, suite, limit, new Set(query.getAll("with").map(fileOf)))];
}

async function readSuite(
  folder: string,
  suite: string,
  limit: number,
  named: ReadonlySet<string>,
): Promise<EvalSuiteRuns> {
  const names = await namesIn(join(folder, suite), "isFile");
  const files = names.filter((name) => name.endsWith(".json")).toReversed();
  const runs: EvalRun[] = [];
  const unreadable: { readonly file: string; readonly problem: string }[] = [];
  let [bytes, omitted] = [0, 0];
  for (const file of files) {
    const isEnough = runs.length >= limit || unreadable.length >= MAX_UNREADABLE;
    const path = join(folder, suite, file);
    const size = (await stat(path).catch(() => undefined))?.size ?? 0;
    if ((isEnough && !named.has(file)) || bytes + size > MAX_BYTES) {
      omitted++;
      continue;
    }
    bytes += size;
    const run = await readRun(path, file);
    if (typeof run === "string") unreadable.push({ file, problem: run });
    else runs.push(run);
  }
  return { suite, runs: runs.toReversed(), unreadable, omitted };
}

/** Sorted; empty for a missing folder, since nothing was run yet. */
async function namesIn(folder: string, kind: "isDirectory" | "isFile"): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.flatMap((entry) => (entry[kind]() ? [entry.name] : [])).toSorted();
}

/** A run, or why the file is none. */
async function readRun(path: string, file: string): Promise<EvalRun | string> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    // Checked to the last member that is shown.
    const run = value as EvalRun;
    return problemOfRun(value) ?? (file === fileOf(run.id) ? run : "its id does not match its name");
  } catch (error) {
    return error instanceof SyntaxError ? "it is not valid JSON" : String(error);
  }
}

/** The file of a run; its id may have a time in it. */
function fileOf(id: string): string {
  return `${id.replaceAll(":", "-")}.json`;
}

/** The first member that differs from a run of evals of this release, in a sentence; undefined for a run. Other members are ignored. */
function problemOfRun(value: unknown): string | undefined {
  if (Number(fieldsOf(value)["v"]) > 1) return "it was written by a newer release: update @pollux/inspector";
  for (const [kind, paths] of Object.entries(MEMBERS))
    for (const path of paths.split(" ")) {
      const place = wrongPlace(value, path.split("."), "", KINDS[kind] ?? (() => false));
      if (place !== undefined) return `${place.slice(1)} is no ${kind}`;
    }
  return undefined;
}

/** By kind: members that the page shows. `[]` has items, `{}` has members of any name, `?` may be absent. */
const MEMBERS: { readonly [kind: string]: string } = {
  text:
    "id suite version.tree version.commit? variant? models[].id models[].version? cases[].id cases[].world cases[].tags[] " +
    "cases[].cluster? cases[].trials[].status cases[].trials[].why? cases[].trials[].stopReason? cases[].trials[].answer " +
    "cases[].trials[].sessionId? cases[].trials[].scores[].name cases[].trials[].scores[].reason? verdict.outcome verdict.text " +
    "verdict.metrics[].name verdict.broken[].id verdict.flaky[] verdict.added[] verdict.missing[] notFixed[] notes[]",
  number:
    "v at ms passed.share passed.low passed.high cost.total cost.unpriced cases[].trials[].number cases[].trials[].metrics{} " +
    "cases[].trials[].scores[].threshold verdict.metrics[].now verdict.metrics[].before verdict.metrics[].difference.low " +
    "verdict.metrics[].difference.high verdict.metrics[].p recordedShare?",
  score: "cases[].trials[].scores[].score",
};

const KINDS: { readonly [kind: string]: (value: unknown) => boolean } = {
  text: (value) => typeof value === "string",
  number: (value) => numberOf(value) !== undefined,
  score: (value) => value === null || numberOf(value) !== undefined,
};

function wrongPlace(
  value: unknown,
  [segment, ...rest]: readonly string[],
  place: string,
  isRight: (value: unknown) => boolean,
): string | undefined {
  if (segment === undefined) return isRight(value) ? undefined : place;
  const [, name = "", mark = ""] = /^(\w+)(\W*)$/.exec(segment) ?? [];
  const member = fieldsOf(value)[name];
  const at = `${place}.${name}`;
  if (mark === "?" && member === undefined) return undefined;
  if (mark !== "[]" && mark !== "{}") return wrongPlace(member, rest, at, isRight);
  if (typeof member !== "object" || member === null || Array.isArray(member) !== (mark === "[]")) return at;
  for (const [key, item] of Object.entries(member)) {
    const wrong = wrongPlace(item, rest, mark === "[]" ? `${at}[${key}]` : `${at}.${key}`, isRight);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}
