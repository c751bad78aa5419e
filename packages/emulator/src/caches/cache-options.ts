/** How cached contents behave. */
export interface CacheOptions {
  /** Tokens of the smallest cached content. Default: 4,096 for pro models, 1,024 for the others. */
  readonly minTokens?: number | undefined;
  /** Seconds until a cached content expires that says nothing about it. Default: 3,600. */
  readonly defaultTtlSeconds?: number | undefined;
}
