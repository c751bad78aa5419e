import { constants } from "node:fs";
import ignore, { type Ignore } from "ignore";
import type { Directory } from "./directory.ts";
import { isTame } from "./glob.ts";

/** Largest `.gitignore` that is read. */
const MAX_BYTES = 262_144;

/** What the `.gitignore` files from the root down to a folder say; the nearest has the last word. */
export class IgnoreRules {
  readonly #rules: Ignore;
  /** The folder's path from the root, with `/` at its end; empty for the root. */
  readonly #base: string;
  readonly #above: IgnoreRules | undefined;

  private constructor(rules: Ignore, base: string, above: IgnoreRules | undefined) {
    this.#rules = rules;
    this.#base = base;
    this.#above = above;
  }

  /** The rules in a folder: those above, and its own when it has some. */
  static async in(
    directory: Directory,
    base: string,
    above: IgnoreRules | undefined,
  ): Promise<IgnoreRules | undefined> {
    const text = await readRules(directory);
    if (text === undefined) return above;
    const lines = text.split(/\r?\n/).filter(isTame);
    return new IgnoreRules(ignore({ ignorecase: false, allowRelativePaths: true }).add(lines), base, above);
  }

  /** Whether the rules leave out a path from the root. */
  leaveOut(path: string, isFolder: boolean): boolean {
    const { ignored, unignored } = this.#rules.test(path.slice(this.#base.length) + (isFolder ? "/" : ""));
    if (ignored || unignored) return ignored;
    return this.#above?.leaveOut(path, isFolder) ?? false;
  }
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
    // There is none, or it is not for us to read.
    return undefined;
  }
}
