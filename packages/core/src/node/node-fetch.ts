import { abortable } from "../internal/abort.ts";
import type { HttpRequest } from "../wire/sending.ts";
import type { NodeAgents } from "./node-agents.ts";
import { type NodeHead, NodeSending } from "./node-sending.ts";

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
  const sending = new NodeSending(request, agents);
  const onAbort = (): void => sending.cancel(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const done = (): void => signal?.removeEventListener("abort", onAbort);
  try {
    const head = await sending.head;
    const body = NO_BODY.has(head.status) || request.method === "HEAD" ? null : bodyOf(sending, done);
    if (body === null) done();
    return new Response(body, { status: head.status, statusText: head.statusText, headers: headersOf(head) });
  } catch (error) {
    done();
    // A status that no Response can have, for one.
    sending.cancel(error);
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

function bodyOf(sending: NodeSending, done: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const bytes = await sending.read();
          if (bytes) return controller.enqueue(bytes);
          controller.close();
          done();
        } catch (error) {
          done();
          throw error;
        }
      },
      cancel(reason) {
        done();
        sending.cancel(reason);
      },
    },
    // Nothing is read before somebody asks.
    { highWaterMark: 0 },
  );
}
