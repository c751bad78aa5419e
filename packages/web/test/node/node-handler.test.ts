import { once } from "node:events";
import { createServer, request as ask, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { say, ScriptedModel } from "@pollux/core/testing";
import { toNodeHandler } from "@pollux/web/node";
import { describe, expect, onTestFinished, test } from "vitest";
import { deferred } from "../../../core/test/helpers/deferred.ts";
import { until } from "../../../core/test/helpers/until.ts";
import { allChunks, openPage, readChunks, readUntil, SteppedModel, textOf, userMessage } from "../handler/chat-page.ts";

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

const post = (text: string, chat = "c1"): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ id: chat, messages: [userMessage(text, crypto.randomUUID())] }),
});

describe("a chat handler behind node:http", () => {
  test("streams over a socket, word by word", async () => {
    const model = new SteppedModel(say("It ", "rains."));
    const url = await serve(toNodeHandler(openPage(model).handler));
    model.say();
    const response = await fetch(`${url}/api/chat`, post("Weather?"));
    expect(response.headers.get("x-vercel-ai-ui-message-stream")).toBe("v1");
    const chunks = readChunks(response);
    await readUntil(chunks, "It ");
    model.finish();
    await readUntil(chunks, "rains.");
    expect(await (await fetch(`${url}/api/chat/c1`)).json()).toMatchObject({ id: "c1" });
  });

  test.each(["continue", "abort"] as const)("hears of a closed socket, and lets the run %s", async (onDisconnect) => {
    const model = new SteppedModel(say("One ", "two."));
    const page = openPage(model, { onDisconnect });
    const url = await serve(toNodeHandler(page.handler));
    model.say();
    const leave = new AbortController();
    const response = await fetch(`${url}/api/chat`, { ...post("Count"), signal: leave.signal });
    await readUntil(readChunks(response), "One ");
    leave.abort();
    if (onDisconnect === "continue") model.finish();
    await expect
      .poll(async () => (await page.store.list())[0]?.state)
      .toBe(onDisconnect === "abort" ? "stopped" : "idle");
  });

  test("answers a body that is too large while it is still coming, and reads no further", async () => {
    const url = await serve(toNodeHandler(openPage(undefined, { maxBodyBytes: 1000 }).handler));
    const headers = { accept: "application/json", "content-type": "application/json" };
    const request = ask(`${url}/api/chat`, { method: "POST", headers });
    request.on("error", () => {});
    request.write("x".repeat(2000));
    // The reply comes although the request never ends.
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect([response.statusCode, response.headers.connection]).toEqual([413, "close"]);
    expect(await json(response)).toMatchObject({ error: { code: "body_too_large" } });
    request.destroy();
  });

  test("answers a body that breaks off with nothing, and goes on serving", async () => {
    const page = openPage();
    const url = await serve(toNodeHandler(page.handler));
    const headers = { "content-type": "application/json", "content-length": "1000" };
    const request = ask(`${url}/api/chat`, { method: "POST", headers });
    request.on("error", () => {});
    request.write('{"id":');
    await new Promise((resolve) => setImmediate(resolve));
    request.destroy();
    expect(textOf(await allChunks(await fetch(`${url}/api/chat`, post("Hi"))))).toBe("Hello.");
    expect(page.lines).toEqual([]);
  });

  test("works below a path and behind a body parser, as in Express", async () => {
    const listener = toNodeHandler(openPage().handler);
    const express: RequestListener = (request, response) => {
      const parsed = request.method === "POST" ? json(request) : Promise.resolve(undefined);
      const originalUrl = request.url;
      request.url = (request.url ?? "").replace("/api/chat", "") || "/";
      void parsed.then((body) =>
        listener(Object.assign(request, { originalUrl, ...(body !== undefined && { body }) }), response),
      );
    };
    const url = await serve(express);
    expect(textOf(await allChunks(await fetch(`${url}/api/chat`, post("Hi"))))).toBe("Hello.");
    expect(await (await fetch(`${url}/api/chat`)).json()).toMatchObject({ chats: [{ id: "c1" }] });
  });
});

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

  test("does not hear of it when all was sent", async () => {
    const signals: AbortSignal[] = [];
    const model = new ScriptedModel(say("Hello."));
    const { handler } = openPage(model);
    const url = await serve(
      toNodeHandler(async (request) => {
        signals.push(request.signal);
        return await handler(request);
      }),
    );
    await allChunks(await fetch(`${url}/api/chat`, post("Hi")));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });
});
