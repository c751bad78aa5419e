import type { Tool } from "@pollux/core";
import { fileStats } from "./files/file-stats.ts";
import type { FileToolOptions } from "./files/file-tool-options.ts";
import { listFiles, type ListFilesOptions } from "./files/list-files.ts";
import { readFile, type ReadFileOptions } from "./files/read-file.ts";

export { type FileStats, type FileStatsInput, fileStats } from "./files/file-stats.ts";
export type { FileToolOptions } from "./files/file-tool-options.ts";
export {
  type FileList,
  type ListedFile,
  listFiles,
  type ListFilesInput,
  type ListFilesOptions,
} from "./files/list-files.ts";
export { type FileText, readFile, type ReadFileInput, type ReadFileOptions } from "./files/read-file.ts";

/** `list_files`, `read_file` and `file_stats` for one folder. They read only, and nothing outside of the folder. */
export function fileTools(options: FileToolOptions & ListFilesOptions & ReadFileOptions): Tool[] {
  return [listFiles(options), readFile(options), fileStats(options)];
}
