import { isDeepStrictEqual } from "node:util";
import { redact, redactCut, redactPieces, secretsOf } from "@pollux/core/wire";
import { isFields } from "../internal/json.ts";

/** Headers and query parameters whose names match identify the caller. */
const TELLING =
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
/** The key that an emulator's clients send: not a secret, and a word that any text may contain. */
const EMULATOR_KEY = "emulator";
/** Redacting shorter values would hide ordinary words. */
const MIN_IDENTIFIER = 6;

/**
 * Removes keys, tokens, cookies and whatever identifies the caller from recordings. It learns the secrets from each request sent
 * and then finds them anywhere: in texts, in other requests, in echoed errors, split across the deltas of a stream.
 */
export class Scrubber {
  /** Longest first, so that none is found as a part of another. */
  #secrets: readonly string[] = [];
  readonly #projects = new Set<string>();

  constructor(secrets: readonly string[]) {
    this.#add(secrets.filter((secret) => secret !== ""));
  }

  /** Learns secrets from the URL and the headers of a request. */
  learn(url: URL, headers: Headers): void {
    const telling = [...headers].filter(([name]) => isTelling(name));
    const cookies = telling.filter(([name]) => name === "cookie");
    const cookieValues = cookies.flatMap(([, value]) =>
      value.split(/;\s*/).map((one) => one.slice(one.indexOf("=") + 1)),
    );
    const query = [...url.searchParams].filter(([name]) => isTelling(name));
    const values = [
      ...telling.filter(([name]) => name !== "cookie").map(([, value]) => value),
      ...cookieValues,
      ...query.map(([, value]) => value),
    ];
    const project = /\/projects\/([^/]+)/.exec(decoded(url.pathname))?.[1];
    if (project !== undefined && project.length >= MIN_IDENTIFIER) this.#projects.add(project);
    const whole = values.filter((value) => value.length >= MIN_IDENTIFIER && value !== EMULATOR_KEY);
    this.#add([...whole, ...secretsOf(Object.fromEntries(values.entries()))]);
  }

  /** The path with only those parameters that change the answer. */
  path(url: URL): string {
    const kept = [...url.searchParams].filter(([name]) => QUERY.test(name));
    const query = kept.length === 0 ? "" : `?${new URLSearchParams(kept)}`;
    const path = url.pathname.replaceAll(/(\/projects\/)[^/:]+/g, "$1PROJECT");
    return redact(path, this.#secrets) + redact(query, this.#secrets);
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
    return scrubJson([withoutProjects(value)], [...this.#secrets, ...this.#projects])[0];
  }

  /** The body of an answer. Errors quote projects and accounts, so those are removed there too. */
  body(text: string, status: number): string {
    const clean = scrubBody(projectPaths(text), [...this.#secrets, ...this.#projects]);
    return status >= 400 ? withoutIdentity(clean) : clean;
  }

  /** Any other text, such as the message of an error. */
  text(text: string): string {
    return withoutIdentity(redact(projectPaths(text), [...this.#secrets, ...this.#projects]));
  }

  #address(value: string): string {
    try {
      return this.path(new URL(value, "http://localhost"));
    } catch {
      return "[redacted]";
    }
  }

  #add(secrets: readonly string[]): void {
    const all = new Set([...this.#secrets, ...secrets]);
    this.#secrets = [...all].toSorted((a, b) => b.length - a.length);
  }
}

function isTelling(name: string): boolean {
  return TELLING.test(name) && !HARMLESS.has(name.toLowerCase());
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
function scrubBody(body: string, secrets: readonly string[]): string {
  const whole = parseJson(body);
  if (whole !== undefined) {
    const [clean] = scrubJson([whole], secrets);
    return isDeepStrictEqual(clean, whole) ? body : inLayout(body, clean, secrets, 2);
  }
  // Lines at even indexes, line endings at odd ones.
  const lines = body.split(/(\r\n|\n|\r)/);
  const events = lines.flatMap((line, at) => {
    const value = line.startsWith("data:") ? parseJson(line.slice("data:".length)) : undefined;
    return value === undefined ? [] : [{ at, value }];
  });
  const clean = scrubJson(
    events.map(({ value }) => value),
    secrets,
  );
  const replaced = new Map(events.map(({ at, value }, i) => [at, { value, clean: clean[i] }]));
  return lines
    .map((line, at) => {
      const event = replaced.get(at);
      if (event === undefined) return redactCut(line, secrets);
      if (isDeepStrictEqual(event.clean, event.value)) return line;
      return `data: ${inLayout(line.slice("data:".length).trim(), event.clean, secrets)}`;
    })
    .join("");
}

/** The text with its secrets replaced in place if that is equivalent, otherwise serialized again. */
function inLayout(json: string, clean: unknown, secrets: readonly string[], indent?: number): string {
  const text = redact(json, secrets);
  return isDeepStrictEqual(parseJson(text), clean) ? text : JSON.stringify(clean, null, indent);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * A sequence of JSON values, such as the objects of a stream, without secrets in texts and names. A secret split across several
 * values is found if its pieces are in the same field.
 */
function scrubJson(values: readonly unknown[], secrets: readonly string[]): readonly unknown[] {
  const texts = new Map<string, string[]>();
  for (const value of values) collect(value, "", texts);
  const clean = new Map([...texts].map(([field, pieces]) => [field, redactPieces(pieces, secrets).values()]));
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
  if (typeof value === "number") return secrets.includes(String(value)) ? "[redacted]" : value;
  if (Array.isArray(value)) return value.map((item) => replace(item, `${field}[]`, clean, secrets));
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      redact(name, secrets),
      replace(item, `${field}.${name}`, clean, secrets),
    ]),
  );
}
