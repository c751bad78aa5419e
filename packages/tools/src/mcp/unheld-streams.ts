import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** Told by the runtime's `fetch` before a request's headers are sent. */
const CHANNEL = "undici:client:sendHeaders";

/** Requests whose answer is a stream of notifications without an end. */
const ENDLESS = /^(?:GET .*\r\naccept: text\/event-stream\r\n|POST .*\r\nmcp-method: subscriptions\/listen\r\n)/is;

/**
 * Lets a program end while a stream of a server's notifications is open. A call in progress still holds it. Where the runtime's `fetch`
 * tells nobody of its sockets, the stream holds the program until it is closed.
 *
 * @returns Stops doing so.
 */
export function unholdStreams(url: URL): () => void {
  const onHeaders = (message: unknown): void => {
    // The shape is undici's; whatever differs is left alone.
    const { request, headers, socket } = message as Partial<SentHeaders>;
    if (request?.origin !== url.origin || request.path !== `${url.pathname}${url.search}`) return;
    if (ENDLESS.test(`${request.method} \r\n${headers ?? ""}`)) socket?.unref?.();
  };
  subscribe(CHANNEL, onHeaders);
  return () => void unsubscribe(CHANNEL, onHeaders);
}

/** Waits for a reconnection without holding the program. */
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
