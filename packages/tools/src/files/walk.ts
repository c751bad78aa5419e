import type { Dirent } from "node:fs";
import { relative, sep } from "node:path";
import { ToolFailure } from "@pollux/core";
import { Directory } from "./directory.ts";
import type { Folder, Place } from "./folder.ts";
import { IgnoreRules } from "./ignore-rules.ts";
import { codeOf, refuse } from "./refusal.ts";

/** Folders below one another that a walk goes down. */
const MAX_DEPTH = 64;

/** What a walk leaves out, and how far it goes. */
export interface WalkOptions {
  /** Names that are left out wherever they stand. */
  readonly skip: ReadonlySet<string>;
  /** Whether `.gitignore` files are heeded. */
  readonly gitignore: boolean;
  readonly maxEntries: number;
  readonly recursive: boolean;
  readonly signal: AbortSignal;
}

/** Something that a walk came by. */
export interface Found {
  /** Path that the tools take. */
  readonly path: string;
  /** Path from where the walk began. */
  readonly inside: string;
  readonly name: string;
  readonly type: "file" | "folder" | "link" | "other";
  /** The folder it is in; open until the next one is asked for. */
  readonly directory: Directory;
}

/** One walk over folders, depth first, in order of names, up to a number of entries. Links are found, never followed. */
export class Walk {
  readonly #options: WalkOptions;
  /** Entries looked at. */
  looked = 0;
  /** Entries that `.gitignore` left out; what is in them is not counted. */
  leftOut = 0;
  /** There is more than was looked at. */
  isFull = false;

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  get isRecursive(): boolean {
    return this.#options.recursive;
  }

  /** Folders below the first that cannot be opened (no right to, or gone since) are found but not walked. */
  async *from(place: Place): AsyncGenerator<Found, void, void> {
    const first = await Directory.open(place.real, place.root).catch((error: unknown) => {
      if (codeOf(error) === "ENOTDIR")
        throw new ToolFailure(`"${place.path}" is a file; use read_file to read it`, { cause: error });
      return refuse(error, `"${place.path}"`);
    });
    await using directory = first;
    const names = relative(place.root, place.real).split(sep).filter(Boolean);
    const rules = this.#options.gitignore ? await rulesAbove(place.root, names) : undefined;
    const fromRoot = names.map((name) => `${name}/`).join("");
    yield* this.#in(directory, {
      shown: place.path === "." ? "" : `${place.path}/`,
      inside: "",
      fromRoot,
      depth: 0,
      rules,
    });
  }

  async *#in(directory: Directory, at: Position): AsyncGenerator<Found, void, void> {
    const { skip, gitignore, maxEntries, recursive, signal } = this.#options;
    const { names, isFull } = await directory.entries(maxEntries + skip.size, signal);
    this.isFull ||= isFull;
    const rules = gitignore ? await IgnoreRules.in(directory, at.fromRoot, at.rules) : undefined;
    for (const entry of names) {
      signal.throwIfAborted();
      if (skip.has(entry.name)) continue;
      const type = typeOf(entry);
      const isFolder = type === "folder";
      if (rules?.leaveOut(at.fromRoot + entry.name, isFolder) === true) {
        this.leftOut++;
        continue;
      }
      if (this.looked >= maxEntries) {
        this.isFull = true;
        return;
      }
      this.looked++;
      const path = at.shown + entry.name;
      const inside = at.inside + entry.name;
      yield { path, inside, name: entry.name, type, directory };
      if (!recursive || !isFolder) continue;
      if (at.depth >= MAX_DEPTH) this.isFull = true;
      else {
        const fromRoot = `${at.fromRoot}${entry.name}/`;
        yield* this.#below(directory, entry.name, {
          shown: `${path}/`,
          inside: `${inside}/`,
          fromRoot,
          depth: at.depth + 1,
          rules,
        });
      }
    }
  }

  async *#below(above: Directory, name: string, at: Position): AsyncGenerator<Found, void, void> {
    const opened = await above.folder(name).catch(() => undefined);
    if (opened === undefined) return;
    await using directory = opened;
    yield* this.#in(directory, at);
  }
}

interface Position {
  /** Beginning of the paths that the tools take. */
  readonly shown: string;
  /** Beginning of the paths from where the walk began. */
  readonly inside: string;
  /** Beginning of the real paths from the root. */
  readonly fromRoot: string;
  readonly depth: number;
  readonly rules: IgnoreRules | undefined;
}

/** Where a walk begins: the folder asked for, or each root when there are several and none is named. */
export async function startsOf(folder: Folder, path: string): Promise<readonly Place[]> {
  const isTop = path.split(/[/\\]/).every((name) => name === "" || name === ".");
  const names = isTop && folder.names.length > 0 ? folder.names : [path];
  return await Promise.all(names.map((name) => folder.find(name)));
}

/** The rules of the folders above the one where the walk begins. */
async function rulesAbove(root: string, names: readonly string[]): Promise<IgnoreRules | undefined> {
  let rules: IgnoreRules | undefined;
  let base = "";
  let directory: Directory | undefined;
  try {
    for (const name of names) {
      directory ??= await Directory.open(root, root);
      await using above = directory;
      rules = await IgnoreRules.in(above, base, rules);
      directory = await above.folder(name);
      base += `${name}/`;
    }
  } catch {
    // Gone meanwhile: the walk itself says so.
  } finally {
    await directory?.[Symbol.asyncDispose]();
  }
  return rules;
}

function typeOf(entry: Dirent): Found["type"] {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "folder";
  return entry.isSymbolicLink() ? "link" : "other";
}
