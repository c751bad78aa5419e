import { HttpError } from "./http-error.ts";

/** Longest URL that is read, in characters. */
const MAX_URL = 8192;

/**
 * Refuses an address or headers that are longer than anything that is read.
 *
 * @param maxHeaderBytes - Of all headers in total.
 * @throws {HttpError} 414 `url_too_long` or 431 `headers_too_large`.
 */
export function checkSize({ url, headers }: Request, maxHeaderBytes: number = 32 * 1024): void {
  if (url.length > MAX_URL) throw new HttpError(414, "url_too_long", `The URL is longer than ${MAX_URL} characters.`);
  let length = 0;
  for (const [name, value] of headers) length += name.length + value.length + 4;
  if (length > maxHeaderBytes)
    throw new HttpError(431, "headers_too_large", `The headers are larger than ${maxHeaderBytes} bytes in total.`);
}

/** What {@link checkSite} allows besides requests from the handler's own pages. */
export interface SiteRules {
  /** Origins whose pages may send requests, such as `https://app.example.com`. @defaultValue none */
  readonly origins?: ReadonlySet<string> | undefined;
  /** A link on another site may open a page here. @defaultValue false */
  readonly canBeOpened?: boolean | undefined;
}

/**
 * Refuses what another site's page makes a browser send: it would carry the cookies of the person who looks at that page.
 *
 * @throws {HttpError} 403 `cross_site`.
 */
export function checkSite({ headers, url, method }: Request, { origins, canBeOpened = false }: SiteRules = {}): void {
  const origin = headers.get("origin");
  if (origin !== null && origins?.has(origin) === true) return;
  if (canBeOpened && method === "GET" && headers.get("sec-fetch-mode") === "navigate" && origin === null) return;
  const site = headers.get("sec-fetch-site");
  // A browser that says nothing of the site says the origin of anything but a plain GET. Who says neither is no browser.
  const isOwn =
    site === null
      ? origin === null || hostOf(origin) === (headers.get("host") ?? new URL(url).host).toLowerCase()
      : site === "same-origin" || site === "none";
  if (isOwn) return;
  const how = origins === undefined ? "" : " To accept an origin, add it to allowedOrigins.";
  throw new HttpError(403, "cross_site", `Requests from pages of other sites are refused.${how}`);
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
