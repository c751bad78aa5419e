import type { Dirent } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { defineTool, type Tool, ToolFailure } from "@pollux/core";
import { z } from "zod/v4";
import type { FileToolOptions } from "./file-tool-options.ts";
import { Folder, type Place, refuse } from "./folder.ts";

/** What {@link listFiles} leaves out, and how much it looks at. */
export interface ListFilesOptions {
  /** Names of files and folders that are left out, wherever they stand. @defaultValue ["node_modules", ".git", "dist"] */
  readonly skip?: readonly string[] | undefined;
  /** Most entries that one call looks at; a longer listing ends there and says so. @defaultValue 20_000 */
  readonly maxEntries?: number | undefined;
}

/** What the model asks for. */
export interface ListFilesInput {
  readonly path?: string | undefined;
  readonly recursive?: boolean | undefined;
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
}

/** One entry of a listing. */
export interface ListedFile {
  /** Path that the other tools take. */
  readonly path: string;
  readonly type: "file" | "folder" | "link" | "other";
  /** Files only. */
  readonly bytes?: number | undefined;
}

/** One page of a listing. */
export interface FileList {
  readonly path: string;
  /** In order of their paths, each folder before what is in it. */
  readonly entries: readonly ListedFile[];
  /** Entries on all pages. */
  readonly total: number;
  /** Where to go on; absent on the last page. */
  readonly next_offset?: number | undefined;
  /** Present when there is more than was looked at. */
  readonly note?: string | undefined;
}

/** `list_files`: what is in a folder inside the root. Links are listed, never followed. */
export function listFiles(options: FileToolOptions & ListFilesOptions): Tool<ListFilesInput, FileList> {
  const folder = new Folder(options.root);
  const { skip = ["node_modules", ".git", "dist"], maxEntries = 20_000 } = options;
  return defineTool({
    name: "list_files",
    description: `Lists files and folders. Long listings come in pages: go on with offset set to next_offset.${skip.length === 0 ? "" : ` Leaves out ${skip.join(", ")}.`}`,
    input: z.object({
      path: z.string().optional().describe("Folder to list (default: the whole folder)"),
      recursive: z.boolean().optional().describe("Also list what is in its folders (default false)"),
      offset: z.int().min(0).optional().describe("Entries to pass over (default 0)"),
      limit: z.int().min(1).max(500).optional().describe("How many entries at most (default 200)"),
    }),
    run: async ({ path = ".", recursive = false, offset = 0, limit = 200 }, { signal }): Promise<FileList> => {
      const place = await folder.find(path);
      const walk = new Walk({ skip: new Set(skip), maxEntries, recursive, signal });
      await walk.into(place.real, place.path === "." ? "" : `${place.path}/`, place);
      const page = walk.entries.slice(offset, offset + limit);
      const next = offset + page.length;
      return {
        path: place.path,
        entries: await Promise.all(page.map(listed)),
        total: walk.entries.length,
        ...(next < walk.entries.length ? { next_offset: next } : {}),
        ...(walk.isFull
          ? { note: `only the first ${maxEntries} entries were looked at; list a folder further down` }
          : {}),
      };
    },
  });
}

interface WalkOptions {
  readonly skip: ReadonlySet<string>;
  readonly maxEntries: number;
  readonly recursive: boolean;
  readonly signal: AbortSignal;
}

interface Found {
  readonly path: string;
  readonly real: string;
  readonly type: ListedFile["type"];
}

/** One walk over folders, depth first, in order of names, up to a number of entries. */
class Walk {
  readonly entries: Found[] = [];
  isFull = false;
  readonly #options: WalkOptions;

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  /** Folders below the first that cannot be opened (no right to, or gone since) are listed but not walked. */
  async into(real: string, prefix: string, first?: Place): Promise<void> {
    for (const entry of await this.#namesIn(real, first)) {
      if (this.entries.length >= this.#options.maxEntries) {
        this.isFull = true;
        return;
      }
      const found = { path: prefix + entry.name, real: join(real, entry.name), type: typeOf(entry) };
      this.entries.push(found);
      if (this.#options.recursive && found.type === "folder") await this.into(found.real, `${found.path}/`);
    }
  }

  async #namesIn(real: string, first: Place | undefined): Promise<Dirent[]> {
    const { skip, maxEntries, signal } = this.#options;
    const names: Dirent[] = [];
    try {
      for await (const entry of await opendir(real)) {
        signal.throwIfAborted();
        if (skip.has(entry.name)) continue;
        if (names.length >= maxEntries) {
          this.isFull = true;
          break;
        }
        names.push(entry);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (first === undefined) return [];
      if (error instanceof Error && "code" in error && error.code === "ENOTDIR")
        throw new ToolFailure(`"${first.path}" is a file; use read_file to read it`, { cause: error });
      refuse(error, `"${first.path}"`);
    }
    return names.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}

function typeOf(entry: Dirent): ListedFile["type"] {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "folder";
  return entry.isSymbolicLink() ? "link" : "other";
}

async function listed({ path, real, type }: Found): Promise<ListedFile> {
  if (type !== "file") return { path, type };
  try {
    return { path, type, bytes: (await lstat(real)).size };
  } catch {
    // Gone since it was listed.
    return { path, type };
  }
}
