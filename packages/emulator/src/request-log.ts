/** A request that came in, and how it was answered. Keys are left out of paths and headers. */
export interface LoggedRequest {
  /** 1 for the first request, whatever it was. */
  readonly number: number;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed body, or its text where it is not JSON; undefined without one. */
  readonly body: unknown;
  readonly answered: {
    /** HTTP status; 0 while the answer is on its way, or when the client went away first. */
    readonly status: number;
    /** Id of the rule that was broken, or of the fault that was injected; undefined for a plain answer. */
    readonly rule?: string | undefined;
    readonly operation?: string | undefined;
    readonly model?: string | undefined;
    /** Whether the client got all of the body; undefined while it is being sent. */
    readonly complete?: boolean | undefined;
  };
}

const MAX_LOGGED = 10_000;
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  "x-goog-api-key",
  "authorization",
  "cookie",
  "proxy-authorization",
]);

/** Keeps the latest requests. */
export class RequestLog {
  readonly #entries: LoggedRequest[] = [];
  #count = 0;

  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  /** Notes a request; the function it returns notes how it was answered. */
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
    if (this.#entries.length > MAX_LOGGED) this.#entries.shift();
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

/** Where the answer to one request is noted. */
export interface Note {
  readonly path: string;
  readonly body: unknown;
  answered(changes: Partial<LoggedRequest["answered"]>): LoggedRequest;
}

/** Path and query without the value of a key. */
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
