import { channel } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { brotliCompressSync, createGzip, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { ANSWER, answer, ASK, clientOf, drain, EVENT, serve } from "../../helpers/node-service.ts";

describe("a compressed answer", () => {
  const COMPRESSIONS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, "x-gzip": gzipSync } as const;

  test.each(Object.entries(COMPRESSIONS))("by %s is read", async (coding, compress) => {
    const service = await serve((_, response) => {
      response.writeHead(200, { "content-encoding": coding }).end(compress(EVENT.repeat(3)));
    });
    expect(await drain(clientOf(service.port))).toBe(3);
  });

  test("by two of them is read", async () => {
    const service = await serve((_, response) => {
      response.writeHead(200, { "content-encoding": "deflate, gzip" }).end(gzipSync(deflateSync(EVENT)));
    });
    expect(await drain(clientOf(service.port))).toBe(1);
  });

  test("is offered", async () => {
    let offered: string | undefined;
    const service = await serve((request, response) => {
      offered = request.headers["accept-encoding"];
      answer(request, response);
    });
    await drain(clientOf(service.port));
    expect(offered).toBe("gzip");
  });

  test("gives each event when it comes", async () => {
    let goOn = (): void => {};
    const service = await serve((_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      const gzip = createGzip();
      gzip.pipe(response);
      gzip.write(EVENT);
      gzip.flush();
      goOn = () => gzip.end(EVENT);
    });
    const stream = clientOf(service.port).streamGenerateContent("m", ASK);
    expect(await stream.next()).toEqual({ done: false, value: [ANSWER] });
    goOn();
    expect(await stream.next()).toEqual({ done: false, value: [ANSWER] });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ["damaged", (response) => void response.end("this is not gzip")],
    [
      "cut",
      (response) => {
        response.write(gzipSync(EVENT).subarray(0, 20));
        response.socket?.end();
      },
    ],
  ])("that is %s is a network error", async (_how, end) => {
    const service = await serve((_, response) => end(response.writeHead(200, { "content-encoding": "gzip" })));
    await expect(drain(clientOf(service.port))).rejects.toMatchObject({ code: "api_network", retryable: true });
  });
});

// Node before 20.20.2 and 24.14.1 throws there for a header with such a name, where nobody catches it.
test("an answer is read without Node's lists of headers, whatever a header is called", async () => {
  const responses = channel("http.client.response.finish");
  let reads = 0;
  const watch = (message: unknown): void => {
    const { response } = message as { response: IncomingMessage };
    const throws = (): never => {
      reads++;
      throw new TypeError("dest[field].push is not a function");
    };
    Object.defineProperty(response, "headersDistinct", { get: throws });
  };
  responses.subscribe(watch);
  onTestFinished(() => responses.unsubscribe(watch));
  const service = await serve((_, response) => {
    response.writeHead(200, { "content-encoding": "gzip", constructor: "x" }).end(gzipSync(EVENT));
  });
  expect(await drain(clientOf(service.port))).toBe(1);
  expect(reads).toBe(0);
});
