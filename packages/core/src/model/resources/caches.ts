import { ConfigurationError } from "../../errors/agent-error.ts";
import type { CallSignal, GeminiClientOptions } from "../../wire/client-options.ts";
import { GeminiClient } from "../../wire/client.ts";
import type { CachedContent, CacheExpiry } from "../../wire/types/resources.ts";

/**
 * An explicit cache, as plain data that can be stored and used again.
 *
 * @see https://ai.google.dev/gemini-api/docs/caching
 */
export interface CacheRef {
  /** Such as `cachedContents/abc123`. */
  readonly name: string;
  /** The only model that can use it, as the service names it. */
  readonly model?: string | undefined;
  /** When it ends, RFC 3339; using it later is an error. */
  readonly expireTime?: string | undefined;
  /** What it holds of the agent that made it; absent for a cache made elsewhere. */
  readonly holds?: CacheHolds | undefined;
}

/** Which agent a cache was made from. */
export interface CacheHolds {
  /** Model id as the agent has it. */
  readonly modelId: string;
  /** Changes with the instructions, declarations and tool config that are in the cache. */
  readonly fingerprint: string;
}

/** How long a cache lives; the service takes one hour when neither is given. */
export interface CacheLife {
  /** Seconds from now. Excludes `expireTime`. */
  readonly ttlSeconds?: number | undefined;
  /** When it ends; a string is RFC 3339. Excludes `ttlSeconds`. */
  readonly expireTime?: Date | string | undefined;
}

/** What is known of an explicit cache. Plain data: store it, and hand it to a run later as `cachedContent`. */
export interface Cache extends CacheRef {
  readonly model: string;
  readonly displayName?: string | undefined;
  /** RFC 3339. */
  readonly createTime?: string | undefined;
  /** Tokens in the cache, which every request that uses it pays at the lower rate. 0 when the service does not say. */
  readonly totalTokens: number;
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
  async *list({ signal }: CallSignal = {}): AsyncGenerator<Cache, void, void> {
    let pageToken: string | undefined;
    do {
      const page = await this.#client.caches.list({ pageSize: 1000, pageToken }, { signal });
      for (const content of page.cachedContents ?? []) yield readCache(content);
      if (page.nextPageToken === pageToken) return;
      pageToken = page.nextPageToken;
    } while (pageToken);
  }

  /** One cache. What it holds of an agent is remembered by the value `createCache` gave, not by the service. */
  async get(cache: string | CacheRef, { signal }: CallSignal = {}): Promise<Cache> {
    return readCache(
      await this.#client.caches.get(getCacheName(cache), { signal }),
      typeof cache === "string" ? undefined : cache.holds,
    );
  }

  /** Lets a cache live longer, or shorter, and gives it with its new expiry. */
  async extend(cache: string | CacheRef, life: CacheLife, { signal }: CallSignal = {}): Promise<Cache> {
    const expiry = buildCacheExpiry(life);
    if (expiry === undefined) throw new ConfigurationError("extend() requires ttlSeconds or expireTime.");
    return readCache(
      await this.#client.caches.update(getCacheName(cache), expiry, { signal }),
      typeof cache === "string" ? undefined : cache.holds,
    );
  }

  /** Deletes a cache, which ends what it costs. */
  async delete(cache: string | CacheRef, { signal }: CallSignal = {}): Promise<void> {
    await this.#client.caches.delete(getCacheName(cache), { signal });
  }
}

/** The name that goes over the wire. */
export function getCacheName(cache: string | CacheRef): string {
  return typeof cache === "string" ? cache : cache.name;
}

/** What the service says about a cache. */
export function readCache(content: CachedContent, holds?: CacheHolds): Cache {
  const { name, model, displayName, createTime, expireTime, usageMetadata } = content;
  return {
    name,
    model,
    ...(displayName !== undefined && { displayName }),
    ...(createTime !== undefined && { createTime }),
    ...(expireTime !== undefined && { expireTime }),
    totalTokens: usageMetadata?.totalTokenCount ?? 0,
    ...(holds !== undefined && { holds }),
  };
}

/**
 * The life of a cache as it goes over the wire; undefined when nothing was said.
 *
 * @throws {ConfigurationError} For a life that is none, or is given twice.
 */
export function buildCacheExpiry({ ttlSeconds, expireTime }: CacheLife): CacheExpiry | undefined {
  if (ttlSeconds !== undefined && expireTime !== undefined)
    throw new ConfigurationError("ttlSeconds and expireTime are mutually exclusive: pass one of them.");
  if (ttlSeconds !== undefined) {
    if (Number.isFinite(ttlSeconds) && ttlSeconds > 0) return { ttl: `${ttlSeconds}s` };
    throw new ConfigurationError(`ttlSeconds is ${ttlSeconds}: it must be greater than 0 seconds.`);
  }
  if (expireTime === undefined) return undefined;
  const time = new Date(expireTime);
  if (Number.isNaN(time.getTime()))
    throw new ConfigurationError(
      `expireTime is ${JSON.stringify(expireTime)}: pass a Date, or a string like "2027-01-31T12:00:00Z".`,
    );
  return { expireTime: typeof expireTime === "string" ? expireTime : time.toISOString() };
}
