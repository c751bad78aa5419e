import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { endpoint, gemini, type GeminiModel, type GeminiOptions } from "@pollux/core";
import { createEmulator, type Emulator, type EmulatorOptions } from "@pollux/emulator";

/** An emulator behind a socket, with the bytes of all received bodies. Close it with `await using`. */
export interface ByteService extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly url: string;
  readonly received: readonly Buffer[];
  model(id?: string, options?: GeminiOptions): GeminiModel;
}

/** Starts an emulator on a free port of this machine. */
export async function openByteService(options: EmulatorOptions = {}): Promise<ByteService> {
  const emulator = createEmulator(options);
  const received: Buffer[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const body = Buffer.concat(await request.toArray());
      received.push(body);
      const { method = "GET", url = "/" } = request;
      const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const);
      const answer = await emulator.fetch(`http://localhost${url}`, {
        method,
        headers: Object.fromEntries(headers),
        ...(method !== "GET" && { body }),
      });
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      for await (const chunk of answer.body ?? []) response.write(chunk);
      response.end();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // An address object, since the server is bound to a port.
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    emulator,
    url,
    received,
    model: (id = "gemini-3.8-flash", more = {}) =>
      gemini(id, {
        endpoint: endpoint({ baseUrl: url, apiKey: "emulator" }),
        retry: { minDelayMs: 1, maxDelayMs: 2 },
        ...more,
      }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
