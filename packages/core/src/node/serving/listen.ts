import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ListenOptions, RunningServer } from "../../serving/running-server.ts";
import { answer } from "./node-handler.ts";

/**
 * Serves a handler of web requests over HTTP. Resets the connection of a request whose response fails.
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
