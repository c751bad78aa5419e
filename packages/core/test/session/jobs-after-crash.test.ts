import { Agent, defineJob, MemoryStore, type Session, type SessionStore } from "@pollux/core";
import { checkSession } from "@pollux/core/doctor";
import { call, say, type ScriptLine, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { answersTo } from "../helpers/answers.ts";
import { deferred } from "../helpers/deferred.ts";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { Processes, storeLike } from "../helpers/processes.ts";
import { SESSION_FACES, waits } from "./session-faces.ts";

fakeTime("stands");

/** Jobs by the keys under which they were started, and processes that die where a test says. */
function world(
  options: { readonly effects?: "once" | "idempotent"; readonly unknownOutcome?: "ask" | "tell-model" } = {},
) {
  const kept = new MemoryStore();
  const processes = new Processes(kept);
  const started: string[] = [];
  const callbacks: string[] = [];
  const told: unknown[] = [];
  let hold: { readonly begun: () => void; readonly gate: Promise<void> } | undefined;
  let report: (() => Promise<{ output: string } | undefined>) | undefined;
  const research = defineJob({
    name: "research",
    description: "Researches.",
    start: async (_input, { idempotencyKey, callback, before }) => {
      callbacks.push(callback);
      started.push(idempotencyKey);
      if (hold !== undefined) {
        hold.begun();
        await hold.gate;
      }
      return before === undefined ? "job-1" : "job-2";
    },
    check: () => report?.(),
    ...options,
  });
  const open = (store: SessionStore, ...script: readonly ScriptLine[]): Session => {
    const lines = script.map((line): ScriptLine => {
      return (...args) => {
        told.push(
          ...args[0].contents.flatMap(({ parts }) => parts.flatMap((part) => part.functionResponse?.response ?? [])),
        );
        return typeof line === "function" ? line(...args) : line;
      };
    });
    return new Agent({ model: new ScriptedModel(...lines), tools: [research] }).session({ id: "s", store });
  };
  const next = (...script: readonly ScriptLine[]): Session => open(processes.start().store, ...script);
  return {
    kept,
    processes,
    started,
    callbacks,
    told,
    open,
    next,
    /** Starts hang from now on. */
    holdStarts: () => {
      const [begun, gate] = [deferred(), deferred()];
      hold = { begun: begun.resolve, gate: gate.promise };
      return { begun: begun.promise, letGo: () => ((hold = undefined), gate.resolve()) };
    },
    reportBy: (by: typeof report) => void (report = by),
  };
}

/** A process that dies instead of the nth append, or right after it. */
function dyingAt(processes: Processes, at: number, when: "before" | "after") {
  const dying = processes.start();
  const dead = deferred();
  let appends = 0;
  const store = storeLike(dying.store, {
    append: async (...given) => {
      if (++appends !== at) return await dying.store.append(...given);
      if (when === "after") await dying.store.append(...given);
      dying.die();
      dead.resolve();
      return await new Promise<never>(() => {});
    },
  });
  return { store, dead: dead.promise };
}

async function isHealthy(store: SessionStore): Promise<unknown> {
  return checkSession((await store.load("s")).map((value) => ({ value }))).problems;
}

const CALL = call("research");

describe.each(SESSION_FACES)("when its process dies, by %s", (_face, face) => {
  // 1: the run begins, 2: the model's answer, 3: the start begins, 4: the job's id, 5: the run waits.
  test.each([
    [2, "after", "before the start was recorded", []],
    [3, "before", "before the start was recorded", []],
    [4, "after", "after the job's id was recorded", ["job"]],
    [5, "after", "while it waits", ["job"]],
  ] as const)("at append %i (%s it), %s: the job is started once, and waited for", async (at, when, _where, _left) => {
    const { processes, started, next, open, told, kept } = world();
    const { store, dead } = dyingAt(processes, at, when);
    void face.send(open(store, CALL), "Go.").catch(() => {});
    await dead;
    expect(waits(await face.resume(next()))).toEqual(["call:1.0 job"]);
    await next().reportJob("job-1", { output: "found" });
    expect((await face.continue(next(say("So.")))).text).toBe("So.");
    expect([started.length, told, await isHealthy(kept)]).toEqual([1, [{ output: "found" }], []]);
  });

  test.each([
    ["asks", {}],
    ["tells the model", { unknownOutcome: "tell-model" }],
    ["starts it again, with the same key,", { effects: "idempotent" }],
  ] as const)("in the start, or before its id is recorded: it %s", async (_what, options) => {
    for (const place of ["in the start", "before the record"] as const) {
      const { processes, started, next, open, told, holdStarts, kept } = world(options);
      if (place === "in the start") {
        const { begun, letGo } = holdStarts();
        const dying = processes.start();
        void face.send(open(dying.store, CALL), "Go.", { runId: "r" });
        await begun;
        dying.die();
        letGo();
      } else {
        const { store, dead } = dyingAt(processes, "effects" in options ? 3 : 4, "before");
        void face.send(open(store, CALL), "Go.", { runId: "r" }).catch(() => {});
        await dead;
      }
      await idle();
      expect(started).toEqual(["r/call:1.0"]);
      if ("unknownOutcome" in options) {
        await face.resume(next(say("So.")));
        expect(told).toEqual([{ error: expect.stringContaining("it is unknown whether this call took effect") }]);
        expect(started).toHaveLength(1);
        continue;
      }
      const asked = waits(await face.resume(next()));
      if ("effects" in options) {
        expect([asked, started]).toEqual([["call:1.0 job"], ["r/call:1.0", "r/call:1.0"]]);
        continue;
      }
      expect([asked, started.length]).toEqual([["call:1.0 unknown-outcome"], 1]);
      const outcomes = { "call:1.0": { notExecuted: true } } as const;
      expect(waits(await face.resume(next(), await answersTo(next(), { outcomes })))).toEqual(["call:1.0 job"]);
      expect(started).toHaveLength(2);
      await next().reportJob("job-1", { output: "found" });
      expect((await face.continue(next(say("So.")))).text).toBe("So.");
      expect(await isHealthy(kept)).toEqual([]);
    }
  });

  test("a job that was cut off in its start is not asked about once its webhook reports", async () => {
    for (const when of ["before anybody looks", "after somebody was asked"] as const) {
      const { processes, started, callbacks, next, open, told, holdStarts, kept } = world();
      const { begun } = holdStarts();
      const dying = processes.start();
      void face.send(open(dying.store, CALL), "Go.");
      await begun;
      dying.die();
      if (when === "after somebody was asked")
        expect(waits(await face.resume(next()))).toEqual(["call:1.0 unknown-outcome"]);
      await next().reportJob(callbacks[0] ?? "", { output: "found" });
      expect((await face.continue(next(say("So.")))).text).toBe("So.");
      expect([started.length, told, await isHealthy(kept)]).toEqual([1, [{ output: "found" }], []]);
    }
  });

  test("after an outcome was stored, in a check, and between two checks: the outcome is used once", async () => {
    const { processes, started, next, open, told, reportBy, kept } = world();
    await face.send(next(CALL), "Go.");
    // In a check: nothing is known of it.
    const inCheck = deferred();
    reportBy(() => (inCheck.resolve(), new Promise(() => {})));
    const first = processes.start();
    void face.continue(open(first.store));
    await inCheck.promise;
    first.die();
    reportBy(async () => ({ output: "found" }));
    // After the outcome was stored, and before anything goes on with it.
    const { store, dead } = dyingAt(processes, 1, "after");
    void face.continue(open(store, say("Never."))).catch(() => {});
    await dead;
    reportBy(() => Promise.reject(new Error("asked again")));
    // After the run was opened again.
    const second = dyingAt(processes, 1, "after");
    void face.continue(open(second.store, say("Never."))).catch(() => {});
    await second.dead;
    expect((await face.continue(next(say("So.")))).text).toBe("So.");
    expect([started.length, told, await isHealthy(kept)]).toEqual([1, [{ output: "found" }], []]);
  });

  const deaths = [1, 2, 3, 4].flatMap((at) => (["before", "after"] as const).map((when) => [at, when] as const));

  test.each(deaths)("at append %i (%s it), before a job's question is asked: it is asked once", async (at, when) => {
    const { processes, started, next, open, kept } = world();
    await face.send(next(CALL), "Go.");
    const { store, dead } = dyingAt(processes, at, when);
    const reporting = open(store).reportJob("job-1", { ask: { plan: "1." } });
    await Promise.race([dead, reporting.then(async () => await face.continue(open(store)))]);
    await next().reportJob("job-1", { ask: { plan: "1." } });
    expect(waits(await face.continue(next()))).toEqual(["call:1.0 approval"]);
    expect([started, await isHealthy(kept)]).toEqual([[expect.any(String)], []]);
  });

  test.each(deaths)(
    "at append %i (%s it), once a plan is approved: the job that follows is started once",
    async (at, when) => {
      const { processes, started, callbacks, next, open, told, kept } = world();
      await face.send(next(CALL), "Go.", { runId: "r" });
      await next().reportJob("job-1", { ask: { plan: "1." } });
      await face.continue(next());
      const answers = await answersTo(next(), { approvals: { "call:1.0": true } });
      const { store, dead } = dyingAt(processes, at, when);
      await Promise.race([dead, face.resume(open(store), answers)]);
      let left = waits(await face.continue(next()));
      if (left[0] === "call:1.0 approval") left = waits(await face.resume(next(), answers));
      if (left[0] === "call:1.0 unknown-outcome" && started.length === 1)
        left = waits(
          await face.resume(next(), await answersTo(next(), { outcomes: { "call:1.0": { notExecuted: true } } })),
        );
      // Nobody knows its id when it was cut off in its start, but the service has its callback.
      await next().reportJob(left[0] === "call:1.0 job" ? "job-2" : (callbacks[1] ?? ""), { output: "found" });
      expect((await face.continue(next(say("So.")))).text).toBe("So.");
      expect([started, told]).toEqual([["r/call:1.0", "r/call:1.0/1"], [{ output: "found" }]]);
      expect(await isHealthy(kept)).toEqual([]);
    },
  );

  test("two that find the same outcome at once: one goes on, and both have its result", async () => {
    const { started, next, told, reportBy, kept } = world();
    await face.send(next(CALL), "Go.");
    const both = deferred();
    let asked = 0;
    reportBy(async () => {
      if (++asked === 2) both.resolve();
      await both.promise;
      return { output: "found" };
    });
    const results = await Promise.all([face.continue(next(say("So."))), face.continue(next(say("So.")))]);
    expect(results.map(({ text }) => text)).toEqual(["So.", "So."]);
    expect([started.length, told, await isHealthy(kept)]).toEqual([1, [{ output: "found" }], []]);
    expect((await kept.load("s")).filter((entry) => (entry as { type?: string }).type === "job")).toHaveLength(1);
  });
});
