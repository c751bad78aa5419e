import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { corsHeaders, preflightAnswer } from "./cors.ts";
import { type IncomingRequest, readBounded } from "./incoming-request.ts";

/** Where to serve. */
export interface ListenOptions {
  /** Default: 0, any free port. */
  readonly port?: number | undefined;
  /** Default: `127.0.0.1`, so that only this machine can reach it. */
  readonly host?: string | undefined;
}

/** A server that runs until it is closed. */
export interface RunningServer extends AsyncDisposable {
  /** Base URL without a trailing slash, such as `http://127.0.0.1:8787`. */
  readonly url: string;
  readonly port: number;
  /** Ends all open answers and closes all sockets. */
  close(): Promise<void>;
}

/**
 * Serves an emulator over HTTP.
 *
 * @throws The error of `node:net`, with code `EADDRINUSE` if the port is in use.
 */
export async function listen(
  answer: (request: IncomingRequest) => Promise<Response>,
  maxBodyBytes: number,
  options: ListenOptions = {},
): Promise<RunningServer> {
  const { port = 0, host = "127.0.0.1" } = options;
  const closing = new AbortController();
  const server = createServer((incoming, outgoing) => {
    void serve(incoming, outgoing, { answer, maxBodyBytes, closing: closing.signal });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  // A TCP server's address is always an object.
  const address = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= closeServer(server, closing);
    return closed;
  };
  const shown = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return { url: `http://${shown}:${address.port}`, port: address.port, close, [Symbol.asyncDispose]: close };
}

async function closeServer(server: Server, closing: AbortController): Promise<void> {
  closing.abort(new Error("The emulator was closed"));
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

interface Serving {
  readonly answer: (request: IncomingRequest) => Promise<Response>;
  readonly maxBodyBytes: number;
  readonly closing: AbortSignal;
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { answer, maxBodyBytes, closing }: Serving,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) gone.abort(new Error("The client went away"));
  });
  try {
    // The socket is still needed when reading stops early. Without an encoding set, a request yields buffers.
    const chunks: AsyncIterable<Uint8Array> = incoming.iterator({ destroyOnReturn: false });
    const { bytes, oversized } = await readBounded(chunks, maxBodyBytes);
    if (!incoming.complete) outgoing.setHeader("connection", "close");
    const { method = "GET" } = incoming;
    const headers = headersOf(incoming);
    const preflight = preflightAnswer(method, headers);
    if (preflight !== undefined) return await write(preflight, {}, outgoing);
    const response = await answer({
      method,
      url: new URL(incoming.url ?? "/", "http://127.0.0.1"),
      headers,
      body: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
      bytes,
      oversized,
      signal: AbortSignal.any([gone.signal, closing]),
    });
    await write(response, corsHeaders(headers, response.headers), outgoing);
  } catch {
    // An injected reset, or the client disconnected: either way, nothing more can be sent on this socket.
    if (outgoing.socket === null || outgoing.socket.destroyed) outgoing.destroy();
    else outgoing.socket.resetAndDestroy();
  }
}

function headersOf(incoming: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index] ?? "", incoming.rawHeaders[index + 1] ?? "");
  }
  return headers;
}

async function write(
  response: Response,
  more: Readonly<Record<string, string>>,
  outgoing: ServerResponse,
): Promise<void> {
  outgoing.writeHead(response.status, { ...Object.fromEntries(response.headers), ...more });
  if (response.body === null) {
    outgoing.end();
    return;
  }
  outgoing.flushHeaders();
  for await (const chunk of response.body) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(chunk)) await drained(outgoing);
  }
  outgoing.end();
}

async function drained(outgoing: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const go = (): void => {
      outgoing.off("drain", go).off("close", go);
      resolve();
    };
    outgoing.once("drain", go).once("close", go);
  });
}
