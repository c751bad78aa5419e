/** Options of cached contents and of the implicit cache. */
export interface CacheOptions {
  /** Minimum size of a cached content, in tokens. Default: 4,096 for pro models, 1,024 for the others. */
  readonly minTokens?: number | undefined;
  /** Seconds until a cached content without an expiry expires. Default: 3,600. */
  readonly defaultTtlSeconds?: number | undefined;
  /** Tokens of the shortest prefix that is cached implicitly; `Infinity` turns implicit caching off. Default: depends on the model. */
  readonly implicitMinTokens?: number | undefined;
}
