/** A received request, and how it was answered. Paths and headers don't include keys. */
export interface LoggedRequest {
  /** 1 for the first request of any kind. */
  readonly number: number;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed body, or its text if it is not JSON; undefined without a body. */
  readonly body: unknown;
  readonly answered: {
    /** HTTP status; 0 while the answer is pending, or if the client disconnected first. */
    readonly status: number;
    /** Id of the violated rule or the injected fault; undefined for an ordinary answer. */
    readonly rule?: string | undefined;
    readonly operation?: string | undefined;
    readonly model?: string | undefined;
    /** Whether the client got the whole body; undefined while it is being sent. */
    readonly complete?: boolean | undefined;
  };
}

const MAX_LOGGED = 10_000;
/** Characters of all bodies in the log. The latest request is kept even if it is larger. */
const MAX_LOGGED_CHARACTERS = 256 * 1024 * 1024;
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  "x-goog-api-key",
  "authorization",
  "cookie",
  "proxy-authorization",
]);

/** Keeps the latest requests. */
export class RequestLog {
  readonly #entries: LoggedRequest[] = [];
  /** Characters of each entry's body, and of all bodies. */
  readonly #sizes: number[] = [];
  #size = 0;
  #count = 0;

  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  /** Logs a request; the returned note logs how it was answered. */
  add(request: { readonly method: string; readonly url: URL; readonly headers: Headers; readonly body: string }): Note {
    this.#count += 1;
    let entry: LoggedRequest = {
      number: this.#count,
      method: request.method,
      path: pathWithoutKey(request.url),
      headers: Object.fromEntries(
        [...request.headers].map(([name, value]) => [name, SECRET_HEADERS.has(name) ? "[removed]" : value]),
      ),
      body: parseBody(request.body),
      answered: { status: 0 },
    };
    this.#entries.push(entry);
    this.#sizes.push(request.body.length);
    this.#size += request.body.length;
    while (this.#entries.length > MAX_LOGGED || (this.#size > MAX_LOGGED_CHARACTERS && this.#entries.length > 1)) {
      this.#entries.shift();
      this.#size -= this.#sizes.shift() ?? 0;
    }
    return {
      path: entry.path,
      body: entry.body,
      answered: (changes) => {
        const index = this.#entries.lastIndexOf(entry);
        entry = { ...entry, answered: { ...entry.answered, ...changes } };
        if (index !== -1) this.#entries[index] = entry;
        return entry;
      },
    };
  }
}

/** Logs the answer to one request. */
export interface Note {
  readonly path: string;
  readonly body: unknown;
  answered(changes: Partial<LoggedRequest["answered"]>): LoggedRequest;
}

/** Path and query, without the value of `key`. */
export function pathWithoutKey(url: URL): string {
  const query = new URLSearchParams(url.search);
  if (!query.has("key")) return url.pathname + url.search;
  query.set("key", "removed");
  return `${url.pathname}?${query}`;
}

function parseBody(body: string): unknown {
  if (body === "") return undefined;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}
