import { getEventListeners } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { GeminiClient } from "../../src/wire/client.ts";
import type { GeminiClientOptions } from "../../src/wire/client-options.ts";
import { endpoint } from "../../src/wire/endpoint.ts";
import { TRANSPORTS } from "../helpers/transports.ts";

const ASK = { contents: [{ role: "user" as const, parts: [{ text: "hi" }] }] };
const EVENT = 'data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\r\n\r\n';

const open: Server[] = [];
afterEach(async () => {
  await Promise.all(
    open.splice(0).map((server) => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    }),
  );
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

async function drain(client: GeminiClient, signal?: AbortSignal): Promise<number> {
  let chunks = 0;
  for await (const batch of client.streamGenerateContent("m", ASK, { signal })) chunks += batch.length;
  return chunks;
}

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

describe.each(TRANSPORTS)("over %s", (_transport, fetch) => {
  async function serve(
    listener: RequestListener,
    options: GeminiClientOptions = {},
  ): Promise<{ client: GeminiClient; closed: Promise<void> }> {
    const { promise: closed, resolve: close } = withResolvers();
    const server = createServer((request, response) => {
      response.on("close", close);
      listener(request, response);
    });
    open.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    // An address object, the server being bound to a port.
    const { port } = server.address() as AddressInfo;
    const client = new GeminiClient({
      endpoint: endpoint({ baseUrl: `http://127.0.0.1:${port}` }),
      retry: { maxAttempts: 1 },
      env: {},
      fetch,
      ...options,
    });
    return { client, closed };
  }

  describe("a time limit", () => {
    test.each<[string, RequestListener, object, object]>([
      ["to the head", () => {}, { firstByteMs: 60 }, { kind: "first-byte", limitMs: 60, retryable: true }],
      [
        "to the first byte after the head",
        (_, response) => response.writeHead(200).flushHeaders(),
        { firstByteMs: 60 },
        { kind: "first-byte", limitMs: 60 },
      ],
      [
        "between reads",
        (_, response) => void response.writeHead(200).write(EVENT),
        { idleMs: 60 },
        { kind: "idle", limitMs: 60, retryable: true },
      ],
      [
        "for the whole call",
        (_, response) => {
          response.writeHead(200);
          const timer = setInterval(() => response.write(EVENT), 10);
          response.on("close", () => clearInterval(timer));
        },
        { totalMs: 120, idleMs: 100 },
        { kind: "total", limitMs: 120, retryable: false },
      ],
    ])("%s ends the call and the connection", async (_name, listener, timeouts, expected) => {
      const { client, closed } = await serve(listener, { timeouts });
      await expect(drain(client)).rejects.toMatchObject({ code: "api_timeout", ...expected });
      await closed;
    });

    test("between reads does not count the reader's own time", async () => {
      const { client } = await serve((_, response) => void response.writeHead(200).end(EVENT), {
        timeouts: { idleMs: 50 },
      });
      let chunks = 0;
      for await (const batch of client.streamGenerateContent("m", ASK)) {
        chunks += batch.length;
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
      expect(chunks).toBe(1);
    });

    test("leaves no timer behind", async () => {
      const { client } = await serve((_, response) => void response.writeHead(200).end(EVENT));
      const before = timers();
      await drain(client);
      await client.generateContent("m", ASK).catch(() => undefined);
      expect(timers()).toBeLessThanOrEqual(before);
    });

    test("holds for a fetch that ignores its signal", async () => {
      const never = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode(EVENT)),
      });
      const options = { endpoint: endpoint({ baseUrl: "http://127.0.0.1:1" }), retry: { maxAttempts: 1 }, env: {} };
      const stalled = new GeminiClient({
        ...options,
        fetch: async () => new Response(never),
        timeouts: { idleMs: 30 },
      });
      await expect(drain(stalled)).rejects.toMatchObject({ kind: "idle" });
      const silent = new GeminiClient({
        ...options,
        fetch: () => new Promise(() => {}),
        timeouts: { firstByteMs: 30 },
      });
      await expect(drain(silent)).rejects.toMatchObject({ kind: "first-byte" });
    });
  });

  describe("an abort", () => {
    test.each<[string, RequestListener]>([
      ["before the head", () => {}],
      ["in the body", (_, response) => void response.writeHead(200).write(EVENT)],
    ])("%s throws the caller's reason and ends the connection", async (_name, listener) => {
      const controller = new AbortController();
      const reason = new Error("the caller's");
      const { client, closed } = await serve((request, response) => {
        listener(request, response);
        setTimeout(() => controller.abort(reason), 30);
      });
      const before = timers();
      await expect(drain(client, controller.signal)).rejects.toBe(reason);
      await closed;
      expect(timers()).toBeLessThanOrEqual(before);
    });

    test("beforehand sends nothing", async () => {
      let requests = 0;
      const { client } = await serve(() => requests++);
      await expect(drain(client, AbortSignal.abort("early"))).rejects.toBe("early");
      expect(requests).toBe(0);
    });

    test("leaves no listener on the signal after the call", async () => {
      const { client } = await serve((_, response) => void response.writeHead(200).end(EVENT));
      const { signal } = new AbortController();
      await drain(client, signal);
      await client.generateContent("m", ASK, { signal }).catch(() => undefined);
      expect(getEventListeners(signal, "abort")).toEqual([]);
    });
  });

  test("a connection cut in the body is a network error", async () => {
    const { client } = await serve((_, response) => {
      response.writeHead(200).write(EVENT);
      setTimeout(() => response.destroy(), 20);
    });
    await expect(drain(client)).rejects.toMatchObject({ code: "api_network", retryable: true });
  });

  test("an error whose body is cut is what its status says", async () => {
    const { client } = await serve((_, response) => {
      response.writeHead(401, { "content-length": 100 }).write('{"error":');
      setTimeout(() => response.destroy(), 20);
    });
    await expect(drain(client)).rejects.toMatchObject({ code: "api_status", status: 401, retryable: false });
  });

  test("a refused connection names the host and the reason", async () => {
    const client = new GeminiClient({
      endpoint: endpoint({ baseUrl: "http://127.0.0.1:1" }),
      retry: { maxAttempts: 1 },
      env: {},
      fetch,
    });
    await expect(drain(client)).rejects.toThrow(/127\.0\.0\.1:1.*(?:ECONNREFUSED|bad port)/);
  });

  test("a redirect is not followed", async () => {
    const paths: (string | undefined)[] = [];
    const { client } = await serve((request, response) => {
      paths.push(request.url);
      response.writeHead(302, { location: "/elsewhere" }).end();
    });
    await expect(client.generateContent("m", ASK)).rejects.toMatchObject({ code: "api_status", status: 302 });
    expect(paths).toEqual(["/v1beta/models/m:generateContent"]);
  });
});
