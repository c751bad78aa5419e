import {
  Agent,
  ApiStatusError,
  defineTool,
  type Json,
  MemoryStore,
  type Session,
  type SessionEntry,
} from "@pollux/core";
import {
  applyUpdate,
  type Conversation,
  buildConversation,
  type ConversationUpdate,
  conversationUpdates,
  readConversation,
} from "@pollux/core/conversation";
import { call, calls, fails, hangs, join, say, ScriptedModel, think } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { lookUp, pay } from "./scripts.ts";
import { expectLaws, expectSound, WatchedStore, Watcher } from "./watched-store.ts";

async function entriesOf(store: MemoryStore, id = "s"): Promise<SessionEntry[]> {
  return (await store.load(id)) as unknown as SessionEntry[];
}

/** Looks things up until it has two values, whatever was answered before. */
function lookingUp(): Agent {
  const line = ({ contents }: { readonly contents: readonly unknown[] }) =>
    contents.length < 3
      ? join(
          think("Hm."),
          say("First. "),
          calls({ name: "look_up", args: { key: "a" } }, { name: "look_up", args: { key: "b" } }),
        )
      : contents.length < 5
        ? join(say("Second. "), call("look_up", { key: "c" }))
        : say("a!, ", "b! and c!");
  return new Agent({ model: new ScriptedModel(...Array.from({ length: 20 }, () => line)), tools: [lookUp] });
}

describe("a run that died", () => {
  fakeTime("leaps");

  test("at any moment is shown as cut off, and resumed as the same message", async () => {
    const whole = new WatchedStore();
    await lookingUp().session({ id: "s", store: whole }).send("Look.", { runId: "r" });
    const entries = await entriesOf(whole);
    const end = await whole.look("s");
    expect(entries.length).toBeGreaterThan(6);
    for (let length = 1; length < entries.length; length++) {
      const store = new MemoryStore();
      await store.append("s", 0, entries.slice(0, length) as unknown as readonly Json[]);
      const cut = buildConversation("s", entries.slice(0, length));
      expectSound(cut);
      expect(cut).toMatchObject({ state: "cut-off", pending: [] });
      expect(cut.messages[1]).toMatchObject({ id: "r:assistant", state: "interrupted" });
      for (const part of cut.messages[1]?.parts ?? [])
        if (part.type === "tool-call") expect(["done", "cancelled"]).toContain(part.state);

      const session = lookingUp().session({ id: "s", store });
      const watcher = new Watcher(session);
      await idle();
      expect(watcher.conversation).toEqual(cut);
      await session.resume();
      await watcher.stop();
      const resumed = expectLaws(watcher.updates);
      expect(resumed).toEqual(buildConversation("s", await entriesOf(store)));
      expect(resumed.messages).toEqual(end.messages);
    }
  });

  test("in the middle of a text is shown with its text so far, marked as interrupted", async () => {
    const store = new WatchedStore();
    const session = new Agent({ model: new ScriptedModel(hangs("It ", "began")) }).session({ id: "s", store });
    const run = session.send("Tell.").catch(() => {});
    while ((await store.records("s")).draft === undefined) await idle();
    const [entries, { draft, lease }] = [await entriesOf(store), await store.records("s")];
    await session.stop();
    await run;

    const [user, going] = buildConversation("s", entries, { draft, lease }).messages;
    expect(user?.parts).toEqual([{ type: "text", id: "text:0", text: "Tell." }]);
    expect(going).toMatchObject({
      state: "streaming",
      parts: [{ type: "turn" }, { text: "It began", streaming: true }],
    });
    const dead = buildConversation("s", entries, { draft });
    expect(dead.state).toBe("cut-off");
    expect(dead.messages[1]).toMatchObject({ id: going?.id, state: "interrupted" });
    expect(dead.messages[1]?.parts).toEqual([
      { type: "turn", id: "turn:1", turn: 1 },
      { type: "text", id: "text:1.0", text: "It began" },
      { type: "interruption", id: "interruption", turn: 1 },
    ]);
  });
});

const sends = defineTool({ name: "send", description: "Sends.", effects: "once", run: () => "sent" });

test("a call that may have taken effect when its run died is not shown as cancelled", async () => {
  const store = new WatchedStore();
  const open = (): Agent => new Agent({ model: new ScriptedModel(call("send"), say("Sent.")), tools: [sends] });
  await open().session({ id: "s", store }).send("Send.");
  const entries = await entriesOf(store);
  const begun = entries.slice(0, entries.findIndex(({ type }) => type === "begin") + 1);
  const dead = new MemoryStore();
  await dead.append("s", 0, begun as unknown as readonly Json[]);
  const shown = { state: "failed", failure: { kind: "unknown-outcome" } };
  expect(buildConversation("s", begun).messages[1]?.parts[1]).toMatchObject(shown);

  const model = new ScriptedModel(say("Perhaps."));
  await new Agent({ model }).session({ id: "s", store: dead }).send("Was it sent?");
  expect(JSON.stringify(model.requests[0]?.contents)).toContain("unknown whether");
  expect(buildConversation("s", await entriesOf(dead)).messages[1]?.parts[1]).toMatchObject(shown);
});

test("a call whose outcome stays unknown is not shown as withdrawn", async () => {
  const store = new WatchedStore();
  const unknown = (): Agent => new Agent({ model: new ScriptedModel(call("send"), say("Well.")), tools: [sends] });
  await unknown().session({ id: "s", store }).send("Send.");
  const entries = await entriesOf(store);
  const dead = new MemoryStore();
  await dead.append(
    "s",
    0,
    entries.slice(0, entries.findIndex(({ type }) => type === "begin") + 1) as unknown as Json[],
  );
  const session = unknown().session({ id: "s", store: dead });
  await session.resume();
  expect((await readConversation(session)).pending).toMatchObject([{ question: "unknown-outcome" }]);
  const watcher = new Watcher(session);
  await idle();
  await session.send("Never mind.", { unfinished: "close" });
  await watcher.stop();
  const shown = { state: "failed", failure: { kind: "unknown-outcome" } };
  expect(expectLaws(watcher.updates).messages[1]?.parts[1]).toMatchObject(shown);
});

test("a run that died while a call waited still shows its question", async () => {
  const store = new WatchedStore();
  const agent = new Agent({
    model: new ScriptedModel(calls("pay", { name: "look_up", args: { key: "a" } })),
    tools: [pay, lookUp],
  });
  await agent.session({ id: "s", store }).send("Pay.");
  const entries = await entriesOf(store);
  const route = entries.findIndex((entry) => entry.type === "step" && entry.step === "route:1");
  const cut = buildConversation("s", entries.slice(0, route + 1));
  expect(cut.pending).toMatchObject([{ callId: "call:1.0", question: "approval" }]);
  expect(cut.messages[1]?.parts).toMatchObject([
    { type: "turn" },
    { id: "call:1.0", state: "pending-approval" },
    { id: "call:1.1", state: "cancelled" },
  ]);
});

test("an answer that was interrupted says whether the model knows of it", async () => {
  for (const keepInterrupted of [true, false]) {
    const session = new Agent({ model: new ScriptedModel(hangs("It ", "began"), say("Yes.")) }).session();
    const run = session.send("Tell.").catch(() => {});
    for (let turn = 0; turn < 20; turn++) await idle();
    await session.stop();
    await run;
    await session.send("And?", { keepInterrupted });
    expect((await readConversation(session)).messages[1]?.parts.at(-1)).toEqual({
      type: "interruption",
      id: "interruption",
      turn: 1,
      ...(!keepInterrupted && { dropped: true }),
    });
  }
});

test("the events of a resumed run take back at once what was interrupted, and nothing else", async () => {
  const model = new ScriptedModel(call("look_up", { key: "a" }), hangs("It ", "began"), say("Anew."));
  const session = new Agent({ model, tools: [lookUp] }).session();
  const run = session.send("Tell.").catch(() => {});
  for (let turn = 0; turn < 20; turn++) await idle();
  await session.stop();
  await run;
  const before = await readConversation(session);
  let conversation = before;
  const watcher = new Watcher(session);
  await idle();
  const seen: Conversation[] = [];
  for await (const update of conversationUpdates(session.resumeStream(), { conversation })) {
    conversation = applyUpdate(conversation, update);
    seen.push(conversation);
  }
  expect(before.messages[1]?.parts.map(({ id }) => id)).toEqual([
    "turn:1",
    "call:1.0",
    "turn:2",
    "text:2.0",
    "interruption",
  ]);
  const [, resumed] = seen;
  expect(resumed?.messages[1]).toMatchObject({ state: "streaming" });
  for (const state of seen.slice(1))
    expect(state.messages[1]?.parts.slice(0, 2)).toEqual(before.messages[1]?.parts.slice(0, 2));
  expect(resumed?.messages[1]?.parts).toHaveLength(2);
  expect(conversation.messages[1]?.parts.at(-1)).toMatchObject({ id: "text:2.0", text: "Anew." });
  await watcher.stop();
  expect(watcher.states[0]).toEqual(before);
  expect(watcher.states[1]?.messages[1]?.parts).toHaveLength(2);
});

test("a citation whose words are not in the text marks nothing; its source is listed all the same", async () => {
  const groundingMetadata = {
    groundingChunks: [{ web: { uri: "https://a.example", title: "A" } }],
    groundingSupports: [{ segment: { endIndex: 5, text: "zzzzz" }, groundingChunkIndices: [0] }],
  };
  const session = new Agent({
    model: new ScriptedModel({ ...say("Hello there."), candidate: { groundingMetadata } }),
  }).session();
  await session.send("Hi.");
  expect((await readConversation(session)).messages[1]).toMatchObject({
    sources: [{ number: 1, kind: "web", uri: "https://a.example", title: "A" }],
    parts: [{ type: "turn" }, { type: "text", id: "text:1.0", text: "Hello there." }],
  });
  expect(JSON.stringify(await readConversation(session))).not.toContain("citations");
});

test("a source has the page and the image that File Search found", async () => {
  const mediaId = "fileSearchStores/s/media/m";
  const groundingMetadata = { groundingChunks: [{ retrievedContext: { title: "Manual", pageNumber: 7, mediaId } }] };
  const session = new Agent({
    model: new ScriptedModel({ ...say("Page 7."), candidate: { groundingMetadata } }),
  }).session();
  await session.send("Where?");
  expect((await readConversation(session)).messages[1]?.sources).toEqual([
    { number: 1, kind: "document", title: "Manual", pageNumber: 7, mediaId },
  ]);
});

test("a call is shown as running once it is known to have begun, and as called before", async () => {
  const store = new WatchedStore();
  const once = defineTool({ name: "pay", description: "Pays.", effects: "once", run: () => "paid" });
  const agent = new Agent({
    model: new ScriptedModel(calls({ name: "look_up", args: { key: "a" } }, "pay"), say("Done.")),
    tools: [lookUp, once],
  });
  const session = agent.session({ id: "s", store });
  const watcher = new Watcher(session);
  await idle();
  await session.send("Go.");
  await watcher.stop();
  const statesOf = (key: string, seen: readonly Conversation[]): string[] => {
    const states = seen.flatMap(({ messages }) =>
      (messages[1]?.parts ?? []).flatMap((part) => (part.type === "tool-call" && part.id === key ? [part.state] : [])),
    );
    return states.filter((state, index) => state !== states[index - 1]);
  };
  expect(statesOf("call:1.0", watcher.states)).toEqual(["writing", "called", "running", "done"]);
  expect(statesOf("call:1.1", watcher.states)).toEqual(["writing", "called", "running", "done"]);
  // The log knows it only of calls that must not happen twice.
  expect(statesOf("call:1.0", store.snapshots)).toEqual(["called", "done"]);
  expect(statesOf("call:1.1", store.snapshots)).toEqual(["called", "running", "done"]);
});

test("a conversation that came from elsewhere is shown as messages without runs", async () => {
  const store = new MemoryStore();
  const agent = new Agent({
    model: new ScriptedModel(call("look_up", { key: "a" }), say("a!"), say("Again.")),
    tools: [lookUp],
  });
  const session = agent.session({ id: "s", store });
  await session.send("Look.");
  const fork = await session.fork({ id: "f" });
  const watcher = new Watcher(fork);
  await idle();
  expect(watcher.conversation).toEqual({
    ...buildConversation("f", []),
    title: "Look.",
    position: { log: 1, live: [1, 0, 0, 0] },
    messages: [
      {
        id: "history:0",
        role: "user",
        state: "complete",
        parts: [{ type: "text", id: "text:0", text: "Look." }],
        sources: [],
        searchEntryPoints: [],
      },
      {
        id: "history:1",
        role: "model",
        state: "complete",
        parts: [
          { type: "turn", id: "turn:1", turn: 1 },
          {
            type: "tool-call",
            id: "call:1.0",
            name: "look_up",
            args: { key: "a" },
            state: "done",
            output: { value: "a!" },
          },
          { type: "turn", id: "turn:2", turn: 2 },
          { type: "text", id: "text:2.0", text: "a!" },
        ],
        sources: [],
        searchEntryPoints: [],
        // The tool does not say what it reads.
        untrusted: true,
        private: true,
      },
    ],
  });
  await fork.send("Once more.");
  await watcher.stop();
  expect(expectLaws(watcher.updates)).toEqual(buildConversation("f", await entriesOf(store, "f")));
  expect(watcher.conversation?.messages).toHaveLength(4);
});

test("a conversation goes on under another agent, for the same watcher", async () => {
  const store = new MemoryStore();
  const desk = new Agent({ model: new ScriptedModel(say("One moment.")) });
  const billing = new Agent({ model: new ScriptedModel(say("12 euros.")) });
  const session = desk.session({ id: "s", store });
  const watcher = new Watcher(session);
  await idle();
  await session.send("What do I owe?");
  await session.as(billing).send("Take over.");
  await watcher.stop();
  expect(expectLaws(watcher.updates)).toEqual(buildConversation("s", await entriesOf(store)));
  expect(watcher.conversation?.messages.map(({ role }) => role)).toEqual(["user", "model", "user", "model"]);
});

test("a chat without a session is shown by its events", async () => {
  const chat = new Agent({ model: new ScriptedModel(say("Hi."), say("Bye.")) }).session();
  let conversation: Conversation | undefined;
  for (const input of ["Hello.", "So long."])
    for await (const update of conversationUpdates(chat.stream(input), { conversation, input }))
      conversation = applyUpdate(conversation, update);
  expect(conversation).toMatchObject({ id: "", state: "idle" });
  expect(conversation?.messages.map(({ parts }) => parts.at(-1))).toEqual([
    { type: "text", id: "text:0", text: "Hello." },
    { type: "text", id: "text:1.0", text: "Hi." },
    { type: "text", id: "text:0", text: "So long." },
    { type: "text", id: "text:1.0", text: "Bye." },
  ]);
});

test("an error of other code is shown with a text that is safe for anybody, whatever its code is", async () => {
  const model = new ScriptedModel(fails(Object.assign(new Error("secret"), { code: "constructor" })));
  const session = new Agent({ model }).session({ id: "s", store: new MemoryStore() });
  await expect(session.send("Hi.")).rejects.toThrow("secret");
  const { messages } = await readConversation(session);
  expect(messages.at(-1)?.error).toEqual({ name: "Error", code: "constructor", message: "Something went wrong." });
});

test.each([
  [{ status: 429, resetsAt: 1 }, "The daily quota for the model is used up. It starts over at midnight Pacific time."],
  [{ status: 429 }, "A rate limit or quota of the model's service has been reached."],
  [{ status: 503 }, "The model's service is overloaded or not available."],
  [{ status: 400 }, "The model's service refused the request or could not answer it."],
])("a refusal with %j has words of its own, live and from the log", async (facts, message) => {
  const refusal = new ApiStatusError("Secret words of the service.", { ...facts, retryable: false });
  const session = new Agent({ model: new ScriptedModel(fails(refusal)) }).session({
    id: "s",
    store: new MemoryStore(),
  });
  let live: Conversation | undefined;
  const follow = async (): Promise<void> => {
    for await (const update of conversationUpdates(session.stream("Hi."), { input: "Hi." }))
      live = applyUpdate(live, update);
  };
  await expect(follow()).rejects.toBe(refusal);
  for (const conversation of [live, await readConversation(session)])
    expect(conversation?.messages.at(-1)?.error).toEqual({ name: "ApiStatusError", code: "api_status", message });
});

describe("what the updates of a run cost", () => {
  /** Bytes that a watcher gets for a run. */
  async function bytesOf(session: Session, message: string): Promise<number> {
    const watcher = new Watcher(session);
    await idle();
    const before = watcher.updates.length;
    await session.send(message);
    await watcher.stop();
    return JSON.stringify(watcher.updates.slice(before)).length;
  }

  test("does not grow with the conversation", async () => {
    const turns = Array.from({ length: 110 }, () => [call("look_up", { key: "a" }), say("It ", "is ", "so.")]);
    const session = new Agent({ model: new ScriptedModel(...turns.flat()), tools: [lookUp] }).session();
    const first = await bytesOf(session, "Well?");
    for (let count = 0; count < 100; count++) await session.send("Well?");
    const later = await bytesOf(session, "Well?");
    expect((await readConversation(session)).messages).toHaveLength(204);
    // Positions have more digits.
    expect(later).toBeLessThan(first * 1.05);
  });

  test("grows with the text, and not faster", async () => {
    const talk = (words: number) =>
      new Agent({ model: new ScriptedModel(say(...Array.from({ length: words }, () => "word "))) });
    const cost = async (words: number): Promise<number> => {
      let bytes = 0;
      for await (const update of conversationUpdates(talk(words).stream("Talk.")))
        bytes += JSON.stringify(update).length;
      return bytes;
    };
    const [few, many] = [await cost(100), await cost(1000)];
    expect(many / few).toBeLessThan(11);
    expect(many).toBeLessThan(1000 * 250);
  });
});

describe("applying an update", () => {
  const start = buildConversation("s", []);
  const at = (log: number, ...live: [number, number, number, number]) => ({ log, live });
  const title = (position: ReturnType<typeof at>, text: string): ConversationUpdate => ({
    type: "changes",
    at: position,
    changes: [{ type: "title", title: text }],
  });

  test.each([
    ["the same place", at(3, 2, 1, 40, 2), false],
    ["an earlier entry", at(2, 1, 0, 0, 0), false],
    ["less of the same answer", at(3, 2, 1, 39, 1), false],
    ["more of the same answer, by one who sees less", at(3, 2, 1, 41, 0), true],
    ["a call of the same answer, by one who has heard less", at(3, 2, 1, 10, 3), true],
    ["another attempt at it", at(3, 2, 2, 0, 0), true],
    ["an earlier attempt", at(3, 2, 0, 90, 9), false],
    ["more of the answer, without an entry that came from outside", at(2, 2, 1, 41, 2), true],
    ["an entry from outside, with less of the answer", at(4, 2, 1, 39, 0), true],
    ["the next entry", at(4, 3, 0, 0, 0), true],
  ])("of %s", (_name, position, isNew) => {
    const known = { ...start, position: at(3, 2, 1, 40, 2) };
    const next = applyUpdate(known, title(position, "New"));
    if (isNew) expect(next.title).toBe("New");
    else expect(next).toBe(known);
    expect(applyUpdate(next, title(position, "Twice"))).toBe(next);
  });

  test("changes neither of them, and needs a snapshot first", () => {
    const frozen = Object.freeze({ ...start, messages: Object.freeze([]) });
    const snapshot = { type: "snapshot", conversation: frozen } as const;
    expect(applyUpdate(undefined, snapshot)).toBe(frozen);
    expect(applyUpdate(frozen, title(at(1, 0, 0, 0, 0), "T"))).toMatchObject({ title: "T" });
    expect(frozen).toEqual(start);
    expect(() => applyUpdate(undefined, title(at(1, 0, 0, 0, 0), "T"))).toThrow(TypeError);
  });

  test("adds of a text only what is not there yet", () => {
    const message = {
      id: "m",
      role: "model" as const,
      state: "streaming" as const,
      parts: [{ type: "text" as const, id: "t", text: "Hello wor" }],
      sources: [],
      searchEntryPoints: [],
    };
    const known = { ...start, messages: [message] };
    const grow = (offset: number, delta: string) =>
      applyUpdate(known, {
        type: "changes",
        at: at(0, 0, 1, 1, 0),
        changes: [{ type: "text", messageId: "m", partId: "t", offset, delta }],
      }).messages[0]?.parts[0];
    expect(grow(9, "ld")).toMatchObject({ text: "Hello world" });
    expect(grow(6, "world")).toMatchObject({ text: "Hello world" });
    expect(grow(0, "Hello")).toMatchObject({ text: "Hello wor" });
    expect(grow(12, "!")).toMatchObject({ text: "Hello wor" });
  });
});

test("an answer that a guardrail stopped is taken back when it was shown before", async () => {
  const store = new MemoryStore();
  const guardrails = { output: [{ name: "stop", check: () => ({ stop: "no" }) }], streaming: "show" } as const;
  const session = new Agent({ model: new ScriptedModel(say("A draft.")), guardrails }).session({ store });
  let conversation: Conversation | undefined;
  const shown: boolean[] = [];
  for await (const update of conversationUpdates(session.stream("Go."), { input: "Go." })) {
    conversation = applyUpdate(conversation, update);
    shown.push(JSON.stringify(conversation).includes("A draft."));
  }
  expect(shown).toContain(true);
  expect(conversation?.messages.at(-1)).toMatchObject({ state: "stopped", parts: [] });
  expect((await readConversation(session)).messages.at(-1)).toMatchObject({ state: "stopped", parts: [] });
});
