import { MemoryStore } from "@pollux/core";
import { call, say } from "@pollux/core/testing";
import { afterEach, expect, test, vi } from "vitest";
import { HttpSource } from "../../page/src/source/http-source.ts";
import { inspectorHandler } from "../../src/server/inspector-handler.ts";
import { sessionOf } from "../support/sessions.ts";

afterEach(() => void vi.unstubAllGlobals());

function start(): { readonly source: HttpSource; readonly store: MemoryStore; readonly asked: string[] } {
  const store = new MemoryStore();
  const handler = inspectorHandler({ store, authorize: () => true });
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    asked.push(url);
    return await handler(new Request(url, init));
  });
  return { source: new HttpSource("http://localhost/inspector/api"), store, asked };
}

test("a known overview is updated with the changes", async () => {
  const { source, store, asked } = start();
  await sessionOf(store, [call("add", { a: 1, b: 2 }), say("3")]).send("1 + 2?");
  const known = await source.overview("chat-1");
  await sessionOf(store, [say("Bye")]).send("Thanks");
  const next = await source.overview("chat-1", known);
  expect(asked.at(-1)).toBe(`http://localhost/inspector/api/sessions/chat-1?since=${known.length}`);
  expect(next).toEqual(await source.overview("chat-1"));
});

test("a session that was deleted and started over is not mixed up with the old one", async () => {
  const { source, store } = start();
  await sessionOf(store, [call("add", { a: 1, b: 2 }), say("3")]).send("1 + 2?");
  const known = await source.overview("chat-1");
  await store.delete("chat-1");
  await sessionOf(store, [say("Hi")]).send("Hello");
  expect(await source.overview("chat-1", known)).toEqual(await source.overview("chat-1"));
});

test("errors have the server's message, or say that there is no server", async () => {
  const { source } = start();
  await expect(source.overview("nobody")).rejects.toMatchObject({
    code: "not_found",
    message: expect.stringContaining("no such session"),
  });
  await expect(source.act("nobody", "stop", {})).rejects.toMatchObject({ code: "read_only" });
  vi.stubGlobal("fetch", async () => new Response("nothing", { status: 401 }));
  await expect(source.about()).rejects.toMatchObject({ code: "unauthorized" });
  vi.stubGlobal("fetch", async () => await Promise.reject(new TypeError("fetch failed")));
  await expect(source.about()).rejects.toMatchObject({ code: "unreachable" });
});
