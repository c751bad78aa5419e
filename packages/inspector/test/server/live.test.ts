import { MemoryStore } from "@pollux/core";
import { say } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { inspectorHandler } from "../../src/server/inspector-handler.ts";
import { sessionOf } from "../support/sessions.ts";

const PACE = { pollMs: 5, quietMs: 1, keepAliveMs: 60_000 };

async function* eventsOf(response: Response): AsyncGenerator<{ readonly event: string; readonly data: any }> {
  let text = "";
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      const [, event = "", data = "null"] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      yield { event, data: JSON.parse(data) };
    }
  }
}

async function open(store: MemoryStore, signal?: AbortSignal) {
  const handler = inspectorHandler({ store, authorize: () => true }, { pace: PACE });
  const request = new Request("http://localhost/inspector/api/sessions/chat-1/live", { ...(signal && { signal }) });
  return await handler(request);
}

test.each([true, false])(
  "tells how a session is, and each change of it (a store that can be watched: %s)",
  async (isWatched) => {
    const store = new MemoryStore();
    if (!isWatched) Object.assign(store, { watch: undefined });
    await sessionOf(store, [say("Hi")]).send("Hello");
    const response = await open(store);
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const events = eventsOf(response);
    const { length } = await store.load("chat-1");
    expect((await events.next()).value).toEqual({ event: "changed", data: { length, exchanges: 0, state: "done" } });
    await sessionOf(store, [say("Again")]).send("Hello");
    for (let next = await events.next(); next.value?.data.length !== 2 * length; next = await events.next())
      expect(next.done).toBe(false);
    await store.delete("chat-1");
    for (let next = await events.next(); next.value?.event !== "gone"; next = await events.next())
      expect(next.done).toBe(false);
    expect((await events.next()).done).toBe(true);
  },
);

test("sends the answer in progress", async () => {
  const store = new MemoryStore();
  await sessionOf(store, [say("Hi")]).send("Hello");
  const [begin] = await store.load("chat-1");
  await store.delete("chat-1");
  await store.append("chat-1", 0, [begin!]);
  const lease = { token: 1, beat: 1, held: true, runId: "r", durationMs: 60_000 };
  await store.setLease("chat-1", undefined, lease);
  await store.setDraft("chat-1", 1, {
    runId: "r",
    step: "model:1",
    place: { kind: "model", phase: "work", turn: 1, attempt: 0 },
    attempt: 1,
    parts: [{ text: "Hm", thought: true }, { text: "Half an" }],
  });
  const { value } = await eventsOf(await open(store)).next();
  expect(value?.data).toEqual({
    length: 1,
    exchanges: 0,
    state: "running",
    draft: { text: "Half an", thoughts: "Hm" },
  });
});

test("ends with its reader, and stops watching", async () => {
  const store = new MemoryStore();
  await sessionOf(store, [say("Hi")]).send("Hello");
  let watching = 0;
  const watch = store.watch.bind(store);
  store.watch = (id, onChange) => {
    watching++;
    const end = watch(id, onChange);
    return () => {
      watching--;
      end();
    };
  };
  const controller = new AbortController();
  const left = await open(store);
  await open(store, controller.signal);
  expect(watching).toBe(2);
  await left.body?.cancel();
  controller.abort();
  expect(watching).toBe(0);
});
