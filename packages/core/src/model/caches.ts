import { ConfigurationError } from "../errors/agent-error.ts";
import { GeminiClient } from "../wire/client.ts";
import type { GeminiClientOptions } from "../wire/client-options.ts";
import { type Cache, type CacheLife, cacheExpiry, cacheFrom } from "./cache.ts";
import { cacheName, type CacheRef } from "./cache-ref.ts";

/** Options of one call about caches. */
export interface CacheCallOptions {
  /** Aborting it ends the call. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The explicit caches of a key: to look at, to extend and to delete. `agent.createCache()` makes one.
 *
 * @param options - Those of the client, most of all `endpoint`, which must be the one the caches were made on.
 * @see https://ai.google.dev/gemini-api/docs/caching
 */
export function caches(options: GeminiClientOptions = {}): Caches {
  return new Caches(new GeminiClient(options));
}

/**
 * See {@link caches}. Every method throws a {@link ConfigurationError} before anything is sent when the endpoint has no
 * caches, and an `ApiStatusError` when the service refuses, such as 403 or 404 for one that has expired.
 */
export class Caches {
  readonly #client: GeminiClient;

  /** @internal */
  constructor(client: GeminiClient) {
    this.#client = client;
  }

  /** All caches of the key, page by page as they are read. */
  async *list({ signal }: CacheCallOptions = {}): AsyncGenerator<Cache, void, void> {
    let pageToken: string | undefined;
    do {
      const page = await this.#client.caches.list({ pageSize: 1000, pageToken }, { signal });
      for (const content of page.cachedContents ?? []) yield cacheFrom(content);
      if (page.nextPageToken === pageToken) return;
      pageToken = page.nextPageToken;
    } while (pageToken);
  }

  /** One cache. What it holds of an agent is remembered by the value `createCache` gave, not by the service. */
  async get(cache: string | CacheRef, { signal }: CacheCallOptions = {}): Promise<Cache> {
    return cacheFrom(await this.#client.caches.get(cacheName(cache), { signal }), holdsOf(cache));
  }

  /** Lets a cache live longer, or shorter, and gives it with its new expiry. */
  async extend(cache: string | CacheRef, life: CacheLife, { signal }: CacheCallOptions = {}): Promise<Cache> {
    const expiry = cacheExpiry(life);
    if (expiry === undefined)
      throw new ConfigurationError("extend() needs to know until when: give ttlSeconds, or expireTime.");
    return cacheFrom(await this.#client.caches.update(cacheName(cache), expiry, { signal }), holdsOf(cache));
  }

  /** Deletes a cache, which ends what it costs. */
  async delete(cache: string | CacheRef, { signal }: CacheCallOptions = {}): Promise<void> {
    await this.#client.caches.delete(cacheName(cache), { signal });
  }
}

function holdsOf(cache: string | CacheRef): CacheRef["holds"] {
  return typeof cache === "string" ? undefined : cache.holds;
}
