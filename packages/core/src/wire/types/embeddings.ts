import type { Content, Fields, Numbers } from "./content.ts";
import type { UsageMetadata } from "./generate-content.ts";

/** Body of `embedContent`: one content, which becomes one vector. @see https://ai.google.dev/api/embeddings */
export interface EmbedContentRequest extends Numbers<"outputDimensionality"> {
  /** Resource path of the model; required in a batch. */
  readonly model?: string | undefined;
  readonly content: Content;
  /** Such as `RETRIEVAL_QUERY`. `gemini-embedding-2` ignores it. */
  readonly taskType?: string | undefined;
  /** Only with `RETRIEVAL_DOCUMENT`. */
  readonly title?: string | undefined;
  /** Where Vertex has its options. */
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

/**
 * Body of `predict` with Vertex's text embedding models.
 *
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
 */
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
