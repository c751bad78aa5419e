import { MemoryStore, type SessionStore } from "@pollux/core";
import { blocked, say } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { fakeTime } from "../../../core/test/helpers/fake-time.ts";
import { Processes, storeLike } from "../../../core/test/helpers/processes.ts";
import { allChunks, openPage, type Page, readChunks, readUntil, restOf, SteppedModel } from "./chat-page.ts";

async function states(page: Page): Promise<unknown> {
  const { chats } = (await (await page.ask("GET", "")).json()) as { chats: { id: string; state: string }[] };
  return Object.fromEntries(chats.map(({ id, state }) => [id, state]));
}

/** A run that is in the middle of its answer. */
async function startRun(store: SessionStore): Promise<{ readonly finish: () => Promise<unknown> }> {
  const model = new SteppedModel(say("One ", "two."));
  const page = openPage(model, { store });
  model.say();
  const chunks = readChunks(await page.send("Count", { chat: "going" }));
  await readUntil(chunks, "One ");
  return {
    finish: async () => {
      model.finish();
      return await restOf(chunks);
    },
  };
}

async function endings(page: Page): Promise<unknown> {
  const { chats } = (await (await page.ask("GET", "")).json()) as { chats: object[] };
  return chats.map((chat) => ("ending" in chat ? chat.ending : "not said"));
}

describe("a run in the list", () => {
  test("is said to have ended as it did, and not while the next one is going", async () => {
    const model = new SteppedModel(blocked(), say("One ", "two."));
    const page = openPage(model);
    await allChunks(await page.send("Hi"));
    expect(await endings(page)).toEqual(["blocked"]);
    model.say();
    const chunks = readChunks(await page.send("Count"));
    await readUntil(chunks, "One ");
    expect(await endings(page)).toEqual(["not said"]);
    model.finish();
    await restOf(chunks);
    expect(await endings(page)).toEqual(["finished"]);
  });

  test("is not said to have ended in any way by a store that was last written to by an older release", async () => {
    const store = new MemoryStore();
    const info = {
      owner: "ann",
      state: "stopped",
      createdAt: 1,
      messages: 1,
      turns: 1,
      totalTokens: 1,
      cost: 0,
    } as const;
    await store.append("ann/old", 0, [0], { info });
    expect(await endings(openPage(undefined, { store }))).toEqual(["not said"]);
  });

  test("is cut off once its process has died, which is found out without reading a log", async () => {
    const processes = new Processes(new MemoryStore());
    const first = processes.start();
    await allChunks(await openPage(undefined, { store: first.store }).send("Hi", { chat: "over" }));
    await startRun(first.store);
    const asked: string[] = [];
    const inner = processes.start().store;
    const store = storeLike(inner, {
      load: (id, ...rest) => (asked.push(`load ${id}`), inner.load(id, ...rest)),
      records: (id) => (asked.push(`records ${id}`), inner.records(id)),
    });
    const page = openPage(undefined, { store });
    expect(await states(page)).toEqual({ going: "running", over: "idle" });
    first.die();
    expect(await states(page)).toEqual({ going: "cut-off", over: "idle" });
    expect(asked).toEqual(["records ann/going", "records ann/going"]);
  });

  test("has the state that it has got while the list was made", async () => {
    const inner = new MemoryStore();
    const run = await startRun(inner);
    const store = storeLike(inner, {
      records: async (id) => {
        await run.finish();
        return await inner.records(id);
      },
    });
    const page = openPage(undefined, { store });
    expect(await states(page)).toEqual({ going: "idle" });
  });
});

describe("a run in the list of a store that knows nothing of processes", () => {
  fakeTime("stands");

  test("is cut off once nobody has renewed its lease for its whole duration", async () => {
    const processes = new Processes(new MemoryStore());
    const [first, second] = [processes.start(), processes.start()];
    const isGone = (): boolean => false;
    const forgetful = (store: SessionStore): SessionStore => storeLike(store, { processes: { self: 0, isGone } });
    await startRun(forgetful(first.store));
    const page = openPage(undefined, { store: forgetful(second.store) });
    for (let seconds = 0; seconds < 60; seconds += 10) {
      expect(await states(page)).toEqual({ going: "running" });
      await vi.advanceTimersByTimeAsync(10_000);
    }
    first.die();
    await states(page);
    await vi.advanceTimersByTimeAsync(14_000);
    expect(await states(page)).toEqual({ going: "running" });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await states(page)).toEqual({ going: "cut-off" });
  });
});
