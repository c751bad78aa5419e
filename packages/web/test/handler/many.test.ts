import { getActiveResourcesInfo } from "node:process";
import { MemoryStore, type SessionStore } from "@pollux/core";
import { say } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { until } from "../../../core/test/helpers/until.ts";
import { storeLike } from "../../../core/test/helpers/processes.ts";
import { allChunks, openPage, readChunks, readUntil, restOf, SteppedModel, textOf } from "./chat-page.ts";

const timers = (): number => getActiveResourcesInfo().filter((name) => name === "Timeout").length;

/** A store that counts who watches it. */
function watchedStore(): { readonly store: SessionStore; readonly watchers: () => number } {
  const inner = new MemoryStore();
  let watchers = 0;
  const watch: SessionStore["watch"] = (id, onChange) => {
    watchers += 1;
    const end = inner.watch?.(id, onChange);
    let isEnded = false;
    return () => {
      if (!isEnded) watchers -= 1;
      isEnded = true;
      end?.();
    };
  };
  return { store: storeLike(inner, { watch }), watchers: () => watchers };
}

test("300 streams at once, a third left, a third followed: each has its own answer, and nothing is left behind", async () => {
  const { store, watchers } = watchedStore();
  const words = ["One ", "two ", "three."];
  const model = new SteppedModel(...Array.from({ length: 300 }, () => say(...words)));
  const before = timers();
  const page = openPage(model, { store, maxStreams: 300 });
  const ask = { owner: "ann" };
  const streams = await Promise.all(
    Array.from({ length: 300 }, async (_, index) =>
      readChunks(await page.send("Count", { ...ask, chat: `c${index}` })),
    ),
  );
  await until(() => model.held === 300);
  model.say(300);
  await Promise.all(streams.map((chunks) => readUntil(chunks, "One ")));
  await Promise.all(streams.map(async (chunks, index) => index % 3 > 0 && (await chunks.return())));
  const followed = await Promise.all(
    streams.flatMap((_, index) => (index % 3 === 2 ? [page.ask("GET", `/c${index}/stream`, ask)] : [])),
  );
  model.finish();
  const texts = [
    ...(await Promise.all(followed.map(async (response) => textOf(await allChunks(response))))),
    ...(await Promise.all(streams.flatMap((chunks, index) => (index % 3 === 0 ? [restOf(chunks)] : []))).then((rests) =>
      rests.map((rest) => `One ${textOf(rest)}`),
    )),
  ];
  expect(texts).toHaveLength(200);
  expect(new Set(texts)).toEqual(new Set([words.join("")]));
  await expect.poll(async () => (await store.list({ state: "idle", limit: 1000 })).length).toBe(300);
  await expect.poll(() => [watchers(), timers() - before]).toEqual([0, 0]);
});

test("a reader that takes nothing keeps neither its run nor others waiting, and is told the whole when it reads", async () => {
  const { store } = watchedStore();
  const words = Array.from({ length: 3000 }, (_, index) => `${index} `);
  const model = new SteppedModel(say(...words));
  const page = openPage(model, { store });
  model.finish();
  const slow = await page.send("Count");
  const fast = page.ask("GET", "/c1/stream");
  await expect.poll(async () => (await store.list())[0]?.state).toBe("idle");
  await fast.then(({ body }) => body?.cancel());
  const chunks = await allChunks(slow);
  expect(textOf(chunks)).toBe(words.join(""));
  // What it did not read was joined.
  expect(chunks.filter(({ type }) => type === "text-delta").length).toBeLessThan(300);
});

test("a request that is aborted while nobody reads its response leaves nothing behind", async () => {
  const { store, watchers } = watchedStore();
  const model = new SteppedModel(say(...Array.from({ length: 100 }, (_, index) => `${index} `)));
  const before = timers();
  const page = openPage(model, { store });
  const leave = new AbortController();
  model.say(50);
  await page.send("Count", { signal: leave.signal });
  leave.abort();
  model.finish();
  await expect.poll(async () => (await store.list())[0]?.state).toBe("idle");
  await expect.poll(() => [watchers(), timers() - before]).toEqual([0, 0]);
});
