import { constants } from "node:fs";
import type { Directory } from "./directory.ts";
import { compileWildcards } from "./wildcards.ts";
import type { Work } from "./work.ts";

/** Largest `.gitignore` that is read, in bytes. */
const MAX_BYTES = 262_144;

/** Most states of all patterns from the root down to a folder, about one per character; further patterns are ignored. */
const MAX_STATES = 50_000;

interface Rule {
  readonly isNegated: boolean;
  readonly onlyFolders: boolean;
  /** Matches names at any depth; otherwise, paths from the folder of the rule. */
  readonly isName: boolean;
  readonly matches: (text: string, work: Work) => boolean;
}

/**
 * The rules of the `.gitignore` files from the root down to a folder; the nearest one wins.
 *
 * @see https://git-scm.com/docs/gitignore
 */
export class IgnoreRules {
  /** In reverse order, because the last match in a file wins. */
  readonly #rules: readonly Rule[];
  /** The folder's path from the root, with a trailing `/`; empty for the root. */
  readonly #base: string;
  readonly #above: IgnoreRules | undefined;
  readonly #states: number;
  readonly #isFinal: boolean;

  private constructor(lines: readonly string[], base: string, above: IgnoreRules | undefined, isFinal = false) {
    let states = above === undefined ? 0 : above.#states;
    const rules: Rule[] = [];
    for (const line of lines) {
      if (states + line.length > MAX_STATES) break;
      const rule = ruleOf(line);
      if (rule === undefined) continue;
      rules.unshift(rule);
      states += rule.size;
    }
    this.#rules = rules;
    this.#base = base;
    this.#above = above;
    this.#states = states;
    this.#isFinal = isFinal;
  }

  /** The rules in a folder: those from above, plus its own if it has any. */
  static async in(
    directory: Directory,
    base: string,
    above: IgnoreRules | undefined,
  ): Promise<IgnoreRules | undefined> {
    if (above !== undefined && above.#isFinal) return above;
    const text = await readRules(directory);
    return text === undefined ? above : new IgnoreRules(text.split("\n"), base, above);
  }

  /** Rules for an excluded folder: no rule in it can include anything again. */
  static all(): IgnoreRules {
    return new IgnoreRules(["*"], "", undefined, true);
  }

  /** Whether the rules exclude a path from the root, assuming that they don't exclude a folder above it. */
  leaveOut(path: string, isFolder: boolean, work: Work): boolean {
    const inside = path.slice(this.#base.length);
    const name = path.slice(path.lastIndexOf("/") + 1);
    for (const { isNegated, onlyFolders, isName, matches } of this.#rules) {
      work.add(1);
      if ((isFolder || !onlyFolders) && matches(isName ? name : inside, work)) return !isNegated;
    }
    return this.#above?.leaveOut(path, isFolder, work) ?? false;
  }
}

/** Undefined for comments and empty lines. */
function ruleOf(line: string): (Rule & { readonly size: number }) | undefined {
  if (line.startsWith("#")) return undefined;
  const isNegated = line.startsWith("!");
  const onlyFolders = /\/[ \r]*$/.test(line);
  const pattern = withoutEnd(isNegated ? line.slice(1) : line);
  if (pattern === "" || pattern === "/") return undefined;
  const isName = !pattern.includes("/");
  const bare = pattern.replace(/^\//, "");
  if (!/[*?[\\]/.test(bare))
    return { isNegated, onlyFolders, isName, size: bare.length, matches: (text) => text === bare };
  // `a/**` means what is in the folder, not the folder.
  const wildcards = compileWildcards(bare.replace(/\/\*\*$/, "/**/?*"), { braces: false });
  return { isNegated, onlyFolders, isName, ...wildcards };
}

/** Without the line ending, spaces that are not escaped, and a last `/`. */
function withoutEnd(text: string): string {
  let end = text.length;
  if (text[end - 1] === "\r") end--;
  while (text[end - 1] === " " && text[end - 2] !== "\\") end--;
  if (text[end - 1] === "/") end--;
  return text.slice(0, end);
}

async function readRules(directory: Directory): Promise<string | undefined> {
  try {
    const file = await directory.open(".gitignore", constants.O_RDONLY);
    try {
      const stats = await file.stat();
      return stats.isFile() && stats.size <= MAX_BYTES ? await file.readFile("utf8") : undefined;
    } finally {
      await file.close();
    }
  } catch {
    // There is none, or it cannot be read.
    return undefined;
  }
}
