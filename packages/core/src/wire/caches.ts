import { ConfigurationError } from "../errors/agent-error.ts";
import type {
  CachedContent,
  CacheExpiry,
  CreateCachedContentRequest,
  ListCachedContentsResponse,
} from "./types/resources.ts";
import type { CallOptions } from "./client-options.ts";
import type { Endpoint } from "./endpoints/endpoint.ts";
import { type ApiClient, encodeJson, type PageRequest, withPage } from "./http/api-client.ts";
import type { ApiCall } from "./http/exchange.ts";

/**
 * Operations on explicit caches: `GeminiClient.caches`.
 *
 * All throw {@link ConfigurationError} on an endpoint without caches, before they send anything if that is known.
 *
 * @see https://ai.google.dev/api/caching
 */
export class CachedContents {
  readonly #client: ApiClient;

  /** @internal */
  constructor(client: ApiClient) {
    this.#client = client;
  }

  /** Creates a cache. `model` may be a bare id. */
  async create(request: CreateCachedContentRequest, options: CallOptions = {}): Promise<CachedContent> {
    return await createCachedContent(this.#client, request, options);
  }

  /** Describes one cache. */
  async get(name: string, options: CallOptions = {}): Promise<CachedContent> {
    const path = cachePath(this.#client.endpoint, name);
    return asCache(await this.#client.object({ operation: "getCachedContent", method: "GET", path }, options), {
      name,
    });
  }

  /**
   * One page of the caches.
   *
   * @param page - `pageSize` up to 1000; `pageToken` from the previous page.
   */
  async list(page: PageRequest = {}, options: CallOptions = {}): Promise<ListCachedContentsResponse> {
    const path = withPage(cachesPath(this.#client.endpoint), page);
    return await callCollection(this.#client, { operation: "listCachedContents", method: "GET", path }, options);
  }

  /** Changes the expiry of a cache, the only thing that can change. */
  async update(name: string, expiry: CacheExpiry, options: CallOptions = {}): Promise<CachedContent> {
    const path = cachePath(this.#client.endpoint, name);
    const call: ApiCall = { operation: "updateCachedContent", method: "PATCH", path, body: encodeJson(expiry) };
    return asCache(await this.#client.object(call, options), { name });
  }

  /** Deletes a cache. */
  async delete(name: string, options: CallOptions = {}): Promise<void> {
    const path = cachePath(this.#client.endpoint, name);
    await this.#client.object({ operation: "deleteCachedContent", method: "DELETE", path }, options);
  }
}

/** As {@link CachedContents.create}. A function, so that what only creates caches does not bundle the rest. */
export async function createCachedContent(
  client: ApiClient,
  request: CreateCachedContentRequest,
  options: CallOptions,
): Promise<CachedContent> {
  const { endpoint } = client;
  const body = encodeJson({ ...request, model: endpoint.modelPath(request.model) });
  const path = cachesPath(endpoint);
  const call: ApiCall = { operation: "createCachedContent", model: request.model, method: "POST", path, body };
  return asCache(await callCollection(client, call, options), request);
}

function callCollection(
  client: ApiClient,
  call: ApiCall,
  options: CallOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = client.object(call, options);
  return client.onCollection(answer, "explicit caches", "use Google's own endpoint for them");
}

function cachesPath({ cachesPath: path, baseUrl }: Endpoint): string {
  if (path !== undefined) return path;
  throw new ConfigurationError(
    `${new URL(baseUrl).host} is a gateway, and gateways do not support explicit caches: use Google's own endpoint, or pass kind: "developer" to endpoint() if this one forwards cachedContents.`,
  );
}

/** Resource path of a cache, from its full name or its id. */
function cachePath(endpoint: Endpoint, name: string): string {
  const caches = cachesPath(endpoint);
  const id = /^(?:(projects\/[\w.:-]+\/locations\/[\w-]+)\/)?(?:cachedContents\/)?([\w-]+)$/.exec(name);
  if (id === null)
    throw new ConfigurationError(
      `${JSON.stringify(name.slice(0, 100))} is not the name of a cache: use one like "cachedContents/abc123".`,
    );
  return id[1] === undefined ? `${caches}/${id[2]}` : name;
}

/** Fills in what the answer of a gateway or a newer service may lack. */
function asCache(
  answer: Readonly<Record<string, unknown>>,
  asked: { readonly name?: string | undefined; readonly model?: string | undefined },
): CachedContent {
  return { name: asked.name ?? "", model: asked.model ?? "", ...answer };
}
