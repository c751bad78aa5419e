import { ToolError } from "@pollux/core";
import { hidden, type SentCredentials } from "./credentials.ts";
import type { PlannedRequest } from "./request.ts";

/** Options of {@link send}. */
export interface Sending {
  readonly method: string;
  /** For errors: the method and the document's path, never a URL with values in it. */
  readonly title: string;
  readonly accept: string;
  readonly credentials: SentCredentials;
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 5;

/**
 * Sends a request. Follows redirects within the host and refuses others; in a web page, refuses all, because a page can't see
 * where a redirect leads.
 *
 * @throws {ToolError} If there is no response, or it redirects to another host.
 */
export async function send(request: PlannedRequest, sending: Sending): Promise<Response> {
  const { title, credentials, signal } = sending;
  const headers = new Headers(request.headers);
  headers.set("accept", sending.accept);
  if (!headers.has("user-agent")) headers.set("user-agent", "pollux-tools");
  for (const [name, value] of credentials.headers) headers.set(name, value);
  let url = withKeys(request.url, credentials);
  let { method } = sending;
  let { body } = request;
  for (let redirects = 0; ; redirects++) {
    const response = await fetched(url, { method, headers, body: body ?? null, redirect: "manual", signal }, sending);
    if (response.type === "opaqueredirect")
      throw new ToolError(
        `${title} responds with a redirect, which is not followed in a web page; retrying will not help`,
      );
    const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
    if (location === null) return response;
    await response.body?.cancel().catch(() => {});
    if (redirects === MAX_REDIRECTS) throw new ToolError(`${title} redirects more than ${MAX_REDIRECTS} times`);
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (next?.origin !== url.origin) {
      const where = next === undefined ? "an invalid URL" : hidden(next.origin, credentials);
      throw new ToolError(
        `${title} redirects to ${where}, another host; this is not followed, and retrying will not help`,
      );
    }
    if (response.status === 303 || (response.status < 303 && method === "POST")) {
      if (method !== "HEAD") method = "GET";
      body = undefined;
      headers.delete("content-type");
    }
    // A redirect may not repeat the query's keys. They belong to this host, so they are set again.
    url = withKeys(next, credentials);
  }
}

async function fetched(url: URL, init: RequestInit, { fetch, title, credentials, signal }: Sending): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    signal.throwIfAborted();
    throw new ToolError(
      `${title} got no response: ${hidden(reasonOf(error), credentials).slice(0, 240)}; try again later`,
      {
        cause: error,
      },
    );
  }
}

function withKeys(url: URL, { query }: SentCredentials): URL {
  const whole = new URL(url);
  const kept = whole.search
    .slice(1)
    .split("&")
    .filter((pair) => pair !== "" && !query.has(decoded(pair.split("=", 1)[0] ?? "")));
  const keys = [...query].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  whole.search = [...kept, ...keys].join("&");
  return whole;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown reason";
  const { cause } = error;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  const reason = cause instanceof Error && cause.message !== "" ? cause.message : error.message;
  return `${reason}${code !== "" && !reason.includes(code) ? ` (${code})` : ""}`;
}
