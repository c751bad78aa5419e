import { isFields } from "../internal/json.ts";
import { type Difference, describeDifference, differencesOf } from "./difference.ts";
import { normalize } from "./normalize.ts";
import type { ReplayExchange } from "./recording.ts";
import { sameText } from "./same-text.ts";

/** A request to be answered from a recording. */
export interface ReplayRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** The parsed body, or its text if it is not JSON; undefined without a body. */
  readonly body: unknown;
  /** SHA-256 of the body's bytes. */
  readonly sha256?: string | undefined;
}

/** How a request compares with a recorded one. */
export interface Fit {
  /** True for the same method and operation; the other fields then describe the differences. */
  readonly sameCall: boolean;
  /** The first differences, in words; empty for the same request. */
  readonly differences: readonly string[];
  /** Number of differences. */
  readonly count: number;
}

const CONTENT = /:(?:generateContent|streamGenerateContent)$/;
/** Query parameters that change the answer. */
const QUERY = /^(?:\$?alt|fields|filter|pageSize|pageToken|updateMask|uploadType|upload_protocol)$/;
const MAX_NAMED = 3;

/** Compares a request with a recorded exchange. One recorded without its request matches any request for its operation. */
export function fitExchange(exchange: ReplayExchange, request: ReplayRequest): Fit {
  const recorded = addressOf(exchange.path ?? "");
  const received = addressOf(request.path);
  const recordedCall = recorded.operation ?? operationByBody(exchange);
  const receivedCall = received.operation;
  if (recordedCall !== undefined && receivedCall !== undefined && recordedCall !== receivedCall)
    return differ(false, `the operation was ${recordedCall} and is now ${receivedCall}`);
  const isContent = receivedCall !== undefined;
  if (isContent && recordedCall === undefined && exchange.path != null)
    return differ(false, `the call was ${recorded.path} and is now ${received.path}`);
  if (!isContent) {
    const [path, method] = [recorded.path, exchange.method ?? request.method];
    if (
      recordedCall !== undefined ||
      exchange.path == null ||
      method !== request.method ||
      !sameText(wild(path), received.path)
    )
      return differ(false, `the call was ${method} ${path} and is now ${request.method} ${received.path}`);
  }
  const { request: body, requestBody } = exchange;
  const hasBody = isFields(body) || Array.isArray(body);
  if (isContent && !hasBody && requestBody === undefined) return { sameCall: true, differences: [], count: 0 };
  const model = recorded.model ?? exchange.model ?? undefined;
  if (isContent && model !== undefined && received.model !== undefined && model !== received.model)
    return differ(true, `the model was ${model} and is now ${received.model}`);
  const query = exchange.path == null ? undefined : queryDifference(recorded.query, received.query);
  const inQuery = query === undefined ? [] : [query];
  // A body that is not JSON is compared by its hash.
  const isBytes = typeof request.body === "string";
  const was = requestBody === undefined ? "JSON" : `bytes of SHA-256 ${requestBody.sha256}`;
  const is = request.body === undefined ? "absent" : isBytes ? `bytes of SHA-256 ${request.sha256}` : "JSON";
  if ((requestBody !== undefined) !== isBytes) return differ(true, `the body was ${was} and is now ${is}`);
  if (isBytes) return named(was === is ? inQuery : [...inQuery, `the body was ${was} and is now ${is}`], []);
  return named(inQuery, differencesOf(normalize(body ?? undefined), normalize(request.body)));
}

function named(first: readonly string[], found: readonly Difference[]): Fit {
  const differences = [...first, ...found.slice(0, MAX_NAMED).map(describeDifference)];
  return { sameCall: true, differences, count: first.length + found.length };
}

function differ(sameCall: boolean, how: string): Fit {
  return { sameCall, differences: [how], count: Number.POSITIVE_INFINITY };
}

interface Address {
  /** Path, starting with the API version. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Set for a request for content. */
  readonly operation: string | undefined;
  readonly model: string | undefined;
}

function addressOf(address: string): Address {
  const at = address.indexOf("?");
  const whole = decoded(at === -1 ? address : address.slice(0, at)).replaceAll(/\/{2,}/g, "/");
  const path = /\/(?:upload\/)?v\d\w*\/.*$/.exec(whole)?.[0] ?? whole;
  const operation = CONTENT.exec(path)?.[0].slice(1);
  const model = /models\/([^/:]+)/.exec(path)?.[1];
  return { path, query: new URLSearchParams(at === -1 ? "" : address.slice(at)), operation, model };
}

function operationByBody({ path, responseHeaders, responseBody }: ReplayExchange): string | undefined {
  if (path != null) return undefined;
  const type = responseHeaders?.["content-type"] ?? "";
  return type.includes("event-stream") || responseBody.startsWith("data:") ? "streamGenerateContent" : undefined;
}

/** Replaces the project in a path, as recordings do. */
function wild(path: string): string {
  return path.replaceAll(/(?<=\/projects\/)[^/:]+/g, "PROJECT");
}

function queryDifference(recorded: URLSearchParams, received: URLSearchParams): string | undefined {
  for (const name of new Set([...recorded.keys(), ...[...received.keys()].filter((key) => QUERY.test(key))])) {
    const [was, is] = [recorded.get(name), received.get(name)];
    const isSame = was === is || (was !== null && is !== null && sameText(was, is));
    if (!isSame && QUERY.test(name)) return `the query's ${name} was ${was ?? "absent"} and is now ${is ?? "absent"}`;
  }
  return undefined;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
