import { Agent, defineTool, MemoryStore, type Session, type SessionStore } from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { RunReleasedError } from "@pollux/core/errors";
import { call, calls, hangs, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { deferred } from "../helpers/deferred.ts";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { until } from "../helpers/until.ts";
import { SESSION_FACES, waits } from "./session-faces.ts";

fakeTime("leaps");

const user = (text: string) => ({ role: "user", parts: [{ text }] });

/** An agent with a tool that must not run twice and one that may, both busy until they are let go. */
function busy(...script: readonly ScriptLine[]) {
  const store: SessionStore = new MemoryStore();
  const [started, gate] = [deferred(), deferred()];
  const ran: string[] = [];
  const wait = async (what: string): Promise<string> => {
    ran.push(what);
    started.resolve();
    await gate.promise;
    return `${what} done`;
  };
  const pay = defineTool({ name: "pay", description: "x", effects: "once", run: () => wait("pay") });
  const look = defineTool({ name: "look", description: "x", effects: "none", run: () => wait("look") });
  const model = new ScriptedModel(...script);
  const agent = new Agent({ model, tools: [pay, look] });
  const open = (): Session => agent.session({ id: "s", store });
  return { store, model, ran, open, session: open(), started: started.promise, letGo: gate.resolve };
}

const failure = (run: Promise<unknown>): Promise<unknown> => run.then(() => undefined).catch((error: unknown) => error);

describe.each(SESSION_FACES)("a session that is released, read by %s", (_face, face) => {
  test("leaves its run in the middle of an answer, and another process continues it without a wait", async () => {
    const { session, open, store, model } = busy(hangs("One, two"), say("One, two, three."));
    const run = failure(face.send(session, "Count.", { runId: "r1" }));
    await vi.waitFor(async () => expect((await store.records("s")).draft).toBeDefined(), 60_000);
    const before = performance.now();
    expect(await session.release()).toBe(true);
    expect(await run).toMatchObject({ name: "RunReleasedError", code: "run_released", retryable: true });
    expect(await open().state()).toMatchObject({ lastRun: "cut-off", resumable: true });
    // What was shown stays shown.
    const { messages } = await readConversation(open());
    expect(messages.at(-1)).toMatchObject({
      state: "interrupted",
      parts: expect.arrayContaining([expect.objectContaining({ text: "One, two" })]),
    });
    expect(await face.continue(open(), { message: "Count.", runId: "r1" })).toMatchObject({
      stopReason: "finished",
      text: "One, two, three.",
    });
    expect(performance.now() - before).toBe(0);
    expect(model.requests).toHaveLength(2);
    expect(await open().history()).toHaveLength(2);
  });

  test("keeps what was shown when the next message closes the run", async () => {
    const { session, open, store } = busy(hangs("One, two"), say("As you like."));
    const run = failure(face.send(session, "Count."));
    await vi.waitFor(async () => expect((await store.records("s")).draft).toBeDefined(), 60_000);
    await session.release();
    await run;
    await face.send(open(), "Enough.");
    const history = await open().history();
    expect(history.map(({ parts }) => parts[0]?.text)).toEqual(["Count.", "One, two", "Enough.", "As you like."]);
  });

  test("waits for a once call that has begun, aborts the others, and no call has its effect twice", async () => {
    const { session, open, ran, letGo, model } = busy(calls({ name: "pay" }, { name: "look" }), say("Paid."));
    const run = failure(face.send(session, "Pay."));
    await until(() => ran.length === 2);
    let isReleased = false;
    const release = session.release().then(() => (isReleased = true));
    await idle();
    expect([isReleased, ran]).toEqual([false, ["look", "pay"]]);
    letGo();
    await release;
    expect(await run).toBeInstanceOf(RunReleasedError);
    expect(await face.resume(open())).toMatchObject({ stopReason: "finished", text: "Paid." });
    expect(ran).toEqual(["look", "pay", "look"]);
    expect(model.requests).toHaveLength(2);
  });

  test("begins no once call any more", async () => {
    const store = new MemoryStore();
    const [started, gate] = [deferred(), deferred()];
    const ran: string[] = [];
    const pay = defineTool({
      name: "pay",
      description: "x",
      effects: "once",
      sequential: true,
      run: async (_input, { callId }) => {
        ran.push(callId);
        started.resolve();
        await gate.promise;
        return "paid";
      },
    });
    const model = new ScriptedModel(calls({ name: "pay" }, { name: "pay" }), say("Paid."));
    const open = (): Session => new Agent({ model, tools: [pay] }).session({ id: "s", store });
    const session = open();
    const run = failure(face.send(session, "Pay twice."));
    await started.promise;
    const release = session.release();
    gate.resolve();
    await release;
    await run;
    expect(ran).toEqual(["call:1.0"]);
    expect(await face.resume(open())).toMatchObject({ stopReason: "finished" });
    expect(ran).toEqual(["call:1.0", "call:1.1"]);
  });

  test("cuts a once call when its signal says so; the caller that continues is asked about it", async () => {
    const { session, open, ran, started } = busy(call("pay"), say("Paid."));
    const run = failure(face.send(session, "Pay."));
    await started;
    const limit = new AbortController();
    const release = session.release({ signal: limit.signal });
    await idle();
    limit.abort();
    await release;
    expect(await run).toBeInstanceOf(RunReleasedError);
    expect(waits(await face.resume(open()))).toEqual(["call:1.0 unknown-outcome"]);
    expect(ran).toEqual(["pay"]);
  });

  test("can be released twice, the second time without waiting", async () => {
    const { session, open, started } = busy(call("pay"), say("Paid."));
    const run = failure(face.send(session, "Pay."));
    await started;
    const first = session.release();
    expect(await session.release({ signal: AbortSignal.abort() })).toBe(true);
    expect(await first).toBe(true);
    await run;
    expect(await open().state()).toMatchObject({ lastRun: "cut-off" });
  });

  test("makes no more runs, and stores nothing of a message", async () => {
    const { session, store, model } = busy(say("Hello."));
    expect(await session.release()).toBe(false);
    expect(await failure(face.send(session, "Hi."))).toBeInstanceOf(RunReleasedError);
    expect([await store.load("s"), model.requests]).toEqual([[], []]);
  });

  test("stores nothing of a message that waits for a run of another process", async () => {
    const { session, open, started, letGo, store } = busy(call("pay"), say("Paid."));
    const other = open();
    const run = face.send(other, "Pay.");
    await started;
    const waiting = failure(face.send(session, "And me?", { whileRunning: "wait" }));
    await idle();
    const before = performance.now();
    expect(await session.release()).toBe(false);
    expect(await waiting).toBeInstanceOf(RunReleasedError);
    expect(performance.now()).toBe(before);
    letGo();
    expect(await run).toMatchObject({ text: "Paid." });
    expect(JSON.stringify(await store.load("s"))).not.toContain("And me?");
  });

  test("ends a run that was aborted before it was released", async () => {
    const { session, open, store } = busy(hangs("One, two"));
    const leave = new AbortController();
    const run = failure(face.send(session, "Count.", { signal: leave.signal }));
    await vi.waitFor(async () => expect((await store.records("s")).draft).toBeDefined(), 60_000);
    leave.abort();
    await session.release();
    await run;
    expect(await open().state()).toMatchObject({ lastRun: "aborted" });
  });

  test("ends its run after all when somebody stops it meanwhile", async () => {
    const { session, open, started } = busy(call("pay"), say("Paid."));
    const run = failure(face.send(session, "Pay."));
    await started;
    const release = session.release();
    await idle();
    expect(await open().stop()).toBe(true);
    await release;
    await run;
    expect(await open().state()).toMatchObject({ lastRun: "aborted" });
    expect((await open().history())[0]).toEqual(user("Pay."));
  });
});
