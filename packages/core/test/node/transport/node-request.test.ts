import type { ServerResponse } from "node:http";
import { brotliCompressSync, createGzip, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
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
