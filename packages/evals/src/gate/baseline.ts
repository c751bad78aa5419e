import { ConfigurationError } from "@pollux/core";
import type { CaseResult, EvalRun } from "../report/eval-run.ts";
import type { Counts } from "../statistics/rates.ts";
import { mean } from "../statistics/worse-values.ts";

/** An earlier run that runs are compared with: a file in git. */
export interface Baseline {
  readonly suite: string;
  readonly variant?: string | undefined;
  /** When that run began, in milliseconds since the epoch. */
  readonly at: number;
  /** Git's hash of the tree with all changes. */
  readonly tree: string;
  readonly models: EvalRun["models"];
  readonly cases: { readonly [caseId: string]: CaseRecord };
}

/** The parts of a case that are compared. */
export interface CaseRecord {
  readonly key: string;
  readonly world: string;
  /** Numbers of passed trials and of all trials, including ones with errors. */
  readonly passed: readonly [number, number];
  /** Values by name, one for each trial that has it; trials that ended with an error don't. */
  readonly figures: { readonly [name: string]: readonly number[] };
  /** Scores by scorer, one for each trial; 0 where it could not be judged. */
  readonly scores: { readonly [name: string]: readonly number[] };
}

/** A run as a baseline, without its replays, which need none. */
export function baselineOf({ suite, variant, at, version, models, cases }: Omit<EvalRun, "verdict">): Baseline {
  const compared = cases.filter(({ world, trials }) => world !== "replay" && trials.length > 0);
  return {
    suite,
    ...(variant === undefined ? {} : { variant }),
    at,
    tree: version.tree,
    models,
    cases: Object.fromEntries(compared.map((result) => [result.id, recordOf(result)])),
  };
}

/** A record's counts, for the statistics. */
export function countsOf({ passed: [passed, trials] }: CaseRecord): Counts {
  return { passed, trials };
}

/**
 * The text of a baseline's file: JSON, sorted, with a line for each case, so that a diff in git shows what changed. Figures have six digits.
 *
 * @param run - A complete run, with three times the trials of the runs to compare with it.
 */
export function writeBaseline(run: Omit<EvalRun, "verdict">): string {
  const { cases, ...head } = baselineOf(run);
  const fields = Object.entries({ ...head, at: new Date(head.at).toISOString() });
  const lines = sorted(cases).map(([id, { key, world, passed, figures, scores }]) => {
    const values = { key, world, passed, ...sortedObject(figures), scores: sortedObject(scores) };
    return `    ${JSON.stringify(id)}: ${JSON.stringify(values)}`;
  });
  return [
    "{",
    ...fields.map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)},`),
    '  "cases": {',
    lines.join(",\n"),
    "  }",
    "}",
    "",
  ].join("\n");
}

/**
 * Reads a baseline's file.
 *
 * @throws ConfigurationError when the text is not a baseline, with what is wrong
 */
export function readBaseline(text: string): Baseline {
  const { cases, at, suite, tree, variant, models } = fieldsOf(parse(text), "it");
  const time = typeof at === "string" ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(time)) throw invalid("`at` is not a date");
  if (typeof suite !== "string" || typeof tree !== "string") throw invalid("`suite` or `tree` is not a text");
  return {
    suite,
    ...(typeof variant === "string" ? { variant } : {}),
    at: time,
    tree,
    models: Array.isArray(models) ? models.map(readModel) : [],
    cases: Object.fromEntries(
      Object.entries(fieldsOf(cases, "`cases`")).map(([id, value]) => [id, readCase(id, value)]),
    ),
  };
}

function recordOf({ key, world, trials }: CaseResult): CaseRecord {
  const judged = trials.filter(({ status }) => status !== "error");
  const figures = new Map<string, number[]>();
  for (const { metrics } of judged)
    for (const [name, value] of Object.entries(metrics))
      figures.set(name, [...(figures.get(name) ?? []), rounded(value)]);
  const scorers = new Set(trials.flatMap(({ scores }) => scores.map(({ name }) => name)));
  const scoreOf = (name: string): number[] =>
    trials.map(({ scores }) => rounded(mean(scores.flatMap((s) => (s.name === name ? (s.score ?? 0) : []))) || 0));
  return {
    key,
    world,
    passed: [trials.filter(({ status }) => status === "passed").length, trials.length],
    figures: Object.fromEntries(figures),
    scores: Object.fromEntries([...scorers].map((name) => [name, scoreOf(name)])),
  };
}

function readCase(id: string, value: unknown): CaseRecord {
  const { key, world, passed, scores, ...figures } = fieldsOf(value, `case \`${id}\``);
  if (typeof key !== "string" || typeof world !== "string")
    throw invalid(`case \`${id}\` has no \`key\` or no \`world\``);
  const [count, trials] = readNumbers(passed, `\`passed\` of \`${id}\``);
  if (count === undefined || trials === undefined || !(count >= 0 && count <= trials && trials > 0))
    throw invalid(`\`passed\` of \`${id}\` is not [passed, trials]`);
  const readAll = (fields: object): { readonly [name: string]: readonly number[] } =>
    Object.fromEntries(
      Object.entries(fields).map(([name, list]) => [name, readNumbers(list, `\`${name}\` of \`${id}\``)]),
    );
  return {
    key,
    world,
    passed: [count, trials],
    figures: readAll(figures),
    scores: readAll(fieldsOf(scores ?? {}, `\`scores\` of \`${id}\``)),
  };
}

function readModel(value: unknown): EvalRun["models"][number] {
  const { id, version } = fieldsOf(value, "a model");
  return { id: String(id), ...(typeof version === "string" ? { version } : {}) };
}

function readNumbers(value: unknown, name: string): number[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "number"))
    throw invalid(`${name} is not a list of numbers`);
  return value;
}

function fieldsOf(value: unknown, name: string): { readonly [key: string]: unknown } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(`${name} is not an object`);
  // Objects of JSON have nothing but fields.
  return value as { readonly [key: string]: unknown };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(/^(<<<<<<<|>>>>>>>)/m.test(text) ? "git left a conflict in it" : "it is not JSON", error);
  }
}

function invalid(problem: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError(
    `The baseline can't be read: ${problem}. Restore the file from git or write a new one.`,
    { cause },
  );
}

function sorted<T>(fields: { readonly [name: string]: T }): [string, T][] {
  return Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function sortedObject<T>(fields: { readonly [name: string]: T }): { readonly [name: string]: T } {
  return Object.fromEntries(sorted(fields));
}

/** As in a file. A run is rounded, too, before it is compared: otherwise a value that never changes would be higher, or lower, in all trials. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
