import { Agent, MemoryStore, type Session, type SessionStore } from "@pollux/core";
import {
  applyUpdate,
  type Conversation,
  type ConversationUpdate,
  conversationUpdates,
  readConversation,
  watchConversation,
} from "@pollux/core/conversation";
import { RunStoppedError, StreamIncompleteError } from "@pollux/core/errors";
import { call, collect, dies, hangs, parts as modelParts, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { until } from "../helpers/until.ts";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { lookUp, pay } from "./scripts.ts";
import { Watcher } from "./watched-store.ts";
import { answersTo } from "../helpers/answers.ts";

function textOf(conversation: Conversation | undefined): string {
  const parts = conversation?.messages.at(-1)?.parts ?? [];
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** A store that cannot tell of changes, as one behind a plain HTTP API. */
class SilentStore extends MemoryStore {
  override readonly watch = undefined as never;
}

describe("watching a session", () => {
  fakeTime("stands");

  test("in the object of the run gives each word as it arrives, without waiting for a draft", async () => {
    const session = new Agent({ model: new ScriptedModel(hangs("It ", "began")) }).session();
    const watcher = new Watcher(session);
    await idle();
    const run = session.send("Tell.").catch(() => {});
    await until(() => textOf(watcher.conversation) === "It began");
    const late = new Watcher(session);
    await until(() => textOf(late.conversation) === "It began");
    expect(late.conversation).toEqual(watcher.conversation);
    await session.stop();
    await run;
    for (const one of [watcher, late]) await one.stop();
  });

  test("in another process tells all readers what one look at the store has found", async () => {
    const store = new MemoryStore();
    const agent = new Agent({ model: new ScriptedModel(hangs("It ", "began")) });
    const session = agent.session({ id: "s", store });
    const watched = agent.session({ id: "s", store });
    const watchers = [new Watcher(watched), new Watcher(watched), new Watcher(watched)];
    await idle();
    const run = session.send("Tell.").catch(() => {});
    for (let turn = 0; turn < 20; turn++) await idle();
    // The draft of the answer is stored.
    await vi.advanceTimersByTimeAsync(1000);
    for (let turn = 0; turn < 20; turn++) await idle();
    expect(watchers.map(({ conversation }) => textOf(conversation))).toEqual(["It began", "It began", "It began"]);
    await session.stop();
    await run;
    for (const one of watchers) await one.stop();
  });
});

test("the events of an agent in a call are shown without what is for the model alone", async () => {
  const signed = modelParts({ text: "Found it.", thoughtSignature: "c2lnbmF0dXJl" });
  const inner = new Agent({ name: "finder", model: new ScriptedModel(call("look_up", { secret: "hunter2" }), signed) });
  const outer = new Agent({
    model: new ScriptedModel(call("finder", { task: "Find." }), say("There.")),
    tools: [inner.asTool({ description: "Finds." })],
  });
  const updates: ConversationUpdate[] = [];
  for await (const update of conversationUpdates(outer.stream("Go."))) updates.push(update);
  const shown = JSON.stringify(updates);
  expect(shown).toContain('"progress":{"path":["finder"],"event":{"type":"text-delta","turn":2,"delta":"Found it."}}');
  expect(shown).not.toMatch(/c2lnbmF0dXJl|hunter2/);
});

test("a reader that joins in the middle of a run gets no events of the run before", async () => {
  const model = new ScriptedModel(dies("stale "), hangs("new"));
  const session = new Agent({ model, limits: { restarts: 0 } }).session();
  await expect(collect(session.stream("Tell."))).rejects.toThrow(StreamIncompleteError);
  const run = session.resume().catch(() => {});
  await until(() => model.requests.length === 2);
  const watcher = new Watcher(session);
  await until(() => watcher.conversation?.state === "running");
  expect(textOf(watcher.conversation)).not.toContain("stale");
  await session.stop();
  await run;
  await watcher.stop();
});

describe("watching a session for a while", () => {
  fakeTime("leaps");

  test.each([
    ["tells of changes", () => new MemoryStore()],
    ["has to be asked", () => new SilentStore()],
  ])("in another process follows the draft, in a store that %s", async (_name, makeStore) => {
    const store: SessionStore = makeStore();
    const agent = new Agent({ model: new ScriptedModel(hangs("It ", "began"), say("Next.")) });
    const session = agent.session({ id: "s", store });
    const watcher = new Watcher(agent.session({ id: "s", store }));
    await idle();
    const run = session.send("Tell.").catch((error: unknown) => error);
    await vi.waitUntil(() => textOf(watcher.conversation) === "It began", 60_000);
    expect(watcher.conversation).toMatchObject({ state: "running" });
    expect(watcher.conversation?.messages.at(-1)?.parts.at(-1)).toEqual({
      type: "text",
      id: "text:1.0",
      text: "It began",
      streaming: true,
    });
    await agent.session({ id: "s", store }).stop();
    expect(await run).toBeInstanceOf(RunStoppedError);
    await vi.waitUntil(() => watcher.conversation?.state === "stopped", 60_000);
    expect(watcher.conversation?.messages.at(-1)).toMatchObject({
      state: "stopped",
      stopReason: "aborted",
      error: { name: "RunStoppedError", code: "run_stopped", message: "The run was stopped." },
      parts: [{ type: "turn" }, { text: "It began" }, { type: "interruption", turn: 1 }],
    });
    await session.send("And?");
    await vi.waitUntil(() => textOf(watcher.conversation) === "Next.", 60_000);
    await watcher.stop();
  });

  test("says that a run was cut off once its lease has expired, and that it goes on", async () => {
    const store = new MemoryStore();
    const agent = new Agent({ model: new ScriptedModel(hangs("It ", "began")) });
    const session = agent.session({ id: "s", store });
    const watcher = new Watcher(agent.session({ id: "s", store }));
    const run = session.send("Tell.").catch(() => {});
    await vi.waitUntil(() => textOf(watcher.conversation) === "It began", 60_000);

    // The process has lost its network: nothing of it reaches the store any more.
    const setLease = vi.spyOn(store, "setLease").mockRejectedValue(new Error("offline"));
    await vi.waitUntil(() => watcher.conversation?.state === "cut-off", 60_000);
    // Also for a page that has seen more of the answer than the draft has.
    const before = watcher.states.findLast(({ state }) => state === "running") as Conversation;
    const [entries, attempt] = before.position.live;
    const further = { ...before, position: { ...before.position, live: [entries, attempt, 1000, 10] as const } };
    expect(watcher.updates.reduce<Conversation>(applyUpdate, further).state).toBe("cut-off");
    expect(watcher.conversation?.messages.at(-1)).toMatchObject({
      state: "interrupted",
      parts: [{ type: "turn" }, { text: "It began" }, { type: "interruption" }],
    });
    await run;
    setLease.mockRestore();
    const resumed = new Agent({ model: new ScriptedModel(say("Anew.")) }).session({ id: "s", store });
    await resumed.resume();
    await vi.waitUntil(() => watcher.conversation?.state === "idle", 60_000);
    expect(textOf(watcher.conversation)).toBe("Anew.");
    await watcher.stop();
  });

  test("a slow reader holds no run up, and gets a snapshot instead of what it missed", async () => {
    const words = Array.from({ length: 200 }, (_, index) => `${index} `);
    const turns = Array.from({ length: 200 }, (_, index) => call("look_up", { key: `k${index}` }));
    const agent = new Agent({
      model: new ScriptedModel(say(...words), ...turns, say("Done.")),
      tools: [lookUp],
      limits: { turns: 1000 },
    });
    const session = agent.session();
    const updates = watchConversation(session);
    const first = await updates.next();
    await session.send("Count.");
    // Nothing was read meanwhile, and words of one text wait as one update.
    let conversation = applyUpdate(undefined, first.value as ConversationUpdate);
    const read: ConversationUpdate[] = [];
    const counted = await readConversation(session);
    while (conversation.position.log < counted.position.log) {
      const { value } = await updates.next();
      read.push(value as ConversationUpdate);
      conversation = applyUpdate(conversation, value as ConversationUpdate);
    }
    expect(conversation).toEqual(counted);
    expect(read.length).toBeLessThan(8);

    await session.send("Go on.");
    const { value } = await updates.next();
    expect(value).toEqual({ type: "snapshot", conversation: await readConversation(session) });
    await updates.return?.();
  });

  test.each(["signal", "return"] as const)(
    "ends by %s, also while it waits, and leaves nothing behind",
    async (how) => {
      const store = new MemoryStore();
      const unwatch = vi.fn<() => void>();
      vi.spyOn(store, "watch").mockReturnValue(unwatch);
      const abort = new AbortController();
      const quiet = new Agent({ model: new ScriptedModel() }).session({ store });
      const updates = watchConversation(quiet, { signal: abort.signal });
      expect((await updates.next()).value).toMatchObject({ type: "snapshot", conversation: { messages: [] } });
      const waiting = updates.next();
      await idle();
      if (how === "signal") abort.abort();
      else void updates.return?.();
      expect(await waiting).toEqual({ done: true, value: undefined });
      expect(await updates.next()).toEqual({ done: true, value: undefined });
      expect(unwatch).toHaveBeenCalledTimes(1);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test("ends before it begins when the signal has aborted", async () => {
    const session = new Agent({ model: new ScriptedModel() }).session();
    expect(await watchConversation(session, { signal: AbortSignal.abort() }).next()).toEqual({
      done: true,
      value: undefined,
    });
  });

  test("passes the failure of the store to the reader, and none to the run", async () => {
    const store = new MemoryStore();
    const session = new Agent({ model: new ScriptedModel(say("Fine.")) }).session({ id: "s", store });
    const updates = watchConversation(session);
    await updates.next();
    const waiting = updates.next();
    await idle();
    vi.spyOn(store, "records").mockRejectedValueOnce(new Error("no disk"));
    const other = new Agent({ model: new ScriptedModel() }).session({ id: "s", store });
    await other.describe({ title: "T" });
    await expect(waiting).rejects.toThrow("no disk");
    expect(await session.send("Hello.")).toMatchObject({ text: "Fine." });
  });
});

test("what waits for an answer is there for everybody, with its key", async () => {
  const store = new MemoryStore();
  const agent = new Agent({ model: new ScriptedModel(call("pay", { amount: 7 }), say("Paid.")), tools: [pay] });
  const open = (): Session => agent.session({ id: "s", store });
  await open().send("Pay.");
  const asked = await readConversation(open());
  const messageId = asked.messages[1]?.id;
  expect(asked).toMatchObject({ state: "waiting", title: "Pay." });
  expect(asked.pending).toEqual([
    {
      callId: "call:1.0",
      question: "approval",
      messageId,
      name: "pay",
      args: { amount: 7 },
      token: expect.any(String),
    },
  ]);
  expect(asked.pending.map(({ token }) => token)).toEqual((await open().state()).pending.map(({ token }) => token));
  expect(asked.messages[1]).toMatchObject({ state: "waiting", stopReason: "needs-approval" });

  await open().answer(await answersTo(open(), { approvals: { "call:1.0": true } }));
  expect(await readConversation(open())).toMatchObject({ state: "stopped", pending: [] });
  await open().resume();
  expect((await readConversation(open())).messages[1]).toMatchObject({
    id: messageId,
    state: "complete",
    parts: [{ type: "turn" }, { id: "call:1.0", state: "done", output: "paid" }, { type: "turn" }, { text: "Paid." }],
  });
});

test("a message that no run has read is queued until one reads it", async () => {
  const session = new Agent({ model: new ScriptedModel(say("Yes.")) }).session();
  await session.steer("By the way.");
  const queued = await readConversation(session);
  expect(queued.queued).toEqual([
    { id: "steer:0", at: expect.any(Number), parts: [{ type: "text", id: "text:0", text: "By the way." }] },
  ]);
  await session.send("Hello?");
  expect(await readConversation(session)).toMatchObject({
    queued: [],
    messages: [
      { role: "user" },
      { parts: [{ type: "turn" }, { type: "steering", id: "steering:1.0" }, { text: "Yes." }] },
    ],
  });
});

test("what a request has taken along is not queued again when more is said", async () => {
  const session = new Agent({ model: new ScriptedModel(hangs("Well, ")) }).session();
  const watcher = new Watcher(session);
  await session.steer("By the way.");
  const run = session.send("Hello?").catch(() => {});
  await until(() => textOf(watcher.conversation) === "Well, ");
  expect(watcher.conversation?.queued).toEqual([]);
  await session.steer("And another thing.");
  await until(() => watcher.conversation?.queued.length !== 0);
  expect(watcher.conversation?.queued).toMatchObject([{ parts: [{ text: "And another thing." }] }]);
  await session.stop();
  await run;
  await watcher.stop();
});
