import { Agent, defineTool, MemoryStore, type SessionStore } from "@pollux/core";
import {
  assertObservations,
  call,
  calls,
  collect,
  empty,
  fails,
  say,
  ScriptedModel,
  type ScriptedTurn,
} from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { deferred } from "../helpers/deferred.ts";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { drawTrace, record, shape } from "../helpers/observations.ts";
import { Processes, storeLike } from "../helpers/processes.ts";
import { SESSION_FACES, waits } from "./session-faces.ts";
import { answersTo } from "../helpers/answers.ts";

fakeTime("leaps");

/** What one process makes of the session: its agent, and what is observed in it. */
function processOf(store: SessionStore, script: readonly ScriptedTurn[]) {
  const observer = record();
  const look = defineTool({ name: "look", description: "x", run: () => "seen" });
  const pay = defineTool({ name: "pay", description: "x", needsApproval: true, effects: "once", run: () => "paid" });
  const agent = new Agent({ model: new ScriptedModel(...script), tools: [look, pay], observers: [observer] });
  return { session: agent.session({ id: "s", store }), observations: observer.observations };
}

/** A store whose process dies after so many appends. */
function dyingAfter(processes: Processes, appends: number, onDeath: () => void): SessionStore {
  let left = appends;
  const { store, die } = processes.start();
  return storeLike(store, {
    append: (...args) => {
      if (left-- === 0) {
        die();
        onDeath();
      }
      return store.append(...args);
    },
  });
}

describe.each(SESSION_FACES)("a run of a session, by %s", (_face, face) => {
  test("is observed with the session's id", async () => {
    const { session, observations } = processOf(new MemoryStore(), [call("look"), say("Done.")]);
    await face.send(session, "Go.");
    assertObservations(observations);
    expect(observations[0]).toMatchObject({ type: "run-start", run: { sessionId: "s" } });
    expect(drawTrace(observations)).toEqual([
      "run agent: finished",
      "  model:1: STOP 15",
      "  call:1.0 look: ok",
      "  model:2: STOP 15",
    ]);
  });

  // The appends: run, model:1, call:1.0, model:2, call:2.0, model:3, end.
  test.each<[number, readonly string[]]>([
    [1, ["resumed run agent: finished", "  model:1: STOP 15", "  call:1.0 look: ok", "  model:2: STOP 15"]],
    [2, ["resumed run agent: finished", "  call:1.0 look: ok", "  model:2: STOP 15"]],
    [3, ["resumed run agent: finished", "  model:2: STOP 15"]],
  ])("that was cut off after append %i is observed for what was left to do", async (appends, trace) => {
    const processes = new Processes(new MemoryStore());
    const dead = deferred();
    const before = processOf(dyingAfter(processes, appends, dead.resolve), [call("look"), say("Done.")]);
    await Promise.race([face.send(before.session, "Go."), dead.promise]);
    await idle();
    assertObservations(before.observations, { complete: false });

    const left = appends === 1 ? [call("look"), say("Done.")] : [say("Done.")];
    const { session, observations } = processOf(processes.start().store, left);
    const result = await face.resume(session);
    assertObservations(observations);
    expect(drawTrace(observations)).toEqual(trace);
    const [first] = observations;
    expect(first?.run.runId).toBe(result.runId);
    expect(first).toMatchObject({ type: "run-start", run: { resumed: true } });
    // Nothing is asked here that was asked there.
    expect(observations.at(-1)).toMatchObject({ ended: "result", turns: 2, usage: { requests: 2 } });
    const turns = observations.flatMap((one) => (one.type === "turn-start" ? [one.turn] : []));
    expect(turns).toEqual(appends === 3 ? [2] : [1, 2]);
  });

  test("that failed before anything was recorded says that it was begun before", async () => {
    const { session, observations } = processOf(new MemoryStore(), [fails(new Error("no")), say("Done.")]);
    await expect(face.send(session, "Go.")).rejects.toThrow("no");
    await face.resume(session);
    assertObservations(observations);
    expect(drawTrace(observations)).toEqual([
      "run agent: failed",
      "  model:1: failed",
      "resumed run agent: finished",
      "  model:1: STOP 15",
    ]);
  });

  test("that waits for an answer is observed when it asks, and not when it has one", async () => {
    const store = new MemoryStore();
    const asks = processOf(store, [calls("look", "pay")]);
    expect(waits(await face.send(asks.session, "Pay."))).toEqual(["call:1.1 approval"]);
    expect(drawTrace(asks.observations)).toEqual([
      "run agent: call:1.1 waits, needs-approval",
      "  model:1: STOP 15",
      "  route:1: ok",
      "  call:1.0 look: ok",
    ]);

    const still = processOf(store, []);
    expect(waits(await face.resume(still.session))).toEqual(["call:1.1 approval"]);
    assertObservations(still.observations);
    expect(shape(still.observations)).toEqual(["run-start", "turn-start 1", "tool-pending 1", "turn-end 1", "run-end"]);

    const goes = processOf(store, [say("Paid.")]);
    await face.resume(goes.session, await answersTo(goes.session, { approvals: { "call:1.1": true } }));
    assertObservations(goes.observations);
    expect(drawTrace(goes.observations)).toEqual([
      "resumed run agent: finished",
      "  call:1.1 pay: ok",
      "  model:2: STOP 15",
    ]);
  });

  test("that is resumed does not recover again from what was recovered from", async () => {
    const store = new MemoryStore();
    const first = processOf(store, [empty(), fails(new Error("no"))]);
    await expect(face.send(first.session, "Go.")).rejects.toThrow("no");
    expect(drawTrace(first.observations)[0]).toBe("run agent: recover empty, failed");

    const second = processOf(store, [call("look"), fails(new Error("no"))]);
    await expect(face.resume(second.session)).rejects.toThrow("no");
    // The request that it leads to is made here.
    expect(drawTrace(second.observations)).toEqual([
      "resumed run agent: recover empty, failed",
      "  model:1.1: STOP 15",
      "  call:1.0 look: ok",
      "  model:2: failed",
    ]);

    const third = processOf(store, [say("Done.")]);
    await face.resume(third.session);
    for (const { observations } of [first, second, third]) assertObservations(observations);
    expect(drawTrace(third.observations)).toEqual(["resumed run agent: finished", "  model:2: STOP 15"]);
  });

  test("that asks for a call's outcome is observed with the call, and with the call run again", async () => {
    const processes = new Processes(new MemoryStore());
    const dead = deferred();
    const once = (at: SessionStore, ...script: ScriptedTurn[]) => {
      const observer = record();
      const pay = defineTool({ name: "pay", description: "x", effects: "once", run: () => "paid" });
      const agent = new Agent({ model: new ScriptedModel(...script), tools: [pay], observers: [observer] });
      return { session: agent.session({ id: "s", store: at }), observations: observer.observations };
    };
    const before = once(dyingAfter(processes, 3, dead.resolve), call("pay"));
    await Promise.race([face.send(before.session, "Pay."), dead.promise]);
    await idle();

    const asks = once(processes.start().store);
    expect(waits(await face.resume(asks.session))).toEqual(["call:1.0 unknown-outcome"]);
    expect(drawTrace(asks.observations)).toEqual([
      "resumed run agent: call:1.0 waits, needs-outcome",
      "  call:1.0 pay: unknown-outcome",
    ]);
    expect(asks.observations.find((one) => one.type === "step-start")).toMatchObject({ step: { attempt: 2 } });

    const goes = once(processes.start().store, say("Paid."));
    await face.resume(goes.session, await answersTo(goes.session, { outcomes: { "call:1.0": { notExecuted: true } } }));
    for (const { observations } of [asks, goes]) assertObservations(observations);
    expect(drawTrace(goes.observations)).toEqual([
      "resumed run agent: finished",
      "  call:1.0/again pay: ok",
      "  model:2: STOP 15",
    ]);
    expect(goes.observations.find((one) => one.type === "step-start")).toMatchObject({
      step: { name: "call:1.0/again", callId: "call:1.0" },
    });
  });

  test("that only lacks its end is observed without a turn", async () => {
    const processes = new Processes(new MemoryStore());
    const dead = deferred();
    const before = processOf(dyingAfter(processes, 2, dead.resolve), [say("Done.")]);
    await Promise.race([face.send(before.session, "Go."), dead.promise]);
    await idle();
    const { session, observations } = processOf(processes.start().store, []);
    await face.resume(session);
    assertObservations(observations);
    expect(shape(observations)).toEqual(["run-start", "run-end"]);
  });

  test("whose end cannot be written has failed", async () => {
    const store = new MemoryStore();
    let left = 2;
    const full = storeLike(store, {
      append: (...args) => (left-- > 0 ? store.append(...args) : Promise.reject(new Error("the disk is full"))),
    });
    const { session, observations } = processOf(full, [say("Done.")]);
    await expect(face.send(session, "Go.")).rejects.toThrow("the disk is full");
    assertObservations(observations);
    expect(drawTrace(observations)).toEqual(["run agent: failed", "  model:1: STOP 15"]);
  });
});

test("a replay is not observed, nor is a run that is read to close it", async () => {
  const processes = new Processes(new MemoryStore());
  const { session, observations } = processOf(processes.start().store, [call("look"), say("Done.")]);
  await session.send("Go.");
  observations.length = 0;
  await collect(session.replay());
  await session.replay().result();
  expect(observations).toEqual([]);

  const dead = deferred();
  const cut = processOf(dyingAfter(processes, 2, dead.resolve), [call("look")]);
  await Promise.race([cut.session.send("Go on."), dead.promise]);
  await idle();
  const next = processOf(processes.start().store, [say("Else.")]);
  await next.session.send("Something else.");
  assertObservations(next.observations);
  expect(drawTrace(next.observations)).toEqual(["run agent: finished", "  model:1: STOP 15"]);
});
