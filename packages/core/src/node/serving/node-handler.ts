import type { IncomingMessage, ServerResponse } from "node:http";

/** A listener for `node:http`, and a middleware for Express. */
export type NodeHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/**
 * Serves a handler of web requests with `node:http` or Express. A client that disconnects aborts `request.signal`; a slow one slows only
 * its own response. Bodies are passed on as they arrive.
 *
 * @param handler - Such as one made by `chatHandler`.
 * @example
 * ```ts
 * const server = createServer(toNodeHandler(handler)).listen(0);
 * ```
 */
export function toNodeHandler(handler: (request: Request) => Promise<Response>): NodeHandler {
  return (incoming, outgoing, next) => {
    answer(handler, incoming, outgoing).catch((error: unknown) => {
      if (next !== undefined && !outgoing.headersSent) next(error);
      else outgoing.destroy();
    });
  };
}

/** Rejects when the handler or the body of its response fails; the connection is then left as it is. */
export async function answer(
  handler: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const left = new AbortController();
  const leave = (): void => {
    if (!outgoing.writableFinished) left.abort(new DOMException("the client has disconnected", "AbortError"));
  };
  const { socket } = incoming;
  outgoing.once("close", leave);
  // Before Node 24, a response that waits behind another one is not closed with their connection. Many can wait.
  socket.setMaxListeners(0).once("close", leave);
  try {
    // The fetch standard forbids requests with these methods.
    const isWeb = incoming.method !== "TRACE" && incoming.method !== "TRACK";
    const response = isWeb ? await handler(toRequest(incoming, left.signal)) : new Response(undefined, { status: 405 });
    await send(response, incoming, outgoing, left.signal);
  } finally {
    outgoing.off("close", leave);
    socket.off("close", leave);
  }
}

/** Express keeps the whole path as `originalUrl`, and what a body parser has read as `body`. */
type MaybeExpress = IncomingMessage & { readonly originalUrl?: string; readonly body?: unknown };

function toRequest(incoming: MaybeExpress, signal: AbortSignal): Request {
  const { method = "GET", rawHeaders, socket } = incoming;
  const headers = new Headers();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (!name.startsWith(":")) headers.append(name, rawHeaders[index + 1] ?? "");
  }
  const scheme = "encrypted" in socket && socket.encrypted === true ? "https" : "http";
  const path = incoming.originalUrl ?? incoming.url ?? "/";
  const host = HOST.exec(headers.get("host") ?? "")?.[0];
  const base =
    host !== undefined && URL.canParse(`${scheme}://${host}`) ? `${scheme}://${host}` : `${scheme}://localhost`;
  // A path that begins with two slashes would name a host.
  const url = new URL(`${base}${path.startsWith("/") ? path : `/${path}`}`);
  const body = method === "GET" || method === "HEAD" ? undefined : bodyOf(incoming);
  const duplex = "half";
  const request = new Request(url, { method, headers, signal, ...(body !== undefined && { body, duplex }) });
  // The signal that a request derives from it stops working when the request is garbage-collected.
  return Object.defineProperty(request, "signal", { value: signal });
}

/** A host, and nothing that would be read as a user or as a path. */
const HOST = /^[^\s/\\?#@]+$/;

function bodyOf(incoming: MaybeExpress): string | ReadableStream<Uint8Array> {
  if (incoming.body !== undefined && incoming.readableEnded) return JSON.stringify(incoming.body);
  const pieces: AsyncIterator<Uint8Array> = incoming.iterator({ destroyOnReturn: false });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await pieces.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      // Destroying the rest of the request would destroy its response.
    },
    { highWaterMark: 0 },
  );
}

async function send(
  response: Response,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  left: AbortSignal,
): Promise<void> {
  const { status, statusText, headers, body } = response;
  outgoing.statusCode = status;
  if (statusText !== "") outgoing.statusMessage = statusText;
  for (const [name, value] of headers) if (name !== "set-cookie") outgoing.setHeader(name, value);
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
  // The unread rest of a body would block the next request.
  if (!incoming.complete) outgoing.setHeader("connection", "close");
  if (body === null) {
    outgoing.end();
    return;
  }
  outgoing.flushHeaders();
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  left.addEventListener("abort", cancel, { once: true });
  if (left.aborted) cancel();
  let isOver = false;
  let resume = (): void => {};
  const end = (): void => {
    isOver = true;
    resume();
  };
  // Also notices a cancelled or failed body at once while waiting for the client to read.
  reader.closed.then(end, end);
  const room = (): Promise<void> => new Promise((resolve) => outgoing.once("drain", (resume = resolve)));
  for (let piece = await reader.read(); !piece.done && !left.aborted; piece = await reader.read())
    if (!outgoing.write(piece.value) && !isOver) await room();
  if (!left.aborted) outgoing.end();
}
