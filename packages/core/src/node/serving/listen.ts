import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { answer } from "./node-handler.ts";

/** Where to serve. */
export interface ListenOptions {
  /** @defaultValue 0, any free port */
  readonly port?: number | undefined;
  /** @defaultValue "127.0.0.1", so that only this machine can reach it */
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
 * Serves a handler of web requests over HTTP. The connection of a request whose answer fails is reset.
 *
 * @throws The error of `node:net`, with code `EADDRINUSE` if the port is in use.
 */
export async function listen(
  handler: (request: Request) => Promise<Response>,
  { port = 0, host = "127.0.0.1" }: ListenOptions = {},
): Promise<RunningServer> {
  const server = createServer((incoming, outgoing) => {
    answer(handler, incoming, outgoing).catch(() => {
      if (outgoing.socket === null || outgoing.socket.destroyed) outgoing.destroy();
      else outgoing.socket.resetAndDestroy();
    });
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
  const close = (): Promise<void> =>
    (closed ??= new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }));
  const shown = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return { url: `http://${shown}:${address.port}`, port: address.port, close, [Symbol.asyncDispose]: close };
}
