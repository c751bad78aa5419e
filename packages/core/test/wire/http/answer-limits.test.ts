import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { Agent, endpoint, gemini, type GeminiOptions } from "@pollux/core";
import { ApiShapeError } from "@pollux/core/errors";
import { describe, expect, test } from "vitest";
import { faces } from "../../helpers/faces.ts";
import { TRANSPORTS } from "../../helpers/transports.ts";

/** A service with one answer. `closed` resolves when the client lets go of it. */
async function serve(answer: (response: ServerResponse) => void) {
  let requests = 0;
  const gone: Promise<void>[] = [];
  const server = createServer((request, response) => {
    requests++;
    request.resume();
    gone.push(new Promise((resolve) => response.once("close", resolve)));
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    closed: () => Promise.all(gone),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The same event without end, as fast as it is read. */
function endless(response: ServerResponse, event: string): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const block = event.repeat(1000);
  const more = (): void => {
    while (!response.destroyed && response.write(block));
  };
  response.on("drain", more);
  more();
}

const event = (text: string): string =>
  `data: ${JSON.stringify({ candidates: [{ content: { role: "model", parts: [{ text }] } }] })}\n\n`;

function bomb(response: ServerResponse, body: string, type: string): void {
  const packed = gzipSync(body);
  expect(packed.length).toBeLessThan(100_000);
  response.writeHead(200, { "content-type": type, "content-encoding": "gzip" }).end(packed);
}

describe.each(TRANSPORTS)("with %s", (_transport, fetch) => {
  describe.each(faces)("%s", (_face, face) => {
    const attempt = async (url: string, options: GeminiOptions): Promise<unknown> => {
      const model = gemini("gemini-3.8-flash", { endpoint: endpoint({ baseUrl: url }), fetch, ...options });
      return face(new Agent({ model, limits: { restarts: 0 } }), "Hi").then(
        () => undefined,
        (error: unknown) => error,
      );
    };

    test.each([
      ["empty chunks", "data: {}\n\n", { maxAnswerChunks: 5000 }, "more than 5000 chunks", "maxAnswerChunks"],
      ["texts", event("and so on "), { maxAnswerBytes: 1e6 }, "more than 1000000 bytes", "maxAnswerBytes"],
      ["comments", ": still there\n\n", { maxAnswerBytes: 1e6 }, "more than 1000000 bytes", "maxAnswerBytes"],
    ])("an endless stream of %s ends at the limit", async (_name, what, limits, said, option) => {
      await using service = await serve((response) => endless(response, what));
      const error = await attempt(service.url, limits);
      expect(error).toBeInstanceOf(ApiShapeError);
      expect(String(error)).toContain(said);
      expect(String(error)).toContain(option);
      await service.closed();
      expect(service.requests()).toBe(1);
    });

    test("what is packed counts unpacked", async () => {
      const body = event("a".repeat(10_000)).repeat(500);
      await using service = await serve((response) => bomb(response, body, "text/event-stream"));
      const error = await attempt(service.url, { maxAnswerBytes: 1e6 });
      expect(error).toBeInstanceOf(ApiShapeError);
      expect(String(error)).toContain("maxAnswerBytes");
      await service.closed();
    });

    test("also when it is read whole", async () => {
      const body = JSON.stringify({ candidates: [{ content: { parts: [{ text: "a".repeat(5_000_000) }] } }] });
      await using service = await serve((response) => bomb(response, body, "application/json"));
      const error = await attempt(service.url, { transport: "unary", maxBufferBytes: 1e6 });
      expect(error).toBeInstanceOf(ApiShapeError);
      expect(String(error)).toContain("maxBufferBytes");
      await service.closed();
    });
  });
});

test.each(["maxBufferBytes", "maxAnswerBytes", "maxAnswerChunks"])("%s is a positive number", (option) => {
  expect(() => gemini("gemini-3.8-flash", { [option]: 0 })).toThrow(TypeError);
});
