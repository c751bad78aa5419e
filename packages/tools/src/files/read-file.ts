import type { FileHandle } from "node:fs/promises";
import { defineTool, type Tool, ToolError } from "@pollux/core";
import { z } from "zod/v4";
import type { FileToolOptions } from "./file-tool-options.ts";
import { versionOf } from "./file-version.ts";
import { Folder } from "./folder.ts";
import type { TextEncoding } from "./text-encoding.ts";
import { type LineOptions, linesOf } from "./text-lines.ts";

/** Bounds of {@link readFile}. */
export interface ReadFileOptions {
  /** Most characters returned by one call. @defaultValue 40_000 */
  readonly maxCharacters?: number | undefined;
}

/** The model's input. */
export interface ReadFileInput {
  readonly path: string;
  readonly first_line?: number | undefined;
  readonly lines?: number | undefined;
}

/** Some lines of a file. */
export interface FileText {
  readonly path: string;
  /** Lines joined by `\n`; ends without one. */
  readonly text: string;
  /** Number of the first line in `text`, from 1. */
  readonly first_line: number;
  /** Number of the last line in `text`; one less than `first_line` if `text` has no lines. */
  readonly last_line: number;
  /** Where to continue reading; absent at the end of the file. */
  readonly next_line?: number | undefined;
  /** Present if the file is not UTF-8: UTF-16 if it has a byte order mark, otherwise Latin-1. */
  readonly encoding?: TextEncoding | undefined;
}

/** Most characters of one line; the rest is visibly truncated. */
const MAX_LINE = 2_000;

/** `read_file`: text of one file inside the root, a page of lines at a time. */
export function readFile(options: FileToolOptions & ReadFileOptions): Tool<ReadFileInput, FileText> {
  const folder = new Folder(options);
  const { maxCharacters = 40_000 } = options;
  return defineTool({
    name: "read_file",
    description:
      "Reads a text file. Long files are returned in pages: to continue, set first_line to next_line of the previous page.",
    input: z.object({
      path: z.string().describe("Path inside the folder, such as src/index.ts"),
      first_line: z.int().min(1).optional().describe("First line to read, starting at 1 (default 1)"),
      lines: z.int().min(1).max(5000).optional().describe("Maximum number of lines (default 1000)"),
    }),
    effects: "none",
    reads: ["untrusted", "private"],
    run: async ({ path, first_line: firstLine = 1, lines = 1000 }, { signal }): Promise<FileText> => {
      const { place, file, bytes } = await folder.open(path);
      try {
        const version = versionOf(await file.stat({ bigint: true }));
        const wanted = { name: place.path, bytes, firstLine, lines, maxCharacters, signal };
        const { hasCutLine, ...page } = await readLines(file, wanted);
        const atEnd = page.next_line === undefined;
        if (!hasCutLine) options.seen?.read(place.real, version, { first: firstLine, last: page.last_line, atEnd });
        return { path: place.path, ...page };
      } finally {
        await file.close();
      }
    },
  });
}

interface Page {
  readonly name: string;
  readonly bytes: number;
  readonly firstLine: number;
  readonly lines: number;
  readonly maxCharacters: number;
  readonly signal: AbortSignal;
}

async function readLines(
  file: FileHandle,
  page: Page,
): Promise<Omit<FileText, "path"> & { readonly hasCutLine: boolean }> {
  const { firstLine, lines, maxCharacters, signal } = page;
  const taken: string[] = [];
  let encoding: TextEncoding = "utf-8";
  let characters = 0;
  let number = 0;
  let hasCutLine = false;
  const onContent: LineOptions["onContent"] = (content) => {
    if ("kind" in content)
      throw new ToolError(
        `"${page.name}" is not text but a ${content.kind} of ${page.bytes} bytes; choose another file`,
      );
    encoding = content.encoding;
  };
  const result = (next?: number): Omit<FileText, "path"> & { readonly hasCutLine: boolean } => ({
    text: taken.join("\n"),
    first_line: firstLine,
    last_line: firstLine + taken.length - 1,
    ...(next === undefined ? {} : { next_line: next }),
    ...(encoding === "utf-8" ? {} : { encoding }),
    hasCutLine,
  });
  for await (const { text, cut } of linesOf(file, { maxLine: MAX_LINE, signal, onContent })) {
    number++;
    if (number < firstLine) continue;
    const line = cut === 0 ? text : `${text}… [line truncated: ${cut} more characters]`;
    characters += line.length + 1;
    if (taken.length === lines || (characters > maxCharacters && taken.length > 0)) return result(number);
    hasCutLine ||= cut > 0;
    taken.push(line);
  }
  if (taken.length === 0 && firstLine > 1)
    throw new ToolError(`"${page.name}" has only ${number} lines; first_line is ${firstLine}`);
  return result();
}
