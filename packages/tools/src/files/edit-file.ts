import { defineTool, type Tool, ToolError } from "@pollux/core";
import { z } from "zod/v4";
import { applyEdits, type TextEdit } from "./apply-edits.ts";
import type { FileToolOptions } from "./file-tool-options.ts";
import { Folder } from "./folder.ts";
import { replaceFile, withTarget } from "./replace-file.ts";
import { cutDiff, diffOf } from "./text-diff.ts";
import { bytesOf, checkSize, shapeOf } from "./text-shape.ts";
import { type FileChange, MAX_FILE_BYTES, SHORT_DIFF, type WriteOptions } from "./write-options.ts";

/** The model's input. */
export interface EditFileInput {
  readonly path: string;
  readonly edits: readonly TextEdit[];
}

/** The result of an edit. */
export interface EditedFile {
  readonly path: string;
  /** Replacements made. */
  readonly replaced: number;
  /** Lines. */
  readonly added: number;
  /** Lines. */
  readonly removed: number;
  /** Unified diff, truncated if long. */
  readonly diff: string;
}

/**
 * `edit_file`: replaces exact texts in one file inside the root, all or none, in one step. The file keeps its mode,
 * encoding and line endings.
 */
export function editFile(options: FileToolOptions & WriteOptions<EditFileInput>): Tool<EditFileInput, EditedFile> {
  const folder = new Folder(options);
  const { seen, maxFileBytes = MAX_FILE_BYTES } = options;
  return defineTool({
    name: "edit_file",
    description:
      "Replaces exact text in a file. Each old_text must occur exactly once in the file, including whitespace. Multiple edits are applied in order, all or none.",
    input: z.object({
      path: z.string().min(1).describe("Path inside the folder, such as src/index.ts"),
      edits: z
        .array(
          z.object({
            old_text: z.string().min(1).describe("Text to replace, exactly as it appears in the file"),
            new_text: z.string().describe("Replacement text; empty to delete the old text"),
            all: z.boolean().optional().describe("Replace all occurrences (default false)"),
          }),
        )
        .min(1)
        .max(50),
    }),
    // A repeated call could insert a text twice; the model can check whether the edit was made.
    effects: "once",
    reads: ["untrusted", "private"],
    // The author has chosen the folder.
    reach: "inside",
    unknownOutcome: "tell-model",
    sequential: true,
    needsApproval: options.needsApproval,
    run: async ({ path, edits }, context): Promise<EditedFile> => {
      await folder.find(path);
      return await withTarget(folder, path, maxFileBytes, async (target) => {
        const { place, now } = target;
        const shape = shapeOf(target);
        const { isCrlf } = shape;
        const edited = await applyEdits(shape.text, edits, {
          isCrlf,
          maxCharacters: maxFileBytes,
          signal: context.signal,
        });
        if ("problem" in edited) throw new ToolError(`"${place.path}" was not changed: ${edited.problem}`);
        const bytes = bytesOf(edited.text, place.path, shape);
        checkSize(place.path, bytes.length, maxFileBytes);
        context.signal.throwIfAborted();
        const version = await replaceFile(target, bytes);
        // If the model had read the whole file, it also knows the whole new content.
        if (now !== undefined && seen?.has(place.real, now.version) === true) seen.wrote(place.real, version);
        const { diff, added, removed } = diffOf(shape.text, edited.text);
        await context.progress({ type: "file-change", path: place.path, diff } satisfies FileChange);
        return { path: place.path, replaced: edited.replaced, added, removed, diff: cutDiff(diff, SHORT_DIFF) };
      });
    },
  });
}
