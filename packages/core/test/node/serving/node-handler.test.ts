import { once } from "node:events";
import { createServer, type IncomingMessage, request as ask, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { RunningServer } from "@pollux/core/serving";
import { listen, toNodeHandler } from "@pollux/core/serving-node";
import { describe, expect, onTestFinished, test } from "vitest";
import { deferred } from "../../helpers/deferred.ts";
import { until } from "../../helpers/until.ts";

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // A server that listens on a port has one.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("any handler behind node:http", () => {
  test("is given method, URL, headers and body, and its answer is sent whole", async () => {
    const url = await serve(
      toNodeHandler(async (request) => {
        const headers = new Headers({ "x-echo": request.headers.get("x-many") ?? "" });
        headers.append("set-cookie", "a=1");
        headers.append("set-cookie", "b=2");
        return new Response(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`, {
          status: 201,
          headers,
        });
      }),
    );
    const response = await fetch(`${url}//x/y?z`, { method: "PUT", body: "é", headers: { "x-many": "1, 2" } });
    expect([response.status, await response.text()]).toEqual([201, "PUT //x/y é"]);
    expect([response.headers.get("x-echo"), response.headers.getSetCookie()]).toEqual(["1, 2", ["a=1", "b=2"]]);
  });

  test("is asked for no more than a slow client takes", async () => {
    let pulled = 0;
    let cancelled = false;
    const piece = new Uint8Array(64 * 1024);
    const url = await serve(
      toNodeHandler(async () => {
        const body = new ReadableStream<Uint8Array>({
          pull: (controller) => {
            pulled += 1;
            controller.enqueue(piece);
          },
          cancel: () => void (cancelled = true),
        });
        return new Response(body);
      }),
    );
    const request = ask(url);
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.pause();
    // What fits into the buffers of sockets is taken at once, and then nothing.
    let before = -1;
    await until(() => {
      const isStill = pulled === before;
      before = pulled;
      return isStill && pulled > 0;
    });
    expect(pulled).toBeLessThan(1000);
    request.destroy();
    await until(() => cancelled);
  });

  test("that throws ends the connection, or is the next one's affair", async () => {
    const fail = toNodeHandler(() => Promise.reject(new Error("no")));
    await expect(fetch(await serve(fail))).rejects.toThrow();
    const url = await serve((request, response) => fail(request, response, () => response.writeHead(502).end()));
    expect((await fetch(url)).status).toBe(502);
  });

  test("hears a client that leaves before the answer", async () => {
    const left = deferred();
    const asked = deferred();
    const url = await serve(
      toNodeHandler(async ({ signal }) => {
        signal.addEventListener("abort", () => left.resolve());
        asked.resolve();
        await left.promise;
        return new Response("too late");
      }),
    );
    const leave = new AbortController();
    // Handled at once: the fetch may fail before the server hears of it.
    const error = fetch(url, { signal: leave.signal }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    await asked.promise;
    leave.abort();
    await left.promise;
    expect(await error).toBe(leave.signal.reason);
  });

  test("reads a body as it comes, and answers before its end", async () => {
    const first = deferred();
    const url = await serve(
      toNodeHandler(async (request) => {
        let text = "";
        for await (const piece of request.body!.pipeThrough(new TextDecoderStream())) {
          text += piece;
          first.resolve();
        }
        return new Response(text);
      }),
    );
    const request = ask(url, { method: "POST" });
    const answered = once(request, "response") as Promise<[IncomingMessage]>;
    request.write("one ");
    // The rest is only sent when the handler has the first piece.
    await first.promise;
    request.end("two");
    const [response] = await answered;
    expect(String(await response.toArray())).toBe("one two");
  });

  test("ends the connection of a body that fails while its client takes what was written", async () => {
    const fails = deferred();
    const url = await serve(
      toNodeHandler(async () => {
        let source: ReadableStreamDefaultController<Uint8Array> | undefined;
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => void (source = controller),
          pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)),
        });
        void fails.promise.then(() => source?.error(new Error("no more")));
        return new Response(body);
      }),
    );
    const request = ask(url);
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.pause();
    fails.resolve();
    await expect(response.toArray()).rejects.toThrow("aborted");
  });
});

describe("a server of a handler", () => {
  async function open(handler: (request: Request) => Promise<Response>): Promise<RunningServer> {
    const server = await listen(handler);
    onTestFinished(() => server.close());
    return server;
  }

  test("answers at its URL, and no more once it is closed", async () => {
    const server = await open(async ({ url }) => new Response(url));
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect(await (await fetch(`${server.url}/a?b`)).text()).toBe(`${server.url}/a?b`);
    await Promise.all([server.close(), server.close()]);
    await expect(fetch(server.url)).rejects.toThrow(TypeError);
  });

  test("aborts what it is asked when it is closed", async () => {
    const asked = deferred();
    const left = deferred();
    const server = await open(async ({ signal }) => {
      signal.addEventListener("abort", () => left.resolve());
      asked.resolve();
      await left.promise;
      return new Response();
    });
    const failed = fetch(server.url).catch((error: unknown) => error);
    await asked.promise;
    await server.close();
    await left.promise;
    expect(await failed).toBeInstanceOf(TypeError);
  });

  test("resets the connection of an answer that fails", async () => {
    const server = await open(() => Promise.reject(new Error("no")));
    const request = ask(server.url);
    request.end();
    const [error] = (await once(request, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
  });

  test("says why it can't listen", async () => {
    const { port } = await open(async () => new Response());
    await expect(listen(async () => new Response(), { port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
