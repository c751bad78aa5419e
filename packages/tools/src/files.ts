import type { Tool } from "@pollux/core";
import { editFile } from "./files/edit-file.ts";
import { fileStats } from "./files/file-stats.ts";
import type { FileToolOptions } from "./files/file-tool-options.ts";
import { listFiles, type ListFilesOptions } from "./files/list-files.ts";
import { readFile, type ReadFileOptions } from "./files/read-file.ts";
import { searchFiles, type SearchFilesOptions } from "./files/search-files.ts";
import { SeenFiles } from "./files/seen-files.ts";
import { writeFile, type WriteFileOptions } from "./files/write-file.ts";

export type { TextEdit } from "./files/apply-edits.ts";
export { type EditedFile, editFile, type EditFileInput } from "./files/edit-file.ts";
export { type FileStats, type FileStatsInput, fileStats } from "./files/file-stats.ts";
export type { FileToolOptions } from "./files/file-tool-options.ts";
export {
  type FileList,
  type ListedFile,
  listFiles,
  type ListFilesInput,
  type ListFilesOptions,
} from "./files/list-files.ts";
export type { SearchMatch } from "./files/match-window.ts";
export { type FileText, readFile, type ReadFileInput, type ReadFileOptions } from "./files/read-file.ts";
export { type FoundText, searchFiles, type SearchFilesInput, type SearchFilesOptions } from "./files/search-files.ts";
export { SeenFiles } from "./files/seen-files.ts";
export type { TextEncoding } from "./files/text-encoding.ts";
export { writeFile, type WriteFileInput, type WriteFileOptions, type WrittenFile } from "./files/write-file.ts";
export type { FileChange, WriteOptions } from "./files/write-options.ts";

/** Options of {@link fileTools}. */
export interface FileToolsOptions
  extends
    FileToolOptions,
    ListFilesOptions,
    ReadFileOptions,
    SearchFilesOptions,
    Pick<WriteFileOptions, "overwrite" | "maxFileBytes"> {
  /** Whether to include `write_file` and `edit_file`. @defaultValue false */
  readonly write?: boolean | undefined;
  /** Whether a person must approve each change to a file: always, or depending on its path. @defaultValue false */
  readonly approve?: boolean | ((change: { readonly path: string }) => boolean | Promise<boolean>) | undefined;
}

/**
 * `list_files`, `read_file`, `search_files` and `file_stats` for one or more folders; with `write`, also `write_file` and
 * `edit_file`. Nothing outside the folders can be reached.
 *
 * @example
 * ```ts
 * const agent = new Agent({ model: "gemini-flash-latest", tools: fileTools({ root: "docs" }) });
 * ```
 */
export function fileTools(options: FileToolsOptions): Tool[] {
  const { seen = new SeenFiles(), write = false, approve = false } = options;
  const shared = { ...options, seen };
  const changing = { ...shared, needsApproval: approve };
  return [
    listFiles(shared),
    readFile(shared),
    searchFiles(shared),
    fileStats(shared),
    ...(write ? [writeFile(changing), editFile(changing)] : []),
  ];
}
