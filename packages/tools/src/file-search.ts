export {
  type FileSearchDocument,
  type FileSearchMetadata,
  type MetadataValue,
  OWNER_KEY,
  readMetadata,
  type WaitOptions,
} from "./file-search/document.ts";
export {
  type FileSearchStore,
  fileSearchStore,
  type FileSearchStoreOptions,
  type FileSearchToolOptions,
  type ImportOptions,
  type UploadOptions,
} from "./file-search/store.ts";
export type { SyncFailure, SyncOptions, SyncProgress, SyncReport } from "./file-search/sync.ts";
