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

/** The name that goes over the wire. */
export function cacheName(cache: string | CacheRef): string {
  return typeof cache === "string" ? cache : cache.name;
}
