// Entry "@pollux/core/node": what needs Node. Names only.
export { fileFromPath } from "./file-from-path.ts";
export { type NodeTransport, nodeTransport, type NodeTransportOptions } from "./node-transport.ts";
export { type ImageToSave, saveImages, type SaveImagesOptions } from "./save-images.ts";
export { JsonlStore, type JsonlStoreOptions } from "./jsonl-store.ts";
export { SqliteStore, type SqliteStoreOptions } from "./sqlite-store.ts";
