import type { Content } from "./content.ts";
import type { GenerateContentRequest, ModalityTokenCount } from "./generate-content.ts";

/**
 * What the service says about a model. Unknown fields are kept.
 *
 * @see https://ai.google.dev/api/models#Model
 */
export interface ModelInfo {
  /** With its prefix, such as `models/gemini-flash-latest`. */
  readonly name: string;
  readonly version?: string | undefined;
  readonly displayName?: string | undefined;
  readonly description?: string | undefined;
  readonly inputTokenLimit?: number | undefined;
  readonly outputTokenLimit?: number | undefined;
  readonly supportedGenerationMethods?: readonly string[] | undefined;
  readonly temperature?: number | undefined;
  readonly maxTemperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  readonly thinking?: boolean | undefined;
}

/** One page of the list of models. */
export interface ListModelsResponse {
  readonly models?: readonly ModelInfo[] | undefined;
  /** Vertex's name for the same list. */
  readonly publisherModels?: readonly ModelInfo[] | undefined;
  /** Pass it on to get the next page; absent on the last one. */
  readonly nextPageToken?: string | undefined;
}

/**
 * Body of `countTokens`: contents alone, or a whole request to count its instructions and tools as well.
 *
 * @see https://ai.google.dev/api/tokens
 */
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
