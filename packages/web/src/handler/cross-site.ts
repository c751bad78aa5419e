import { HttpError } from "./http-error.ts";

/**
 * Refuses what another site's page makes a browser send: it would carry the cookies of the person who looks at that page.
 *
 * @param allowed - Origins whose pages may.
 * @throws {HttpError}
 */
export function checkSite({ headers, url }: Request, allowed: ReadonlySet<string>): void {
  const origin = headers.get("origin");
  if (origin !== null && allowed.has(origin)) return;
  const site = headers.get("sec-fetch-site");
  // A browser that says nothing of the site says the origin of anything but a plain GET. Who says neither is no browser.
  const isOwn =
    site === null
      ? origin === null || hostOf(origin) === (headers.get("host") ?? new URL(url).host).toLowerCase()
      : site === "same-origin" || site === "none";
  if (!isOwn)
    throw new HttpError(
      403,
      "cross_site",
      "Requests from other sites are refused. To accept an origin, add it to allowedOrigins.",
    );
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}

/** What a browser has to read before it shows an answer to a page of an allowed origin. */
export function corsHeaders(
  { headers }: Request,
  allowed: ReadonlySet<string>,
): { readonly [name: string]: string } | undefined {
  if (allowed.size === 0) return undefined;
  const origin = headers.get("origin");
  if (origin === null || !allowed.has(origin)) return { vary: "origin" };
  return {
    vary: "origin",
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "pollux-error, pollux-reference, retry-after",
  };
}

/** The answer to a browser that asks what it may send; undefined when it may not, or asks for something else. */
export function preflightHeaders(
  request: Request,
  allowed: ReadonlySet<string>,
  methods: string,
): { readonly [name: string]: string } | undefined {
  const { headers } = request;
  const origin = headers.get("origin");
  if (origin === null || !allowed.has(origin) || !headers.has("access-control-request-method")) return undefined;
  return {
    "access-control-allow-methods": methods,
    "access-control-allow-headers": headers.get("access-control-request-headers") ?? "content-type",
    "access-control-max-age": "600",
  };
}
