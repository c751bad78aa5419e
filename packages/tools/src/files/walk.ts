import type { Dirent } from "node:fs";
import { relative, sep } from "node:path";
import { ToolError } from "@pollux/core";
import { Directory } from "./directory.ts";
import type { Folder, Place } from "./folder.ts";
import { IgnoreRules } from "./ignore-rules.ts";
import { codeOf, refuse } from "./refusal.ts";
import type { Work } from "./work.ts";

/** Deepest nesting of folders that a walk descends. */
const MAX_DEPTH = 64;

/** Cost of an entry besides matching its name, in steps. */
const STEPS_PER_ENTRY = 100;

/** What a walk excludes, and how far it goes. */
export interface WalkOptions {
  /** Names excluded at any depth. */
  readonly skip: ReadonlySet<string>;
  /** Whether `.gitignore` files are honored. */
  readonly gitignore: boolean;
  readonly maxEntries: number;
  readonly recursive: boolean;
  /** Counts the cost of matching names, so that the walk lets the event loop run in between. */
  readonly work: Work;
  /** When the walk ends, by `performance.now()`, which changes of the system clock don't affect. @defaultValue never */
  readonly until?: number | undefined;
  readonly signal: AbortSignal;
}

/** An entry found on a walk. */
export interface Found {
  /** Path, as the tools accept it. */
  readonly path: string;
  /** Path from where the walk started. */
  readonly inside: string;
  readonly name: string;
  readonly type: "file" | "folder" | "link" | "other";
  /** The folder that contains it; open until the next entry is requested. */
  readonly directory: Directory;
}

/** One walk over folders, depth first, ordered by name, up to a number of entries. Links are found but never followed. */
export class Walk {
  readonly #options: WalkOptions;
  /** Entries examined. */
  looked = 0;
  /** Entries excluded by `.gitignore`; the contents of excluded folders are not counted. */
  leftOut = 0;
  /** Whether there are more entries than were examined. */
  isFull = false;
  /** Whether its time is up. */
  isLate = false;

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  get isRecursive(): boolean {
    return this.#options.recursive;
  }

  /** Subfolders that can't be opened (no permission, or gone) are found but not walked. */
  async *from(place: Place): AsyncGenerator<Found, void, void> {
    const first = await Directory.open(place.real, place.root).catch((error: unknown) => {
      if (codeOf(error) === "ENOTDIR")
        throw new ToolError(`"${place.path}" is a file; use read_file to read it`, { cause: error });
      return refuse(error, `"${place.path}"`);
    });
    await using directory = first;
    const names = relative(place.root, place.real).split(sep).filter(Boolean);
    const rules = this.#options.gitignore ? await rulesAbove(place.root, names, this.#options.work) : undefined;
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
    const { skip, gitignore, maxEntries, recursive, work, until = Infinity, signal } = this.#options;
    const { names, isFull } = await directory.entries(maxEntries + skip.size, signal);
    this.isFull ||= isFull;
    const rules = gitignore ? await IgnoreRules.in(directory, at.fromRoot, at.rules) : undefined;
    for (const entry of names) {
      work.add(STEPS_PER_ENTRY);
      await work.pause();
      signal.throwIfAborted();
      this.isLate ||= performance.now() > until;
      if (this.isLate) return;
      if (skip.has(entry.name)) continue;
      const type = typeOf(entry);
      const isFolder = type === "folder";
      if (rules?.leaveOut(at.fromRoot + entry.name, isFolder, work) === true) {
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
  /** Prefix of the paths that the tools accept. */
  readonly shown: string;
  /** Prefix of the paths from where the walk started. */
  readonly inside: string;
  /** Prefix of the real paths from the root. */
  readonly fromRoot: string;
  readonly depth: number;
  readonly rules: IgnoreRules | undefined;
}

/** Where a walk starts: the requested folder, or each root if there are several and none is named. */
export async function startsOf(folder: Folder, path: string): Promise<readonly Place[]> {
  const isTop = path.split(/[/\\]/).every((name) => name === "" || name === ".");
  const names = isTop && folder.names.length > 0 ? folder.names : [path];
  return await Promise.all(names.map((name) => folder.find(name)));
}

/** The rules of the folders above the one where the walk starts. */
async function rulesAbove(root: string, names: readonly string[], work: Work): Promise<IgnoreRules | undefined> {
  let rules: IgnoreRules | undefined;
  let base = "";
  let directory: Directory | undefined;
  try {
    for (const name of names) {
      directory ??= await Directory.open(root, root);
      await using above = directory;
      rules = await IgnoreRules.in(above, base, rules);
      if (rules?.leaveOut(base + name, true, work) === true) return IgnoreRules.all();
      directory = await above.folder(name);
      base += `${name}/`;
    }
  } catch {
    // Deleted in the meantime: the walk itself reports it.
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
