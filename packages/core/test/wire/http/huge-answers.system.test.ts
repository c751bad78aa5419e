import { execFile } from "node:child_process";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { createGzip } from "node:zlib";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundledProgram } from "../../../../../test/support/bundled-program.ts";

// That the limits end such answers at all is a fast test.

const program = bundledProgram(new URL("read-huge.ts", import.meta.url));
const TOTAL = 2 ** 30;

/** A gigabyte of the same text, packed while it is sent. */
function sendPacked(response: ServerResponse, start: string, more: string, type: string, status = 200): void {
  response.writeHead(status, { "content-type": type, "content-encoding": "gzip" });
  const block = more.repeat(Math.ceil(65_536 / more.length));
  const blocks = function* (): Generator<string> {
    yield start;
    for (let sent = 0; sent < TOTAL; sent += block.length) yield block;
  };
  Readable.from(blocks())
    .pipe(createGzip({ level: 1 }))
    .pipe(response);
}

const CHUNK = `data: {"candidates":[{"content":{"role":"model","parts":[{"text":"${"and so on ".repeat(100)}"}]}}]}\n\n`;
const BODIES: Readonly<Record<string, (response: ServerResponse) => void>> = {
  "/text": (response) => sendPacked(response, "", CHUNK, "text/event-stream"),
  "/empty": (response) => sendPacked(response, "", "data: {}\n\n", "text/event-stream"),
  "/event": (response) => sendPacked(response, 'data: {"x":"', "a", "text/event-stream"),
  "/whole": (response) => sendPacked(response, '{"x":"', "a", "application/json"),
  "/error": (response) => sendPacked(response, '{"error":{"message":"', "a", "application/json", 400),
};

const server = createServer((request, response) => {
  request.resume();
  response.on("error", () => {});
  const path = Object.keys(BODIES).find((one) => request.url?.startsWith(one) === true) ?? "";
  BODIES[path]?.(response);
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

interface Told {
  readonly name: string;
  readonly message: string;
  /** Of the event loop. */
  readonly turns: number;
  /** The most that the process ever occupied. */
  readonly megabytes: number;
}

describe.each(["fetch", "node"])("a gigabyte that was packed, read with %s,", (transport) => {
  describe.each(["run", "stream"])("by %s,", (face) => {
    test.each([
      ["/text", "stream", "ApiShapeError", "maxAnswerBytes", 900],
      ["/empty", "stream", "ApiShapeError", "maxAnswerChunks", 500],
      ["/event", "stream", "ApiShapeError", "maxBufferBytes", 500],
      ["/whole", "unary", "ApiShapeError", "maxBufferBytes", 500],
      ["/error", "stream", "ApiStatusError", "400", 300],
    ])("as %s, is a typed error in a process with a small heap", async (path, how, name, said, most) => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        "--conditions=pollux-source",
        "--max-old-space-size=640",
        program,
        transport,
        `${url}${path}`,
        face,
        how,
      ]);
      const told = JSON.parse(stdout) as Told;
      expect(told).toMatchObject({ name });
      expect(told.message).toContain(said);
      expect(told.megabytes).toBeLessThan(most);
      // Others had their turn after every read: 256 KiB of an error are a few, the rest are megabytes.
      expect(told.turns).toBeGreaterThan(path === "/error" ? 3 : 100);
    });
  });
});
