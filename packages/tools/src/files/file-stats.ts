import type { FileHandle } from "node:fs/promises";
import { defineTool, type Tool } from "@pollux/core";
import { z } from "zod/v4";
import { contentOf, chunksOf } from "./file-bytes.ts";
import type { FileToolOptions } from "./file-tool-options.ts";
import { Folder } from "./folder.ts";

/** The model's input. */
export interface FileStatsInput {
  readonly path: string;
}

/** The size of a file. */
export interface FileStats {
  readonly path: string;
  readonly bytes: number;
  /** `text`, or another kind of file. */
  readonly kind: string;
  /** Text only: number of lines, including a last one without a line ending. */
  readonly lines?: number | undefined;
  /** Text only: sequences without white space. */
  readonly words?: number | undefined;
}

/** `file_stats`: size, lines and words of one file inside the root, without its content. */
export function fileStats(options: FileToolOptions): Tool<FileStatsInput, FileStats> {
  const folder = new Folder(options);
  return defineTool({
    name: "file_stats",
    description: "Returns the size of a file without its content: bytes, and for text also lines and words.",
    input: z.object({ path: z.string().describe("Path inside the folder, such as src/index.ts") }),
    effects: "none",
    reads: ["untrusted", "private"],
    run: async ({ path }, { signal }): Promise<FileStats> => {
      const { place, file, bytes } = await folder.open(path);
      try {
        return { path: place.path, bytes, ...(await measure(file, signal)) };
      } finally {
        await file.close();
      }
    },
  });
}

async function measure(file: FileHandle, signal: AbortSignal): Promise<Pick<FileStats, "kind" | "lines" | "words">> {
  let decoder: TextDecoder | undefined;
  let lines = 0;
  let words = 0;
  let last = "\n";
  for await (const chunk of chunksOf(file, signal)) {
    if (decoder === undefined) {
      const content = contentOf(chunk);
      if ("kind" in content) return content;
      decoder = new TextDecoder(content.encoding);
    }
    const text = decoder.decode(chunk, { stream: true });
    if (text === "") continue;
    for (const _ of text.matchAll(/\n/g)) lines++;
    for (const _ of text.matchAll(/\S+/g)) words++;
    // A word that continues from the previous chunk has already been counted.
    if (/\S/.test(last) && /^\S/.test(text)) words--;
    last = text.slice(-1);
  }
  return { kind: "text", lines: last === "\n" ? lines : lines + 1, words };
}
