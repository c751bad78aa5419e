import { nodeTransport } from "@pollux/core/node";
import {
  type FetchLike,
  type HttpRequest,
  SEND,
  type InFlightRequest,
} from "../../packages/core/src/wire/http/transport.ts";

/** `POLLUX_HTTP_CLIENT=node` runs the tests with a socket on the node transport instead of `fetch`. */
export const OVER_NODE: boolean = process.env["POLLUX_HTTP_CLIENT"] === "node";

/** Shared, like in a program. */
export const shared = nodeTransport({ proxyEnv: {} });

/** Changes traffic on its way, like a proxy. */
export interface Proxy {
  readonly request?: (body: string) => string;
  readonly answer?: (body: string) => string;
}

/** `fetch`, or the node transport if requested, recording the bodies of requests and responses. */
export function observed(bodies: string[], answers: string[], proxy: Proxy = {}): FetchLike {
  const isPlain = proxy.request === undefined && proxy.answer === undefined;
  return OVER_NODE && isPlain ? observedTransport(bodies, answers) : observedFetch(bodies, answers, proxy);
}

function observedFetch(bodies: string[], answers: string[], proxy: Proxy): FetchLike {
  return async (input, init) => {
    const body = new TextDecoder().decode(init.body as Uint8Array);
    bodies.push(body);
    const response = await fetch(input, proxy.request === undefined ? init : { ...init, body: proxy.request(body) });
    const index = answers.push("") - 1;
    const decoder = new TextDecoder();
    const encoder = new TextEncoder();
    const watch = new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        const text = decoder.decode(bytes, { stream: true });
        const changed = proxy.answer === undefined ? text : proxy.answer(text);
        answers[index] += changed;
        controller.enqueue(proxy.answer === undefined ? bytes : encoder.encode(changed));
      },
    });
    return new Response(response.body?.pipeThrough(watch) ?? null, response);
  };
}

/** The node transport, recording the bodies of requests and responses. */
function observedTransport(bodies: string[], answers: string[]): FetchLike {
  const send = (request: HttpRequest): InFlightRequest => {
    bodies.push(new TextDecoder().decode(request.body));
    const inFlight = shared[SEND](request);
    const decoder = new TextDecoder();
    let index: number | undefined;
    return {
      head: inFlight.head.then((head) => {
        index = answers.push("") - 1;
        return head;
      }),
      async read() {
        const read = await inFlight.read();
        if (index !== undefined) answers[index] += decoder.decode(read.value, { stream: true });
        return read;
      },
      cancel: (reason) => inFlight.cancel(reason),
    };
  };
  return Object.assign((input: string, init: RequestInit) => shared(input, init), { [SEND]: send });
}
