import { abortable, whenAborted } from "../../internal/abort.ts";
import { type HttpRequest, SEND, type InFlightRequest, type Transport } from "../../wire/http/transport.ts";
import { nodeAgents, type NodeAgents, type NodeTransportOptions } from "./node-agents.ts";
import { NodeRequest } from "./node-request.ts";

/** A `fetch` over `node:http`, see {@link nodeTransport}. */
export interface NodeTransport extends Transport, AsyncDisposable {
  /** Like `fetch`, without following redirects; reads the request's body into memory. */
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Closes all connections; requests in flight fail. The next request opens a new one. */
  close(): Promise<void>;
}

/**
 * Sends requests through `node:http` instead of the platform's `fetch`, at less than half the CPU: pass it as `fetch` to a model
 * or a client. Create one per process, or one per test: connections are kept alive and shared by all its users. Idle ones do not
 * keep the process alive.
 *
 * The client sees no difference from `fetch`: same errors, limits, aborts and decompression. A request whose kept connection was
 * just closed by the server is sent once more, unless it is part of an upload. Uses `HTTPS_PROXY` and `HTTP_PROXY`, except for
 * the hosts in `NO_PROXY`.
 *
 * It can also be called like `fetch`, for example by a recorder; that costs more and reads the request's body into memory.
 *
 * @throws {ConfigurationError} When the environment sets a proxy that this version of Node cannot use.
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

/** `fetch` over `node:http`, with `redirect: "manual"`; rejects like `fetch`. */
async function nodeFetch(agents: NodeAgents, input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const signal = init.signal ?? (input instanceof Request ? input.signal : undefined);
  const whole = requestOf(input, init);
  // A body that is a stream may never end.
  const request = await (signal ? abortable(whole, signal) : whole);
  const inFlight = new NodeRequest(request, agents);
  const done = whenAborted(signal, () => inFlight.cancel(signal?.reason));
  try {
    const head = await inFlight.head;
    const body = NO_BODY.has(head.status) || request.method === "HEAD" ? null : bodyOf(inFlight, done);
    if (body === null) done();
    const headers = new Headers();
    head.headers.forEach((value, name) => headers.append(name, value));
    return new Response(body, { status: head.status, statusText: head.statusText, headers });
  } catch (error) {
    done();
    // Such as a status that a Response cannot have.
    inFlight.cancel(error);
    signal?.throwIfAborted();
    throw new TypeError("fetch failed", { cause: error });
  }
}

const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

async function requestOf(input: string | URL | Request, init: RequestInit): Promise<HttpRequest> {
  // Handles every kind of body, and sets its content type.
  const whole = new Request(input, init);
  const { method, url } = whole;
  const headers = Object.fromEntries(whole.headers);
  return whole.body === null
    ? { method, url, headers }
    : { method, url, headers, body: new Uint8Array(await whole.arrayBuffer()) };
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
    // Reads nothing ahead.
    { highWaterMark: 0 },
  );
}
