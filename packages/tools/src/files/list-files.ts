import { lstat } from "node:fs/promises";
import { defineTool, type Tool } from "@pollux/core";
import { z } from "zod/v4";
import type { FileToolOptions } from "./file-tool-options.ts";
import { Folder } from "./folder.ts";
import { globFilter } from "./glob.ts";
import { type Found, startsOf, Walk } from "./walk.ts";
import { Work } from "./work.ts";

/** Options of {@link listFiles}: what to exclude, and how much to examine. */
export interface ListFilesOptions {
  /** Names of files and folders to exclude at any depth. @defaultValue ["node_modules", ".git", "dist"] */
  readonly skip?: readonly string[] | undefined;
  /** Whether to exclude what `.gitignore` files inside the root list, unless the model asks for it. @defaultValue true */
  readonly gitignore?: boolean | undefined;
  /** Most entries that one call examines; a longer listing stops there and says so. @defaultValue 20_000 */
  readonly maxEntries?: number | undefined;
}

/** The model's input. */
export interface ListFilesInput {
  readonly path?: string | undefined;
  readonly recursive?: boolean | undefined;
  readonly glob?: string | undefined;
  readonly include_ignored?: boolean | undefined;
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
}

/** One entry of a listing. */
export interface ListedFile {
  /** Path, as the other tools accept it. */
  readonly path: string;
  readonly type: "file" | "folder" | "link" | "other";
  /** Files only. */
  readonly bytes?: number | undefined;
}

/** One page of a listing. */
export interface FileList {
  readonly path: string;
  /** Ordered by path, each folder before its contents. */
  readonly entries: readonly ListedFile[];
  /** Entries on all pages. */
  readonly total: number;
  /** Offset of the next page; absent on the last one. */
  readonly next_offset?: number | undefined;
  /** Entries excluded by `.gitignore`; absent if there are none, or if they are listed too. */
  readonly ignored?: number | undefined;
  /** Present if not everything was examined. */
  readonly note?: string | undefined;
}

/**
 * `list_files`: the contents of a folder inside the root, or the files below it that match a glob. Links are listed but
 * never followed.
 */
export function listFiles(options: FileToolOptions & ListFilesOptions): Tool<ListFilesInput, FileList> {
  const folder = new Folder(options);
  const { skip = ["node_modules", ".git", "dist"], gitignore = true, maxEntries = 20_000 } = options;
  return defineTool({
    name: "list_files",
    description: describe(folder.names, skip, gitignore),
    input: z.object({
      path: z.string().optional().describe("Folder to list (default: the root folder)"),
      recursive: z.boolean().optional().describe("Also list the contents of subfolders (default false)"),
      glob: z
        .string()
        .min(1)
        .max(300)
        .optional()
        .describe("Only files that match this glob, in all subfolders: *.ts, src/**/*.{js,ts}"),
      include_ignored: z.boolean().optional().describe("Also list what .gitignore excludes (default false)"),
      offset: z.int().min(0).optional().describe("Entries to skip (default 0)"),
      limit: z.int().min(1).max(500).optional().describe("Maximum number of entries (default 200)"),
    }),
    effects: "none",
    reads: ["untrusted", "private"],
    run: async (input, { signal }): Promise<FileList> => {
      const { path = ".", glob, offset = 0, limit = 200 } = input;
      const work = new Work();
      const isMatch = glob === undefined ? undefined : globFilter(glob, work);
      const walk = new Walk({
        skip: new Set(skip),
        gitignore: gitignore && input.include_ignored !== true,
        maxEntries,
        recursive: input.recursive === true || glob !== undefined,
        work,
        signal,
      });
      const starts = await startsOf(folder, path);
      const entries: ListedFile[] = [];
      let total = 0;
      const add = async (entry: ListedFile | Found): Promise<void> => {
        if (total++ < offset || entries.length === limit) return;
        entries.push("directory" in entry ? await listed(entry) : entry);
      };
      for (const start of starts) {
        if (starts.length > 1 && isMatch === undefined) await add({ path: start.path, type: "folder" });
        if (starts.length > 1 && !walk.isRecursive) continue;
        for await (const found of walk.from(start))
          if (isMatch === undefined || (found.type !== "folder" && isMatch(found.path, found.inside))) await add(found);
      }
      const next = offset + entries.length;
      return {
        path: starts.length > 1 ? "." : (starts[0]?.path ?? "."),
        entries,
        total,
        ...(next < total ? { next_offset: next } : {}),
        ...(walk.leftOut > 0 ? { ignored: walk.leftOut } : {}),
        ...(walk.isFull ? { note: `only the first ${maxEntries} entries were examined; list a subfolder` } : {}),
      };
    },
  });
}

function describe(roots: readonly string[], skip: readonly string[], gitignore: boolean): string {
  const left = [...skip, ...(gitignore ? ["what .gitignore lists"] : [])];
  return [
    "Lists files and folders, or the files that match a glob. Long listings are returned in pages: to continue, set offset to next_offset.",
    ...(roots.length === 0 ? [] : [`The folders are ${roots.join(", ")}; paths start with one of them.`]),
    ...(left.length === 0 ? [] : [`Excludes ${left.join(", ")}.`]),
  ].join(" ");
}

async function listed({ path, name, type, directory }: Found): Promise<ListedFile> {
  if (type !== "file") return { path, type };
  try {
    return { path, type, bytes: (await lstat(directory.at(name))).size };
  } catch {
    // Deleted since it was listed.
    return { path, type };
  }
}
