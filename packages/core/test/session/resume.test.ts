import { Agent, defineTool, MemoryStore, type SessionEntry, type SessionStore } from "@pollux/core";
import { LoopVersionError, SessionUnfinishedError } from "@pollux/core/errors";
import { call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { deferred } from "../helpers/deferred.ts";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { Processes, storeLike } from "../helpers/processes.ts";
import { SESSION_FACES, waits } from "./session-faces.ts";
import { answersTo } from "../helpers/answers.ts";

fakeTime("stands");

/** A store whose process dies: after the given number of appends nothing is written any more and nothing comes back. */
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

const CANCELLED = /^cancelled: the run ended before this call finished$/;

const SCRIPT = [calls("read", "save", "pay"), call("read"), say("All done.")] as const;

/** One process: a model that answers by how far the conversation is, and tools that count. */
function processOf(store: SessionStore, effects: string[], unknownOutcome: "ask" | "tell-model" = "ask") {
  const model = new ScriptedModel(
    ...Array.from({ length: 9 }, () => (request: { contents: readonly { role: string }[] }) => {
      const turns = request.contents.filter(({ role }) => role === "model").length;
      return SCRIPT[turns] ?? say("?");
    }),
  );
  const tool = (name: string, kind: "none" | "idempotent" | "once") =>
    defineTool({
      name,
      description: "x",
      effects: kind,
      unknownOutcome,
      run: (_input, { idempotencyKey }) => (effects.push(`${name} ${idempotencyKey.split("/")[1]}`), `${name} ok`),
    });
  const tools = [tool("read", "none"), tool("save", "idempotent"), tool("pay", "once")];
  return { model, session: new Agent({ model, tools }).session({ id: "s", store }) };
}

async function diesAfter(appends: number, store: Processes, effects: string[]): Promise<void> {
  const dead = deferred();
  const { session } = processOf(dyingAfter(store, appends, dead.resolve), effects);
  await Promise.race([session.send("Go."), dead.promise]);
  // What was under way beside the append that was the last comes to rest.
  await idle();
}

describe.each(SESSION_FACES)("a run cut off by a crash, resumed by %s", (_face, face) => {
  // Writes of a whole run: run, model:1, begin of pay, three outcomes (in one or more appends), model:2, call, model:3, end.
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])("goes on after its append %i was the last", async (appends) => {
    const store = new Processes(new MemoryStore());
    const before: string[] = [];
    await diesAfter(appends, store, before);
    const after: string[] = [];
    const { model, session } = processOf(store.start().store, after);
    const { lastRun } = await session.state();
    if (lastRun === "finished") return;
    expect(lastRun).toBe("cut-off");
    await expect(face.send(session, "Next.", { unfinished: "refuse" })).rejects.toThrow(SessionUnfinishedError);

    let result = await face.resume(session);
    const unknown = waits(result);
    if (unknown.length > 0) {
      // It had begun, so it is not run again by itself.
      expect(unknown).toEqual(["call:1.2 unknown-outcome"]);
      expect(before.filter((one) => one.startsWith("pay"))).toHaveLength(1);
      expect(after.filter((one) => one.startsWith("pay"))).toHaveLength(0);
      result = await face.resume(session, await answersTo(session, { outcomes: { "call:1.2": { output: "pay ok" } } }));
    }
    expect(result).toMatchObject({ stopReason: "finished", text: "All done.", turns: 3 });
    expect([...before, ...after].filter((one) => one === "pay call:1.2")).toHaveLength(1);
    // What has an outcome in the log was not run again, and what went out is what would have gone out.
    const sent = model.requests.at(-1)?.contents;
    if (sent !== undefined) expect(sent).toEqual((await session.history()).slice(0, -1));
    expect((await session.history())[2]?.parts.map((part) => part.functionResponse?.response["output"])).toEqual([
      "read ok",
      "save ok",
      "pay ok",
    ]);
  });

  test("runs a call that must happen once when the answer says that it never did", async () => {
    const store = new Processes(new MemoryStore());
    const before: string[] = [];
    await diesAfter(3, store, before);
    const after: string[] = [];
    const { session } = processOf(store.start().store, after);
    expect(waits(await face.resume(session))).toEqual(["call:1.2 unknown-outcome"]);
    const result = await face.resume(
      session,
      await answersTo(session, { outcomes: { "call:1.2": { notExecuted: true } } }),
    );
    expect(result.text).toBe("All done.");
    expect(after).toContain("pay call:1.2");
  });

  test("tells the model that nobody knows, where the tool says so", async () => {
    const store = new Processes(new MemoryStore());
    await diesAfter(3, store, []);
    const { model, session } = processOf(store.start().store, [], "tell-model");
    expect((await face.resume(session)).text).toBe("All done.");
    expect(model.requests[0]?.contents.at(-1)?.parts[2]?.functionResponse?.response).toEqual({
      error:
        "interrupted: the process ended before this call finished; it is unknown whether this call took effect; check before repeating it",
    });
  });

  test.each([2, 3, 4, 5, 6])(
    "after its append %i is closed by the next message, and the model reads what came of its calls",
    async (appends) => {
      const store = new Processes(new MemoryStore());
      await diesAfter(appends, store, []);
      const left = store.start().store;
      const entries = (await left.load("s")) as unknown as readonly SessionEntry[];
      const effects: string[] = [];
      const { model, session } = processOf(left, effects);
      await face.send(session, "Something else.");
      // Its one call is of the next run.
      expect(effects).toEqual(["read call:1.0"]);
      const sent = model.requests[0]?.contents ?? [];
      expect(sent.slice(0, 3).map(({ role }) => role)).toEqual(["user", "model", "user"]);
      expect(sent[2]?.parts.map((part) => part.functionResponse?.response)).toEqual(
        ["read", "save", "pay"].map((name, index) => {
          const step = `call:1.${index}`;
          if (entries.some((entry) => entry.type === "step" && entry.step === step)) return { output: `${name} ok` };
          const hasBegun = entries.some((entry) => entry.type === "begin" && entry.step === step);
          return {
            error: hasBegun ? expect.stringContaining("it is unknown whether") : expect.stringMatching(CANCELLED),
          };
        }),
      );
    },
  );

  test("is closed by the next message although it asks for a call's outcome, which then stays unknown", async () => {
    const store = new Processes(new MemoryStore());
    await diesAfter(3, store, []);
    const { model, session } = processOf(store.start().store, []);
    expect(waits(await face.resume(session))).toEqual(["call:1.2 unknown-outcome"]);
    await face.send(session, "Something else.");
    expect(model.requests[0]?.contents[2]?.parts.map((part) => part.functionResponse?.response)).toEqual([
      { output: "read ok" },
      { output: "save ok" },
      {
        error:
          "interrupted: the process ended before this call finished; it is unknown whether this call took effect; check before repeating it",
      },
    ]);
  });
});

test("a run of another loop version is not gone on with silently", async () => {
  const kept = new MemoryStore();
  await diesAfter(2, new Processes(kept), []);
  const other = new MemoryStore();
  const entries = (await kept.load("s")).map((entry) => ({ ...(entry as object), loop: 99 }));
  await other.append("s", 0, entries);
  const { session } = processOf(other, []);
  await expect(session.resume()).rejects.toThrow(LoopVersionError);
  await expect(session.resume({ approvals: { none: true } })).rejects.toThrow(LoopVersionError);
  await expect(session.resume()).rejects.toThrow("was started by loop version 99, but this is version 7");
  expect(await session.state()).toMatchObject({ lastRun: "cut-off" });
  expect((await session.resume({ anyLoopVersion: true })).text).toBe("All done.");
});

test("time spent waiting does not count as time of the run", async () => {
  const wait = defineTool({ name: "wait", description: "x", needsApproval: true, run: () => "ok" });
  const model = new ScriptedModel(call("wait"), say("Done."));
  const session = new Agent({ model, tools: [wait], limits: { wallTimeMs: 200 } }).session();
  await session.send("Go.");
  await vi.advanceTimersByTimeAsync(300);
  expect((await session.resume(await answersTo(session, { approvals: { "call:1.0": true } }))).stopReason).toBe(
    "finished",
  );
});
