import { Agent, defineTool, MemoryStore, type PendingCall, runSoFar, type SessionStore } from "@pollux/core";
import { SessionStoreError } from "@pollux/core/errors";
import type { Observer, ObservedEvent } from "@pollux/core/observers";
import { call, calls, grounded, hangs, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { eventsOf, faces } from "../helpers/faces.ts";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { storeLike } from "../helpers/processes.ts";
import { SESSION_FACES } from "../session/session-faces.ts";

const PRICES = { input: 1, output: 1 };

function responseTo(model: ScriptedModel, request: number): unknown {
  return model.requests[request]?.contents.at(-1)?.parts[0]?.functionResponse?.response;
}

describe.each(faces)("an abort, read by %s", (_face, read) => {
  fakeTime("leaps");

  test("leaves in what observers read the cost of an inner run that had ended", async () => {
    const ends: ObservedEvent<"run-end">[] = [];
    const observer: Observer = { observe: (one) => void (one.type === "run-end" && ends.push(one)) };
    const helper = new Agent({ name: "helper", model: new ScriptedModel(say("Found.")), prices: PRICES });
    const wait = defineTool({ name: "wait", description: "x", run: () => new Promise(() => {}) });
    const model = new ScriptedModel(calls({ name: "helper", args: { task: "Find." } }, "wait"));
    const tools = [helper.asTool({ description: "x" }), wait];
    const agent = new Agent({ model, tools, observers: [observer], prices: PRICES });
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error("enough")), 100);
    await expect(read(agent, "Go.", { signal: abort.signal })).rejects.toThrow("enough");
    expect(ends).toMatchObject([{ ended: "aborted", usage: { requests: 2, totalTokens: 30 }, cost: 30 / 1_000_000 }]);
  });
});

describe.each(faces)("limits of the caller, read by %s", (_face, read) => {
  fakeTime("leaps");

  test("an inner run gets no more tokens than the caller has left, and says which limit ended it", async () => {
    const look = defineTool({ name: "look", description: "x", run: () => "seen" });
    const inner = new ScriptedModel(call("look"), call("look", { again: true }), say("Too late."));
    const helper = new Agent({ name: "helper", model: inner, tools: [look], limits: { totalTokens: 1_000 } });
    const outer = new ScriptedModel(call("helper", { task: "Look." }));
    const agent = new Agent({
      model: outer,
      tools: [helper.asTool({ description: "x" })],
      limits: { totalTokens: 40 },
    });
    const result = await read(agent, "Go.");
    // 15 tokens of the caller's first answer leave 25: room for two inner requests of 15, not for a third.
    expect(inner.requests).toHaveLength(2);
    expect(result.added.at(-1)?.parts[0]?.functionResponse?.response).toEqual({
      error: 'helper ended with "limit" (totalTokens)',
    });
    expect(result).toMatchObject({
      stopReason: "limit",
      limit: { name: "totalTokens", limit: 40, used: 45 },
      usage: { requests: 3, totalTokens: 45 },
    });
  });

  test("its own limits hold when they are lower", async () => {
    const inner = new ScriptedModel(call("nothing"), say("Too late."));
    const helper = new Agent({ name: "helper", model: inner, limits: { totalTokens: 10 } });
    const outer = new ScriptedModel(call("helper", { task: "Look." }), say("Done."));
    await read(
      new Agent({ model: outer, tools: [helper.asTool({ description: "x" })], limits: { totalTokens: 1_000 } }),
      "Go.",
    );
    expect(inner.requests).toHaveLength(1);
  });

  test("what an earlier call of the same turn used up is gone for the next", async () => {
    const inner = new ScriptedModel(say("First."), say("Never."));
    const helper = new Agent({ name: "helper", model: inner });
    const outer = new ScriptedModel(
      calls({ name: "helper", args: { task: "1" } }, { name: "helper", args: { task: "2" } }),
    );
    const agent = new Agent({
      model: outer,
      tools: [helper.asTool({ description: "x" })],
      limits: { totalTokens: 30, concurrentCalls: 1 },
    });
    const result = await read(agent, "Go.");
    expect(inner.requests).toHaveLength(1);
    expect(result.added.at(-1)?.parts.map((part) => part.functionResponse?.response)).toEqual([
      { output: "First." },
      { error: "helper was not run: this run has used up its totalTokens" },
    ]);
  });

  test("money: the caller's prices hold for an agent without its own, and its cost is added", async () => {
    const helper = new Agent({ name: "helper", model: new ScriptedModel(call("nothing"), say("Never.")) });
    const outer = new ScriptedModel(call("helper", { task: "x" }));
    const result = await read(
      new Agent({
        model: outer,
        tools: [helper.asTool({ description: "x" })],
        prices: PRICES,
        limits: { cost: 25 / 1_000_000 },
      }),
      "Go.",
    );
    expect(result).toMatchObject({ stopReason: "limit", limit: { name: "cost" }, usage: { requests: 2 } });
    expect(result.cost).toBeCloseTo(30 / 1_000_000, 12);
  });

  test("time: the caller's wall time ends the inner run", async () => {
    const helper = new Agent({ name: "helper", model: new ScriptedModel(hangs("Well")) });
    const result = await read(
      new Agent({
        model: new ScriptedModel(call("helper", { task: "x" })),
        // Nothing else would end it.
        tools: [helper.asTool({ description: "x", timeoutMs: Infinity })],
        limits: { wallTimeMs: 60 },
      }),
      "Go.",
    );
    expect(result).toMatchObject({ stopReason: "limit", limit: { name: "wallTimeMs" } });
  });
});

test("a tool reads what is left of its run's limits, those of its session included", async () => {
  const seen: unknown[] = [];
  const look = defineTool({
    name: "look",
    description: "x",
    run: (_input, { parent }) => (seen.push(parent?.remaining), "ok"),
  });
  const agent = new Agent({
    model: new ScriptedModel(call("look"), say("Done.")),
    tools: [look],
    limits: { outputTokens: 50, totalTokens: 500 },
  });
  await agent.session({ limits: { totalTokens: 100 } }).send("Go.");
  expect(seen).toEqual([{ outputTokens: 45, totalTokens: 85 }]);
});

test("the cost of an inner run that the caller's abort ended is in what the caller had done", async () => {
  const abort = new AbortController();
  const slow = defineTool({
    name: "slow",
    description: "x",
    run: () => (void idle().then(() => abort.abort()), new Promise(() => {})),
  });
  const helper = new Agent({ name: "helper", model: new ScriptedModel(call("slow")), tools: [slow], prices: PRICES });
  const error: unknown = await helper.run("Go.", { signal: abort.signal }).catch((reason: unknown) => reason);
  expect(runSoFar(error)).toMatchObject({ turns: 1, cost: 15 / 1_000_000 });
});

describe.each(faces)("approvals inside an inner run, read by %s", (_face, read) => {
  const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });
  const team = (approve?: (pending: PendingCall) => boolean): { clerkModel: ScriptedModel; agent: Agent } => {
    const payer = new Agent({ name: "payer", model: new ScriptedModel(call("pay"), say("It is paid.")), tools: [pay] });
    const clerkModel = new ScriptedModel(call("payer", { task: "Pay." }), say("Well."));
    const clerk = new Agent({
      name: "clerk",
      model: clerkModel,
      tools: [payer.asTool({ description: "x" })],
    });
    const outer = new ScriptedModel(call("clerk", { task: "Have it paid." }), say("Done."));
    return { clerkModel, agent: new Agent({ model: outer, tools: [clerk.asTool({ description: "x" })], approve }) };
  };

  test("are asked of the caller, with the agents the call came through", async () => {
    const asked: PendingCall[] = [];
    const { clerkModel, agent } = team((pending) => (asked.push(pending), true));
    await read(agent, "Go.");
    expect(asked).toEqual([
      {
        turn: 1,
        callId: "call:1.0",
        call: { name: "pay", args: {} },
        question: "approval",
        token: expect.any(String),
        path: ["clerk", "payer"],
      },
    ]);
    expect(responseTo(clerkModel, 1)).toEqual({ output: "It is paid." });
  });

  test("without anybody to ask the call is not made, and the caller's model reads why", async () => {
    const { clerkModel, agent } = team();
    await read(agent, "Go.");
    expect(responseTo(clerkModel, 1)).toEqual({ error: 'payer ended with "needs-approval"' });
  });
});

test("sources that an inner agent's tools found reach the top, and what the caller quotes of them is a citation", async () => {
  const leaf = new Agent({
    name: "leaf",
    model: new ScriptedModel(
      grounded("The tower is 330 m high.", { sources: [{ uri: "https://a.example", title: "a" }], queries: ["tower"] }),
    ),
  });
  const branch = new Agent({
    name: "branch",
    model: new ScriptedModel(call("leaf", { task: "How high?" }), say("330 m.")),
    tools: [leaf.asTool({ description: "x" })],
  });
  const root = new Agent({
    model: new ScriptedModel(call("branch", { task: "How high?" }), say("I looked: The tower is 330 m high.")),
    tools: [branch.asTool({ description: "x" })],
  });
  const { result } = await eventsOf(root, "How high?");
  expect(result).toMatchObject({
    sources: [{ number: 1, uri: "https://a.example", title: "a" }],
    searchQueries: ["tower"],
    citations: [{ text: "The tower is 330 m high.", sources: [1] }],
  });
});

test("events of an inner run's calls have the tool at the end of their path", async () => {
  const fetchPage = defineTool({
    name: "web_fetch",
    description: "x",
    run: async function* () {
      yield "half";
      return Promise.resolve("whole");
    },
  });
  const researcher = new Agent({
    name: "researcher",
    model: new ScriptedModel(call("web_fetch"), say("Read.")),
    tools: [fetchPage],
  });
  const root = new Agent({
    model: new ScriptedModel(call("researcher", { task: "?" }), say("Done.")),
    tools: [researcher.asTool({ description: "x" })],
  });
  const { events } = await eventsOf(root, "Go.");
  const told = events.flatMap((event) => {
    if (event.type !== "tool-progress") return [];
    const { path, event: inner } = event.progress as { path: string[]; event: { type: string } };
    return inner.type.startsWith("tool-") ? [`${path.join(" > ")}: ${inner.type}`] : [];
  });
  expect(told).toEqual([
    "researcher > web_fetch: tool-start",
    "researcher > web_fetch: tool-progress",
    "researcher > web_fetch: tool-end",
  ]);
});

describe.each(SESSION_FACES)("an inner run with a session of its own, read by %s", (_face, face) => {
  /** A store that fails the given append of entries whose JSON holds a text, once. */
  function failingOnce(store: SessionStore, id: string, text: string): SessionStore {
    let failed = false;
    return storeLike(store, {
      append: (session, length, entries, options) => {
        if (!failed && session === id && JSON.stringify(entries).includes(text)) {
          failed = true;
          return Promise.reject(new SessionStoreError(session, "the disk is full"));
        }
        return store.append(session, length, entries, options);
      },
    });
  }

  function process(store: SessionStore, innerModel: ScriptedModel, outerModel: ScriptedModel, looked: string[]) {
    const look = defineTool({ name: "look", description: "x", run: () => (looked.push("look"), "seen") });
    const helper = new Agent({ name: "helper", model: innerModel, tools: [look] });
    const tool = helper.asTool({
      description: "x",
      session: ({ idempotencyKey }) => helper.session({ id: `inner:${idempotencyKey}`, store }),
    });
    return new Agent({ model: outerModel, tools: [tool] }).session({ id: "outer", store });
  }

  test("goes on where it was cut off when the calling run is resumed", async () => {
    const kept = new MemoryStore();
    const looked: string[] = [];
    const store = failingOnce(kept, "inner:r1/call:1.0", "model:2");
    const abort = new AbortController();
    const first = process(
      store,
      new ScriptedModel(call("look"), () => (abort.abort(), say("lost"))),
      new ScriptedModel(call("helper", { task: "Look." })),
      looked,
    );
    await expect(face.send(first, "Go.", { runId: "r1", signal: abort.signal })).rejects.toThrow();

    const inner = new ScriptedModel(say("I saw it."));
    const outer = new ScriptedModel(say("It was seen."));
    const result = await face.resume(process(kept, inner, outer, looked));
    expect(result).toMatchObject({ stopReason: "finished", text: "It was seen.", usage: { requests: 4 } });
    expect(looked).toEqual(["look"]);
    expect(inner.requests).toHaveLength(1);
    expect(inner.requests[0]?.contents).toHaveLength(3);
    expect(responseTo(outer, 0)).toEqual({ output: "I saw it." });
  });

  test("is not run again when it was over before the calling run could write that down", async () => {
    const kept = new MemoryStore();
    const store = failingOnce(kept, "outer", "I saw it.");
    const first = process(
      store,
      new ScriptedModel(say("I saw it.")),
      new ScriptedModel(call("helper", { task: "Look." })),
      [],
    );
    await expect(face.send(first, "Go.", { runId: "r1" })).rejects.toThrow("the disk is full");

    const inner = new ScriptedModel();
    const outer = new ScriptedModel(say("It was seen."));
    const result = await face.resume(process(kept, inner, outer, []));
    expect(result).toMatchObject({ text: "It was seen.", usage: { requests: 3 } });
    expect(responseTo(outer, 0)).toEqual({ output: "I saw it." });
  });

  test("with a fixed id it remembers earlier calls", async () => {
    const store = new MemoryStore();
    const inner = new ScriptedModel(say("One."), say("Two."));
    const helper = new Agent({ name: "helper", model: inner });
    const outer = new ScriptedModel(
      call("helper", { task: "First?" }),
      call("helper", { task: "Next?" }),
      say("Done."),
    );
    const tools = [helper.asTool({ description: "x", session: () => helper.session({ id: "memory", store }) })];
    await face.send(new Agent({ model: outer, tools }).session(), "Go.");
    expect(inner.requests[1]?.contents.map(({ parts }) => parts[0]?.text)).toEqual(["First?", "One.", "Next?"]);
  });
});
