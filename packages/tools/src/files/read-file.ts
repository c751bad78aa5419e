import type { FileHandle } from "node:fs/promises";
import { defineTool, type Tool, ToolFailure } from "@pollux/core";
import { z } from "zod/v4";
import { binaryKind, chunksOf } from "./file-bytes.ts";
import type { FileToolOptions } from "./file-tool-options.ts";
import { Folder } from "./folder.ts";

/** Bounds of {@link readFile}. */
export interface ReadFileOptions {
  /** Most characters that one call gives back. @defaultValue 40_000 */
  readonly maxCharacters?: number | undefined;
}

/** What the model asks for. */
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
  /** Number of the last line in `text`; one less than `first_line` when there is none. */
  readonly last_line: number;
  /** Where to go on reading; absent at the end of the file. */
  readonly next_line?: number | undefined;
}

/** Most characters of one line; the rest is cut, visibly. */
const MAX_LINE = 2_000;

/** `read_file`: text of one file inside the root, a page of lines at a time. */
export function readFile(options: FileToolOptions & ReadFileOptions): Tool<ReadFileInput, FileText> {
  const folder = new Folder(options.root);
  const { maxCharacters = 40_000 } = options;
  return defineTool({
    name: "read_file",
    description:
      "Reads a text file. Long files come in pages: go on with first_line set to next_line of the page before.",
    input: z.object({
      path: z.string().describe("Path inside the folder, such as src/index.ts"),
      first_line: z.int().min(1).optional().describe("Line to begin with, from 1 (default 1)"),
      lines: z.int().min(1).max(5000).optional().describe("How many lines at most (default 1000)"),
    }),
    run: async ({ path, first_line: firstLine = 1, lines = 1000 }, { signal }): Promise<FileText> => {
      const { place, file, bytes } = await folder.open(path);
      try {
        return {
          path: place.path,
          ...(await readLines(file, { name: place.path, bytes, firstLine, lines, maxCharacters, signal })),
        };
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

async function readLines(file: FileHandle, page: Page): Promise<Omit<FileText, "path">> {
  const { firstLine, lines, maxCharacters } = page;
  const taken: string[] = [];
  let characters = 0;
  let number = 0;
  for await (const line of linesOf(file, page)) {
    number++;
    if (number < firstLine) continue;
    characters += line.length + 1;
    if (taken.length === lines || (characters > maxCharacters && taken.length > 0)) {
      return { text: taken.join("\n"), first_line: firstLine, last_line: number - 1, next_line: number };
    }
    taken.push(line);
  }
  if (taken.length === 0 && firstLine > 1)
    throw new ToolFailure(`"${page.name}" has only ${number} lines; first_line is ${firstLine}`);
  return { text: taken.join("\n"), first_line: firstLine, last_line: number };
}

/** Lines without their ends (`\n` or `\r\n`), never more of one in memory than is given back of it. */
async function* linesOf(file: FileHandle, { name, bytes, signal }: Page): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let line = "";
  let cut = 0;
  let isFirst = true;
  const grow = (piece: string): void => {
    const room = Math.max(0, MAX_LINE + 1 - line.length);
    line += piece.slice(0, room);
    cut += Math.max(0, piece.length - room);
  };
  const take = (): string => {
    const whole = shortened(line.endsWith("\r") && cut === 0 ? line.slice(0, -1) : line, cut);
    line = "";
    cut = 0;
    return whole;
  };
  for await (const chunk of chunksOf(file, signal)) {
    const kind = isFirst ? binaryKind(chunk) : undefined;
    isFirst = false;
    if (kind !== undefined)
      throw new ToolFailure(`"${name}" is not text but a ${kind} of ${bytes} bytes; choose another file`);
    const pieces = decoder.decode(chunk, { stream: true }).split("\n");
    const rest = pieces.pop() ?? "";
    for (const piece of pieces) {
      grow(piece);
      yield take();
    }
    grow(rest);
  }
  grow(decoder.decode());
  if (line !== "") yield take();
}

function shortened(line: string, cut: number): string {
  if (line.length <= MAX_LINE) return line;
  const kept = line.slice(0, MAX_LINE).replace(/[\ud800-\udbff]$/, "");
  return `${kept}… [line cut: ${line.length + cut - kept.length} more characters]`;
}
