import { type Dirent, existsSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { type AnyCase, type CaseFilter, type EvalSuite, filterCases, readCases } from "@pollux/evals";
import { errorMessage, UsageError } from "../command.ts";
import { importFile, LOADS_TYPESCRIPT } from "../import-file.ts";

/** A suite, and the file that exports it. */
export interface FoundSuite {
  readonly suite: EvalSuite<never>;
  readonly file: string;
  /** The variants to try; empty when it has none. */
  readonly variants: readonly string[];
}

/** Suites to look for. */
export interface Search {
  /** Files, folders to look through, or parts of a file's path; the working directory without any. */
  readonly paths: readonly string[];
  /** Names; all without any. */
  readonly suites: readonly string[];
  /** Names; all without any. */
  readonly variants: readonly string[];
  readonly how: { readonly filter: CaseFilter };
}

/**
 * The suites that match a search, in the order of their files.
 *
 * @throws {UsageError} When there is none, or a file can't be loaded, exports no suite, or one whose name is taken.
 */
export async function findSuites({ paths, suites, variants, how }: Search): Promise<readonly FoundSuite[]> {
  const all: (FoundSuite & { readonly cases: readonly AnyCase<never>[] })[] = [];
  for (const { suite, file, variants: own } of await loadSuites(paths)) {
    const named = own.filter((name) => variants.length === 0 || variants.includes(name));
    const isAsked = suites.length === 0 || suites.includes(suite.name);
    all.push({ suite, file, variants: named, cases: isAsked ? await readCasesOf(suite, file) : [] });
  }
  const missing = [
    missingOf("suite", suites, all, ({ suite }) => [suite.name]),
    missingOf("variant", variants, all, ({ suite }) => suite.variants ?? []),
    missingOf("case", how.filter.ids ?? [], all, ({ cases }) => cases.map(({ id }) => id)),
  ].find((problem) => problem !== undefined);
  if (missing !== undefined) throw new UsageError(missing);
  const found = all.filter(({ suite, cases, variants: named }) => {
    return (variants.length === 0 || named.length > 0) && filterCases(cases, how.filter, suite).length > 0;
  });
  if (found.length > 0) return found;
  throw new UsageError("No suite has such cases: look at --suite, --case, --tag and --variant");
}

/**
 * All suites of files, of files in folders, or of eval files with this in their path; without any, of all eval files below the working directory.
 *
 * @throws {UsageError} When there is none, or a file can't be loaded, exports no suite, or one whose name is taken.
 */
export async function loadSuites(paths: readonly string[]): Promise<readonly FoundSuite[]> {
  const all: FoundSuite[] = [];
  for (const file of filesFor(paths))
    for (const suite of await suitesOf(file)) {
      const other = all.find((one) => one.suite.name === suite.name)?.file;
      if (other !== undefined)
        throw new UsageError(`Two suites are called "${suite.name}", in ${other} and in ${file}: rename one of them`);
      all.push({ suite, file, variants: suite.variants ?? [] });
    }
  return all;
}

/**
 * Finds one suite by its name or its file.
 *
 * @param wanted - Its name, or its file. @defaultValue the only one
 * @param isFile - False takes it for a name, even if a file has that name.
 * @throws {UsageError} When there is no such suite, or several.
 */
export async function chooseSuite(
  wanted: string | undefined,
  isFile: boolean = wanted !== undefined && existsSync(wanted),
): Promise<FoundSuite> {
  const all = await loadSuites(isFile && wanted !== undefined ? [wanted] : []);
  const named = isFile || wanted === undefined ? all : all.filter(({ suite }) => suite.name === wanted);
  const [one, ...more] = named;
  if (one !== undefined && more.length === 0) return one;
  const names = all.map(({ suite, file }) => `${suite.name} (${file})`).join(", ");
  throw new UsageError(
    one === undefined ? `There is no suite "${wanted}"; there is ${names}` : `Name the suite with --suite: ${names}`,
  );
}

function missingOf<One>(
  kind: string,
  names: readonly string[],
  all: readonly One[],
  of: (one: One) => readonly string[],
): string | undefined {
  const there = [...new Set(all.flatMap(of))];
  const missing = names.find((name) => !there.includes(name));
  if (missing === undefined) return undefined;
  return `There is no ${kind} "${missing}"; there is ${there.length === 0 ? "none" : there.join(", ")}`;
}

async function readCasesOf(suite: EvalSuite<never>, file: string): Promise<readonly AnyCase<never>[]> {
  try {
    return await readCases(suite);
  } catch (error) {
    throw new UsageError(`${file}: ${errorMessage(error)}`, { cause: error });
  }
}

function filesFor(paths: readonly string[]): readonly string[] {
  let all: readonly string[] | undefined;
  const files = paths.flatMap((path) => {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isFile() === true) return [relative("", path)];
    if (stats?.isDirectory() === true) return evalFiles(path);
    all ??= evalFiles(".");
    const matching = all.filter((file) => file.replaceAll("\\", "/").includes(path));
    if (matching.length === 0)
      throw new UsageError(`There is no file or folder "${path}", nor an eval file with that in its path`);
    return matching;
  });
  const found = paths.length === 0 ? evalFiles(".") : files;
  if (found.length > 0) return [...new Set(found)];
  throw new UsageError(
    `There is no *.eval.${LOADS_TYPESCRIPT ? "ts" : "js, and this Node does not run TypeScript: use Node 24, or name a compiled file"}${paths.length === 0 ? " here" : ` in ${paths.join(" or ")}`}`,
  );
}

const EVAL_FILE = LOADS_TYPESCRIPT ? /\.eval\.(?:[mc]?ts|m?js)$/ : /\.eval\.m?js$/;

/** All files below a folder, except installed packages, hidden folders and compiled output. */
function evalFiles(folder: string): readonly string[] {
  const isLookedThrough = ({ name }: Dirent): boolean =>
    !["node_modules", "dist"].includes(name) && !name.startsWith(".");
  const entries = readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return isLookedThrough(entry) ? evalFiles(path) : [];
    return EVAL_FILE.test(entry.name) && !entry.name.endsWith(".d.ts") ? [relative("", path)] : [];
  });
}

async function suitesOf(file: string): Promise<readonly EvalSuite<never>[]> {
  const { default: exported } = await importFile(file);
  const suites: unknown = Array.isArray(exported) ? exported : [exported];
  if (Array.isArray(suites) && suites.length > 0 && suites.every(isSuite)) return suites;
  throw new UsageError(
    exported === undefined
      ? `${file} has no default export: export default defineEval("name", { … })`
      : `The default export of ${file} is neither a suite nor a list of suites: export default defineEval("name", { … })`,
  );
}

/** Recognized by its `kind`: the file may have its own copy of the library. */
function isSuite(value: unknown): value is EvalSuite<never> {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "eval-suite";
}
