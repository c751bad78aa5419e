import { type HttpRequest, SEND, type Sending, type Transport } from "../wire/sending.ts";
import { nodeAgents, type NodeConnectionOptions } from "./node-agents.ts";
import { nodeFetch } from "./node-fetch.ts";
import { NodeSending } from "./node-sending.ts";

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
  const send = (request: HttpRequest): Sending => new NodeSending(request, agents);
  const close = async (): Promise<void> => {
    agents.closed++;
    agents["http:"].destroy();
    agents["https:"].destroy();
  };
  const fetch = (input: string | URL | Request, init?: RequestInit): Promise<Response> =>
    nodeFetch(agents, input, init);
  return Object.assign(fetch, { [SEND]: send, close, [Symbol.asyncDispose]: close });
}
