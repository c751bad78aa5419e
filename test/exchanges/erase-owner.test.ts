import { join } from "node:path";
import { Agent, defineTool, eraseOwner, MemoryStore, type SessionStore } from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { endpoint } from "@pollux/core/wire";
import { call, hangs, say, ScriptedModel } from "@pollux/core/testing";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { sessionNotes } from "@pollux/tools/notes";
import { describe, expect, onTestFinished, test } from "vitest";
import { deferred } from "../../packages/core/test/helpers/deferred.ts";
import { storeLike } from "../../packages/core/test/helpers/processes.ts";
import { temporaryFolder } from "../../packages/core/test/helpers/store-process.ts";

const STORES: readonly [string, () => SessionStore][] = [
  ["memory", () => new MemoryStore()],
  [
    "SQLite",
    () => {
      const store = new SqliteStore(join(temporaryFolder(), "sessions.db"));
      onTestFinished(() => store.close());
      return store;
    },
  ],
  ["JSONL", () => new JsonlStore(temporaryFolder())],
];

const NOTHING = { sessions: 0, drafts: 0, notes: 0, exchanges: 0, stoppedRuns: 0 };
const failure = (run: Promise<unknown>): Promise<unknown> => run.then(() => undefined).catch((error: unknown) => error);

/** A run of ann's in a call that continues until the gate opens, and ignores a stop. */
async function inWrite(store: SessionStore) {
  const [started, gate] = [deferred(), deferred()];
  const write = defineTool({
    name: "write",
    description: "x",
    run: async () => {
      started.resolve();
      await gate.promise;
      return "written";
    },
  });
  const model = new ScriptedModel(call("write"), say("Done."));
  const session = new Agent({ model, tools: [write] }).session({ id: "s", owner: "ann", store });
  const run = failure(session.send("Write."));
  await started.promise;
  return { session, run, gate };
}

describe.each(STORES)("what is kept of a person, in a store of kind %s,", (_kind, open) => {
  test("is removed: sessions, notes and exchanges, and what is kept of others stays", async () => {
    const server = await createEmulator({ brain: improvise() }).listen();
    onTestFinished(async () => await server.close());
    const [store, kept] = [open(), open()];
    const exchanges = keepExchanges(kept);
    const agent = new Agent({
      model: "gemini-flash-latest",
      endpoint: endpoint({ baseUrl: server.url, apiKey: "k" }),
      observers: [exchanges],
    });
    for (const [id, owner] of [
      ["chat-1", "ann"],
      ["chat-2", "ann"],
      ["chat-3", "anna"],
    ] as const)
      await agent.session({ id, owner, store }).send("Hello");
    const note = { id: "00000001", text: "likes tea", updatedAt: 1 };
    for (const session of ["chat-1", "chat-3"])
      await sessionNotes({ store, session }).change(() => ({ changes: [{ put: note }], result: undefined }));

    const asked: unknown[] = [];
    const also = async (...args: readonly unknown[]): Promise<{ readonly pictures: number }> => {
      asked.push(args);
      return { pictures: 3 };
    };
    expect(await eraseOwner("ann", { store, exchanges, also })).toEqual({
      ...NOTHING,
      sessions: 2,
      notes: 1,
      exchanges: 2,
      pictures: 3,
    });
    expect(asked).toEqual([["ann", ["chat-1", "chat-2"]]]);
    for (const id of ["chat-1", "chat-2", "notes:chat-1"]) {
      expect([await store.load(id), await store.records(id), await kept.load(id)]).toEqual([[], {}, []]);
    }
    expect((await store.list()).map(({ id }) => id).toSorted()).toEqual(["chat-3", "notes:chat-3"]);
    expect(await kept.load("chat-3")).toHaveLength(1);

    // Another process's view of the kept exchanges is a store.
    expect(await eraseOwner("anna", { store, exchanges: kept })).toEqual({
      ...NOTHING,
      sessions: 1,
      notes: 1,
      exchanges: 1,
    });
    expect([await store.list(), await kept.list()]).toEqual([[], []]);
    expect(await eraseOwner("anna", { store, exchanges: kept, also })).toEqual({ ...NOTHING, pictures: 3 });
  });

  test("is removed with the draft of a run that was cut off", async () => {
    const store = open();
    await store.setLease("s", undefined, { token: 1, beat: 1, held: true, runId: "r", durationMs: 0 });
    await store.append("s", 0, [{ v: 1 }], {
      info: { owner: "ann", state: "running", createdAt: 1, messages: 1, turns: 0, totalTokens: 0, cost: 0 },
    });
    await store.setDraft("s", 1, {
      runId: "r",
      step: "model:1",
      place: { kind: "model", phase: "work", turn: 1, attempt: 0 },
      attempt: 1,
      parts: [{ text: "One" }],
    });
    expect(await eraseOwner("ann", { store })).toEqual({ ...NOTHING, sessions: 1, drafts: 1 });
    expect(await store.records("s")).toEqual({});
  });

  test("is removed after its run was stopped, which writes nothing any more", async () => {
    const store = open();
    const { session, run, gate } = await inWrite(store);
    expect(await eraseOwner("ann", { store })).toEqual({ ...NOTHING, sessions: 1, stoppedRuns: 1 });
    expect(await run).toMatchObject({ code: "run_stopped" });
    gate.resolve();
    await expect(session.steer("And that.")).rejects.toMatchObject({ code: "session_conflict" });
    expect([await store.load("s"), await store.records("s"), await store.list()]).toEqual([[], {}, []]);
  });

  test("is not kept again by a run that continues in a process which does not know of the erasure", async () => {
    const store = open();
    const { run, gate } = await inWrite(store);
    await store.delete("s");
    gate.resolve();
    expect(await run).toMatchObject({ code: "session_lease_lost" });
    expect([await store.load("s"), await store.records("s"), await store.list()]).toEqual([[], {}, []]);
  });
});

test("exchanges that wait for the store do not recreate a removed log", async () => {
  const server = await createEmulator({ brain: improvise() }).listen();
  onTestFinished(async () => await server.close());
  const [store, kept] = [new MemoryStore(), new MemoryStore()];
  const exchanges = keepExchanges(kept);
  const agent = new Agent({
    model: "gemini-flash-latest",
    endpoint: endpoint({ baseUrl: server.url, apiKey: "k" }),
    observers: [exchanges],
  });
  const session = agent.session({ id: "s", owner: "ann", store });
  await session.send("Hello");
  await exchanges.flush();
  await kept.delete("s"); // in another process
  await session.send("Hello");
  await exchanges.flush();
  expect(await kept.load("s")).toEqual([]);
  // A later log with this id is another one.
  await session.send("Hello");
  await exchanges.flush();
  expect(await kept.load("s")).toHaveLength(1);
});

test("exchanges that are being written when their session is erased are removed as well", async () => {
  const server = await createEmulator({ brain: improvise() }).listen();
  onTestFinished(async () => await server.close());
  const [store, kept, gate] = [new MemoryStore(), new MemoryStore(), deferred()];
  const append: typeof kept.append = async (...args) => {
    await gate.promise;
    await kept.append(...args);
  };
  const exchanges = keepExchanges(storeLike(kept, { append }));
  const agent = new Agent({
    model: "gemini-flash-latest",
    endpoint: endpoint({ baseUrl: server.url, apiKey: "k" }),
    observers: [exchanges],
  });
  await agent.session({ id: "s", owner: "ann", store }).send("Hello");
  const erased = eraseOwner("ann", { store, exchanges });
  // It can't get further.
  await new Promise((resolve) => setImmediate(resolve));
  gate.resolve();
  expect(await erased).toEqual({ ...NOTHING, sessions: 1, exchanges: 1 });
  await exchanges.flush();
  expect(await kept.load("s")).toEqual([]);
});

test("erasing waits for a run to stop until its signal ends that, and removes nothing before", async () => {
  const store = new MemoryStore();
  const session = new Agent({ model: new ScriptedModel(hangs("One")) }).session({ id: "s", owner: "ann", store });
  const run = failure(session.send("Count."));
  await expect.poll(async () => (await store.records("s")).lease?.held).toBe(true);
  await expect(eraseOwner("ann", { store, signal: AbortSignal.abort(new Error("too late")) })).rejects.toThrow(
    "too late",
  );
  expect(await store.list()).toHaveLength(1);
  expect(await eraseOwner("ann", { store })).toMatchObject({ sessions: 1 });
  await run;
});

test("erasing needs an owner", async () => {
  await expect(eraseOwner("", { store: new MemoryStore() })).rejects.toThrow(
    new TypeError("eraseOwner() needs an owner: a non-empty string"),
  );
});
