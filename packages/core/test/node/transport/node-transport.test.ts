import { execFile } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { type ClientRequest, createServer, type IncomingMessage } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { http as intercepted, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { describe, expect, test, vi } from "vitest";
import { ApiNetworkError } from "../../../src/errors/api-errors.ts";
import { nodeTransport } from "../../../src/node/index.ts";
import { endpoint } from "../../../src/wire/endpoints/endpoint.ts";
import {
  ANSWER,
  answer,
  ASK,
  clientOf,
  closing,
  drain,
  EVENT,
  json,
  listen,
  portOf,
  selfSigned,
  serve,
  serveTls,
  type Service,
} from "../../helpers/node-service.ts";
import { stopClock } from "../../helpers/stop-clock.ts";
import { until } from "../../helpers/until.ts";

/** The connection that this process uses for its next request. */
async function nextConnection(): Promise<Socket> {
  const { request } = await nextMessage<{ readonly request: ClientRequest }>("http.client.request.start");
  if (request.socket) return request.socket;
  const [socket] = await once(request, "socket");
  // What the event is about.
  return socket as Socket;
}

/** The next answer that this process gets. */
async function nextAnswer(): Promise<IncomingMessage> {
  return (await nextMessage<{ readonly response: IncomingMessage }>("http.client.response.finish")).response;
}

function nextMessage<Message>(channel: string): Promise<Message> {
  return new Promise((resolve) => {
    const take = (message: unknown): void => {
      unsubscribe(channel, take);
      // As Node documents the channel.
      resolve(message as Message);
    };
    subscribe(channel, take);
  });
}

describe("https", () => {
  test("is spoken over one connection, to whom it trusts", async ({ skip }) => {
    const identity = await selfSigned();
    skip(identity === undefined, "no openssl here");
    const service = await serveTls(identity);
    const client = clientOf(service.url, { tls: { ca: identity?.cert } });
    for (let i = 0; i < 3; i++) expect(await client.generateContent("m", ASK)).toEqual(ANSWER);
    expect(service).toMatchObject({ connections: 1, offered: "br, gzip" });
    await expect(clientOf(service.url).generateContent("m", ASK)).rejects.toMatchObject({
      code: "api_network",
      message: /DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED/,
    });
  });
});

describe("connections", () => {
  test("of a large burst are all kept for the next one", async () => {
    const held: (() => void)[] = [];
    const service = await serve((request, response) => {
      held.push(() => answer(request, response));
      // Only together, so that each request of a burst needs a connection.
      if (held.length === 300) for (const release of held.splice(0)) release();
    });
    const client = clientOf(service.port);
    for (let burst = 0; burst < 2; burst++) await Promise.all(Array.from({ length: 300 }, () => drain(client)));
    expect(service.connections).toBe(300);
  });

  test("are used again by everyone who has the transport", async () => {
    const service = await serve(answer);
    const fetch = nodeTransport({ proxyEnv: {} });
    closing.push(() => void fetch.close());
    for (let i = 0; i < 5; i++) await drain(clientOf(service.port, {}, { fetch }));
    expect(service).toMatchObject({ connections: 1, bodies: Array.from({ length: 5 }, () => JSON.stringify(ASK)) });
  });

  test("are used again after an answer that is an error", async () => {
    const service = await serve((_, response) => void response.writeHead(400).end("{}"));
    const client = clientOf(service.port);
    for (let i = 0; i < 3; i++) await drain(client).catch(() => undefined);
    expect(service.connections).toBe(1);
  });

  test("are as many as are needed, or as allowed", async () => {
    // Answers when so many ask at once.
    let atOnce = 6;
    const asking: (() => void)[] = [];
    const service = await serve((request, response) => {
      if (asking.push(() => answer(request, response)) === atOnce) for (const reply of asking.splice(0)) reply();
    });
    const free = clientOf(service.port);
    await Promise.all(Array.from({ length: 6 }, () => drain(free)));
    expect(service.connections).toBe(6);
    service.connections = 0;
    atOnce = 2;
    const bounded = clientOf(service.port, { maxSockets: 2 });
    await Promise.all(Array.from({ length: 6 }, () => drain(bounded)));
    expect(service.connections).toBe(2);
  });

  test("are closed when nobody uses them", async () => {
    const service = await serve(answer);
    const closed = once(service.server, "connection").then(([socket]) => once(socket as Socket, "close"));
    await drain(clientOf(service.port, { idleSocketMs: 30 }));
    await closed;
  });

  test("are closed by close, also in use", async () => {
    const service = await serve((_, response) => void response.writeHead(200).write(EVENT));
    const fetch = nodeTransport({ proxyEnv: {} });
    const stream = clientOf(service.port, {}, { fetch }).streamGenerateContent("m", ASK);
    expect(await stream.next()).toEqual({ done: false, value: [ANSWER] });
    await fetch[Symbol.asyncDispose]();
    await expect(stream.next()).rejects.toBeInstanceOf(ApiNetworkError);
  });

  test("that are closed by close under a request are not replaced", async () => {
    const service = await serve((request, response) => {
      if (service.bodies.length === 1) answer(request, response);
      else void fetch.close();
    });
    const fetch = nodeTransport({ proxyEnv: {} });
    const client = clientOf(service.port, {}, { fetch });
    await drain(client);
    await expect(drain(client)).rejects.toMatchObject({ code: "api_network" });
    expect(service).toMatchObject({ connections: 1, bodies: { length: 2 } });
  });

  test("that switch to another protocol give no answer", async () => {
    const server = createTcpServer((socket) => {
      socket.once("data", () => socket.write("HTTP/1.1 101 Over\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n"));
      socket.on("error", () => {});
    });
    await listen(server);
    closing.push(() => server.close());
    await expect(drain(clientOf(portOf(server)))).rejects.toMatchObject({ code: "api_network", message: /ECONNRESET/ });
  });

  test("take no longer to make than they may", async () => {
    stopClock();
    // A server that takes the connection and never speaks TLS.
    let hellos = 0;
    const silent = createTcpServer((socket) => void socket.on("error", () => {}).on("data", () => hellos++));
    await listen(silent);
    closing.push(() => silent.close());
    const client = clientOf(`https://127.0.0.1:${portOf(silent)}`, { connectMs: 40 });
    let failure: unknown;
    const failed = drain(client).catch((error: unknown) => (failure = error));
    await until(() => hellos === 1);
    await vi.advanceTimersByTimeAsync(39);
    expect(failure).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(await failed).toMatchObject({ code: "api_network", message: expect.stringMatching(/ETIMEDOUT/) });
  });

  test.each(["maxSockets", "connectMs", "idleSocketMs"])("%s must be positive", (name) => {
    expect(() => nodeTransport({ proxyEnv: {}, [name]: 0 })).toThrow(`${name} must be a positive number`);
  });

  test("do not keep the process alive when they are idle", async () => {
    const service = await serve(answer);
    const program = fileURLToPath(new URL("one-request.ts", import.meta.url));
    const args = ["--conditions=pollux-source", program, String(service.port)];
    // Longer than the program is given: only its own end closes them.
    service.server.keepAliveTimeout = 3_600_000;
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
    expect(stdout).toBe("1\n");
  });
});

describe("a kept connection that the server closes under a request", () => {
  /** Answers the first request of a connection and resets it at the second. */
  async function forgetful(perConnection: (nth: number) => "answer" | "reset" | "half"): Promise<Service> {
    const seen = new WeakMap<Socket, number>();
    return await serve((request, response) => {
      const nth = (seen.get(request.socket) ?? 0) + 1;
      seen.set(request.socket, nth);
      const how = perConnection(nth);
      if (how === "answer") return answer(request, response);
      // What was written arrives before the end does, which a reset might overtake.
      if (how === "half") request.socket.end("HTTP/1.1 200 O");
      else setImmediate(() => request.socket.resetAndDestroy());
    });
  }

  test("is replaced, and the request sent again once", async () => {
    const service = await forgetful((nth) => (nth === 1 ? "answer" : "reset"));
    const client = clientOf(service.port);
    expect([await drain(client), await drain(client)]).toEqual([1, 1]);
    expect(service).toMatchObject({ connections: 2, bodies: { length: 3 } });
  });

  test("is not when the answer had begun", async () => {
    const service = await forgetful((nth) => (nth === 1 ? "answer" : "half"));
    const client = clientOf(service.port);
    await drain(client);
    await expect(drain(client)).rejects.toMatchObject({ code: "api_network" });
    expect(service.bodies).toHaveLength(2);
  });

  test("is not when the connection is new", async () => {
    const service = await forgetful(() => "reset");
    await expect(drain(clientOf(service.port))).rejects.toMatchObject({ code: "api_network", message: /ECONNRESET/ });
    expect(service.bodies).toHaveLength(1);
  });
});

test("a slow reader slows the server down, and little is held meanwhile", async () => {
  const connected = nextConnection();
  const megabyte = `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: "x".repeat(1 << 20) }] } }] })}\r\n\r\n`;
  let written = 0;
  const service = await serve((_, response) => {
    response.writeHead(200);
    const more = (): void => {
      while (written < 64) {
        written++;
        if (!response.write(megabyte)) return void response.once("drain", more);
      }
      response.end();
    };
    more();
  });
  const stream = clientOf(service.port).streamGenerateContent("m", ASK);
  await stream.next();
  const socket = await connected;
  const before = socket.bytesRead;
  // Client and service take turns in this process: who has nothing to do for so many turns waits for somebody else.
  let [idle, moved] = [0, -1];
  while (idle < 200) {
    await new Promise((resolve) => setImmediate(resolve));
    idle = moved === written + socket.bytesRead ? idle + 1 : 0;
    moved = written + socket.bytesRead;
  }
  // The rest is in the kernel's buffers, or not yet written; without back-pressure all 64 megabytes would be here.
  expect(socket.bytesRead - before).toBeLessThan(2 << 20);
  expect(written).toBeLessThan(64);
  let chunks = 1;
  for await (const batch of stream) chunks += batch.length;
  expect(chunks).toBe(64);
});

test("many small pieces are read with few turns", async () => {
  const service = await serve((_, response) => {
    response.writeHead(200);
    for (let i = 0; i < 1000; i++) response.write(EVENT);
    response.end();
  });
  let batches = 0;
  let chunks = 0;
  for await (const batch of clientOf(service.port).streamGenerateContent("m", ASK)) {
    batches++;
    chunks += batch.length;
  }
  expect(chunks).toBe(1000);
  expect(batches).toBeLessThan(500);
});

test("an upload of many megabytes arrives as it is", async () => {
  const service = await serve(json);
  const text = "é".repeat(4 << 20);
  await clientOf(service.port).generateContent("m", { contents: [{ role: "user", parts: [{ text }] }] });
  expect(JSON.parse(service.bodies[0] ?? "")).toEqual({ contents: [{ role: "user", parts: [{ text }] }] });
});

test("what is refused before all of it was sent is not sent on", async () => {
  const server = createServer((_, response) => {
    response.writeHead(413, { "content-type": "application/json" }).end('{"error":{"message":"Too large."}}');
  });
  await listen(server);
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const received = new Promise<number>((resolve) => {
    server.on("connection", (socket) => socket.on("close", () => resolve(socket.bytesRead)));
  });
  const contents = [{ role: "user" as const, parts: [{ text: "x".repeat(64 << 20) }] }];
  await expect(clientOf(portOf(server)).generateContent("m", { contents })).rejects.toMatchObject({ status: 413 });
  expect(await received).toBeLessThan(32 << 20);
});

test("an IPv6 address is reached", async ({ skip }) => {
  const server = createServer(json);
  server.listen(0, "::1");
  const isThere = await once(server, "listening").then(
    () => true,
    () => false,
  );
  skip(!isThere, "no IPv6 here");
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  expect(await clientOf(`http://[::1]:${portOf(server)}`).generateContent("m", ASK)).toEqual(ANSWER);
});

test("msw sees its requests", async () => {
  const seen: unknown[] = [];
  const server = setupServer(
    intercepted.post("https://generativelanguage.googleapis.com/*", async ({ request }) => {
      seen.push(request.headers.get("x-goog-api-key"), await request.json());
      return HttpResponse.json(ANSWER);
    }),
  );
  server.listen({ onUnhandledFrame: "error" });
  closing.push(() => server.close());
  const google = endpoint({ baseUrl: "https://generativelanguage.googleapis.com", apiKey: "a-key" });
  expect(await clientOf(0, {}, { endpoint: google }).generateContent("m", ASK)).toEqual(ANSWER);
  expect(seen).toEqual(["a-key", ASK]);
});

describe("called like fetch", () => {
  test("gives the status, all headers and the body", async () => {
    const service = await serve((_, response) => {
      response.writeHead(201, "Made", [
        ["x-one", "1"],
        ["x-one", "2"],
        ["set-cookie", "a=1"],
      ] as never);
      response.end("hello");
    });
    await using fetch = nodeTransport({ proxyEnv: {} });
    const body = new Blob(["a", "b"], { type: "text/plain" });
    const response = await fetch(`http://127.0.0.1:${service.port}/`, { method: "PUT", body });
    expect({
      status: response.status,
      text: response.statusText,
      one: response.headers.get("x-one"),
      cookie: response.headers.getSetCookie(),
      body: await response.text(),
      sent: service.bodies,
    }).toEqual({ status: 201, text: "Made", one: "1, 2", cookie: ["a=1"], body: "hello", sent: ["ab"] });
  });

  test("takes a Request, and a fetch that wraps it takes it", async () => {
    const service = await serve(answer);
    await using fetch = nodeTransport({ proxyEnv: {} });
    const request = new Request(`http://127.0.0.1:${service.port}/`, { method: "POST", body: "hi" });
    expect(await (await fetch(request)).text()).toBe(EVENT);
    const asked: string[] = [];
    const wrapped: typeof globalThis.fetch = (input, init) => {
      asked.push(input instanceof Request ? input.url : String(input));
      return fetch(input, init);
    };
    expect(await drain(clientOf(service.port, {}, { fetch: wrapped }))).toBe(1);
    expect(asked).toEqual([expect.stringContaining("streamGenerateContent")]);
    expect(service).toMatchObject({ connections: 1, bodies: ["hi", JSON.stringify(ASK)] });
  });

  test("has no body where there is none", async () => {
    const service = await serve((_, response) => void response.writeHead(204).end());
    await using fetch = nodeTransport({ proxyEnv: {} });
    const response = await fetch(`http://127.0.0.1:${service.port}/`, {});
    expect([response.status, response.body]).toEqual([204, null]);
  });

  test("an abort takes what had arrived and was not read", async () => {
    const arriving = nextAnswer();
    const service = await serve(answer);
    await using fetch = nodeTransport({ proxyEnv: {} });
    const controller = new AbortController();
    const response = await fetch(`http://127.0.0.1:${service.port}/`, { signal: controller.signal });
    const arrived = await arriving;
    await until(() => arrived.complete);
    controller.abort("enough");
    await expect(response.text()).rejects.toBe("enough");
  });

  test("an abort ends the wait for a body that is a stream", async () => {
    await using fetch = nodeTransport({ proxyEnv: {} });
    const controller = new AbortController();
    const body = new ReadableStream({ pull: () => new Promise(() => {}) });
    const init = { method: "POST", body, duplex: "half" as const, signal: controller.signal };
    const answered = fetch("http://127.0.0.1:1/", init);
    controller.abort("enough");
    await expect(answered).rejects.toBe("enough");
  });

  test("keeps no connection to an answer that cannot be one", async () => {
    const service = await serve((request) => {
      request.socket.write("HTTP/1.1 999 Odd\r\nContent-Length: 10\r\n\r\n");
    });
    const closed = once(service.server, "connection").then(([socket]) => once(socket as Socket, "close"));
    await using fetch = nodeTransport({ proxyEnv: {} });
    await expect(fetch(`http://127.0.0.1:${service.port}/`)).rejects.toMatchObject({ name: "TypeError" });
    await closed;
  });

  test("rejects as fetch does", async () => {
    await using fetch = nodeTransport({ proxyEnv: {} });
    await expect(fetch("http://127.0.0.1:1/", {})).rejects.toMatchObject({
      name: "TypeError",
      cause: { code: "ECONNREFUSED" },
    });
    await expect(fetch("http://127.0.0.1:1/", { signal: AbortSignal.abort("early") })).rejects.toBe("early");
  });
});
