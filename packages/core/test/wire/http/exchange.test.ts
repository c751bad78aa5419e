import { getEventListeners } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { GeminiClient } from "../../../src/wire/client.ts";
import type { GeminiClientOptions } from "../../../src/wire/client-options.ts";
import { endpoint } from "../../../src/wire/endpoints/endpoint.ts";
import { stopClock } from "../../helpers/stop-clock.ts";
import { TRANSPORTS } from "../../helpers/transports.ts";

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

/** Whether work is over, once everything that can happen without the clock has happened. */
function settled<T>(work: Promise<T>): { readonly work: Promise<T>; soon(): Promise<"waits" | "over"> } {
  let state: "waits" | "over" = "waits";
  const over = (): void => void (state = "over");
  work.then(over, over);
  return {
    work,
    async soon() {
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      return state;
    },
  };
}

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

test.each(["whole", "streamed"])(
  "a limit that passes while a request is handed over ends the call, %s",
  async (face) => {
    stopClock();
    const { signal } = new AbortController();
    const client = new GeminiClient({
      endpoint: endpoint({ baseUrl: "http://127.0.0.1:1" }),
      retry: { maxAttempts: 1 },
      timeouts: { firstByteMs: 20 },
      env: {},
      // Takes longer than the limit to begin, as on a busy machine, and gets no answer.
      fetch: () => {
        vi.advanceTimersByTime(21);
        return new Promise(() => {});
      },
    });
    const call =
      face === "whole"
        ? client.generateContent("m", ASK, { signal })
        : client.streamGenerateContent("m", ASK, { signal }).next();
    expect(await settled<unknown>(call).soon()).toBe("over");
    await expect(call).rejects.toMatchObject({ code: "api_timeout", kind: "first-byte" });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  },
);

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
    test.each<[string, RequestListener]>([
      ["to the head", () => {}],
      ["to the first byte after the head", (_, response) => response.writeHead(200).flushHeaders()],
    ])("%s ends the call and the connection", async (_name, listener) => {
      stopClock();
      const asked = withResolvers();
      const { client, closed } = await serve(
        (request, response) => {
          listener(request, response);
          asked.resolve();
        },
        { timeouts: { firstByteMs: 60 } },
      );
      const failed = settled(drain(client));
      await asked.promise;
      vi.advanceTimersByTime(59);
      expect(await failed.soon()).toBe("waits");
      vi.advanceTimersByTime(1);
      await expect(failed.work).rejects.toMatchObject({
        code: "api_timeout",
        kind: "first-byte",
        limitMs: 60,
        retryable: true,
      });
      await closed;
    });

    test("between reads ends the call and the connection", async () => {
      stopClock();
      const { client, closed } = await serve((_, response) => void response.writeHead(200).write(EVENT), {
        timeouts: { idleMs: 60 },
      });
      const stream = client.streamGenerateContent("m", ASK);
      await stream.next();
      const failed = settled(stream.next());
      vi.advanceTimersByTime(59);
      expect(await failed.soon()).toBe("waits");
      vi.advanceTimersByTime(1);
      await expect(failed.work).rejects.toMatchObject({
        code: "api_timeout",
        kind: "idle",
        limitMs: 60,
        retryable: true,
      });
      await closed;
    });

    test("for the whole call ends the call and the connection, also of an answer that goes on", async () => {
      stopClock();
      let goOn = (): unknown => undefined;
      const { client, closed } = await serve(
        (_, response) => {
          goOn = () => response.write(EVENT);
          response.writeHead(200).write(EVENT);
        },
        { timeouts: { totalMs: 120, idleMs: 100 } },
      );
      const stream = client.streamGenerateContent("m", ASK);
      await stream.next();
      for (let ms = 10; ms < 120; ms += 10) {
        vi.advanceTimersByTime(10);
        goOn();
        expect(await stream.next()).toMatchObject({ done: false });
      }
      const failed = settled(stream.next());
      vi.advanceTimersByTime(10);
      await expect(failed.work).rejects.toMatchObject({
        code: "api_timeout",
        kind: "total",
        limitMs: 120,
        retryable: false,
      });
      await closed;
    });

    test("between reads does not count the reader's own time", async () => {
      stopClock();
      let end = (): unknown => undefined;
      const { client } = await serve(
        (_, response) => {
          end = () => response.end(EVENT);
          response.writeHead(200).write(EVENT);
        },
        { timeouts: { idleMs: 50 } },
      );
      const stream = client.streamGenerateContent("m", ASK);
      expect((await stream.next()).value).toHaveLength(1);
      vi.advanceTimersByTime(150);
      end();
      expect((await stream.next()).value).toHaveLength(1);
      vi.advanceTimersByTime(150);
      expect(await stream.next()).toEqual({ done: true, value: undefined });
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
    test("before the head throws the caller's reason and ends the connection", async () => {
      const controller = new AbortController();
      const reason = new Error("the caller's");
      const { client, closed } = await serve(() => controller.abort(reason));
      const before = timers();
      await expect(drain(client, controller.signal)).rejects.toBe(reason);
      await closed;
      expect(timers()).toBeLessThanOrEqual(before);
    });

    test("in the body throws the caller's reason and ends the connection", async () => {
      const controller = new AbortController();
      const reason = new Error("the caller's");
      const { client, closed } = await serve((_, response) => void response.writeHead(200).write(EVENT));
      const before = timers();
      const stream = client.streamGenerateContent("m", ASK, { signal: controller.signal });
      await stream.next();
      const reading = stream.next();
      controller.abort(reason);
      await expect(reading).rejects.toBe(reason);
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
    let cut = (): unknown => undefined;
    const { client } = await serve((_, response) => {
      cut = () => response.destroy();
      response.writeHead(200).write(EVENT);
    });
    const stream = client.streamGenerateContent("m", ASK);
    await stream.next();
    cut();
    await expect(stream.next()).rejects.toMatchObject({ code: "api_network", retryable: true });
  });

  test("an error whose body is cut is what its status says", async () => {
    const { client } = await serve((_, response) => {
      response.writeHead(401, { "content-length": 100 }).write('{"error":');
      // After what was written, and not instead of it.
      response.socket?.end();
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
