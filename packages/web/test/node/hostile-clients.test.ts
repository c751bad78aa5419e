import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { toNodeHandler } from "@pollux/web/node";
import { describe, expect, onTestFinished, test } from "vitest";
import { until } from "../../../core/test/helpers/until.ts";
import { openPage, userMessage } from "../handler/chat-page.ts";

/** A server, and a connection to it on which a test says what no client library would. */
async function dial(listener: RequestListener): Promise<{ readonly socket: Socket; readonly heard: () => string }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens on a port has one.
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => {
    socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  await once(socket, "connect");
  let heard = "";
  socket.setEncoding("utf8").on("data", (text: string) => void (heard += text));
  socket.on("error", () => {});
  return { socket, heard: () => heard };
}

const count = (text: string, part: string): number => text.split(part).length - 1;

/** Answers with the URL it was asked for. */
const echo = toNodeHandler(async ({ url, method, body }) => {
  const text = body === null ? "" : await new Response(body).text();
  return new Response(`[${method} ${url} ${text}]`);
});

describe("a handler behind node:http", () => {
  test.each([
    ["a.example", "http://a.example/x?y"],
    ["a.example:8080", "http://a.example:8080/x?y"],
    ["[::1]:8080", "http://[::1]:8080/x?y"],
    ["a.example/api/chat?", "http://localhost/x?y"],
    ["a.example#", "http://localhost/x?y"],
    ["ann@a.example", "http://localhost/x?y"],
    ["ann:secret@a.example", "http://localhost/x?y"],
    ["a b", "http://localhost/x?y"],
    ["", "http://localhost/x?y"],
  ])("takes nothing but a host from the header Host: %j", async (host, url) => {
    const { socket, heard } = await dial(echo);
    socket.write(
      `GET /x?y HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\n\r\n`,
    );
    await until(() => heard().includes("]"));
    expect(heard()).toContain(`[GET ${url} ]`);
  });

  test.each(["//evil.example/x", "/\\evil.example/x", "/../x", "/@evil.example"])(
    "keeps its own host for the path %s",
    async (path) => {
      const { socket, heard } = await dial(echo);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
      await until(() => heard().includes("]"));
      expect(heard()).toContain("[GET http://a.example/");
    },
  );

  test("answers a client of HTTP/1.0, and ends its stream by closing", async () => {
    const page = openPage();
    const { socket, heard } = await dial(toNodeHandler(page.handler));
    const body = JSON.stringify({ id: "c1", messages: [userMessage("Hi", "m1")] });
    const headers = `Content-Type: application/json\r\nContent-Length: ${body.length}`;
    socket.write(`POST /api/chat HTTP/1.0\r\n${headers}\r\n\r\n${body}`);
    await once(socket, "end");
    expect(heard()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(heard().toLowerCase()).not.toContain("transfer-encoding");
    expect(heard().endsWith("data: [DONE]\n\n")).toBe(true);
  });

  test("tells a client that asks before it sends its body to go on", async () => {
    const { socket, heard } = await dial(echo);
    socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    await until(() => heard().includes("100 Continue"));
    socket.write("hello");
    await until(() => heard().includes("[POST http://a/ hello]"));
  });

  test("answers requests that come at once in their order", async () => {
    const { socket, heard } = await dial(echo);
    socket.write("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nxGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(() => heard().includes("/2 "));
    expect(heard().match(/\[.*?\]/g)).toEqual(["[POST http://a/1 x]", "[GET http://a/2 ]"]);
  });

  test("does not take the rest of a body that it did not read for a request", async () => {
    const asked: string[] = [];
    const refuse = toNodeHandler(async ({ url }) => {
      asked.push(new URL(url).pathname);
      return new Response("no", { status: 401 });
    });
    const { socket, heard } = await dial(refuse);
    const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    socket.write(`POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`);
    await until(() => heard().includes("no"));
    socket.write("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(() => asked.length === 2 || socket.readableEnded);
    expect(asked.filter((path) => path === "/smuggled")).toEqual([]);
  });

  test("closes the connection of a client that still sends what nobody reads", async () => {
    const { socket, heard } = await dial(toNodeHandler(async () => new Response("no", { status: 401 })));
    socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nx");
    await once(socket, "end");
    expect(heard()).toMatch(/^HTTP\/1\.1 401[^]*\r\nconnection: close\r\n/i);
  });

  test("refuses what is no request of the web", async () => {
    const { socket, heard } = await dial(echo);
    socket.write("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(() => heard().includes("\r\n\r\n"));
    expect(heard()).toMatch(/^HTTP\/1\.1 405 /);
  });

  test("sends no body to HEAD, and leaves the connection usable", async () => {
    const { socket, heard } = await dial(echo);
    socket.write("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(() => heard().includes("\r\n\r\n"));
    socket.write("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(() => heard().includes("]"));
    expect([heard().includes("[HEAD"), count(heard(), "HTTP/1.1 200")]).toEqual([false, 2]);
  });

  test("lets go of all that a client asked for at once when it leaves", async () => {
    const signals: AbortSignal[] = [];
    let open = 0;
    const endless = toNodeHandler(async ({ signal }) => {
      signals.push(signal);
      open += 1;
      const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void =>
        controller.enqueue(new Uint8Array(64 * 1024));
      return new Response(new ReadableStream({ pull, cancel: () => void (open -= 1) }));
    });
    const { socket } = await dial(endless);
    socket.pause();
    // The second and the third wait for the first, which never ends.
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3));
    await until(() => open === 3);
    socket.destroy();
    await until(() => open === 0);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
  });
});
