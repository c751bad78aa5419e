import type { Content, Fields, Numbers, Texts, Word } from "./content.ts";
import type { GenerateContentRequest, ModalityTokenCount, UsageMetadata } from "./generate-content.ts";

/** How long a cache lives, in one of two forms: as seconds with an `s` (`"3600s"`), or as a point in time (RFC 3339). */
export type CacheExpiry =
  | { readonly ttl: string; readonly expireTime?: undefined }
  | { readonly ttl?: undefined; readonly expireTime: string };

/** Body that creates a cache, which precedes the contents of every request. @see https://ai.google.dev/api/caching#CachedContent */
export interface CreateCachedContentRequest
  extends
    Texts<"displayName" | "ttl" | "expireTime">,
    Fields<Pick<GenerateContentRequest, "systemInstruction" | "tools" | "toolConfig" | "contents">> {
  /** Resource path of the only model that can use it. */
  readonly model: string;
}

/** The service's description of a cache, without its contents. Times are RFC 3339; unknown fields are kept. */
export interface CachedContent extends Texts<"displayName" | "createTime" | "updateTime" | "expireTime"> {
  /** Such as `cachedContents/abc123`; with project and location on Vertex. */
  readonly name: string;
  readonly model: string;
  readonly usageMetadata?: { readonly totalTokenCount?: number | undefined } | undefined;
}

interface Page {
  /** Token for requesting the next page; absent on the last page. */
  readonly nextPageToken?: string | undefined;
}

/** One page of the list of caches. */
export interface ListCachedContentsResponse extends Page {
  readonly cachedContents?: readonly CachedContent[] | undefined;
}

/** A file that was uploaded to the Files API. Times are RFC 3339; unknown fields are kept. @see https://ai.google.dev/api/files#File */
export interface GeminiFile extends Texts<"displayName" | "mimeType" | "createTime" | "updateTime"> {
  /** Such as `files/abc123`. */
  readonly name: string;
  /** The `fileUri` of parts that refer to the file. */
  readonly uri: string;
  /** Decimal digits. */
  readonly sizeBytes?: string | undefined;
  /** `PROCESSING` until it can be used, then `ACTIVE`; `FAILED` if it never can; or a newer value. */
  readonly state?: Word<"PROCESSING" | "ACTIVE" | "FAILED"> | undefined;
  /** Why it failed. */
  readonly error?: { readonly code?: number | undefined; readonly message?: string | undefined } | undefined;
  /** When the service deletes it, 48 hours after its creation. */
  readonly expirationTime?: string | undefined;
  /** Base64. */
  readonly sha256Hash?: string | undefined;
  readonly source?: Word<"UPLOADED" | "GENERATED"> | undefined;
  readonly videoMetadata?: { readonly videoDuration?: string | undefined } | undefined;
}

/** One page of the list of files. */
export interface ListFilesResponse extends Page {
  readonly files?: readonly GeminiFile[] | undefined;
}

/** The service's description of a model. Unknown fields are kept. @see https://ai.google.dev/api/models#Model */
export interface ModelInfo
  extends
    Texts<"version" | "displayName" | "description">,
    Numbers<"inputTokenLimit" | "outputTokenLimit" | "temperature" | "maxTemperature" | "topP" | "topK"> {
  /** With its prefix, such as `models/gemini-flash-latest`. */
  readonly name: string;
  readonly supportedGenerationMethods?: readonly string[] | undefined;
  readonly thinking?: boolean | undefined;
}

/** One page of the list of models. */
export interface ListModelsResponse extends Page {
  readonly models?: readonly ModelInfo[] | undefined;
  /** Vertex's name for the same list. */
  readonly publisherModels?: readonly ModelInfo[] | undefined;
}

/** Body of `countTokens`: contents alone, or a whole request. @see https://ai.google.dev/api/tokens */
export type CountTokensRequest =
  | { readonly contents: readonly Content[]; readonly generateContentRequest?: undefined }
  | { readonly contents?: undefined; readonly generateContentRequest: GenerateContentRequest }
  /** Vertex takes the request's own fields at the top level. */
  | (Pick<GenerateContentRequest, "contents" | "systemInstruction" | "tools" | "generationConfig"> & {
      readonly generateContentRequest?: undefined;
    });

/** Answer of `countTokens`. Unknown fields are kept. */
export interface CountTokensResponse {
  /** Absent means zero. */
  readonly totalTokens?: number | undefined;
  readonly cachedContentTokenCount?: number | undefined;
  readonly promptTokensDetails?: readonly ModalityTokenCount[] | undefined;
}

/** Body of `embedContent`: one content, which becomes one vector. @see https://ai.google.dev/api/embeddings */
export interface EmbedContentRequest extends Numbers<"outputDimensionality"> {
  /** Resource path of the model; required in a batch. */
  readonly model?: string | undefined;
  readonly content: Content;
  /** Such as `RETRIEVAL_QUERY`. `gemini-embedding-2` ignores it. */
  readonly taskType?: string | undefined;
  /** Only with `RETRIEVAL_DOCUMENT`. */
  readonly title?: string | undefined;
  /** Vertex takes its options here. */
  readonly embedContentConfig?:
    | Fields<{ taskType: string; title: string; outputDimensionality: number; autoTruncate: boolean }>
    | undefined;
}

/** A vector. */
export interface ContentEmbedding {
  readonly values?: readonly number[] | undefined;
}

/** Answer of `embedContent`. Unknown fields are kept. */
export interface EmbedContentResponse {
  readonly embedding?: ContentEmbedding | undefined;
  /** Not sent for all models. */
  readonly usageMetadata?: UsageMetadata | undefined;
  /** The input was longer than the model reads. Vertex only. */
  readonly truncated?: boolean | undefined;
}

/** Answer of `batchEmbedContents`: one vector per request, in their order. Unknown fields are kept. */
export interface BatchEmbedContentsResponse {
  readonly embeddings?: readonly ContentEmbedding[] | undefined;
  /** Of the whole batch; not sent for all models. */
  readonly usageMetadata?: UsageMetadata | undefined;
}

/** For text only. @see https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api */
export interface PredictEmbeddingsRequest {
  readonly instances: readonly ({ readonly content: string } & Fields<{ task_type: string; title: string }>)[];
  readonly parameters?: Fields<{ outputDimensionality: number; autoTruncate: boolean }> | undefined;
}

/** Answer of `predict` with these models: one prediction per instance, in their order. Unknown fields are kept. */
export interface PredictEmbeddingsResponse {
  readonly predictions?: readonly Fields<{ embeddings: PredictedEmbedding }>[] | undefined;
  readonly metadata?: Fields<{ billableCharacterCount: number }> | undefined;
}

type PredictedEmbedding = ContentEmbedding &
  Fields<{ statistics: Fields<{ token_count: number; truncated: boolean }> }>;
