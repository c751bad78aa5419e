import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** The runtime's `fetch` publishes here before it sends a request's headers. */
const CHANNEL = "undici:client:sendHeaders";

/** Requests whose answer is an endless stream of notifications. */
const ENDLESS = /^(?:GET .*\r\naccept: text\/event-stream\r\n|POST .*\r\nmcp-method: subscriptions\/listen\r\n)/is;

/**
 * Lets a program end while a stream of a server's notifications is open. A call in progress still keeps it alive. Where the runtime's
 * `fetch` doesn't publish its sockets, the stream keeps the program alive until it is closed.
 *
 * @returns A function that undoes this.
 */
export function unholdStreams(url: URL): () => void {
  const onHeaders = (message: unknown): void => {
    // The shape is undici's; any other message is ignored.
    const { request, headers, socket } = message as Partial<SentHeaders>;
    if (request?.origin !== url.origin || request.path !== `${url.pathname}${url.search}`) return;
    if (ENDLESS.test(`${request.method} \r\n${headers ?? ""}`)) socket?.unref?.();
  };
  subscribe(CHANNEL, onHeaders);
  return () => void unsubscribe(CHANNEL, onHeaders);
}

/** Waits for a reconnection without keeping the program alive. */
export function unheldTimer(work: () => void, delayMs: number): () => void {
  const timer = setTimeout(work, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}

interface SentHeaders {
  readonly request: { readonly origin: unknown; readonly path: string; readonly method: string };
  readonly headers: string;
  readonly socket: { unref?: () => void };
}
