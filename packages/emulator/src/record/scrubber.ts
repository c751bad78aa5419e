import { isDeepStrictEqual } from "node:util";
import { redact, type RedactOptions, redactPieces, redactValue, findSecrets } from "@pollux/core/wire";
import { isFields, tryJson } from "../internal/json.ts";
import { type BytesFacts, scrubBytes, type ScrubbedBytes } from "./scrub-bytes.ts";

/** Headers and query parameters whose names match identify the caller. */
const IDENTIFYING =
  /key|token|secret|auth|cookie|password|credential|session|signature|user|account|email|project|upload_id/i;
/** These match, but identify no one. */
const HARMLESS = new Set(["user-agent", "pagetoken", "idempotency-key", "sec-websocket-key"]);
/** Query parameters that change the answer; all others are dropped. */
const QUERY =
  /^(?:\$?alt|enum-encoding|fields|filter|\$?prettyPrint|pageSize|pageToken|updateMask|uploadType|upload_protocol)$/i;
/** Response headers that are kept; all others are dropped. */
const KEPT_HEADERS = new Set([
  "content-type",
  "content-disposition",
  "content-encoding",
  "retry-after",
  "server",
  "server-timing",
  "transfer-encoding",
  "vary",
  "x-gemini-service-tier",
  "x-goog-upload-chunk-granularity",
  "x-goog-upload-size-received",
  "x-goog-upload-status",
  "x-goog-upload-url",
]);
/** Shorter names of projects could be ordinary words. */
const MIN_PROJECT = 6;

/**
 * Removes keys, tokens, cookies and everything else that identifies the caller from recordings. It learns the secrets from each
 * request and then finds them anywhere: in texts, in other requests, in echoed errors, split across the deltas of a stream.
 */
export class Scrubber {
  #secrets: readonly string[] = [];
  /** Secrets and names of projects; in paths, a project becomes `PROJECT`. */
  #all: readonly string[] = [];

  constructor(secrets: readonly string[]) {
    this.#add(secrets, []);
  }

  /** Learns secrets from the URL and the headers of a request. */
  learn(url: URL, headers: Headers): void {
    const identifying = [...headers, ...url.searchParams].filter(([name]) => isIdentifying(name));
    const project = /\/projects\/([^/]+)/.exec(decoded(url.pathname))?.[1];
    this.#add(
      findSecrets(Object.fromEntries(identifying.map(([, value], at) => [at, value]))),
      project !== undefined && project.length >= MIN_PROJECT ? [project] : [],
    );
  }

  /** Learns the keys that the tools of a request hold, such as headers for an MCP server. */
  learnTools(body: unknown): void {
    const { tools, generateContentRequest } = isFields(body) ? body : {};
    this.#add(findSecrets({}, tools), []);
    if (generateContentRequest !== undefined) this.learnTools(generateContentRequest);
  }

  /** The path with only the parameters that change the answer. */
  path(url: URL): string {
    const kept = [...url.searchParams].filter(([name]) => QUERY.test(name));
    const query = kept.length === 0 ? "" : `?${new URLSearchParams(kept)}`;
    const path = url.pathname.replaceAll(/(\/projects\/)[^/:]+/g, "$1PROJECT");
    return redact(path + query, this.#secrets);
  }

  /** Response headers that describe the answer and don't identify the caller. */
  responseHeaders(headers: Headers): Readonly<Record<string, string>> {
    const kept = [...headers].filter(([name]) => KEPT_HEADERS.has(name));
    return Object.fromEntries(
      kept.map(([name, value]) => [name, name.endsWith("-url") ? this.#address(value) : redact(value, this.#secrets)]),
    );
  }

  /** The JSON of a request. */
  request(value: unknown): unknown {
    return scrubJson([withoutProjects(value)], this.#all)[0];
  }

  /**
   * The body of an answer. Errors quote projects and accounts, so those are removed there too.
   *
   * @param truncated - True if the body is incomplete, and may end with the beginning of a secret.
   */
  body(text: string, status: number, truncated: boolean): string {
    const clean = scrubBody(projectPaths(text), this.#all, truncated);
    return status >= 400 ? withoutIdentity(clean) : clean;
  }

  /** The body of an answer that is not text; {@link scrubBytes}. */
  bytes(bytes: Uint8Array, facts: BytesFacts): ScrubbedBytes {
    return scrubBytes(bytes, this.#all, facts);
  }

  /** Any other text, such as the message of an error. */
  text(text: string): string {
    return withoutIdentity(redact(projectPaths(text), this.#all));
  }

  #address(value: string): string {
    try {
      return this.path(new URL(value, "http://localhost"));
    } catch {
      return "[redacted]";
    }
  }

  #add(secrets: readonly string[], projects: readonly string[]): void {
    const more = new Set([...this.#secrets, ...secrets]);
    const all = new Set([...this.#all, ...secrets, ...projects]);
    // An unchanged list stays the same object, so that it is prepared only once.
    if (more.size > this.#secrets.length) this.#secrets = [...more];
    if (all.size > this.#all.length) this.#all = [...all];
  }
}

function isIdentifying(name: string): boolean {
  return IDENTIFYING.test(name) && !HARMLESS.has(name.toLowerCase());
}

/** `projects/ID/locations/…` names someone's resource; elsewhere, the words may mean anything. */
function projectPaths(text: string): string {
  return text.replaceAll(/\bprojects\/[\w.:-]+(?=\/(?:locations|global|secrets|topics)\b)/g, "projects/PROJECT");
}

function withoutProjects(value: unknown): unknown {
  if (typeof value === "string") return projectPaths(value);
  if (Array.isArray(value)) return value.map(withoutProjects);
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutProjects(item)]));
}

function withoutIdentity(text: string): string {
  return text
    .replaceAll(/\bprojects\/[\w.:-]+/g, "projects/PROJECT")
    .replaceAll(/(\bproject(?:[ _]?(?:number|id))?["'`]?[ =:#]+["'`]?)\d{6,}/gi, "$1000000000000")
    .replaceAll(/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, "[redacted]");
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/**
 * A recorded body without secrets. Its layout is kept wherever nothing was removed; anything that is not JSON, such as the last
 * line of a truncated stream, is treated as text.
 */
function scrubBody(body: string, secrets: readonly string[], truncated: boolean): string {
  const whole = tryJson(body);
  if (whole !== undefined) {
    const [clean] = scrubJson([whole], secrets);
    return isDeepStrictEqual(clean, whole) ? body : inLayout(body, clean, secrets, 2);
  }
  // Lines at even indexes, line endings at odd ones.
  const lines = body.split(/(\r\n|\n|\r)/);
  const events = lines.flatMap((line, at) => {
    const value = line.startsWith("data:") ? tryJson(line.slice("data:".length)) : undefined;
    return value === undefined ? [] : [{ at, value }];
  });
  const clean = scrubJson(
    events.map(({ value }) => value),
    secrets,
    { truncated },
  );
  const replaced = new Map(events.map(({ at, value }, i) => [at, { value, clean: clean[i] }]));
  return lines
    .map((line, at) => {
      const event = replaced.get(at);
      if (event === undefined) return redact(line, secrets, { truncated: true });
      if (isDeepStrictEqual(event.clean, event.value)) return line;
      return `data: ${inLayout(line.slice("data:".length).trim(), event.clean, secrets)}`;
    })
    .join("");
}

/** The text with its secrets replaced in place if that is equivalent, otherwise serialized again. */
function inLayout(json: string, clean: unknown, secrets: readonly string[], indent?: number): string {
  const text = redact(json, secrets);
  return isDeepStrictEqual(tryJson(text), clean) ? text : JSON.stringify(clean, null, indent);
}

/**
 * A sequence of JSON values, such as the objects of a stream, without secrets in texts and names. A secret split across several
 * values is found if its pieces are in the same field.
 */
function scrubJson(
  values: readonly unknown[],
  secrets: readonly string[],
  options?: RedactOptions,
): readonly unknown[] {
  const texts = new Map<string, string[]>();
  for (const value of values) collect(value, "", texts);
  const clean = new Map([...texts].map(([field, pieces]) => [field, redactPieces(pieces, secrets, options).values()]));
  return values.map((value) => replace(value, "", clean, secrets));
}

function collect(value: unknown, field: string, texts: Map<string, string[]>): void {
  if (typeof value === "string") {
    const pieces = texts.get(field);
    if (pieces) pieces.push(value);
    else texts.set(field, [value]);
  } else if (Array.isArray(value)) for (const item of value) collect(item, `${field}[]`, texts);
  else if (isFields(value)) for (const [name, item] of Object.entries(value)) collect(item, `${field}.${name}`, texts);
}

/** Traverses in the same order as {@link collect}, so that each text gets its own replacement. */
function replace(
  value: unknown,
  field: string,
  clean: ReadonlyMap<string, Iterator<string>>,
  secrets: readonly string[],
): unknown {
  if (typeof value === "string") return clean.get(field)?.next().value;
  if (typeof value === "number") return redactValue(value, secrets);
  if (Array.isArray(value)) return value.map((item) => replace(item, `${field}[]`, clean, secrets));
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      redact(name, secrets),
      replace(item, `${field}.${name}`, clean, secrets),
    ]),
  );
}
