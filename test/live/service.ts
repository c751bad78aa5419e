import type { Endpoint } from "@pollux/core";
import { judgeQuota, readErrorText } from "../../packages/core/src/wire/errors/error-body.ts";

/** The services; also the emulator's profile for each. */
export type ServiceName = "developer" | "vertex" | "comet";
export const SERVICES: readonly ServiceName[] = ["developer", "vertex", "comet"];

/** The text of a request's body, in any format. */
export function bodyText(body: RequestInit["body"]): string {
  if (body === undefined || body === null) return "";
  return typeof body === "string" ? body : new TextDecoder().decode(body as Uint8Array);
}

export type Send = (url: string, init: RequestInit) => Promise<Response>;
export type Wait = (ms: number) => Promise<unknown>;

/** One request of a question; a POST to a method of a model unless it names a path. */
export interface LiveRequest {
  readonly model?: string | undefined;
  /** Default: `generateContent`, which `streamGenerateContent` becomes with `?alt=sse`. */
  readonly verb?: string | undefined;
  /** Path and query below the base URL, such as `v1beta/files`. */
  readonly path?: string | undefined;
  readonly method?: string | undefined;
  readonly body?: unknown;
  /** Headers that replace the ones with the key. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Headers in addition to the ones with the key. */
  readonly moreHeaders?: Readonly<Record<string, string>> | undefined;
}

export interface LiveAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body: the list of a stream's events; undefined if it is invalid JSON. */
  readonly json: unknown;
}

/** How a question sends its requests. */
export type Ask = (request: LiveRequest) => Promise<LiveAnswer>;

/** Why a question has no answer, and which others have none for the same reason. */
export class Unanswered extends Error {
  readonly spentModel: string | undefined;

  constructor(message: string, spentModel?: string) {
    super(message);
    this.spentModel = spentModel;
  }
}

/** The default model of a question. */
export const MODEL = "gemini-3.8-flash";
const MAX_WAIT_MS = 65_000;
const ATTEMPTS = 4;
/** Time limit for one answer, in milliseconds. */
const PATIENCE_MS = 180_000;

/**
 * Sends requests to one service. Waits after a per-minute quota error or an overload.
 *
 * @throws {Unanswered} When the network or a quota leaves a request without an answer.
 */
export function createAsk(
  endpoint: Endpoint,
  send: Send,
  wait: Wait,
  spentModels: ReadonlySet<string> = new Set(),
): Ask {
  return async (request) => {
    const { model = MODEL, verb = "generateContent", body, method = "POST" } = request;
    if (spentModels.has(model)) throw new Unanswered(quotaSpent(model));
    const query = verb === "streamGenerateContent" ? "?alt=sse" : "";
    const path = request.path ?? `${endpoint.apiVersion}/${endpoint.modelPath(model)}:${verb}${query}`;
    const keys = request.headers ?? (await endpoint.authHeaders());
    const headers = { "content-type": "application/json", ...keys, ...request.moreHeaders };
    const init = {
      method,
      headers,
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    };
    for (let attempt = 1; ; attempt++) {
      const answer = await attemptTo(() =>
        send(`${endpoint.baseUrl}/${path}`, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) }),
      );
      const pause = pauseAfter(answer, attempt, model);
      if (pause === undefined) {
        if (answer instanceof Error) throw new Unanswered(`no connection: ${answer.message}`);
        return answer;
      }
      await wait(pause);
    }
  };
}

const quotaSpent = (model: string): string => `the quota of ${model} is used up`;

async function attemptTo(send: () => Promise<Response>): Promise<LiveAnswer | Error> {
  try {
    const response = await send();
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  } catch (error) {
    if (error instanceof Unanswered || !(error instanceof Error)) throw error;
    return error;
  }
}

/** Milliseconds until the next attempt; undefined if the answer counts. */
function pauseAfter(answer: LiveAnswer | Error, attempt: number, model: string): number | undefined {
  const backoff = attempt < ATTEMPTS ? 1_000 * 2 ** attempt : undefined;
  if (answer instanceof Error) return backoff;
  if (answer.status === 429) {
    const quota = judgeQuota(readErrorText(answer.text), answer.headers, Date.now());
    const delay = quota.retryAfterMs ?? backoff;
    if (quota.retryable && backoff !== undefined && delay !== undefined && delay <= MAX_WAIT_MS) return delay;
    throw new Unanswered(quotaSpent(model), model);
  }
  return [500, 502, 503, 504].includes(answer.status) ? backoff : undefined;
}

function parse(text: string): unknown {
  try {
    const events = text.startsWith("data:")
      ? text.split(/\r?\n\r?\n/).filter((event) => event.startsWith("data: {"))
      : undefined;
    return events === undefined ? JSON.parse(text) : events.map((event) => JSON.parse(event.slice(5)) as unknown);
  } catch {
    return undefined;
  }
}

/** A value inside a body; undefined for none. */
export function pick(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null) return undefined;
    // Any own member of a parsed body.
    found = (found as Readonly<Record<string | number, unknown>>)[key];
  }
  return found;
}

/** The parts of the first candidate. */
export function partsOf(answer: LiveAnswer): readonly Readonly<Record<string, unknown>>[] {
  const parts = pick(answer.json, "candidates", 0, "content", "parts");
  return Array.isArray(parts) ? (parts as readonly Readonly<Record<string, unknown>>[]) : [];
}
