import { isObject } from "../internal/json.ts";
import type { ModelResponse } from "../model/model.ts";
import { type FoundSource, sourceOfChunk, sourceOfUrl } from "./source-of-chunk.ts";
import type { Grounding, Source } from "./sources.ts";

/** What the answers of a run rest on. */
export type CollectedSources = Pick<Grounding, "sources" | "searchQueries" | "searchEntryPoints">;

/**
 * Gathers the sources of a run's answers, numbered from 1 in order of first appearance; one that comes again keeps its number.
 *
 * Pages and documents are the same when their address is, places when their id is. Also gathers what was searched for and the
 * search entry points, each once.
 *
 * @param responses - Oldest first, those of nested runs included.
 * @see https://ai.google.dev/api/generate-content#GroundingMetadata
 */
export function collectSources(responses: readonly Pick<ModelResponse, "content" | "candidate">[]): CollectedSources {
  const sources = new Map<string, Source>();
  const searchQueries = new Set<string>();
  const searchEntryPoints = new Set<string>();
  const add = ({ key, source }: FoundSource): void => {
    if (!sources.has(key)) sources.set(key, { number: sources.size + 1, ...source });
  };

  for (const { content, candidate } of responses) {
    const metadata = candidate.groundingMetadata;
    const shown = metadata?.searchEntryPoint?.renderedContent;
    if (shown) searchEntryPoints.add(shown);
    for (const { toolCall, toolResponse } of content.parts) {
      for (const query of list(toolCall?.args?.["queries"])) addText(searchQueries, query);
      // The same suggestions come in the metadata, but only with the answer that ends the turn.
      if (!shown && isObject(toolResponse?.response))
        addText(searchEntryPoints, toolResponse.response["search_suggestions"]);
    }
    for (const queries of [metadata?.webSearchQueries, metadata?.imageSearchQueries, metadata?.retrievalQueries]) {
      for (const query of list(queries)) addText(searchQueries, query);
    }
    for (const chunk of list(metadata?.groundingChunks)) add(sourceOfChunk(chunk));
    for (const retrieved of list(candidate.urlContextMetadata?.urlMetadata))
      if (wasRead(retrieved)) add(sourceOfUrl(retrieved));
  }
  return {
    sources: [...sources.values()],
    searchQueries: [...searchQueries],
    searchEntryPoints: [...searchEntryPoints],
  };
}

/** Finds the sources that the chunks of one answer became. `undefined` at the place of a chunk that is in none. */
export function numbersOfChunks(chunks: readonly unknown[], sources: readonly Source[]): (number | undefined)[] {
  const numbers = new Map<string, number>();
  for (const { kind, uri, chunk, number } of sources) {
    const key = kind === "url" && uri !== undefined ? uri : sourceOfChunk(chunk).key;
    if (!numbers.has(key)) numbers.set(key, number);
  }
  return chunks.map((chunk) => numbers.get(sourceOfChunk(chunk).key));
}

function wasRead(retrieved: unknown): retrieved is { readonly retrievedUrl: string } {
  if (!isObject(retrieved) || typeof retrieved["retrievedUrl"] !== "string" || retrieved["retrievedUrl"] === "")
    return false;
  return retrieved["urlRetrievalStatus"] === "URL_RETRIEVAL_STATUS_SUCCESS";
}

/** What stands in a list of the service, or nothing when it is no list. */
function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function addText(texts: Set<string>, value: unknown): void {
  if (typeof value === "string" && value !== "") texts.add(value);
}
