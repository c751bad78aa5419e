import { ConfigurationError } from "../errors/agent-error.ts";
import type { CreateCachedContentRequest } from "../wire/types/resources.ts";
import { buildHead, type RequestFacts, toolConfigFor } from "./build-request.ts";
import { type CacheLife, cacheExpiry } from "./cache.ts";
import type { ModelRequest } from "./model.ts";

/** What a cache is to hold, and for how long. */
export interface CacheRequest extends CacheLife {
  /** Instructions, tools, tool config and contents go into the cache; of the settings, only the location can. */
  readonly request: ModelRequest;
  /** Shown in lists. */
  readonly displayName?: string | undefined;
}

/**
 * The body that makes a cache.
 *
 * @throws {ConfigurationError} For a model without explicit caches, an empty cache, or a life that is none.
 */
export function buildCacheRequest(asked: CacheRequest, facts: RequestFacts): CreateCachedContentRequest {
  const { capabilities, modelId } = facts;
  const { request, displayName } = asked;
  if (!capabilities.explicitCaches)
    throw new ConfigurationError(
      `${modelId} has no explicit caches: leave createCache out; it caches the beginnings of requests by itself.`,
    );
  const { systemInstruction, tools, preamble } = buildHead(request, facts);
  const contents = preamble ? [preamble, ...request.contents] : request.contents;
  if (contents.length === 0 && systemInstruction === undefined)
    throw new ConfigurationError("There is nothing to cache: give contents, or an agent with instructions.");
  const toolConfig = toolConfigFor(request, facts);
  return {
    model: modelId,
    ...(displayName !== undefined && { displayName }),
    ...(systemInstruction && { systemInstruction }),
    ...(tools && { tools }),
    ...(contents.length > 0 && { contents }),
    ...(toolConfig && { toolConfig }),
    ...cacheExpiry(asked),
  };
}
