import {
  Agent,
  defineTool,
  MemoryStore,
  type Session,
  SessionRunningError,
  type SessionStore,
  UnexpectedAnswerError,
} from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { NothingToResumeError, RunStoppedError, SessionLeaseLostError } from "@pollux/core/errors";
import { call, calls, collect, hangs, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { deferred } from "../helpers/deferred.ts";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { Processes, storeLike } from "../helpers/processes.ts";
import { SESSION_FACES } from "./session-faces.ts";
import { answersTo } from "../helpers/answers.ts";
import { until } from "../helpers/until.ts";

fakeTime("leaps");

const user = (text: string) => ({ role: "user", parts: [{ text }] });
const texts = async (session: Session): Promise<string[]> =>
  (await session.history()).map(({ parts }) => parts[0]?.text ?? "-");

/** A session whose tool is busy until it is let go; `other` is the same session as another object, as another process has it. */
function busy(...script: readonly ScriptLine[]) {
  const store = new MemoryStore();
  const [started, gate] = [deferred(), deferred()];
  const ran: string[] = [];
  const work = defineTool({
    name: "work",
    description: "x",
    effects: "once",
    run: async (_input, { callId }) => {
      ran.push(callId);
      started.resolve();
      await gate.promise;
      return "worked";
    },
  });
  const model = new ScriptedModel(call("work"), ...script);
  const agent = new Agent({ model, tools: [work] });
  const open = (at: SessionStore = store): Session => agent.session({ id: "s", store: at });
  return { store, model, ran, open, session: open(), other: open(), started: started.promise, letGo: gate.resolve };
}

/** The store of a process that can be paused: it renews nothing then, and what it was about to write arrives when it wakes up. */
function pausable(store: SessionStore) {
  let paused = false;
  const wake = deferred();
  const sleepy = storeLike(store, {
    setLease: async (...args) => (paused ? (await wake.promise, store.setLease(...args)) : store.setLease(...args)),
    append: async (...args) => (paused ? (await wake.promise, store.append(...args)) : store.append(...args)),
  });
  return { sleepy, pause: () => void (paused = true), wake: () => wake.resolve() };
}

describe.each(SESSION_FACES)("a run that is going, read by %s", (_face, face) => {
  test("is running for others, who can neither resume it nor send, and it is executed once", async () => {
    const { session, other, ran, started, letGo, store } = busy(say("Done."));
    const run = face.send(session, "Work.", { runId: "r1" });
    await started;
    expect(await other.state()).toMatchObject({ lastRun: "running", resumable: false, pending: [] });
    expect(await session.state()).toMatchObject({ lastRun: "running", resumable: false });
    const stored = await store.load("s");
    await expect(face.resume(other)).rejects.toThrow(SessionRunningError);
    await expect(face.send(other, "Me too.")).rejects.toMatchObject({
      code: "session_running",
      runId: "r1",
      sessionId: "s",
    });
    await expect(face.send(session, "Me too.")).rejects.toThrow(SessionRunningError);
    expect(await store.load("s")).toEqual(stored);
    letGo();
    expect((await run).text).toBe("Done.");
    expect(ran).toEqual(["call:1.0"]);
    expect(await other.state()).toMatchObject({ lastRun: "finished" });
    await expect(face.resume(other)).rejects.toThrow(NothingToResumeError);
  });

  test("is steered by a message that says so, which gets the run's result", async () => {
    const { session, other, model, started, letGo } = busy(say("Both done."));
    const run = face.send(session, "Work.");
    await started;
    const second = face.send(other, "And that.", { whileRunning: "steer" });
    await vi.advanceTimersByTimeAsync(5000);
    letGo();
    expect((await run).text).toBe("Both done.");
    expect((await second).text).toBe("Both done.");
    expect(model.requests).toHaveLength(2);
    expect(model.requests[1]?.contents.at(-1)).toEqual(user("And that."));
  });

  test("is waited for by a message that says so", async () => {
    const { session, other, started, letGo } = busy(say("One."), say("Two."));
    const run = face.send(session, "First.");
    await started;
    const second = face.send(other, "Second.", { whileRunning: "wait" });
    const third = face.send(session, "Third.", { whileRunning: "wait" }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(5000);
    // What the first one has said so far.
    expect(await texts(other)).toEqual(["First.", "-", "-"]);
    letGo();
    await Promise.all([run, second]);
    expect((await texts(other)).slice(0, 6)).toEqual(["First.", "-", "-", "One.", "Second.", "Two."]);
    // The script has no third answer; it was asked for, once.
    expect(await third).toMatchObject({ message: expect.stringContaining("the model was asked 4 times") });
  });

  test("is stopped and replaced by a message that says so", async () => {
    const { session, other, started } = busy(say("Instead."));
    const run = face.send(session, "First.").catch((error: unknown) => error);
    await started;
    expect((await face.send(other, "Second.", { whileRunning: "replace" })).text).toBe("Instead.");
    expect(await run).toBeInstanceOf(RunStoppedError);
    expect(await texts(other)).toEqual(["First.", "-", "-", "Second.", "Instead."]);
  });

  test("is stopped by another process, at once where its store can tell, and within a second where it cannot", async () => {
    for (const watches of [true, false]) {
      const { session, open, store, started } = busy();
      const poll = storeLike(store, watches ? {} : { watch: undefined });
      const first = watches ? session : open(poll);
      const run = face.send(first, "First.").catch((error: unknown) => error);
      await started;
      const before = performance.now();
      expect(await open(poll).stop()).toBe(true);
      expect(performance.now() - before).toBeLessThanOrEqual(watches ? 0 : 2000);
      expect(await run).toMatchObject({ name: "RunStoppedError", code: "run_stopped" });
      expect(await open().state()).toMatchObject({ lastRun: "aborted", resumable: true });
      expect(await open().stop()).toBe(false);
    }
  });

  test("does not hear of a request to stop an earlier run", async () => {
    const { session, other, store, started, letGo } = busy(say("One."), say("Two."));
    const { lease } = await store.records("s");
    expect(lease).toBeUndefined();
    const run = face.send(session, "First.");
    await started;
    letGo();
    await run;
    await store.requestStop("s", 1);
    expect((await face.send(other, "Second.")).text).toBe("Two.");
  });

  test("keeps its session while it renews its lease, however long it takes and however clocks are set", async () => {
    const { session, other, started, letGo } = busy(say("Done."));
    const run = face.send(session, "Work.");
    await started;
    await vi.advanceTimersByTimeAsync(50_000);
    vi.setSystemTime(Date.now() + 5 * 3_600_000);
    await expect(face.send(other, "Now?")).rejects.toThrow(SessionRunningError);
    vi.setSystemTime(Date.now() - 12 * 3_600_000);
    await expect(face.resume(other)).rejects.toThrow(SessionRunningError);
    letGo();
    expect((await run).text).toBe("Done.");
  });

  test("gives its session back, although a look at it ends in the middle of a last write that takes long", async () => {
    const { open, store, started, letGo } = busy(say("Done."));
    const takes = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    let isWorking = false;
    const slow = storeLike(store, {
      // The run comes to its end while its process looks whether it is to stop.
      records: async (...args) => {
        if (isWorking) letGo();
        if (isWorking) await takes(100);
        return await store.records(...args);
      },
      // Longer than the time between two renewals.
      append: async (...args) => {
        if (args[3]?.lease?.next.held === false) await takes(4000);
        await store.append(...args);
      },
    });
    const run = face.send(open(slow), "Work.");
    await started;
    isWorking = true;
    expect((await run).text).toBe("Done.");
    isWorking = false;
    expect(await open().state()).toMatchObject({ lastRun: "finished" });
    expect((await store.records("s")).lease).toMatchObject({ held: false });
  });

  test("is taken back while its process is paused past its lease, and writes nothing when it wakes up", async () => {
    const { open, store, started, letGo } = busy();
    const { sleepy, pause, wake } = pausable(store);
    const run = face.send(open(sleepy), "Work.").catch((error: unknown) => error);
    await started;
    pause();
    letGo();
    await idle();
    const other = open();
    expect(await other.rewind()).toEqual([user("Work.")]);
    const stored = await store.load("s");
    wake();
    expect(await run).toBeInstanceOf(SessionLeaseLostError);
    await idle();
    expect(await store.load("s")).toEqual(stored);
    expect(await other.history()).toEqual([]);
  });

  test("loses its session when its process is paused past its lease, and writes nothing when it wakes up", async () => {
    const { open, ran, store, started, letGo } = busy(say("Done elsewhere."));
    const { sleepy, pause, wake } = pausable(store);
    const run = face.send(open(sleepy), "Work.").catch((error: unknown) => error);
    await started;
    pause();
    letGo();
    await idle();
    const other = open();
    expect(await other.state()).toMatchObject({ lastRun: "running" });
    // `once`: somebody has to say what came of the call that was under way.
    expect(await face.resume(other)).toMatchObject({ stopReason: "needs-outcome" });
    expect(
      await face.resume(other, await answersTo(other, { outcomes: { "call:1.0": { output: "worked" } } })),
    ).toMatchObject({
      text: "Done elsewhere.",
    });
    const stored = await store.load("s");
    wake();
    expect(await run).toBeInstanceOf(SessionLeaseLostError);
    await idle();
    expect(await store.load("s")).toEqual(stored);
    expect(ran).toEqual(["call:1.0"]);
  });

  test("is aborted as soon as it learns that its session was taken over", async () => {
    const { open, store, started } = busy(say("Mine."));
    const processes = new Processes(store);
    const paused = processes.start();
    const run = face.send(open(paused.store), "Work.").catch((error: unknown) => error);
    await started;
    paused.seemDead();
    // The tool of the first run never ends.
    expect(await face.send(open(processes.start().store), "Mine now.")).toMatchObject({ text: "Mine." });
    expect(await run).toMatchObject({ name: "SessionLeaseLostError", sessionId: "s", token: 1 });
  });

  test("is not waited for by a reader who leaves", async () => {
    const { open, store, started } = busy();
    const dying = new Processes(store).start();
    void face.send(open(dying.store), "Work.");
    await started;
    dying.die();
    const abort = new AbortController();
    const before = performance.now();
    const resumed = face.resume(open(), { signal: abort.signal }).catch((error: unknown) => error);
    await idle();
    abort.abort(new Error("enough"));
    expect(await resumed).toMatchObject({ message: "enough" });
    expect(performance.now() - before).toBe(0);
  });

  test("of a process that has surely died is resumed at once, and another is waited for", async () => {
    for (const knows of [true, false]) {
      const { open, store, started } = busy(say("Done."));
      const processes = new Processes(store);
      const dying = processes.start();
      void face.send(open(dying.store), "Work.");
      await started;
      dying.die();
      const before = performance.now();
      const again = open(knows ? processes.start().store : store);
      expect(await face.resume(again)).toMatchObject({ stopReason: "needs-outcome" });
      const waited = performance.now() - before;
      expect(waited).toBeGreaterThanOrEqual(knows ? 0 : 10_000);
      expect(waited).toBeLessThanOrEqual(knows ? 0 : 15_100);
    }
  });

  test("of a process that died is cut off for all objects of another one, once its lease has expired there", async () => {
    const { open, store, started } = busy(say("Done."));
    const dying = new Processes(store).start();
    void face.send(open(dying.store), "Work.");
    await started;
    dying.die();
    expect(await open().state()).toMatchObject({ lastRun: "running", resumable: false });
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await open().state()).toMatchObject({ lastRun: "cut-off", resumable: true });
    expect(await readConversation(open())).toMatchObject({ state: "cut-off" });
    const before = performance.now();
    expect(await face.resume(open())).toMatchObject({ stopReason: "needs-outcome" });
    expect(performance.now()).toBe(before);
  });

  test("of a process that died is not stopped by anybody, and says so once its lease has expired", async () => {
    const { open, store, started } = busy();
    const dying = new Processes(store).start();
    void face.send(open(dying.store), "Work.");
    await started;
    dying.die();
    const other = open();
    expect(await other.stop()).toBe(false);
    expect(await other.state()).toMatchObject({ lastRun: "cut-off", resumable: true });
  });

  test("of a process that died long after it was seen does not refuse a message", async () => {
    const { open, store, started } = busy(say("Done."));
    const dying = new Processes(store).start();
    void face.send(open(dying.store), "Work.");
    await started;
    const other = open();
    expect(await other.state()).toMatchObject({ lastRun: "running" });
    // It has renewed its lease many times by now, and nobody looked.
    await vi.advanceTimersByTimeAsync(50_000);
    dying.die();
    expect(await face.send(other, "Are you there?")).toMatchObject({ text: "Done." });
  });

  test("takes answers while it is busy with other calls, and uses them", async () => {
    const [started, gate] = [deferred(), deferred()];
    const done: string[] = [];
    const slow = defineTool({
      name: "slow",
      description: "x",
      run: async () => (started.resolve(), await gate.promise, "slow ok"),
    });
    const pay = defineTool({
      name: "pay",
      description: "x",
      needsApproval: true,
      run: () => (done.push("pay"), "paid"),
    });
    const model = new ScriptedModel(calls("slow", "pay"), say("Done."));
    const agent = new Agent({ model, tools: [slow, pay] });
    const store = new MemoryStore();
    const [session, other] = [agent.session({ id: "s", store }), agent.session({ id: "s", store })];
    const run = face.send(session, "Buy.");
    await started.promise;
    expect((await other.state()).pending).toMatchObject([{ callId: "call:1.1", question: "approval" }]);
    await expect(other.answer(await answersTo(other, { approvals: { "call:1.0": true } }))).rejects.toThrow(
      UnexpectedAnswerError,
    );
    await other.answer(await answersTo(other, { approvals: { "call:1.1": true } }));
    await expect(other.answer(await answersTo(other, { approvals: { "call:1.1": true } }))).rejects.toThrow(
      UnexpectedAnswerError,
    );
    expect((await other.state()).pending).toEqual([]);
    expect(done).toEqual([]);
    gate.resolve();
    expect(await run).toMatchObject({ stopReason: "finished", text: "Done." });
    expect(done).toEqual(["pay"]);
    expect((await session.replay().result()).text).toBe("Done.");
  });

  test("is steered up to the moment at which its end is stored", async () => {
    const inner = new MemoryStore();
    let other: Session;
    let steered = false;
    // The message arrives when the run has looked for the last time.
    const store = storeLike(inner, {
      append: async (id, length, entries, options) => {
        if (!steered && JSON.stringify(entries).includes('"type":"end"')) {
          steered = true;
          expect(await other.steer("One more thing.")).toBe("run");
        }
        await inner.append(id, length, entries, options);
      },
    });
    const model = new ScriptedModel(say("Done."), say("That too."), say("Later."));
    const agent = new Agent({ model });
    const session = agent.session({ id: "s", store });
    other = agent.session({ id: "s", store: inner });
    expect(await face.send(session, "Go.")).toMatchObject({ text: "That too.", turns: 2 });
    expect(await texts(session)).toEqual(["Go.", "Done.", "One more thing.", "That too."]);
    expect((await session.replay().result()).text).toBe("That too.");
    // After the end it is for the next run.
    expect(await other.steer("And this.")).toBe("next-run");
    expect((await session.continue()).text).toBe("Later.");
    expect(await texts(session)).toEqual(["Go.", "Done.", "One more thing.", "That too.", "And this.", "Later."]);
  });
});

describe("continue, which does what the state calls for", () => {
  const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });
  const open = (store: SessionStore, ...script: readonly ScriptLine[]) => {
    const model = new ScriptedModel(...script);
    return { model, session: new Agent({ model, tools: [pay] }).session({ id: "s", store }) };
  };

  test("sends a message, and returns the last result again when nothing is left to do", async () => {
    const { session, model } = open(new MemoryStore(), say("Hello."));
    await expect(session.continue()).rejects.toThrow(NothingToResumeError);
    expect((await session.continue({ message: "Hi." })).text).toBe("Hello.");
    expect((await session.continue()).text).toBe("Hello.");
    expect(model.requests).toHaveLength(1);
    const { events } = await collect(session.continueStream());
    expect(events.map(({ type }) => type)).toContain("run-end");
  });

  test("shows what a run waits for until it is answered, and takes a message along with the answer", async () => {
    const { session, model } = open(new MemoryStore(), call("pay"), say("Paid, and noted."));
    await session.continue({ message: "Pay." });
    expect(await session.continue()).toMatchObject({ stopReason: "needs-approval", pending: [{ callId: "call:1.0" }] });
    await expect(
      session.continue(await answersTo(session, { message: "Yes.", approvals: { "call:9.0": true } })),
    ).rejects.toThrow(UnexpectedAnswerError);
    expect(await texts(session)).toEqual(["Pay.", "-", "-"]);
    const result = await session.continue(
      await answersTo(session, { approvals: { "call:1.0": true }, message: "Note it, too." }),
    );
    expect(result.text).toBe("Paid, and noted.");
    expect(model.requests[1]?.contents.at(-1)).toEqual(user("Note it, too."));
  });

  test("sends a message once under its run id, however often it is called", async () => {
    const store = new MemoryStore();
    const processes = new Processes(store);
    const dying = processes.start();
    const hanging = open(dying.store, hangs("Once"));
    void hanging.session.continue({ message: "Go.", runId: "m1" });
    await until(() => hanging.model.requests.length === 1);
    dying.die();
    const again = open(processes.start().store, say("A tale."), say("The end."));
    expect(await again.session.continue({ message: "Go.", runId: "m1" })).toMatchObject({
      text: "A tale.",
      runId: "m1",
    });
    expect(await again.session.continue({ message: "Go.", runId: "m1" })).toMatchObject({ text: "A tale." });
    expect(await again.session.continue({ message: "And then?", runId: "m2" })).toMatchObject({ text: "The end." });
    expect(await again.session.continue({ message: "Go.", runId: "m1" })).toMatchObject({
      text: "A tale.",
      runId: "m1",
    });
    expect(again.model.requests).toHaveLength(2);
    // `send` always begins a run, so it needs an id of its own.
    await expect(again.session.send("Go.", { runId: "m1" })).rejects.toMatchObject({
      code: "run_id_taken",
      runId: "m1",
    });
    expect(await texts(again.session)).toEqual(["Go.", "A tale.", "And then?", "The end."]);
  });

  test("closes what waits when there is only a message", async () => {
    const { session } = open(new MemoryStore(), call("pay"), say("As you like."));
    await session.continue({ message: "Pay." });
    expect((await session.continue({ message: "Never mind." })).text).toBe("As you like.");
    expect(await texts(session)).toEqual(["Pay.", "-", "-", "Never mind.", "As you like."]);
  });

  test("resumes with an answer that was stored before", async () => {
    const { session } = open(new MemoryStore(), call("pay"), say("Paid."));
    await session.continue({ message: "Pay." });
    await session.answer(await answersTo(session, { approvals: { "call:1.0": true } }));
    expect(await session.state()).toMatchObject({ lastRun: "needs-approval", pending: [] });
    expect(await session.replay().result()).toMatchObject({ stopReason: "needs-approval" });
    expect((await session.continue()).text).toBe("Paid.");
  });

  test("resumes what failed, was stopped, reached a limit or was cut off", async () => {
    const store = new MemoryStore();
    const abort = new AbortController();
    const first = open(store, hangs("Once"));
    const run = first.session.continue({ message: "Go.", signal: abort.signal }).catch(() => {});
    await until(() => first.model.requests.length === 1);
    abort.abort();
    await run;
    expect((await open(store, say("A tale.")).session.continue()).text).toBe("A tale.");

    const limited = open(new MemoryStore(), call("pay"), say("Done."));
    const agent = { limits: { turns: 1 } };
    await limited.session.continue({ message: "Go.", ...agent });
    expect(
      await limited.session.continue(await answersTo(limited.session, { approvals: { "call:1.0": true }, ...agent })),
    ).toMatchObject({
      stopReason: "limit",
    });
    expect((await limited.session.continue({ limits: { turns: 9 } })).text).toBe("Done.");
  });

  test("follows a run that is going elsewhere, and finishes one that dies meanwhile", async () => {
    const { session, other, ran, started, letGo } = busy(say("Done."));
    const run = session.send("Work.");
    await started;
    const followed = other.continue();
    await vi.advanceTimersByTimeAsync(1000);
    letGo();
    expect((await run).text).toBe("Done.");
    expect((await followed).text).toBe("Done.");
    expect(ran).toHaveLength(1);

    const second = busy(say("Done after all."));
    const processes = new Processes(second.store);
    const dying = processes.start();
    void second.open(dying.store).send("Work.");
    await second.started;
    const watching = second.open(processes.start().store).continue();
    await vi.advanceTimersByTimeAsync(5000);
    dying.die();
    expect(await watching).toMatchObject({ stopReason: "needs-outcome" });
  });

  test("refuses a message while a run is going, with what came along", async () => {
    const { session, other, started, letGo, store } = busy(say("Done."));
    const run = session.send("Work.");
    await started;
    const stored = await store.load("s");
    await expect(other.continue({ message: "Me too." })).rejects.toThrow(SessionRunningError);
    expect(await store.load("s")).toEqual(stored);
    letGo();
    await run;
  });
});
