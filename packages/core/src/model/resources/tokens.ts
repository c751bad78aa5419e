import type { CountTokensRequest, CountTokensResponse } from "../../wire/types/resources.ts";
import type { EndpointKind } from "../../wire/endpoints/endpoint.ts";
import type { GenerateContentRequest, ModalityTokenCount } from "../../wire/types/generate-content.ts";

/** How large a request is. */
export interface TokenCount {
  /** Instructions, tools, contents and what the request's cache holds. */
  readonly totalTokens: number;
  /** Of these, the ones in an explicit cache. */
  readonly cachedTokens: number;
  /** The same by modality; empty where the endpoint does not say. */
  readonly details: readonly ModalityTokenCount[];
}

/**
 * The body that counts a whole request. Vertex takes its fields at the top level; elsewhere only the whole request
 * counts instructions and tools.
 *
 * @see https://ai.google.dev/api/tokens
 */
export function buildCountTokensRequest(request: GenerateContentRequest, kind: EndpointKind): CountTokensRequest {
  if (kind !== "vertex") return { generateContentRequest: request };
  const { contents, systemInstruction, tools, generationConfig } = request;
  return {
    ...(systemInstruction && { systemInstruction }),
    ...(tools && { tools }),
    contents,
    ...(generationConfig && { generationConfig }),
  };
}

/** The service's count as ours; what is absent is zero. */
export function readTokenCount(answer: CountTokensResponse): TokenCount {
  return {
    totalTokens: answer.totalTokens ?? 0,
    cachedTokens: answer.cachedContentTokenCount ?? 0,
    details: answer.promptTokensDetails ?? [],
  };
}
