import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";

/** A listening web server. */
export interface WebServer {
  readonly port: number;
  /** Stops listening and closes all connections. */
  close(): Promise<void>;
}

/**
 * Listens for HTTP requests and answers them with a web-standard `fetch` handler. A request's signal fires when the client
 * disconnects.
 *
 * @throws If the port is in use.
 */
export async function listen(
  place: { readonly host: string; readonly port: number },
  answer: (request: Request) => Promise<Response>,
): Promise<WebServer> {
  const server = createServer((incoming, outgoing) => void exchange(incoming, outgoing, answer));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(place.port, place.host, resolve);
  });
  // A TCP server has an address with a port.
  const { port } = server.address() as AddressInfo;
  return { port, close: () => end(server) };
}

async function exchange(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  answer: (request: Request) => Promise<Response>,
): Promise<void> {
  const left = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) left.abort();
  });
  try {
    const response = await answer(requestOf(incoming, left.signal));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body === null) outgoing.end();
    else await pipeline(Readable.fromWeb(response.body as ReadableStream), outgoing);
  } catch {
    if (outgoing.headersSent) outgoing.destroy();
    else outgoing.writeHead(400).end();
  }
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = "GET", url = "/", headers } = incoming;
  const hasBody = method !== "GET" && method !== "HEAD";
  // Node accepts a stream as a body but then requires `duplex`; the web's types know neither.
  const body = hasBody ? { body: Readable.toWeb(incoming), duplex: "half" } : {};
  return new Request(new URL(url, `http://${headers.host}`), {
    method,
    signal,
    headers: Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
    ...body,
  } as RequestInit);
}

async function end(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
