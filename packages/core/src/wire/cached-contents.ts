import type { Content } from "./content.ts";
import type { ToolConfig, WireTool } from "./declaration.ts";
import type { SystemInstruction } from "./generate-content.ts";

/** How long a cache lives, in one of two forms: as seconds with an `s` (`"3600s"`), or as a point in time (RFC 3339). */
export type CacheExpiry =
  | { readonly ttl: string; readonly expireTime?: undefined }
  | { readonly ttl?: undefined; readonly expireTime: string };

/**
 * Body that makes a cache. What it holds stands before the contents of every request that uses it.
 *
 * @see https://ai.google.dev/api/caching#CachedContent
 */
export interface CreateCachedContentRequest {
  /** Resource path of the only model that can use it. */
  readonly model: string;
  readonly displayName?: string | undefined;
  readonly systemInstruction?: SystemInstruction | undefined;
  readonly tools?: readonly WireTool[] | undefined;
  readonly toolConfig?: ToolConfig | undefined;
  readonly contents?: readonly Content[] | undefined;
  readonly ttl?: string | undefined;
  readonly expireTime?: string | undefined;
}

/** What the service says about a cache; what it holds is not shown again. Unknown fields are kept. */
export interface CachedContent {
  /** Such as `cachedContents/abc123`; with project and location on Vertex. */
  readonly name: string;
  readonly model: string;
  readonly displayName?: string | undefined;
  /** RFC 3339. */
  readonly createTime?: string | undefined;
  /** RFC 3339. */
  readonly updateTime?: string | undefined;
  /** RFC 3339. */
  readonly expireTime?: string | undefined;
  readonly usageMetadata?: { readonly totalTokenCount?: number | undefined } | undefined;
}

/** One page of the list of caches. */
export interface ListCachedContentsResponse {
  readonly cachedContents?: readonly CachedContent[] | undefined;
  /** Pass it on to get the next page; absent on the last one. */
  readonly nextPageToken?: string | undefined;
}
