import { Agent, defineTool, MemoryStore, SessionRunningError, type SessionStore } from "@pollux/core";
import { questionToken } from "@pollux/core/tool";
import { call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { deferred } from "../helpers/deferred.ts";
import { answersTo } from "../helpers/answers.ts";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { storeLike } from "../helpers/processes.ts";
import { SESSION_FACES } from "./session-faces.ts";

fakeTime("leaps");

/** A session that waits for an approval of a call, which is busy until it is let go. */
async function waiting() {
  const store = new MemoryStore();
  const [started, gate] = [deferred(), deferred()];
  const pay = defineTool({
    name: "pay",
    description: "x",
    needsApproval: true,
    run: async () => (started.resolve(), await gate.promise, "paid"),
  });
  const open = (at: SessionStore) => {
    const model = new ScriptedModel(say("Done."), say("Done."));
    return new Agent({ model, tools: [pay] }).session({ id: "s", store: at });
  };
  await new Agent({ model: new ScriptedModel(call("pay")), tools: [pay] })
    .session({ id: "s", store })
    .send("Pay.", { runId: "r" });
  return { store, open, started: started.promise, letGo: gate.resolve };
}

const question = { callId: "call:1.0", call: { name: "pay" }, question: "approval" } as const;
const approvals = { [questionToken("r", question)]: true };

describe.each(SESSION_FACES)("two that act on one session at once, read by %s", (_face, face) => {
  test("resume its run: the one that comes second does not end the lease of the other", async () => {
    const { store, open, started, letGo } = await waiting();
    let first: Promise<{ readonly text: string }> | undefined;
    // The other one takes the session right before this one would.
    const late = storeLike(store, {
      append: async (...args) => {
        if (first === undefined) {
          first = face.resume(open(store), { approvals });
          await started;
        }
        await store.append(...args);
      },
    });
    const second = face.resume(open(late), { approvals }).catch((error: unknown) => error);
    expect(await second).toBeInstanceOf(SessionRunningError);
    expect((await store.records("s")).lease).toMatchObject({ held: true });
    letGo();
    expect(await first).toMatchObject({ text: "Done." });
  });
});

test("a run that has not begun yet is followed by the same session object", async () => {
  const store = new MemoryStore();
  const [asked, gate] = [deferred(), deferred()];
  const slow = storeLike(store, {
    append: async (...args) => (asked.resolve(), await gate.promise, store.append(...args)),
  });
  const session = new Agent({ model: new ScriptedModel(say("Hi.")) }).session({ id: "s", store: slow });
  const run = session.send("Hello.");
  await asked.promise;
  const followed = session.continue();
  gate.resolve();
  expect([(await run).text, (await followed).text]).toEqual(["Hi.", "Hi."]);
});

test("a message under a run id is stored once, also when two send it at the same moment", async () => {
  const store = new MemoryStore();
  const open = (at: SessionStore) =>
    new Agent({ model: new ScriptedModel(say("Hi."), say("Again.")) }).session({ id: "s", store: at });
  const message = { message: "Hello.", runId: "r1" };
  let first: Promise<unknown> | undefined;
  const late = storeLike(store, {
    append: async (...args) => {
      // The other one is faster, and done.
      await (first ??= open(store).continue(message));
      await store.append(...args);
    },
  });
  expect(await open(late).continue(message)).toMatchObject({ text: "Hi.", runId: "r1" });
  expect((await open(store).history()).length).toBe(2);
});

test("a message under a run id is stored once, also when one call of two steers with it and the other begins a run", async () => {
  for (const slow of ["steer", "replace"] as const) {
    const store = new MemoryStore();
    const started = deferred();
    const work = defineTool({
      name: "work",
      description: "x",
      run: async () => (started.resolve(), await new Promise<never>(() => {})),
    });
    const model = new ScriptedModel(call("work"), ...Array.from({ length: 4 }, () => say("Hi.")));
    const open = (at: SessionStore) => new Agent({ model, tools: [work] }).session({ id: "s", store: at });
    const run = open(store)
      .send("Work.")
      .catch(() => {});
    await started.promise;
    const message = { message: "Hello.", runId: "r1" };
    let other: Promise<{ readonly text: string }> | undefined;
    const isSaid = async (): Promise<boolean> => JSON.stringify(await store.load("s")).includes("Hello.");
    // It is about to steer, or to stop the run and begin one itself.
    const overtake = async (): Promise<void> => {
      other ??= open(store).continue({ ...message, whileRunning: slow === "steer" ? "replace" : "steer" });
      while (!(await isSaid())) await idle();
    };
    const late = storeLike(store, {
      append: async (...args) => (await overtake(), store.append(...args)),
      requestStop: async (...args) => (await overtake(), store.requestStop(...args)),
    });
    const mine = open(late).continue({ ...message, whileRunning: slow });
    expect((await mine).text, slow).toBe("Hi.");
    // One that steers a run that is stopped ends with it.
    await Promise.allSettled([other, run]);
    const said = (await store.load("s")).filter((entry) =>
      /"type":"(run|steer)".*"Hello\."/.test(JSON.stringify(entry)),
    );
    expect(said, slow).toHaveLength(1);
  }
});

test("a message that steers is stored once, also when another run begins right before it would begin one", async () => {
  const { store, open, started, letGo } = await waiting();
  const run = open(store)
    .resume({ approvals })
    .catch(() => letGo());
  await started;
  const [busy, gate] = [deferred(), deferred()];
  const work = defineTool({
    name: "work",
    description: "x",
    run: async () => (busy.resolve(), await gate.promise, "ok"),
  });
  const model = new ScriptedModel(call("work"), say("Both."));
  const other = new Agent({ model, tools: [work] }).session({ id: "s", store });
  let others: Promise<unknown> | undefined;
  let appends = 0;
  const late = storeLike(store, {
    append: async (...args) => {
      // It is said to a run that ends without it; before it begins one itself, others do.
      if (++appends === 2) {
        others = other.send("Other.");
        await busy.promise;
        setTimeout(gate.resolve, 60_000);
      }
      await store.append(...args);
      if (appends === 1) await other.stop();
    },
  });
  expect(await open(late).send("Also.", { whileRunning: "steer" })).toMatchObject({ text: "Both." });
  await Promise.all([run, others]);
  const texts = (await other.history()).flatMap(({ parts }) => parts.flatMap(({ text }) => text ?? []));
  expect(texts.filter((text) => text === "Also.")).toHaveLength(1);
});

test("a run that ends right after it was seen to be going is not waited for any longer", async () => {
  for (const act of ["send", "continue", "stop"] as const) {
    const { store, open, started, letGo } = await waiting();
    const run = open(store)
      .resume({ approvals })
      .catch(() => {});
    await started;
    let looks = 0;
    const late = storeLike(store, {
      records: async (...args) => {
        const seen = await store.records(...args);
        // The last of those that one look takes.
        if (++looks !== 2) return seen;
        letGo();
        await run;
        return seen;
      },
    });
    const session = open(late);
    const before = performance.now();
    if (act === "stop") expect(await session.stop()).toBe(true);
    else if (act === "send") await session.send("Next.", { whileRunning: "wait" });
    else expect(await session.continue()).toMatchObject({ text: "Done." });
    expect(looks, act).toBeGreaterThan(2);
    expect(performance.now() - before, act).toBe(0);
  }
});

test("a session that is continued returns the last result again, also when others resume its run meanwhile", async () => {
  const { store, open, started, letGo } = await waiting();
  let resumed: Promise<unknown> | undefined;
  let loads = 0;
  const late = storeLike(store, {
    load: async (...args) => {
      // First to decide, then to read the result.
      if (++loads === 2) {
        resumed = open(store).resume({ approvals });
        await started;
      }
      return await store.load(...args);
    },
  });
  expect(await open(late).continue()).toMatchObject({
    stopReason: "needs-approval",
    pending: [{ callId: "call:1.0" }],
  });
  expect(resumed).toBeDefined();
  letGo();
  expect(await resumed).toMatchObject({ text: "Done." });
});

test("a message that steers a run up to its question is not refused: it is stored, and read with the outcome", async () => {
  const store = new MemoryStore();
  const [busy, gate] = [deferred(), deferred()];
  const work = defineTool({
    name: "work",
    description: "x",
    run: async () => (busy.resolve(), await gate.promise, "ok"),
  });
  const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });
  const model = new ScriptedModel(calls("work", "pay"), say("Both."));
  const open = (at: SessionStore) => new Agent({ model, tools: [work, pay] }).session({ id: "s", store: at });
  const run = open(store).send("Pay.");
  await busy.promise;
  // The run has ended when the message has just been stored.
  const late = storeLike(store, {
    append: async (...args) => {
      await store.append(...args);
      gate.resolve();
      await run;
    },
  });
  const also = open(late).send("Also.", { whileRunning: "steer", unfinished: "refuse" });
  expect(await also).toMatchObject({ stopReason: "needs-approval" });
  const session = open(store);
  const approved = await session.resume(await answersTo(session, { approvals: { "call:1.1": true } }));
  expect(approved.text).toBe("Both.");
  expect((await session.history()).filter(({ parts }) => parts[0]?.text === "Also.")).toHaveLength(1);
});

test("a run whose lease is renewed too late is still followed by its own object, and not resumed beside itself", async () => {
  const store = new MemoryStore();
  const [busy, gate] = [deferred(), deferred()];
  const work = defineTool({
    name: "work",
    description: "x",
    run: async () => (busy.resolve(), await gate.promise, "ok"),
  });
  const slow = storeLike(store, { setLease: async (...args) => (await gate.promise, store.setLease(...args)) });
  const model = new ScriptedModel(call("work"), say("Done."));
  const session = new Agent({ model, tools: [work] }).session({ id: "s", store: slow });
  const run = session.send("Work.");
  await busy.promise;
  setTimeout(gate.resolve, 60_000);
  expect((await session.continue()).text).toBe("Done.");
  expect((await run).text).toBe("Done.");
  expect(model.requests).toHaveLength(2);
});
