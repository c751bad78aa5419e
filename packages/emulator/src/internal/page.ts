/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Undefined on the last page. */
  readonly nextPageToken: string | undefined;
}

/** Selects a page of a list by `pageSize` and `pageToken`; undefined for an invalid size or token. */
export function pageOf<T>(
  all: readonly T[],
  query: URLSearchParams,
  sizes: { readonly default: number; readonly max: number },
): Page<T> | undefined {
  const size = Number(query.get("pageSize") ?? query.get("page_size") ?? 0);
  const token = query.get("pageToken") ?? query.get("page_token") ?? "";
  const position = token === "" ? "0" : Buffer.from(token, "base64url").toString();
  if (!Number.isInteger(size) || size < 0 || !/^\d+$/.test(position)) return undefined;
  const start = Number(position);
  const end = start + Math.min(size === 0 ? sizes.default : size, sizes.max);
  return {
    items: all.slice(start, end),
    nextPageToken: end < all.length ? Buffer.from(String(end)).toString("base64url") : undefined,
  };
}
