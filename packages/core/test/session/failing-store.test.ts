import { Agent, defineTool, type Json, MemoryStore, type RunResult, type SessionStore } from "@pollux/core";
import { SessionLeaseLostError, SessionStoreError } from "@pollux/core/errors";
import { call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { deferred } from "../helpers/deferred.ts";
import { idle } from "../helpers/fake-time.ts";
import { Processes, storeLike } from "../helpers/processes.ts";
import { SESSION_FACES, waits } from "./session-faces.ts";
import { answersTo } from "../helpers/answers.ts";

/** A store whose appends are done by another function. */
function withAppend(store: SessionStore, append: SessionStore["append"]): SessionStore {
  return storeLike(store, { append });
}

/** Runs on a store whose process dies right after the beginning of a step was written. */
async function diesAtBegin(
  processes: Processes,
  step: string,
  run: (store: SessionStore) => Promise<unknown>,
): Promise<void> {
  const dead = deferred();
  const { store, die } = processes.start();
  const dying = withAppend(store, async (id, length, entries, options) => {
    await store.append(id, length, entries, options);
    if (!entries.some((entry) => JSON.stringify(entry).includes(`"step":${JSON.stringify(step)}`))) return;
    die();
    dead.resolve();
    await new Promise(() => {});
  });
  await Promise.race([run(dying), dead.promise]);
  await idle();
}

/** A store that writes at once, and says so when it is told to. */
function lateToTell(store: MemoryStore) {
  const [written, told] = [deferred(), deferred()];
  const late = withAppend(store, async (id, length, entries, options) => {
    await store.append(id, length, entries, options);
    written.resolve();
    await told.promise;
  });
  return { store: late, written: written.promise, tell: told.resolve };
}

const turnsIn = (request: { readonly contents: readonly { readonly role: string }[] }): number =>
  request.contents.filter(({ role }) => role === "model").length;

describe.each(SESSION_FACES)("read by %s", (_face, face) => {
  test("a once call whose process dies each time it is run is asked about each time", async () => {
    const store = new Processes(new MemoryStore());
    const done: string[] = [];
    const pay = defineTool({ name: "pay", description: "x", effects: "once", run: () => (done.push("pay"), "paid") });
    const script = [call("pay"), say("Done.")];
    const open = (at: SessionStore) => {
      const model = new ScriptedModel(
        ...[1, 2, 3].map(() => (request: Parameters<typeof turnsIn>[0]) => script[turnsIn(request)] ?? say("?")),
      );
      return new Agent({ model, tools: [pay] }).session({ id: "s", store: at });
    };
    const outcomes = { "call:1.0": { notExecuted: true } } as const;
    await diesAtBegin(store, "call:1.0", (dying) => open(dying).send("Go."));
    for (const again of ["call:1.0/again", "call:1.0/again.2"]) {
      expect(waits(await face.resume(open(store.start().store)))).toEqual(["call:1.0 unknown-outcome"]);
      await diesAtBegin(store, again, async (dying) => open(dying).resume(await answersTo(open(dying), { outcomes })));
      expect(done).toEqual([]);
    }
    expect(waits(await face.resume(open(store.start().store)))).toEqual(["call:1.0 unknown-outcome"]);
    const last = open(store.start().store);
    expect((await face.resume(last, await answersTo(last, { outcomes }))).text).toBe("Done.");
    expect(done).toEqual(["pay"]);
    expect((await open(store.start().store).replay().result()).text).toBe("Done.");
  });

  const failures = [true, false].flatMap((written) =>
    Array.from({ length: 13 }, (_, index) => ({ written, at: index + 1 })),
  );
  test.each(failures)(
    "append $at fails once (written: $written), and the run is finished by resuming",
    async (fail) => {
      const inner = new MemoryStore();
      let appends = 0;
      const store = withAppend(inner, async (id, length, entries: readonly Json[], options) => {
        const fails = ++appends === fail.at;
        if (!fails || fail.written) await inner.append(id, length, entries, options);
        if (fails) throw new SessionStoreError(id, "disk full");
      });
      const done: string[] = [];
      const tool = (name: string, more: object) =>
        defineTool({ name, description: "x", ...more, run: () => (done.push(name), `${name} ok`) });
      const tools = [
        tool("read", { effects: "none" }),
        tool("pay", { effects: "once" }),
        tool("sign", { effects: "once", needsApproval: true }),
      ];
      const script = [calls("read", "pay"), calls("read", "sign"), say("Done.")];
      const model = new ScriptedModel(
        ...Array.from(
          { length: 12 },
          () => (request: Parameters<typeof turnsIn>[0]) => script[turnsIn(request)] ?? say("?"),
        ),
      );
      const session = new Agent({ model, tools, prices: { input: 1_000_000, output: 0 } }).session({ id: "s", store });

      const step = async (): Promise<RunResult<unknown>> => {
        const { lastRun, pending } = await session.state();
        if (lastRun === undefined) return await face.send(session, "Go.");
        const approvals = pending.filter(({ question }) => question === "approval").map(({ token }) => [token, true]);
        const outcomes = pending
          .filter(({ question }) => question === "unknown-outcome")
          .map(({ token, call: { name } }) => [
            token,
            done.includes(name) ? { output: `${name} ok` } : { notExecuted: true },
          ]);
        return await face.resume(session, {
          approvals: Object.fromEntries(approvals),
          outcomes: Object.fromEntries(outcomes),
        });
      };
      for (let tries = 0; tries < 8 && (await session.state()).lastRun !== "finished"; tries++)
        await step().catch(() => {});
      expect(done.filter((name) => name !== "read")).toEqual(["pay", "sign"]);
      expect(await session.state()).toMatchObject({ lastRun: "finished", turns: 3, toolCalls: 4, cost: 30, runs: 1 });
      const history = await session.history();
      const responses = history.flatMap(({ parts }) => parts.flatMap(({ functionResponse }) => functionResponse ?? []));
      expect(responses.map(({ response }) => response["output"])).toEqual(["read ok", "pay ok", "read ok", "sign ok"]);
      expect(await new Agent({ model }).session({ id: "s", store: inner }).history()).toEqual(history);
      expect((await session.replay().result()).text).toBe("Done.");
    },
  );
});

describe("a store that tells late that it has written", () => {
  test("does not make a session that is looked at meanwhile take its entries in twice", async () => {
    const model = new ScriptedModel(say("Hello."));
    const late = lateToTell(new MemoryStore());
    const session = new Agent({ model }).session({ store: late.store });
    const run = session.send("Go.");
    await late.written;
    const looked = session.state();
    await idle();
    late.tell();
    await looked;
    expect((await run).text).toBe("Hello.");
    expect(await session.history()).toHaveLength(2);
  });

  test("keeps two messages that are sent at once in order", async () => {
    const model = new ScriptedModel(say("Hello."));
    const late = lateToTell(new MemoryStore());
    const session = new Agent({ model }).session({ store: late.store });
    const first = session.steer("One.");
    await late.written;
    const second = session.steer("Two.");
    await idle();
    late.tell();
    await Promise.all([first, second]);
    await session.send("Go.");
    expect(model.requests[0]?.contents.map(({ parts }) => parts[0]?.text)).toEqual(["Go.", "One.", "Two."]);
  });
});

test("steering by a process that has lost its session is kept, and does not hide the loss from its run", async () => {
  const store = new MemoryStore();
  const processes = new Processes(store);
  const paused = processes.start();
  let runs = 0;
  const work = defineTool({
    name: "work",
    description: "x",
    run: async () => {
      runs++;
      paused.seemDead();
      await other.send("Mine now.");
      await mine.steer("Hurry.");
      return "worked";
    },
  });
  const agent = new Agent({ model: new ScriptedModel(call("work"), say("Ok."), say("On.")), tools: [work] });
  const mine = agent.session({ id: "s", store: paused.store });
  const other = agent.session({ id: "s", store: processes.start().store });
  await expect(mine.send("Go.")).rejects.toThrow(SessionLeaseLostError);
  expect(runs).toBe(1);
  const types = (await store.load("s")).map((entry) => (entry as { type: string }).type);
  expect(types).toEqual(["run", "step", "end", "run", "step", "end", "steer"]);
  await mine.send("And now?");
  expect((await other.history()).map(({ parts }) => parts[0]?.text ?? "-")).toEqual([
    "Go.",
    "-",
    "-",
    "Mine now.",
    "Ok.",
    "And now?",
    "Hurry.",
    "On.",
  ]);
});
