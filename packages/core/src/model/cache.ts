import { ConfigurationError } from "../errors/agent-error.ts";
import type { CacheExpiry, CachedContent } from "../wire/types/resources.ts";
import type { CacheHolds, CacheRef } from "./cache-ref.ts";

/** How long a cache lives; the service takes one hour when neither is given. */
export interface CacheLife {
  /** Seconds from now. Excludes `expireTime`. */
  readonly ttlSeconds?: number | undefined;
  /** When it ends; a text is RFC 3339. Excludes `ttlSeconds`. */
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

/** The service's words about a cache as ours. */
export function cacheFrom(content: CachedContent, holds?: CacheHolds): Cache {
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
export function cacheExpiry({ ttlSeconds, expireTime }: CacheLife): CacheExpiry | undefined {
  if (ttlSeconds !== undefined && expireTime !== undefined)
    throw new ConfigurationError("ttlSeconds and expireTime are both given: keep one of them.");
  if (ttlSeconds !== undefined) {
    if (Number.isFinite(ttlSeconds) && ttlSeconds > 0) return { ttl: `${ttlSeconds}s` };
    throw new ConfigurationError(`ttlSeconds is ${ttlSeconds}: give seconds, more than 0.`);
  }
  if (expireTime === undefined) return undefined;
  const time = new Date(expireTime);
  if (Number.isNaN(time.getTime()))
    throw new ConfigurationError(
      `expireTime is ${JSON.stringify(expireTime)}: give a Date, or a text like "2027-01-31T12:00:00Z".`,
    );
  return { expireTime: typeof expireTime === "string" ? expireTime : time.toISOString() };
}
