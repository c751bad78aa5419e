import { defineTool, type Tool, ToolError } from "@pollux/core";
import { z } from "zod/v4";
import type { FileToolOptions } from "./file-tool-options.ts";
import { Folder } from "./folder.ts";
import { replaceFile, withTarget } from "./replace-file.ts";
import { SeenFiles } from "./seen-files.ts";
import { cutDiff, diffOf } from "./text-diff.ts";
import { bytesOf, checkSize, shapeOf } from "./text-shape.ts";
import { type FileChange, MAX_FILE_BYTES, SHORT_DIFF, type WriteOptions } from "./write-options.ts";

/** The model's input. */
export interface WriteFileInput {
  readonly path: string;
  readonly content: string;
}

/** Options of {@link writeFile}. */
export interface WriteFileOptions extends WriteOptions<WriteFileInput> {
  /**
   * Whether any file may be replaced. Otherwise only files whose current content was read to its end, or written, by the tools
   * that share {@link FileToolOptions.seen}. @defaultValue false
   */
  readonly overwrite?: boolean | undefined;
}

/** The result of a write. */
export interface WrittenFile {
  readonly path: string;
  readonly change: "created" | "replaced" | "unchanged";
  /** Current size of the file. */
  readonly bytes: number;
  /** Lines. */
  readonly added: number;
  /** Lines. */
  readonly removed: number;
  /** Unified diff, truncated if long; only if an existing file was replaced. */
  readonly diff?: string | undefined;
}

/**
 * `write_file`: creates or replaces a text file inside the root in one step, creating missing folders. A replaced file keeps
 * its mode, encoding and line endings. Writing the same content again changes nothing.
 */
export function writeFile(options: FileToolOptions & WriteFileOptions): Tool<WriteFileInput, WrittenFile> {
  const folder = new Folder(options);
  const { seen = new SeenFiles(), overwrite = false, maxFileBytes = MAX_FILE_BYTES } = options;
  return defineTool({
    name: "write_file",
    description: `Writes a text file with the given content, creating missing folders. ${overwrite ? "Replaces an existing file." : "Replaces an existing file only after you have read all of it. To change parts of a file, use edit_file."}`,
    input: z.object({
      path: z.string().min(1).describe("Path inside the folder, such as src/index.ts"),
      content: z.string().describe("The complete text of the file"),
    }),
    // A call writes the whole content, so repeating it has no further effect.
    effects: "idempotent",
    reads: ["untrusted", "private"],
    // The author has chosen the folder.
    reach: "inside",
    sequential: true,
    needsApproval: options.needsApproval,
    run: async ({ path, content }, context): Promise<WrittenFile> => {
      checkSize(path, Buffer.byteLength(content), maxFileBytes);
      return await withTarget(folder, path, maxFileBytes, async (target) => {
        const { place, now } = target;
        const shape = shapeOf(target);
        const text = shape.isCrlf ? content.replaceAll(/\r?\n/g, "\r\n") : content;
        const bytes = bytesOf(text, place.path, shape);
        if (now !== undefined && Buffer.compare(now.bytes, bytes) === 0) {
          seen.wrote(place.real, now.version);
          return { path: place.path, change: "unchanged", bytes: bytes.length, added: 0, removed: 0 };
        }
        if (now !== undefined && !overwrite && !seen.has(place.real, now.version))
          throw new ToolError(
            `"${place.path}" exists, and its current content has not been read completely; read it first, or change it with edit_file`,
          );
        context.signal.throwIfAborted();
        seen.wrote(place.real, await replaceFile(target, bytes));
        const { diff, added, removed } = diffOf(shape.text, text);
        await context.progress({ type: "file-change", path: place.path, diff } satisfies FileChange);
        const result = { path: place.path, bytes: bytes.length, added, removed };
        // The model need not read what it has just written.
        if (now === undefined) return { ...result, change: "created" };
        return { ...result, change: "replaced", diff: cutDiff(diff, SHORT_DIFF) };
      });
    },
  });
}
