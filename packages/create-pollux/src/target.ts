import { readdirSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";

/** Where the project goes. */
export interface Target {
  /** Absolute path of the folder; it may not exist yet. */
  readonly folder: string;
  /** Name of the project's package: the folder's name. */
  readonly name: string;
}

/** What may already be in the folder. */
const IGNORED: ReadonlySet<string> = new Set([".git", ".DS_Store"]);

/** How many of the files in a folder are named. */
const NAMED_FILES = 5;

/**
 * Chooses the folder and the name of the project. Writes nothing.
 *
 * @param taken - Names that the project must not have: its dependencies' names.
 * @throws If the folder is not empty, or if its name is not one for a package.
 */
export function chooseTarget(cwd: string, argument: string, taken: readonly string[]): Target {
  const folder = resolve(cwd, argument);
  const name = basename(folder);
  checkName(name, taken);
  checkIsEmpty(folder, argument);
  return { folder, name };
}

function checkName(name: string, taken: readonly string[]): void {
  if ([...taken, "node_modules", "favicon.ico"].includes(name))
    throw new Error(
      `A project cannot be called "${name}": the name is reserved, or a package that it uses has it; choose another folder`,
    );
  if (/^[a-z0-9][a-z0-9._-]*$/.test(name) && name.length <= 214) return;
  const better = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, "")
    .slice(0, 50);
  throw new Error(
    `"${name}" cannot name a package: use at most 214 lowercase letters, digits, and "-", "_" or "." between them` +
      (better === "" ? "" : `, such as ${better}`),
  );
}

function checkIsEmpty(folder: string, argument: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isDirectory()) throw new Error(`${argument} is a file; choose another folder`);
  const files = readdirSync(folder)
    .filter((file) => !IGNORED.has(file))
    .toSorted();
  if (files.length === 0) return;
  const named = files.slice(0, NAMED_FILES).join(", ");
  const more = files.length > NAMED_FILES ? ` and ${files.length - NAMED_FILES} more` : "";
  throw new Error(`The folder ${argument} is not empty: it contains ${named}${more}. Choose another, or empty it`);
}
