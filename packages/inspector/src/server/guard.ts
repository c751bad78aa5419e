import { HttpError } from "./http.ts";

/** Names under which a server on this machine is reached, whatever its port. */
const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Longest URL and headers that are read. */
const MAX_URL = 8192;
const MAX_HEADERS = 32 * 1024;

/** @throws {HttpError} For a request that is longer than any of the page's. */
export function checkSize({ url, headers }: Request): void {
  if (url.length > MAX_URL) throw new HttpError(414, "url-too-long", `The URL may have ${MAX_URL} characters.`);
  let length = 0;
  for (const [name, value] of headers) length += name.length + value.length;
  if (length > MAX_HEADERS)
    throw new HttpError(431, "headers-too-large", `The headers may have ${MAX_HEADERS} characters.`);
}

/**
 * Refuses requests under a name that is not this server's: a page of another site whose name was made to point here would
 * otherwise be of the same origin.
 *
 * @throws {HttpError}
 */
export function checkHost(request: Request, allowed: readonly string[]): void {
  const host = (request.headers.get("host") ?? new URL(request.url).host).toLowerCase();
  const name = host.replace(/:\d+$/, "");
  if (LOOPBACK.has(name) || allowed.includes(name) || allowed.includes(host)) return;
  throw new HttpError(
    403,
    "wrong-host",
    "This server is not known under that name. Where the inspector is mounted, add the name to its option allowedHosts.",
  );
}

/**
 * Refuses what another site's page makes a browser send. Opening the page by a link from elsewhere is allowed.
 *
 * @throws {HttpError}
 */
export function checkSite(request: Request): void {
  const { headers, url, method } = request;
  const origin = headers.get("origin");
  const host = (headers.get("host") ?? new URL(url).host).toLowerCase();
  const isOwnOrigin = origin === null || hostOf(origin) === host;
  const site = headers.get("sec-fetch-site");
  const isOpened = method === "GET" && headers.get("sec-fetch-mode") === "navigate";
  const isOwnSite = site === null || site === "same-origin" || site === "none" || isOpened;
  if (!isOwnOrigin || !isOwnSite)
    throw new HttpError(403, "cross-site", "Requests from pages of other sites are refused.");
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
