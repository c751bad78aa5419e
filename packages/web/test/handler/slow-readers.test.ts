import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { MemoryStore } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import { agUi } from "@pollux/web/ag-ui";
import { toNodeHandler } from "@pollux/web/node";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { anyText } from "../../../core/test/helpers/any-text.ts";
import { until } from "../../../core/test/helpers/until.ts";
import { jsonPieces } from "../../src/handler/replies.ts";
import { textSlices } from "../../src/text-slices.ts";
import { allChunks, errorOf, openPage, textOf } from "./chat-page.ts";

const LONG = "Héllo 😀 ".repeat(20_000);

/** A conversation whose answer is long. */
async function longChat(given: Parameters<typeof openPage>[1] = {}): Promise<ReturnType<typeof openPage>> {
  const page = openPage(new ScriptedModel(say(LONG), say("Next.")), given);
  await allChunks(await page.send("Tell me.", { id: "m1" }));
  return page;
}

describe("a long answer", () => {
  test("comes in small events, whose texts are its text", async () => {
    const page = await longChat();
    const chunks = await allChunks(await page.ask("GET", "/c1/stream?ended"));
    expect(textOf(chunks)).toBe(LONG);
    const lengths = chunks.map((chunk) => (chunk.type === "text-delta" ? chunk.delta.length : 0));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(16_384);
  });

  test("is loaded as it is, in pieces that are made as they are read", async () => {
    const page = await longChat();
    const pieces: Uint8Array[] = [];
    for await (const piece of (await page.ask("GET", "/c1")).body ?? []) pieces.push(piece);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(100_000);
    const loaded = JSON.parse(Buffer.concat(pieces).toString()) as { messages: { parts: { text?: string }[] }[] };
    expect(
      loaded.messages
        .at(-1)
        ?.parts.map(({ text }) => text)
        .join(""),
    ).toBe(LONG);
  });

  test("is loaded by AG-UI as it is", async () => {
    const page = await longChat();
    const other = openPage(undefined, { store: page.store, protocol: agUi() });
    const { messages } = (await (await other.ask("GET", "/c1")).json()) as { messages: { content: string }[] };
    expect(messages.at(-1)?.content).toBe(LONG);
  });

  test("has no body for HEAD, and nobody reads on", async () => {
    const page = await longChat({ maxStreams: 1 });
    for (let asked = 0; asked < 3; asked++) {
      const response = await page.ask("HEAD", "/c1");
      expect([response.status, await response.text()]).toEqual([200, ""]);
    }
  });
});

describe("the pages of one owner", () => {
  test("read so many answers at once, and one that was closed makes room", async () => {
    const page = await longChat({ maxStreams: 2 });
    const open = [await page.ask("GET", "/c1/stream?ended"), await page.ask("GET", "/c1")];
    for (const path of ["/c1/stream?ended", "/c1"])
      expect(await errorOf(await page.ask("GET", path))).toEqual({ status: 429, code: "too_many_streams" });
    // Refused before anything was stored.
    expect(await errorOf(await page.send("Next"))).toEqual({ status: 429, code: "too_many_streams" });
    expect((await page.ask("GET", "/c1", { owner: "bob" })).status).toBe(404);
    await open[1]?.body?.cancel();
    expect(textOf(await allChunks(await page.send("Next")))).toBe("Next.");
    await open[0]?.body?.cancel();
  });

  test.each([0, -1, Number.NaN])("cannot be limited to %d", (maxStreams) => {
    expect(() => openPage(undefined, { maxStreams })).toThrow(`maxStreams must be a number from 1, got ${maxStreams}`);
  });
});

test.each(["/c1/stream?ended", "/c1"])("a connection that takes nothing of %s ends", async (path) => {
  const store = new MemoryStore();
  const page = await longChat({ store, stallTimeoutMs: 20, maxStreams: 1 });
  const server = createServer(toNodeHandler((request) => page.handler(request))).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  let ended = 0;
  server.on("connection", (socket) => {
    // As where the client's side is full: nothing that is written is ever taken.
    Object.assign(socket, { _write: () => {}, _writev: null });
    socket.on("close", () => ended++);
  });
  // A server that listens on a port has one.
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(`GET /api/chat${path} HTTP/1.1\r\nHost: a.example\r\nX-User: ann\r\n\r\n`);
  await until(() => ended === 1);
  // Its place is free again.
  expect((await page.ask("HEAD", "/c1")).status).toBe(200);
});

describe("pieces", () => {
  const strings = fc.oneof(anyText(), fc.constantFrom("x".repeat(40_000), LONG));

  test("of JSON are that JSON", () => {
    const json = fc.letrec((tie) => ({
      value: fc.oneof(strings, fc.integer(), fc.boolean(), fc.constant(null), tie("list"), tie("object")),
      list: fc.array(tie("value"), { maxLength: 3 }),
      object: fc.dictionary(fc.string(), fc.oneof(tie("value"), fc.constant(undefined)), { maxKeys: 3 }),
    })).value;
    fc.assert(
      fc.property(json, (value) => {
        expect([...jsonPieces(value)].join("")).toBe(JSON.stringify(value));
      }),
    );
    expect([...jsonPieces([undefined, new Date(0)])].join("")).toBe('[null,"1970-01-01T00:00:00.000Z"]');
  });

  test("of a text are that text, and none ends within a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 2, max: 5 }), (text, max) => {
        const slices = [...textSlices(text, max)];
        expect(slices.join("")).toBe(text);
        for (const slice of slices) {
          expect(slice.length).toBeLessThanOrEqual(max);
          expect(Buffer.from(slice).toString()).toBe(slice);
        }
      }),
    );
  });
});
