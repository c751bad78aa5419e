// Entry "@pollux/core/resources": files, caches, embeddings and models of the service. Names only.
export { type Cache, type CacheHolds, type CacheLife, type CacheRef, Caches, caches } from "./caches.ts";
export { type Files, files, type UploadData, type UploadFileOptions } from "./files.ts";
export type { WaitForFileOptions } from "./wait-for-file.ts";
export {
  cosineSimilarity,
  embed,
  embedMany,
  embeddedSoFar,
  type EmbeddedSoFar,
  type EmbeddingTaskType,
  type EmbedInput,
  type EmbedManyOptions,
  type EmbedManyResult,
  type EmbedOptions,
  type EmbedPiece,
  type EmbedResult,
  type TitledInput,
} from "./embeddings.ts";
export { type ListedModel, listModels, type ListModelsOptions } from "./models.ts";
export { type GeminiFile } from "../../wire/types/resources.ts";
export { type UploadProgress } from "../../wire/upload.ts";
