/** How cached contents, and the cache nobody asks for, behave. */
export interface CacheOptions {
  /** Tokens of the smallest cached content. Default: 4,096 for pro models, 1,024 for the others. */
  readonly minTokens?: number | undefined;
  /** Seconds until a cached content expires that says nothing about it. Default: 3,600. */
  readonly defaultTtlSeconds?: number | undefined;
  /** Tokens of the shortest beginning that is cached without being asked for; `Infinity` switches that off. Default: by the model. */
  readonly implicitMinTokens?: number | undefined;
}
