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
  /** The only model that can use it, by the service's name. */
  readonly model?: string | undefined;
  /** When it expires, RFC 3339; using it later is an error. */
  readonly expireTime?: string | undefined;
  /** The agent that it was made from; absent for other caches. */
  readonly holds?: CacheHolds | undefined;
}

/** Which agent a cache was made from. */
export interface CacheHolds {
  /** Model ID of the agent. */
  readonly modelId: string;
  /** Changes with the cached instructions, declarations and tool config. */
  readonly fingerprint: string;
}

/** Lifetime of a cache; the service's default is one hour. */
export interface CacheLife {
  /** Seconds from now. Excludes `expireTime`. */
  readonly ttlSeconds?: number | undefined;
  /** When it expires; a string is RFC 3339. Excludes `ttlSeconds`. */
  readonly expireTime?: Date | string | undefined;
}

/** An explicit cache as the service describes it. Plain data: store it, and pass it to later runs as `cachedContent`. */
export interface Cache extends CacheRef {
  readonly model: string;
  readonly displayName?: string | undefined;
  /** RFC 3339. */
  readonly createTime?: string | undefined;
  /** Tokens in the cache, billed at the lower rate for every request that uses it. 0 when the service does not report it. */
  readonly totalTokens: number;
}

/**
 * Lists, extends and deletes the explicit caches of a key. `agent.createCache()` creates one.
 *
 * @param options - Client options, in particular the `endpoint` that the caches were created on.
 * @see https://ai.google.dev/gemini-api/docs/caching
 */
export function caches(options: GeminiClientOptions = {}): Caches {
  return new Caches(new GeminiClient(options));
}

/**
 * See {@link caches}. Every method throws a {@link ConfigurationError} before anything is sent if the endpoint has no caches,
 * and an `ApiStatusError` if the service rejects the request, such as 403 or 404 for an expired cache.
 */
export class Caches {
  readonly #client: GeminiClient;

  /** @internal */
  constructor(client: GeminiClient) {
    this.#client = client;
  }

  /** All caches of the key; pages are requested as they are read. */
  async *list({ signal }: CallSignal = {}): AsyncGenerator<Cache, void, void> {
    let pageToken: string | undefined;
    do {
      const page = await this.#client.caches.list({ pageSize: 1000, pageToken }, { signal });
      for (const content of page.cachedContents ?? []) yield readCache(content);
      if (page.nextPageToken === pageToken) return;
      pageToken = page.nextPageToken;
    } while (pageToken);
  }

  /** One cache. The service does not store `holds`: it is taken from the given {@link CacheRef}. */
  async get(cache: string | CacheRef, { signal }: CallSignal = {}): Promise<Cache> {
    return readCache(await this.#client.caches.get(getCacheName(cache), { signal }), cache);
  }

  /** Changes when a cache expires, and returns it with the new expiry. */
  async extend(cache: string | CacheRef, life: CacheLife, { signal }: CallSignal = {}): Promise<Cache> {
    const expiry = buildCacheExpiry(life);
    if (expiry === undefined) throw new ConfigurationError("extend() requires ttlSeconds or expireTime.");
    return readCache(await this.#client.caches.update(getCacheName(cache), expiry, { signal }), cache);
  }

  /** Deletes a cache, which stops its storage costs. */
  async delete(cache: string | CacheRef, { signal }: CallSignal = {}): Promise<void> {
    await this.#client.caches.delete(getCacheName(cache), { signal });
  }
}

/** Name of a cache. */
export function getCacheName(cache: string | CacheRef): string {
  return typeof cache === "string" ? cache : cache.name;
}

/**
 * Reads a cache from the service's answer.
 *
 * @param known - What the caller passed; its `holds` is kept.
 */
export function readCache(content: CachedContent, known?: string | CacheRef): Cache {
  const holds = typeof known === "object" ? known.holds : undefined;
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
 * Builds the lifetime of a cache for the wire; `undefined` for the service's default.
 *
 * @throws {ConfigurationError} For an invalid lifetime, or two.
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
