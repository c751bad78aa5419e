// Entry "@pollux/core/node": everything that needs Node. Names only.
export { fileFromPath, type ImageToSave, saveAudio, saveImages, type SaveImagesOptions } from "./local-files.ts";
export type { NodeTransportOptions } from "./transport/node-agents.ts";
export { type NodeTransport, nodeTransport } from "./transport/node-transport.ts";
export {
  openSessionFile,
  repairSessionFile,
  type SessionFile,
  type SessionFileRepair,
  type StoredSession,
} from "./stores/session-file.ts";
export { JsonlStore, type JsonlStoreOptions } from "./stores/jsonl/jsonl-store.ts";
export { SqliteQuotaStore } from "./stores/sqlite/sqlite-quota.ts";
export { SqliteStore, type SqliteStoreOptions } from "./stores/sqlite/sqlite-store.ts";
