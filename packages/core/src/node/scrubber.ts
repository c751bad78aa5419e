import { isObject } from "../internal/json.ts";
import { EMULATOR_KEY } from "../wire/endpoint.ts";
import { redact, secretsOf } from "../wire/redact.ts";
import { scrubBody } from "./scrub-body.ts";
import { scrubJson } from "./scrub-json.ts";

/** Headers and query parameters with such names say who is asking. */
const TELLING =
  /key|token|secret|auth|cookie|password|credential|session|signature|user|account|email|project|upload_id/i;
/** They match, and say nothing. */
const HARMLESS = new Set(["user-agent", "pagetoken", "idempotency-key", "sec-websocket-key"]);
/** Query parameters that change the answer; all others are left out. */
const QUERY =
  /^(?:\$?alt|enum-encoding|fields|filter|\$?prettyPrint|pageSize|pageToken|updateMask|uploadType|upload_protocol)$/i;
/** Response headers that are kept; all others are left out. */
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
/** Shorter values would hide ordinary words. */
const MIN_IDENTIFIER = 6;

/**
 * Takes keys, tokens, cookies and who is asking out of what is recorded. It learns the secrets from each request that is
 * sent and finds them from then on wherever they stand: in texts, in other requests, in echoed errors, spread over the deltas
 * of a stream.
 */
export class Scrubber {
  /** The longest first, so that none is found as a part of another. */
  #secrets: readonly string[] = [];
  readonly #projects = new Set<string>();

  constructor(secrets: readonly string[]) {
    this.#add(secrets.filter((secret) => secret !== ""));
  }

  /** Learns what must not be kept from the address and the headers of a request. */
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

  /** Path and those parameters that change the answer. */
  path(url: URL): string {
    const kept = [...url.searchParams].filter(([name]) => QUERY.test(name));
    const query = kept.length === 0 ? "" : `?${new URLSearchParams(kept)}`;
    const path = url.pathname.replaceAll(/(\/projects\/)[^/:]+/g, "$1PROJECT");
    return redact(path, this.#secrets) + redact(query, this.#secrets);
  }

  /** The headers of an answer that say something about it and nothing about who asked. */
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

  /** The body of an answer. Errors quote projects and accounts, so there those go too. */
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

/** `projects/ID/locations/…` names a resource of somebody's; elsewhere the words may be anything. */
function projectPaths(text: string): string {
  return text.replaceAll(/\bprojects\/[\w.:-]+(?=\/(?:locations|global|secrets|topics)\b)/g, "projects/PROJECT");
}

function withoutProjects(value: unknown): unknown {
  if (typeof value === "string") return projectPaths(value);
  if (Array.isArray(value)) return value.map(withoutProjects);
  if (!isObject(value)) return value;
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
