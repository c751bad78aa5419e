import type { Prices } from "@pollux/core";

/** A request's size, and the tokens that the service billed for it. */
export interface BilledRequest {
  /** Size of its body. */
  readonly bodyBytes: number;
  readonly promptTokens: number;
  /** Of these, those read from a cache. */
  readonly cachedTokens: number;
}

/** Prices that also cover explicit caches. */
export interface CachePrices extends Prices {
  /** For storing 1,000,000 tokens for an hour. @defaultValue 0 */
  readonly cacheStorage?: number | undefined;
}

/**
 * Estimates the most that a broken prefix cost: the bytes that a cache could no longer serve, converted at the request's own rate of
 * bytes per token, and limited to the uncached tokens. The service may not have cached them anyway.
 *
 * @param lostBytes - From the comparison of both requests.
 * @param request - The one after the break.
 * @returns `cost` in the unit of the prices, absent without them.
 */
export function costOfBreak(
  lostBytes: number,
  { bodyBytes, promptTokens, cachedTokens }: BilledRequest,
  prices?: Prices,
): { readonly tokens: number; readonly cost?: number | undefined } {
  const estimated = bodyBytes === 0 ? 0 : Math.round((lostBytes * promptTokens) / bodyBytes);
  const tokens = Math.max(0, Math.min(estimated, promptTokens - cachedTokens));
  // Without a price for cached input, the savings of a cache are unknown.
  if (prices?.cachedInput === undefined) return { tokens };
  return { tokens, cost: (tokens * (prices.input - prices.cachedInput)) / 1_000_000 };
}

/** The prompts' cost with and without an explicit cache of their beginning. */
export interface CacheEstimate {
  /** Tokens of the cache. */
  readonly tokens: number;
  /** Hours from the first request to the last. */
  readonly hours: number;
  /** Cost of all prompts as billed. */
  readonly billed: number;
  /** Cost of all prompts with the cache: writing it, keeping it, and reading it with each request. */
  readonly withCache: number;
  /** Of both costs, if the price list has one. */
  readonly currency?: string | undefined;
}

/**
 * Estimates the cost of prompts with an explicit cache of their common beginning, assuming that tokens which the service cached
 * implicitly beyond that part stay cached.
 *
 * @param requests - In any order; `at` in milliseconds since the epoch.
 * @param sharedTokens - Size of the common beginning, such as instructions and tools.
 * @returns Undefined without requests or a price for cached input.
 */
export function estimateCache(
  requests: readonly (Omit<BilledRequest, "bodyBytes"> & { readonly at: number })[],
  sharedTokens: number,
  prices: CachePrices,
): CacheEstimate | undefined {
  const { input, cachedInput, cacheStorage = 0 } = prices;
  if (requests.length === 0 || cachedInput === undefined) return undefined;
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let tokens = sharedTokens;
  for (const { at, promptTokens } of requests) {
    first = Math.min(first, at);
    last = Math.max(last, at);
    tokens = Math.min(tokens, promptTokens);
  }
  const hours = (last - first) / 3_600_000;
  let billed = 0;
  let withCache = tokens * input + tokens * hours * cacheStorage;
  for (const { promptTokens, cachedTokens } of requests) {
    const cached = Math.max(cachedTokens, tokens);
    billed += (promptTokens - cachedTokens) * input + cachedTokens * cachedInput;
    withCache += (promptTokens - cached) * input + cached * cachedInput;
  }
  return { tokens, hours, billed: billed / 1_000_000, withCache: withCache / 1_000_000 };
}
