import { constants } from "node:fs";
import ignore, { type Ignore } from "ignore";
import type { Directory } from "./directory.ts";
import { isTame } from "./glob.ts";

/** Largest `.gitignore` that is read, in bytes. */
const MAX_BYTES = 262_144;

/** The rules of the `.gitignore` files from the root down to a folder; the nearest one wins. */
export class IgnoreRules {
  readonly #rules: Ignore;
  /** The folder's path from the root, with a trailing `/`; empty for the root. */
  readonly #base: string;
  readonly #above: IgnoreRules | undefined;

  private constructor(rules: Ignore, base: string, above: IgnoreRules | undefined) {
    this.#rules = rules;
    this.#base = base;
    this.#above = above;
  }

  /** The rules in a folder: those from above, plus its own if it has any. */
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

  /** Whether the rules exclude a path from the root. */
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
    // There is none, or it may not be read.
    return undefined;
  }
}
