import { once } from "node:events";
import { createServer, request as ask, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { say, ScriptedModel } from "@pollux/core/testing";
import { toNodeHandler } from "@pollux/web/node";
import { describe, expect, onTestFinished, test } from "vitest";
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

  test("does not hear of a client that leaves when all was sent", async () => {
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
