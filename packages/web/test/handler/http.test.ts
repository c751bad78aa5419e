import { Agent, MemoryStore } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import { chatHandler, type ChatHandlerOptions } from "@pollux/web";
import { aiSdk } from "@pollux/web/ai-sdk";
import { describe, expect, test } from "vitest";
import { allChunks, errorOf, openPage, ORIGIN, userMessage } from "./chat-page.ts";

const BODY = { id: "c1", messages: [userMessage("Hi", "m1")] };

describe("a request", () => {
  test.each([
    ["PUT", "", 405, "GET, HEAD, POST, OPTIONS"],
    ["POST", "/c1", 405, "GET, HEAD, PATCH, DELETE, OPTIONS"],
    ["GET", "/c1/stop", 405, "POST, OPTIONS"],
    ["HEAD", "/c1/stream", 405, "GET, OPTIONS"],
    ["GET", "/c1/other", 404, null],
    ["GET", "/c1/stream/more", 404, null],
    ["GET", "s", 404, null],
    ["OPTIONS", "", 204, "GET, HEAD, POST, OPTIONS"],
    ["OPTIONS", "/c1/stream", 204, "GET, OPTIONS"],
  ])("%s %s is answered with %i, and the methods that are allowed", async (method, path, status, allow) => {
    const response = await openPage().ask(method, path);
    expect([response.status, response.headers.get("allow")]).toEqual([status, allow]);
  });

  test("HEAD is what GET is, without a body", async () => {
    const page = openPage();
    await allChunks(await page.send("Hi"));
    const [head, get] = [await page.ask("HEAD", "/c1"), await page.ask("GET", "/c1")];
    expect([head.status, await head.text(), [...head.headers]]).toEqual([200, "", [...get.headers]]);
    expect((await page.ask("HEAD", "/none")).status).toBe(404);
  });

  test.each([
    ["something that isn't JSON", "hello", {}, 400, "bad_json"],
    ["nothing", "", {}, 400, "bad_json"],
    ["JSON that isn't a request", [], {}, 400, "bad_request"],
    ["no message", { id: "c1", messages: [] }, {}, 400, "bad_request"],
    ["another type", BODY, { "content-type": "text/plain" }, 415, "not_json"],
    ["a form", "a=b", { "content-type": "application/x-www-form-urlencoded" }, 415, "not_json"],
    ["too much", { ...BODY, more: "x".repeat(2000) }, {}, 413, "body_too_large"],
    ["long headers", BODY, { "x-more": "x".repeat(2000) }, 431, "headers_too_large"],
    ["a bad id", { ...BODY, id: "../../bob/c1" }, {}, 400, "bad_id"],
    ["a long id", { ...BODY, id: "x".repeat(129) }, {}, 400, "bad_id"],
  ])("with %s is refused, and nothing is stored", async (_what, body, headers, status, code) => {
    const page = openPage(undefined, { maxBodyBytes: 1000, maxHeaderBytes: 1000 });
    expect(await errorOf(await page.ask("POST", "", { body, headers }))).toEqual({ status, code });
    expect(await page.store.list()).toEqual([]);
  });

  test("with as many attachments as a page of @pollux/react lets through is taken by default", async () => {
    const url = `data:image/png;base64,${"A".repeat(12 * 1024 * 1024)}`;
    const message = { id: "m1", role: "user", parts: [{ type: "file", url, mediaType: "image/png" }] };
    const page = openPage();
    expect((await page.ask("POST", "", { body: { id: "c1", message } })).status).toBe(200);
  });

  test("with a body that says it is shorter than it is, or does not say, is cut off at the limit", async () => {
    const { handler } = openPage(undefined, { maxBodyBytes: 1000 });
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(100).fill(32));
      },
    });
    const headers = { accept: "application/json", "content-type": "application/json; charset=utf-8" };
    const init: RequestInit & { readonly duplex: string } = { method: "POST", headers, body, duplex: "half" };
    expect(await errorOf(await handler(new Request(`${ORIGIN}/api/chat`, init)))).toMatchObject({ status: 413 });
    expect(pulled).toBeLessThan(15);
  });

  test("that says it is too large is refused before any of it is read", async () => {
    const { handler } = openPage(undefined, { maxBodyBytes: 1000 });
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({ pull: () => void (pulled += 1) }, { highWaterMark: 0 });
    const headers = { accept: "application/json", "content-type": "application/json", "content-length": "1001" };
    const init: RequestInit & { readonly duplex: string } = { method: "POST", headers, body, duplex: "half" };
    expect(await errorOf(await handler(new Request(`${ORIGIN}/api/chat`, init)))).toMatchObject({ status: 413 });
    expect(pulled).toBe(0);
  });

  test("with an endless URL, or a body that isn't UTF-8, is refused", async () => {
    const page = openPage();
    expect(await errorOf(await page.ask("GET", `?${"x".repeat(9000)}`))).toEqual({ status: 414, code: "url_too_long" });
    const headers = { accept: "application/json", "content-type": "application/json" };
    const body = new Uint8Array([0x22, 0xff, 0x22]);
    const request = new Request(`${ORIGIN}/api/chat`, { method: "POST", headers, body });
    expect(await errorOf(await page.handler(request))).toEqual({ status: 400, code: "bad_json" });
  });

  test.each(["%2e%2e", "a%2Fb", "%", "x".repeat(129), "a%00b"])("for the id %s is refused", async (id) => {
    expect((await openPage().ask("GET", `/${id}`)).status).toBeOneOf([400, 404]);
  });

  test.each(["limit=0", "limit=101", "limit=x", "after=x", "after=~a"])(
    "for a list with %s is refused",
    async (query) => {
      expect((await openPage().ask("GET", `?${query}`)).status).toBe(400);
    },
  );

  test.each([{}, { title: 7 }, { title: "" }, { title: "x".repeat(201) }])(
    "to rename to %j is refused",
    async (body) => {
      const page = openPage();
      await allChunks(await page.send("Hi"));
      expect(await errorOf(await page.ask("PATCH", "/c1", { body }))).toEqual({ status: 400, code: "bad_title" });
    },
  );

  test("that fails inside is told a reference to the log, and nothing else", async () => {
    const store = new MemoryStore();
    store.list = () => Promise.reject(new Error("postgres://user:secret@db-7 is down"));
    const page = openPage(undefined, { store });
    const response = await page.ask("GET", "");
    const { error } = (await response.json()) as { readonly error: { readonly reference: string } };
    expect(response.status).toBe(500);
    expect(error).toEqual({ code: "internal", message: "Something went wrong.", reference: page.lines[0]?.reference });
    expect(page.lines).toMatchObject([{ err: { message: "postgres://user:secret@db-7 is down" } }]);
  });
});

describe("authorize", () => {
  test("may refuse with a response of its own, before anything is read", async () => {
    const refuse = (): Response => new Response("log in first", { status: 401, headers: { "www-authenticate": "x" } });
    const page = openPage(undefined, { authorize: refuse });
    const response = await page.ask("POST", "", { body: "not JSON" });
    expect([response.status, await response.text()]).toEqual([401, "log in first"]);
  });

  test.each([
    ["names nobody", () => ({ owner: "" })],
    ["throws", () => Promise.reject(new Error("the key of the session store"))],
  ])("that %s is an error of the server", async (_what, authorize) => {
    const page = openPage(undefined, { authorize });
    const response = await page.ask("GET", "");
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("key of the");
    expect(page.lines).toHaveLength(1);
  });

  test("is not optional, also in plain JavaScript", () => {
    const options = { agent: new Agent({ model: new ScriptedModel() }), store: new MemoryStore(), protocol: aiSdk() };
    expect(() => chatHandler(options as unknown as ChatHandlerOptions)).toThrow(/authorize is required/);
  });
});

describe("a request from a page of another site", () => {
  const other = "https://evil.example";
  test.each([
    ["same-origin", ORIGIN, 200],
    ["none", undefined, 200],
    ["same-site", "https://www.example.com", 403],
    ["cross-site", other, 403],
    ["cross-site", "null", 403],
    ["cross-site", undefined, 403],
    // Browsers that do not say the site.
    [undefined, ORIGIN, 200],
    [undefined, "http://chat.example.com", 200],
    [undefined, other, 403],
    [undefined, "https://chat.example.com.evil.example", 403],
    [undefined, "https://chat.example.com:8443", 403],
    [undefined, "null", 403],
    // No browser.
    [undefined, undefined, 200],
  ])("site %s, origin %s: %i", async (site, origin, status) => {
    const headers = { ...(site && { "sec-fetch-site": site }), ...(origin && { origin }) };
    const page = openPage();
    const response = await page.ask("POST", "", { body: BODY, headers });
    expect(response.status).toBe(status);
    expect(await page.store.list()).toHaveLength(status === 200 ? 1 : 0);
    expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    await response.body?.cancel();
  });

  test("is served if its origin is allowed, with what a browser has to know", async () => {
    const origin = "https://app.example.com";
    const page = openPage(undefined, { allowedOrigins: [origin] });
    const headers = { origin, "sec-fetch-site": "same-site" };
    const preflight = await page.ask("OPTIONS", "", {
      headers: { ...headers, "access-control-request-method": "POST", "access-control-request-headers": "x-token" },
    });
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      "access-control-allow-origin": origin,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET, HEAD, POST, OPTIONS",
      "access-control-allow-headers": "x-token",
      vary: "origin",
    });
    const response = await page.ask("POST", "", { body: BODY, headers });
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    await allChunks(response);
    // An error can be read as well, and nobody else is let in.
    expect((await page.ask("GET", "/none", { headers })).headers.get("access-control-allow-origin")).toBe(origin);
    const refused = await page.ask("GET", "", { headers: { origin: other, "sec-fetch-site": "cross-site" } });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([403, null]);
    expect((await page.ask("OPTIONS", "", { headers: { origin: other } })).headers.get("vary")).toBe("origin");
  });
});

describe("an option that cannot work", () => {
  test.each<[string, Partial<ChatHandlerOptions>]>([
    ["path", { path: "api" }],
    ["allowedOrigins", { allowedOrigins: ["*"] }],
    ["allowedOrigins", { allowedOrigins: ["https://a.example/"] }],
    ["maxBodyBytes", { maxBodyBytes: 0 }],
    ["maxHeaderBytes", { maxHeaderBytes: Number.NaN }],
    ["keepAliveMs", { keepAliveMs: -1 }],
    ["stopTimeoutMs", { stopTimeoutMs: Infinity }],
    ["spending.maxCost", { spending: { maxCost: 0 } }],
    ["spending.windowMs", { spending: { maxCost: 1, windowMs: 0 } }],
  ])("names %s", (name, options) => {
    expect(() => openPage(undefined, options)).toThrow(name);
  });
});

test("the agent's tools are no option of the handler", () => {
  const options: object = { tools: [] };
  expect(() => openPage(undefined, options)).toThrow("tools belong to the agent; for tools that clients bring, use");
});

describe("the handler's path", () => {
  test("is where the application mounts it", async () => {
    const page = openPage(new ScriptedModel(say("Hi.")), { path: "/v1/bot/" });
    expect((await page.handler(new Request("http://x/v1/bot"))).status).toBe(200);
    expect((await page.handler(new Request("http://x/v1/bot/"))).status).toBe(200);
    expect((await page.handler(new Request("http://x/v1/robot"))).status).toBe(404);
  });
});
