import { constants } from "node:fs";
import { defineTool, type Tool } from "@pollux/core";
import { z } from "zod/v4";
import { compileExpression, type Expression } from "./expression.ts";
import type { FileToolOptions } from "./file-tool-options.ts";
import { Folder } from "./folder.ts";
import { globFilter } from "./glob.ts";
import type { ListFilesOptions } from "./list-files.ts";
import { MatchWindow, type SearchMatch } from "./match-window.ts";
import { linesOf } from "./text-lines.ts";
import { type Found, startsOf, Walk } from "./walk.ts";
import { Work } from "./work.ts";

/** Bounds of {@link searchFiles}. */
export interface SearchFilesOptions {
  /** Milliseconds after which a search stops, returns what it has found, and says so. @defaultValue 10_000 */
  readonly searchMs?: number | undefined;
  /** Larger files are skipped, in bytes. @defaultValue 10_000_000 */
  readonly maxSearchBytes?: number | undefined;
}

/** The model's input. */
export interface SearchFilesInput {
  readonly pattern: string;
  readonly path?: string | undefined;
  readonly glob?: string | undefined;
  readonly ignore_case?: boolean | undefined;
  readonly context?: number | undefined;
  readonly limit?: number | undefined;
  readonly include_ignored?: boolean | undefined;
}

/** The search result. */
export interface FoundText {
  /** Files with matches, ordered by path. */
  readonly files: readonly { readonly path: string; readonly matches: readonly SearchMatch[] }[];
  /** Matching lines found. */
  readonly total: number;
  /** Text files searched. */
  readonly searched: number;
  /** Present if not everything was searched: why, and what to do. */
  readonly note?: string | undefined;
}

/**
 * `search_files`: lines that match a regular expression, in the text files below a folder. Uses RE2, whose running time
 * grows only linearly with the text and the size of the expression; it has no lookaround and no backreferences. It searches
 * only the beginning of long lines: 20,000 characters, or fewer for a large expression.
 *
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function searchFiles(
  options: FileToolOptions & ListFilesOptions & SearchFilesOptions,
): Tool<SearchFilesInput, FoundText> {
  const folder = new Folder(options);
  const { skip = ["node_modules", ".git", "dist"], gitignore = true, maxEntries = 20_000 } = options;
  const { searchMs = 10_000, maxSearchBytes = 10_000_000 } = options;
  return defineTool({
    name: "search_files",
    description: `Finds lines that match a regular expression (RE2 syntax) in the text files of a folder and its subfolders.${gitignore ? " Excludes what .gitignore lists." : ""}`,
    input: z.object({
      pattern: z.string().min(1).max(1000).describe("Regular expression, matched against each line separately"),
      path: z.string().optional().describe("Folder or file to search (default: the root folder)"),
      glob: z.string().min(1).max(300).optional().describe("Only files that match this glob: *.ts, src/**/*.{js,ts}"),
      ignore_case: z.boolean().optional().describe("Ignore case (default false)"),
      context: z.int().min(0).max(10).optional().describe("Lines to show before and after each match (default 0)"),
      limit: z.int().min(1).max(500).optional().describe("Maximum number of matching lines (default 100)"),
      include_ignored: z.boolean().optional().describe("Also search what .gitignore excludes (default false)"),
    }),
    effects: "none",
    reads: ["untrusted", "private"],
    run: async (input, { signal }): Promise<FoundText> => {
      const work = new Work();
      const until = performance.now() + searchMs;
      const search = new Search(input, { until, maxBytes: maxSearchBytes, folder, work, signal });
      const { path = ".", include_ignored: all = false } = input;
      const walk = new Walk({
        skip: new Set(skip),
        gitignore: gitignore && !all,
        maxEntries,
        recursive: true,
        work,
        until,
        signal,
      });
      const single = await openFile(folder, path);
      if (single === undefined) {
        for (const start of await startsOf(folder, path)) {
          for await (const found of walk.from(start)) if (!(await search.found(found))) break;
          search.isLate ||= walk.isLate;
          if (search.isOver) break;
        }
      } else {
        await using file = single.file;
        await search.file(single.place.path, file);
      }
      return search.result(walk.isFull ? `only the first ${maxEntries} files and folders were examined` : undefined);
    },
  });
}

/** Opens the path if it is a file; folders are walked. */
async function openFile(folder: Folder, path: string): Promise<Awaited<ReturnType<Folder["open"]>> | undefined> {
  if (await folder.isFolder(path)) return undefined;
  return await folder.open(path);
}

interface Bounds {
  /** When the search ends, by `performance.now()`. */
  readonly until: number;
  readonly maxBytes: number;
  readonly folder: Folder;
  readonly work: Work;
  readonly signal: AbortSignal;
}

type TextFile = Awaited<ReturnType<Found["directory"]["open"]>>;

/** One search, file by file. */
class Search {
  /** Whether the time is up. */
  isLate = false;
  readonly #expression: Expression;
  readonly #isMatch: (path: string, inside: string) => boolean;
  readonly #context: number;
  readonly #limit: number;
  readonly #bounds: Bounds;
  readonly #files: { path: string; matches: readonly SearchMatch[] }[] = [];
  #total = 0;
  #searched = 0;
  #tooLarge = 0;
  #longLines = 0;
  #linked = 0;

  constructor(input: SearchFilesInput, bounds: Bounds) {
    this.#expression = compileExpression(input.pattern, input.ignore_case === true);
    this.#isMatch = input.glob === undefined ? () => true : globFilter(input.glob, bounds.work);
    this.#context = input.context ?? 0;
    this.#limit = input.limit ?? 100;
    this.#bounds = bounds;
  }

  get isOver(): boolean {
    return this.isLate || this.#total >= this.#limit;
  }

  /** Returns false when the search should stop. */
  async found({ path, inside, name, type, directory }: Found): Promise<boolean> {
    if (performance.now() > this.#bounds.until) this.isLate = true;
    if (this.isOver) return false;
    if (type !== "file" || !this.#isMatch(path, inside)) return true;
    // The file has been deleted since, or cannot be read.
    const opened = await directory.open(name, constants.O_RDONLY).catch(() => undefined);
    if (opened === undefined) return true;
    await using file = opened;
    await this.file(path, file);
    return !this.isOver;
  }

  async file(path: string, file: TextFile): Promise<void> {
    const { signal, until, maxBytes, work } = this.#bounds;
    const { maxLine, steps, find } = this.#expression;
    const stats = await file.stat();
    // Something else may have replaced the file.
    if (!stats.isFile()) return;
    if (this.#bounds.folder.isLinked(stats)) {
      this.#linked++;
      return;
    }
    if (stats.size > maxBytes) {
      this.#tooLarge++;
      return;
    }
    const window = new MatchWindow(this.#context);
    let isText = true;
    const onContent = (content: object): void => {
      isText = !("kind" in content);
    };
    for await (const { text, cut } of linesOf(file, { maxLine, signal, onContent })) {
      if (cut > 0) this.#longLines++;
      work.add(steps * (text.length + 1));
      await work.pause();
      signal.throwIfAborted();
      const start = this.#total < this.#limit ? find(text) : undefined;
      if (start !== undefined) this.#total++;
      window.line(text, start);
      if (performance.now() > until) this.isLate = true;
      if (this.isLate || (this.#total >= this.#limit && window.isSettled)) break;
    }
    if (isText) this.#searched++;
    if (window.matches.length > 0) this.#files.push({ path, matches: window.matches });
  }

  result(note: string | undefined): FoundText {
    const notes = [
      ...(note === undefined ? [] : [note]),
      ...(this.isLate ? ["the search timed out before everything was searched; narrow it with a path or a glob"] : []),
      ...(this.#total >= this.#limit ? [`the search stopped at the limit of ${this.#limit} matching lines`] : []),
      ...(this.#tooLarge > 0
        ? [`files larger than ${this.#bounds.maxBytes} bytes were skipped: ${this.#tooLarge}`]
        : []),
      ...(this.#linked > 0 ? [`files with more than one hard link were skipped: ${this.#linked}`] : []),
      ...(this.#longLines > 0
        ? [
            `only the first ${this.#expression.maxLine} characters of each line were searched; longer lines: ${this.#longLines}`,
          ]
        : []),
    ];
    return {
      files: this.#files,
      total: this.#total,
      searched: this.#searched,
      ...(notes.length === 0 ? {} : { note: notes.join("; ") }),
    };
  }
}
