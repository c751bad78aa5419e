/** An error response. The client receives its message. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  /** What went wrong, for programs: a word in snake case, such as `not_found`. */
  readonly code: string;
  /** Sent with the answer. */
  readonly headers: { readonly [name: string]: string };

  constructor(status: number, code: string, message: string, headers: { readonly [name: string]: string } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Longest accepted URL, in characters. */
const MAX_URL = 8192;

/**
 * Rejects a URL or headers that are too long.
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

/** Requests that {@link checkSite} allows besides those from the handler's own pages. */
export interface SiteRules {
  /** Origins whose pages may send requests, such as `https://app.example.com`. @defaultValue none */
  readonly origins?: ReadonlySet<string> | undefined;
  /** A link on another site may open a page here. @defaultValue false */
  readonly canBeOpened?: boolean | undefined;
}

/**
 * Rejects requests that another site's page makes a browser send: they would carry the cookies of the person who visits that page.
 *
 * @throws {HttpError} 403 `cross_site`.
 */
export function checkSite({ headers, url, method }: Request, { origins, canBeOpened = false }: SiteRules = {}): void {
  const origin = headers.get("origin");
  if (origin !== null && origins?.has(origin) === true) return;
  if (canBeOpened && method === "GET" && headers.get("sec-fetch-mode") === "navigate" && origin === null) return;
  const site = headers.get("sec-fetch-site");
  // A browser that doesn't send the site sends the origin of anything but a plain GET. A client that sends neither is not a browser.
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

interface BodyLimit {
  readonly maxBytes?: number | undefined;
  readonly advice?: string | undefined;
}

/**
 * The JSON of a request's body. A body that is too large is rejected before it is read to its end.
 *
 * @param limit - `maxBytes`: 16 MiB by default. `advice`: a sentence for clients that send more.
 * @throws {HttpError} 415 `not_json`, 413 `body_too_large`, 400 `bad_json`, or 400 `bad_body` for a body that breaks off.
 */
export async function readJson(request: Request, limit: BodyLimit = {}): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  // A page of another site can send text without a preflight, but not JSON.
  if (type !== "application/json")
    throw new HttpError(415, "not_json", 'Send JSON, with the header "content-type: application/json".');
  const text = await readText(request, limit);
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError(400, "bad_json", "The body is not valid JSON.");
  }
}

async function readText(
  { body, headers }: Request,
  { maxBytes = 16 * 1024 * 1024, advice }: BodyLimit,
): Promise<string> {
  const message = `The body is larger than ${maxBytes} bytes.${advice === undefined ? "" : ` ${advice}`}`;
  if (Number(headers.get("content-length") ?? 0) > maxBytes) throw new HttpError(413, "body_too_large", message);
  if (body === null) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = body.getReader();
  let text = "";
  let length = 0;
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      length += piece.value.byteLength;
      if (length > maxBytes) throw new HttpError(413, "body_too_large", message);
      text += decode(decoder, piece.value);
    }
    return text + decode(decoder);
  } catch (error) {
    reader.cancel().catch(() => {});
    if (error instanceof HttpError) throw error;
    throw new HttpError(400, "bad_body", "The body ended early.");
  }
}

function decode(decoder: TextDecoder, bytes?: Uint8Array): string {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    throw new HttpError(400, "bad_json", "The body is not valid UTF-8.");
  }
}
