import http from "node:http";
import https from "node:https";
import { Socket } from "node:net";
import { abortable } from "../../internal/abort.ts";
import { type HttpRequest, SEND, type InFlightRequest, type Transport } from "../../wire/http/transport.ts";
import { nodeAgents, type NodeAgents, type NodeConnectionOptions } from "./node-agents.ts";
import { type NodeHead, NodeRequest } from "./node-request.ts";

/** Options of {@link nodeTransport}. */
export type NodeTransportOptions = NodeConnectionOptions;

/** A `fetch` over `node:http`. */
export interface NodeTransport extends Transport, AsyncDisposable {
  /** As `fetch`, with redirects left alone and the body taken whole. */
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Ends its connections, also those in use, whose requests then fail. The next request makes a new one. */
  close(): Promise<void>;
}

/**
 * Sends requests by `node:http` instead of the platform's `fetch`, at less than half its cost: give it as `fetch` to a model
 * or a client. Make one for the whole process, or one per test: connections are kept and used again by everyone who has it.
 * Idle ones do not keep the process alive.
 *
 * Behaves as `fetch` does for the client: the same errors, limits, aborts and decompression. A request that finds the
 * connection it was to use again just closed by the server is sent once more, unless it uploads. It goes through `HTTPS_PROXY` or `HTTP_PROXY`
 * unless `NO_PROXY` says otherwise.
 *
 * It can also be called like `fetch`, by a recorder for one; that way costs more and takes bodies whole.
 *
 * @throws {ConfigurationError} When the environment names a proxy that this version of Node cannot use.
 * @throws {TypeError} For a limit that is not a positive number.
 *
 * @example
 * const model = gemini("gemini-flash-latest", { fetch: nodeTransport() });
 */
export function nodeTransport(options: NodeTransportOptions = {}): NodeTransport {
  const agents = nodeAgents(options);
  const send = (request: HttpRequest): InFlightRequest => new NodeRequest(request, agents);
  const close = async (): Promise<void> => {
    agents.closed++;
    agents["http:"].destroy();
    agents["https:"].destroy();
  };
  const fetch = (input: string | URL | Request, init?: RequestInit): Promise<Response> =>
    nodeFetch(agents, input, init);
  return Object.assign(fetch, { [SEND]: send, close, [Symbol.asyncDispose]: close });
}

/** `fetch` over `node:http`, with `redirect: "manual"`; rejects as `fetch` does. */
export async function nodeFetch(
  agents: NodeAgents,
  input: string | URL | Request,
  init: RequestInit = {},
): Promise<Response> {
  const signal = init.signal ?? (input instanceof Request ? input.signal : undefined);
  const whole = requestOf(input, init);
  // A body that is a stream may never end.
  const request = await (signal ? abortable(whole, signal) : whole);
  const inFlight = new NodeRequest(request, agents);
  const onAbort = (): void => inFlight.cancel(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const done = (): void => signal?.removeEventListener("abort", onAbort);
  try {
    const head = await inFlight.head;
    const body = NO_BODY.has(head.status) || request.method === "HEAD" ? null : bodyOf(inFlight, done);
    if (body === null) done();
    return new Response(body, { status: head.status, statusText: head.statusText, headers: headersOf(head) });
  } catch (error) {
    done();
    // A status that no Response can have, for one.
    inFlight.cancel(error);
    signal?.throwIfAborted();
    throw new TypeError("fetch failed", { cause: error });
  }
}

/** Statuses whose answers have no body. */
const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

async function requestOf(input: string | URL | Request, init: RequestInit): Promise<HttpRequest> {
  // Knows every kind of body, and its type.
  const whole = new Request(input, init);
  const { method, url } = whole;
  const headers = Object.fromEntries(whole.headers);
  return whole.body === null
    ? { method, url, headers }
    : { method, url, headers, body: new Uint8Array(await whole.arrayBuffer()) };
}

function headersOf({ rawHeaders }: NodeHead): Headers {
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  return headers;
}

function bodyOf(inFlight: NodeRequest, done: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { value } = await inFlight.read();
          if (value) return controller.enqueue(value);
          controller.close();
          done();
        } catch (error) {
          done();
          throw error;
        }
      },
      cancel(reason) {
        done();
        inFlight.cancel(reason);
      },
    },
    // Nothing is read before somebody asks.
    { highWaterMark: 0 },
  );
}

/** Whether somebody sees or answers requests of `node:http` who would not see those of `fetch`: a mock, or a tracer. */
export function isHttpPatched(): boolean {
  return (
    !hasText(http.request, "new ClientRequest(url, options, cb)") ||
    !hasText(https.request, "ReflectConstruct(ClientRequest, args)") ||
    !hasText(Reflect.get(Socket.prototype, "connect"), "normalizedArgsSymbol")
  );
}

/** The text of a function cannot be made up: a proxy and a bound function say `[native code]`. */
function hasText(value: unknown, text: string): boolean {
  return typeof value === "function" && Function.prototype.toString.call(value).includes(text);
}
