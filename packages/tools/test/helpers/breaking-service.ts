import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Emulator } from "../../../emulator/src/index.ts";

/** Where the connection breaks: before the service has the request, after that, or in the middle of the answer. */
export type Break = "before" | "after" | "amid";

/** An emulator behind a socket that breaks. */
export interface BreakingService extends AsyncDisposable {
  readonly url: string;
  /** Method and path of each request, without the query. */
  readonly seen: readonly string[];
}

/** @param breaks - By the number of the request, from 1. */
export async function breakingService(
  emulator: Emulator,
  breaks: (request: string, number: number) => Break | undefined,
): Promise<BreakingService> {
  const seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const answer = async (): Promise<void> => {
      const request = `${incoming.method} ${incoming.url?.replace(/\?.*/, "")}`;
      const body = await bodyOf(incoming);
      const breaking = breaks(request, seen.push(request));
      if (breaking === "before") return void incoming.socket.destroy();
      const { method = "GET", headers, url = "/" } = incoming;
      const sent = new Headers(Object.entries(headers).map(([name, value]) => [name, String(value)]));
      const init = { method, headers: sent, ...(body.length > 0 && { body }) };
      const response = await emulator.fetch(new URL(url, `http://${headers.host}`), init);
      const bytes = Buffer.from(await response.arrayBuffer());
      if (breaking === "after") return void incoming.socket.destroy();
      outgoing.writeHead(response.status, { ...Object.fromEntries(response.headers), "content-length": bytes.length });
      if (breaking === undefined) return void outgoing.end(bytes);
      outgoing.write(bytes.subarray(0, bytes.length / 2), () => incoming.socket.destroy());
    };
    void answer();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A TCP server's address is always an object.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(Buffer.from(piece as Uint8Array));
  return Buffer.concat(pieces);
}
