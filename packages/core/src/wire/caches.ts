import { ApiStatusError } from "../errors/api-errors.ts";
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
 * The operations on explicit caches, as `GeminiClient.caches`.
 *
 * All throw {@link ConfigurationError} when the endpoint has no caches, where that is known before anything is sent.
 *
 * @see https://ai.google.dev/api/caching
 */
export class CachedContents {
  readonly #client: ApiClient;

  /** @internal */
  constructor(client: ApiClient) {
    this.#client = client;
  }

  /** Makes a cache. `model` may be a bare id. */
  async create(request: CreateCachedContentRequest, options: CallOptions = {}): Promise<CachedContent> {
    const endpoint = this.#client.endpoint;
    const body = encodeJson({ ...request, model: endpoint.modelPath(request.model) });
    const path = cachesPath(endpoint);
    const call: ApiCall = { operation: "createCachedContent", model: request.model, method: "POST", path, body };
    return asCache(await this.#collection(call, options), request);
  }

  /** What the service says about one cache. */
  async get(name: string, options: CallOptions = {}): Promise<CachedContent> {
    const path = cachePath(this.#client.endpoint, name);
    return asCache(await this.#client.object({ operation: "getCachedContent", method: "GET", path }, options), {
      name,
    });
  }

  /**
   * One page of the caches.
   *
   * @param page - `pageSize` up to 1000; `pageToken` from the page before.
   */
  async list(page: PageRequest = {}, options: CallOptions = {}): Promise<ListCachedContentsResponse> {
    const path = withPage(cachesPath(this.#client.endpoint), page);
    return await this.#collection({ operation: "listCachedContents", method: "GET", path }, options);
  }

  /** Changes when a cache expires, the only thing about it that can change. */
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

  /** A service that has caches never answers that their collection is not there; a missing model comes with a reason. */
  async #collection(call: ApiCall, options: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    try {
      return await this.#client.object(call, options);
    } catch (error) {
      const isUnknown = error instanceof ApiStatusError && [404, 405, 501].includes(error.status);
      if (!isUnknown || error.reason === "NOT_FOUND") throw error;
      throw new ConfigurationError(
        `${new URL(this.#client.endpoint.baseUrl).host} does not support explicit caches (HTTP ${error.status}): use Google's own endpoint for them.`,
        { cause: error },
      );
    }
  }
}

function cachesPath({ cachesPath: path, baseUrl }: Endpoint): string {
  if (path !== undefined) return path;
  throw new ConfigurationError(
    `${new URL(baseUrl).host} is a gateway, and gateways do not support explicit caches: use Google's own endpoint, or pass kind: "developer" to endpoint() if this one forwards cachedContents.`,
  );
}

/** Resource path of a cache: a full name stands as it is, an id gets the endpoint's path in front. */
function cachePath(endpoint: Endpoint, name: string): string {
  const caches = cachesPath(endpoint);
  const id = /^(?:(projects\/[\w.:-]+\/locations\/[\w-]+)\/)?(?:cachedContents\/)?([\w-]+)$/.exec(name);
  if (id === null)
    throw new ConfigurationError(
      `${JSON.stringify(name.slice(0, 100))} is not the name of a cache: use one like "cachedContents/abc123".`,
    );
  return id[1] === undefined ? `${caches}/${id[2]}` : name;
}

/** A gateway's or a newer service's answer may lack what was asked with. */
function asCache(
  answer: Readonly<Record<string, unknown>>,
  asked: { readonly name?: string | undefined; readonly model?: string | undefined },
): CachedContent {
  return { name: asked.name ?? "", model: asked.model ?? "", ...answer };
}
