import { googleListPrices, MemoryStore } from "@pollux/core";
import { call, say } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { Assets } from "../../src/server/assets.ts";
import { inspectorHandler, type InspectorOptions } from "../../src/server/inspector-handler.ts";
import { localInspector } from "../../src/server/local-inspector.ts";
import { pageFolder } from "../support/page-folder.ts";
import { sessionOf } from "../support/sessions.ts";

const BASE = "http://localhost:4000/inspector";
const KEY = `AIza${"k".repeat(35)}`;

async function start(options: Partial<InspectorOptions> = {}) {
  const store = new MemoryStore();
  await sessionOf(store, [call("add", { a: 1, b: 2 }), say("It is 3.")]).send("What is 1 + 2?");
  const parts = { assets: new Assets(await pageFolder()) };
  const handler = inspectorHandler({ store, authorize: () => true, ...options }, parts);
  const get = (path: string, headers: { readonly [name: string]: string } = {}) =>
    handler(new Request(`${BASE}${path}`, { headers }));
  const post = (path: string, body: string, headers: { readonly [name: string]: string } = {}) =>
    handler(
      new Request(`${BASE}${path}`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json", ...headers },
      }),
    );
  return { store, handler, get, post };
}

const PRIVATE = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

describe("answers", () => {
  test("its abilities", async () => {
    const { get } = await start({ title: "Chats" });
    expect(await (await get("/api/about")).json()).toEqual({
      title: "Chats",
      actions: [],
      isLive: true,
      agents: [],
      answers: "service",
      listPrices: { asOf: googleListPrices.asOf, isUsed: false },
      hasEvals: false,
    });
  });

  test("the list, an overview, a turn, the log and no exchanges", async () => {
    const { get, store } = await start();
    const list = await (await get("/api/sessions")).json();
    expect(list).toMatchObject({
      sessions: [{ id: "chat-1", title: "What is 1 + 2?", state: "done", turns: 2, messages: 1, hasExchanges: false }],
    });
    expect(list).not.toHaveProperty("next");
    // A log that was copied here, without its summary.
    await store.append("copied", 0, await store.load("chat-1"));
    const { sessions }: any = await (await get("/api/sessions?search=copied")).json();
    expect(sessions).toMatchObject([{ id: "copied", state: "done" }]);
    expect(sessions[0]).not.toHaveProperty("turns");
    await store.delete("copied");
    const overview: any = await (await get("/api/sessions/chat-1")).json();
    expect(overview).toMatchObject({ id: "chat-1", runs: [{ turns: [{ turn: 1 }, { turn: 2 }] }] });
    const { runId } = overview.runs[0];
    expect(await (await get(`/api/sessions/chat-1?since=${overview.length}`)).json()).toMatchObject({
      since: overview.length,
      runs: [{ runId, turns: [] }],
    });
    expect(await (await get(`/api/sessions/chat-1/turns/${runId}/1`)).json()).toMatchObject({
      runId,
      calls: [{ name: "add", response: { output: 3 } }],
    });
    expect(await (await get("/api/sessions/chat-1/log")).json()).toEqual(await store.load("chat-1"));
    expect(await (await get("/api/sessions/chat-1/exchanges")).json()).toEqual([]);
    expect(await (await get("/api/sessions/chat-1/cache-estimate")).json()).toBeNull();
  });

  test("new entries, and a session that was deleted and started over", async () => {
    const { get, store } = await start();
    await get("/api/sessions/chat-1");
    await sessionOf(store, [say("Hi")]).send("Hello");
    expect(await (await get("/api/sessions/chat-1")).json()).toMatchObject({ runs: [{}, { input: "Hello" }] });
    await store.delete("chat-1");
    expect((await get("/api/sessions/chat-1")).status).toBe(404);
    await sessionOf(store, [say("New")]).send("Again");
    expect(await (await get("/api/sessions/chat-1")).json()).toMatchObject({ runs: [{ input: "Again" }] });
  });

  test("pages of sessions, the most recent first, found by words and state", async () => {
    const { get, store } = await start();
    for (const id of ["a", "b", "c"]) await sessionOf(store, [say("Hi")], { id }).send(`About ${id}`);
    await sessionOf(store, [call("pay", { amount: 1 })], { id: "bill" }).send("Pay");
    const seen: string[] = [];
    for (let next: string | undefined = ""; next !== undefined;) {
      const page: any = await (await get(`/api/sessions?limit=2&after=${encodeURIComponent(next)}`)).json();
      seen.push(...page.sessions.map(({ id }: { id: string }) => id));
      next = page.next;
    }
    expect(seen.toSorted()).toEqual(["a", "b", "bill", "c", "chat-1"]);
    const found = async (query: string) => {
      const page: any = await (await get(`/api/sessions?${query}`)).json();
      return page.sessions;
    };
    expect(await found("search=PAY%20bill")).toMatchObject([{ id: "bill" }]);
    expect(await found("state=waiting")).toMatchObject([{ id: "bill", state: "waiting" }]);
    expect(await found("state=running")).toEqual([]);
  });

  test.each(["limit=0", "limit=x", "limit=5000", "state=happy", "after=x"])("400 for %s", async (query) => {
    const { get } = await start();
    expect((await get(`/api/sessions?${query}`)).status).toBe(400);
  });

  test.each([
    "/api/sessions/nobody",
    "/api/sessions/chat-1/turns/x/1",
    "/api/sessions/chat-1/exchanges/0",
    "/api/sessions/chat-1/exchanges/-1",
    "/api/sessions/chat-1/media?position=1&path=outcome",
    "/api/sessions/chat-1/constructor",
    "/api/nothing",
    "/api/sessions/%E0%A4%A",
  ])("404 for %s", async (path) => {
    const { get } = await start();
    const response = await get(path);
    expect([response.status, await response.json()]).toMatchObject([404, { error: { code: "not_found" } }]);
  });
});

describe("the page", () => {
  test("is served below its path, without anything that a script in a text could use", async () => {
    const { get } = await start();
    expect((await get("")).headers.get("location")).toBe("/inspector/");
    const page = await get("/");
    expect(await page.text()).toBe("<title>Inspector</title>");
    const policy = page.headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect(page.headers.get("cache-control")).toBe("no-cache");
  });

  test("is compressed and cached by content", async () => {
    const { get } = await start();
    const script = await get("/assets/index-abc.js", { "accept-encoding": "gzip" });
    expect(script.headers.get("content-encoding")).toBe("gzip");
    expect(script.headers.get("cache-control")).toContain("immutable");
    const unzipped = new Response(script.body!.pipeThrough(new DecompressionStream("gzip")));
    expect(await unzipped.text()).toBe("console.log(1)");
    const again = await get("/assets/index-abc.js", { "if-none-match": script.headers.get("etag")! });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  test.each([
    "/../secret.html",
    "/%2e%2e/secret.html",
    "/..%2fsecret.html",
    "/assets/..%5c..%5csecret.html",
    "/notes.txt",
    "//secret.html",
  ])("nothing outside of it: %s", async (path) => {
    const { get } = await start();
    const response = await get(path);
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain("secret");
  });

  test("says how to build it when it isn't", async () => {
    const handler = inspectorHandler(
      { store: new MemoryStore(), authorize: () => true },
      { assets: new Assets("/nowhere") },
    );
    const response = await handler(new Request(`${BASE}/`));
    expect([response.status, await response.text()]).toEqual([503, expect.stringContaining("page/build.ts")]);
  });
});

test("the list finds sessions by the tools, models and agents of their runs", async () => {
  const { get, store } = await start();
  const totals = [{ kind: "tool", name: "get_weather", count: 2 }];
  const [entry] = await store.load("chat-1");
  await store.append("chat-3", 0, [entry ?? null], { info: { state: "idle", createdAt: 1, totals } as never });
  expect(await (await get("/api/sessions?search=Weather")).json()).toMatchObject({ sessions: [{ id: "chat-3" }] });
});

describe("refuses", () => {
  test.each<[string, InspectorOptions["authorize"], number]>([
    ["who is not authorized", () => false, 401],
    ["an answer that is no boolean", () => "yes" as never, 401],
    ["with the application's own response", () => new Response("Sign in", { status: 302 }), 302],
  ])("%s", async (_name, authorize, status) => {
    const { get, post } = await start({ authorize, allowActions: true });
    for (const path of ["/", "/api/about", "/api/sessions", "/api/sessions/chat-1", "/api/sessions/chat-1/live"])
      expect((await get(path)).status, path).toBe(status);
    expect((await post("/api/sessions/chat-1/stop", "{}")).status).toBe(status);
  });

  test.each<[string, { readonly [name: string]: string }]>([
    ["a name that was made to point here", { host: "evil.example" }],
    ["such a name with the port", { host: "evil.example:4000" }],
    ["a name that begins like one of ours", { host: "localhost.evil.example" }],
    ["a page of another site", { host: "localhost:4000", origin: "https://evil.example" }],
    ["a page of another port", { host: "localhost:4000", origin: "http://localhost:5000" }],
    ["a sandboxed page", { host: "localhost:4000", origin: "null" }],
    ["what a browser says is from another site", { host: "localhost:4000", "sec-fetch-site": "cross-site" }],
    ["what a browser says is from a sibling", { host: "localhost:4000", "sec-fetch-site": "same-site" }],
  ])("%s", async (_name, headers) => {
    const { get } = await start();
    for (const path of ["/", "/api/sessions"]) {
      const response = await get(path, headers);
      expect(response.status, path).toBe(403);
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  test("neither allowed names nor links from other sites", async () => {
    const { get } = await start({ allowedHosts: ["admin.example"] });
    expect((await get("/", { host: "admin.example" })).status).toBe(200);
    expect((await get("/", { host: "127.0.0.1:4000" })).status).toBe(200);
    expect((await get("/", { host: "[::1]:4000" })).status).toBe(200);
    const link = { host: "localhost", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    expect((await get("/", link)).status).toBe(200);
  });

  test("bodies that are larger than any request of the page", async () => {
    const { get } = await start();
    expect((await get(`/api/sessions/${"x".repeat(9000)}`)).status).toBe(414);
    expect((await get(`/api/sessions/${"x".repeat(2000)}`)).status).toBe(400);
    expect((await get("/api/about", { "x-a": "y".repeat(40_000) })).status).toBe(431);
  });

  test("to change anything, unless it was allowed", async () => {
    const { post, get, handler } = await start();
    expect((await post("/api/sessions/chat-1/dance", "{}")).status).toBe(404);
    expect((await post("/api/sessions/chat-1/__proto__", "{}")).status).toBe(404);
    expect((await post("/api/sessions", "{}")).status).toBe(405);
    for (const method of ["PUT", "DELETE", "PATCH"])
      expect((await handler(new Request(`${BASE}/api/sessions/chat-1`, { method }))).status).toBe(405);
    expect((await get("/api/sessions/chat-1")).status).toBe(200);
  });
});

describe("every answer", () => {
  test("is private, without content sniffing", async () => {
    const { get } = await start();
    for (const path of [
      "/api/about",
      "/api/sessions",
      "/api/sessions/chat-1",
      "/api/sessions/chat-1/log",
      "/api/nothing",
    ]) {
      const { headers } = await get(path);
      expect(Object.fromEntries(headers), path).toMatchObject({
        ...PRIVATE,
        "content-type": "application/json; charset=utf-8",
      });
    }
  });

  test("has no key from any place in the log", async () => {
    const secret = "my-very-secret-key-123";
    const store = new MemoryStore();
    await sessionOf(store, [say(`The key is ${KEY} or ${secret}.`)], { id: secret }).send(`${secret} ${KEY}`);
    const { get } = await start({ store, secrets: [secret] });
    const overview: any = await (await get(`/api/sessions/${secret}`)).json();
    const paths = ["", `/${secret}`, `/${secret}/log`, `/${secret}/turns/${overview.runs[0].runId}/1`];
    for (const path of paths) {
      const text = await (await get(`/api/sessions${path}`)).text();
      expect(text, path).toContain("[redacted]");
      expect(text, path).not.toContain(KEY);
      expect(text, path).not.toContain(secret);
    }
  });

  test("to HEAD has no body", async () => {
    const { handler } = await start();
    const response = await handler(new Request(`${BASE}/api/sessions`, { method: "HEAD" }));
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  test("shows an error of the store as an error, without a key", async () => {
    const store = new MemoryStore();
    store.load = () => Promise.reject(new Error(`disk ${KEY} failed`));
    const { get } = await start({ store });
    const response = await get("/api/sessions/chat-1");
    expect([response.status, await response.text()]).toEqual([500, expect.stringContaining("disk [redacted] failed")]);
  });
});

test.each<[string, Partial<InspectorOptions>, string]>([
  ["authorize", { authorize: undefined as never }, "inspectorHandler needs authorize"],
  ["path", { path: "inspector?" }, "path must be a path"],
])("an option that cannot work is refused: %s", (_name, options, message) => {
  expect(() => inspectorHandler({ store: new MemoryStore(), authorize: () => true, ...options })).toThrow(message);
});

describe("the inspector of one person", () => {
  test("is found by its whole path only", async () => {
    const parts = { assets: new Assets(await pageFolder()) };
    const { path, handler } = localInspector({ store: new MemoryStore() }, parts);
    expect(path).toMatch(/^\/[\w-]{32}\/$/);
    const status = async (at: string) => (await handler(new Request(`http://127.0.0.1:1${at}`))).status;
    expect(await status(path)).toBe(200);
    expect(await status(`${path}api/sessions`)).toBe(200);
    for (const wrong of ["/", "/api/sessions", `${path.slice(0, -2)}/`, `${path.slice(0, -1)}x/`, "/%2e/", `/x${path}`])
      expect(await status(wrong), wrong).toBe(401);
    expect(localInspector({ store: new MemoryStore() }).path).not.toBe(path);
  });
});
