import { Agent, defineTool, MemoryStore, type SessionStore } from "@pollux/core";
import { SessionStoreError } from "@pollux/core/errors";
import { call as calling, calls, say as saying, ScriptedModel } from "@pollux/core/testing";
import { call, say, script } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { BranchComparison, ForkResult, ReplayResult } from "../../src/inspection/results.ts";
import { inspect, keptSession } from "../support/inspected.ts";
import { add, foldOf, pay, sessionOf } from "../support/sessions.ts";
import { answersTo } from "../../../core/test/helpers/answers.ts";

const sums = () => script([call("add", { a: 1, b: 2 }), call("add", { a: 3, b: 4 }), say("The sums are 3 and 7.")]);

async function runIdOf(store: SessionStore, index = 0): Promise<string> {
  return (await foldOf(store)).runs[index]?.runId ?? "";
}

async function summed() {
  const kept = await keptSession(sums(), "What is 1 + 2, and 3 + 4?");
  const { store, exchanges } = kept;
  return { ...kept, runId: await runIdOf(store), inspected: inspect({ store, exchanges, allowActions: true }) };
}

describe("against the emulator, with a rebuilt agent", () => {
  test("without a change, the recorded answers fit to the end", async () => {
    const { store, inspected, runId, emulator } = await summed();
    const before = await store.load("chat-1");
    const sent = emulator.requests.length;
    const fork = await inspected.act<ForkResult>("fork", { runId, turn: 2, answers: "emulator" });
    expect(fork).toMatchObject({ isRunning: false, notes: [] });
    expect(fork).not.toHaveProperty("why");
    expect(fork.id).toMatch(/^chat-1-fork-[0-9a-f]{8}$/);
    expect(fork.comparison).toMatchObject({ sharedTurns: 3, rows: [], omitted: 0 });
    expect(fork.comparison.right.text).toBe("The sums are 3 and 7.");
    expect(await store.load("chat-1")).toEqual(before);
    expect(emulator.requests).toHaveLength(sent);
  });

  test("with another result of a call, both branches are compared", async () => {
    const { inspected, runId, store, exchanges } = await summed();
    const change = { runId, turn: 2, results: { "call:1.0": 100 }, answers: "emulator" };
    const { id, comparison } = await inspected.act<ForkResult>("fork", change);
    expect(comparison.sharedTurns).toBe(0);
    expect(comparison.rows[0]).toMatchObject({
      isSame: false,
      left: { turn: 1, calls: [{ name: "add", response: { output: 3 } }] },
      right: { turn: 1, calls: [{ name: "add", response: { output: 100 } }] },
    });
    expect(comparison.right.turns).toBeGreaterThan(1);
    expect(comparison.left.tokens).toBeGreaterThan(0);
    // The same comparison, from the stored session.
    expect(await inspected.view<BranchComparison>("compare", { with: id })).toEqual(comparison);
    const [row] = (await inspect({ store, exchanges }).view<{ title: string }[]>("log", {}, id)).slice(-1);
    expect(row).toBeDefined();
    const list = await store.list();
    expect(list.find((one) => one.id === id)).toMatchObject({
      title: "What is 1 + 2, and 3 + 4? (fork at turn 2)",
      metadata: { forkOf: "chat-1" },
      state: "idle",
    });
  });

  test("the continued run has a new id, and its requests have the change", async () => {
    const { inspected, runId, store } = await summed();
    const change = { runId, turn: 2, results: { "call:1.0": "none" }, answers: "emulator" };
    const { id } = await inspected.act<ForkResult>("fork", change);
    const fold = await foldOf(store, id);
    expect(fold.runs).toHaveLength(1);
    expect(fold.runs[0]?.runId).not.toBe(runId);
    expect(fold.problems).toEqual([]);
    // The fork is a session like any other.
    const replayed = await inspected.view<ReplayResult>("replay", {}, id);
    expect(replayed).toMatchObject({ stopReason: "finished" });
  });

  test("entries of a newer program are copied", async () => {
    const { store, runId } = await summed();
    const log = await store.load("chat-1");
    const news = { v: 3, at: 1, type: "weather", runId, sky: "blue" };
    const wider = new MemoryStore();
    await wider.append("chat-1", 0, log.toSpliced(2, 0, news));
    const inspected = inspect({ store: wider, allowActions: true });
    const { id } = await inspected.act<ForkResult>("fork", { runId, turn: 2, answers: "emulator" });
    expect((await wider.load(id))[2]).toEqual(news);
  });

  test("with another message, other instructions and fewer tools", async () => {
    const { inspected, runId } = await summed();
    const change = { runId, turn: 1, message: "Say hello.", answers: "emulator" };
    const other = await inspected.act<ForkResult>("fork", change);
    expect(other.comparison.rows[0]?.right).toMatchObject({ message: "Say hello.", calls: [] });
    const fewer = { runId, turn: 1, instructions: "You greet.", tools: ["pay"], answers: "emulator" };
    const { comparison, error } = await inspected.act<ForkResult>("fork", fewer);
    expect(error).toBeUndefined();
    expect(comparison.rows[0]?.right?.calls.map(({ name }) => name)).not.toContain("add");
  });

  test("after the run, with another message", async () => {
    const { inspected, runId, agent, store } = await summed();
    await agent
      .session({ id: "chat-1", store })
      .send("Thanks")
      .catch(() => {});
    const next = { runId, message: "And what is 5 + 6?", answers: "emulator" };
    const { comparison } = await inspected.act<ForkResult>("fork", next);
    expect(comparison).toMatchObject({ sharedTurns: 3, rows: [{ right: { message: "And what is 5 + 6?" } }, {}] });
  });

  test("of a log without kept requests, all answers are improvised, with a note", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [calling("add", { a: 1, b: 2 }), saying("It is 3.")]).send("What is 1 + 2?");
    const inspected = inspect({ store, allowActions: true });
    const change = { runId: await runIdOf(store), turn: 2, answers: "emulator" };
    const { notes, comparison, error } = await inspected.act<ForkResult>("fork", change);
    expect(error).toBeUndefined();
    expect(notes[0]).toContain("improvises");
    expect(comparison.sharedTurns).toBe(1);
    expect(comparison.right.text).not.toBe("");
  });

  test("messages to a run, questions and their answers keep their places", async () => {
    const store = new MemoryStore();
    const session = sessionOf(store, [calling("pay", { amount: 3 }), saying("Paid."), saying("Yes.")]);
    await session.send("Pay 3.");
    await session.steer("And quickly.");
    await session.resume(await answersTo(session, { approvals: { "call:1.0": true } }));
    const inspected = inspect({ store, allowActions: true });
    const change = { runId: await runIdOf(store), turn: 2, answers: "emulator" };
    const { id, error, comparison } = await inspected.act<ForkResult>("fork", change);
    expect(error).toBeUndefined();
    expect(comparison.sharedTurns).toBe(1);
    expect(await inspected.view("log", {}, id)).toContainEqual(expect.objectContaining({ type: "steer" }));
  });
});

describe("by a given agent", () => {
  test("its own model answers and its tools run, but nothing before the fork runs again", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [calling("add", { a: 1, b: 2 }), saying("It is 3.")]).send("What is 1 + 2?");
    const ran: unknown[] = [];
    const counted = defineTool({
      name: "add",
      description: "Adds two numbers",
      input: z.object({ a: z.number(), b: z.number() }),
      run: (input) => ran.push(input),
    });
    const model = new ScriptedModel(calls({ name: "add", args: { a: 5, b: 5 } }), saying("Ten."));
    const agents = { helper: new Agent({ model, tools: [counted, pay] }) };
    const inspected = inspect({ store, agents, allowActions: true });
    const change = {
      runId: await runIdOf(store),
      turn: 2,
      answers: "service",
      agent: "helper",
      instructions: "Go on.",
    };
    const { comparison, error } = await inspected.act<ForkResult>("fork", { ...change, tools: ["add"] });
    expect(error).toBeUndefined();
    expect(ran).toEqual([{ a: 5, b: 5 }]);
    expect(comparison).toMatchObject({ sharedTurns: 1, right: { text: "Ten.", turns: 2, stopReason: "finished" } });
    expect(model.requests[0]).toMatchObject({ instructions: "Go on." });
    expect(model.requests[0]?.contents).toHaveLength(3);
  });

  test("the emulator can answer it, too", async () => {
    const { store, exchanges, runId, agent, emulator } = await summed();
    const sent = emulator.requests.length;
    const inspected = inspect({ store, exchanges, agents: { helper: agent }, allowActions: true });
    const change = { runId, turn: 2, answers: "emulator", agent: "helper" };
    const { comparison, notes } = await inspected.act<ForkResult>("fork", change);
    expect(comparison.sharedTurns).toBe(3);
    expect(notes).toContainEqual(expect.stringContaining("Tools ran for real"));
    expect(emulator.requests).toHaveLength(sent);
  });

  test("a failure of the fork is shown, and the fork is stored", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [saying("Hello.")]).send("Hi");
    const agents = { helper: new Agent({ model: new ScriptedModel(), tools: [add] }) };
    const inspected = inspect({ store, agents, allowActions: true });
    const change = { runId: await runIdOf(store), turn: 1, answers: "service", agent: "helper" };
    const { error, id } = await inspected.act<ForkResult>("fork", change);
    expect(error).toContain("the script has 0 turns");
    expect((await foldOf(store, id)).state(false)).toBe("stopped");
  });
});

describe("without permission to write", () => {
  test("a read-only inspector forks in memory, by the emulator and without tools", async () => {
    const { store, exchanges, runId } = await summed();
    const inspected = inspect({ store, exchanges });
    const change = { runId, turn: 2, results: { "call:1.0": 100 }, answers: "emulator" };
    await expect(inspected.act("fork", change)).rejects.toThrow("403 read_only");
    const fork = await inspected.act<ForkResult>("try-fork", change);
    expect(fork).toMatchObject({ why: expect.stringContaining("read-only") });
    expect(fork.comparison.right.turns).toBeGreaterThan(1);
    expect(await store.list()).toHaveLength(1);
    const withService = { ...change, answers: "service" };
    await expect(inspected.act("try-fork", withService)).rejects.toThrow("403 read_only");
    await expect(inspected.act("try-fork", { ...change, agent: "x" })).rejects.toThrow("403 read_only");
  });

  test("a read-only store gets no fork, and the result says why", async () => {
    const { store, exchanges, runId } = await summed();
    const refusing = new Proxy(store, {
      get: (target, name) => {
        if (name === "append")
          return async (id: string) => Promise.reject(new SessionStoreError(id, "the disk is full"));
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const inspected = inspect({ store: refusing, exchanges, allowActions: true });
    const fork = await inspected.act<ForkResult>("fork", { runId, turn: 3, answers: "emulator" });
    expect(fork).toMatchObject({ why: expect.stringContaining("the disk is full") });
  });
});

test.each([
  [{ turn: 9, answers: "emulator" }, "has the turns 1 to 3"],
  [{ turn: 1.5, answers: "emulator" }, "has the turns 1 to 3"],
  [{ turn: 2, message: "Hi", answers: "emulator" }, "fork at the run's first turn"],
  [{ answers: "emulator" }, "Name the turn"],
  [{ turn: 2, results: { "call:2.0": 1 }, answers: "emulator" }, "call:2.0 has no outcome in the turn before"],
  [{ turn: 2, answers: "nobody" }, "answers must be"],
  [{ turn: 2, answers: "emulator", tools: [1] }, "tools must be a list of names"],
  [{ turn: 2, answers: "emulator", message: 1 }, "message must be a text"],
])("a fork that makes no sense is refused: %j", async (request, message) => {
  const { inspected, runId } = await summed();
  await expect(inspected.act("fork", { runId, ...request })).rejects.toThrow(message);
});

test("a comparison with a missing session is refused", async () => {
  const { inspected } = await summed();
  await expect(inspected.view("compare", { with: "other" })).rejects.toThrow("404 not_found");
});

test("improvised answers end", async () => {
  const { store, exchanges } = await keptSession(improvise(), "Add 1 and 2.");
  const inspected = inspect({ store, exchanges });
  const change = { runId: await runIdOf(store), turn: 1, message: "Pay 5.", answers: "emulator" };
  expect(await inspected.act("try-fork", change)).toMatchObject({ isRunning: false });
});

test("after a run whose answer was regenerated, the fork keeps that run", async () => {
  const store = new MemoryStore();
  const session = sessionOf(store, [saying("Oslo."), saying("Crete.")]);
  await session.send("Where should I go?");
  const first = await runIdOf(store);
  await session.regenerate();
  const { id, comparison } = await inspect({ store, allowActions: true }).act<ForkResult>("fork", {
    runId: first,
    message: "And then?",
    answers: "emulator",
  });
  expect(comparison).toMatchObject({ sharedTurns: 1, right: { turns: 1 } });
  const history = await sessionOf(store, [], { id }).history();
  expect(history.map(({ parts }) => parts[0]?.text).slice(0, 3)).toEqual(["Where should I go?", "Oslo.", "And then?"]);
});
