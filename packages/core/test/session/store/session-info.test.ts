import { Agent, type AgentOptions, defineJob, defineTool, MemoryStore, type SessionStore } from "@pollux/core";
import {
  blocked,
  call,
  calls,
  cut,
  empty,
  fails,
  hangs,
  say,
  ScriptedModel,
  type ScriptLine,
} from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { SESSION_FACES } from "../session-faces.ts";

const pay = defineTool({
  name: "pay",
  description: "Pays an invoice.",
  input: z.object({}),
  needsApproval: true,
  run: () => "paid",
});

const look = defineTool({ name: "look", description: "Looks.", input: z.object({}), run: () => "nothing" });

function open(script: readonly ScriptLine[], options: Partial<AgentOptions> = {}) {
  const store = new MemoryStore();
  const model = new ScriptedModel(...script);
  return { store, session: new Agent({ model, tools: [pay, look], ...options }).session({ id: "s", store }) };
}

/** What a list says of how the session stands. */
async function standing(store: SessionStore): Promise<unknown> {
  const [{ state, ending } = {}] = await store.list();
  return [state, ending];
}

describe.each(SESSION_FACES)("what lists say of how a run ended, read by %s", (_face, face) => {
  const refuse = { name: "polite", check: () => ({ stop: "rude" }) };

  test.each<[ending: string, state: string, script: ScriptLine[], options?: Partial<AgentOptions>]>([
    ["finished", "idle", [say("Hello.")]],
    ["blocked", "idle", [blocked()]],
    ["truncated", "idle", [cut("Once upon a")]],
    ["empty", "idle", [empty(), empty(), empty(), empty()]],
    ["guardrail", "idle", [say("Hello.")], { guardrails: { input: [refuse] } }],
    ["limit", "stopped", [call("look", {})], { limits: { turns: 1 } }],
    ["failed", "stopped", [fails(new Error("the service is down"))]],
    ["needs-approval", "waiting", [call("pay", {})]],
  ])("%s", async (ending, state, script, options) => {
    const { store, session } = open(script, options);
    await face.send(session, "Hi").catch(() => {});
    expect(await standing(store)).toEqual([state, ending]);
  });

  test("says whether it waits for jobs alone, until it goes on", async () => {
    const job = defineJob({ name: "job", description: "Takes long.", start: () => "job-1" });
    const seen = async (...made: readonly string[]): Promise<readonly unknown[]> => {
      const { store, session } = open([calls(...made), say("Yes.")], { tools: [job, pay] });
      await face.send(session, "Hi");
      const waiting = await store.list({ state: "waiting" });
      await session.stop();
      await face.send(session, "And now?");
      return [...waiting, ...(await store.list())].map(({ waitsFor }) => waitsFor);
    };
    expect([await seen("job"), await seen("job", "pay"), await seen("pay")]).toEqual([
      ["job", undefined],
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  test("is gone while the next run is going, and while a run goes on; then it is how that ended", async () => {
    const seen: unknown[] = [];
    const seeing =
      (line: ReturnType<typeof say>): ScriptLine =>
      async () => {
        seen.push(await standing(store));
        return line;
      };
    const { store, session } = open([seeing(fails(new Error("down"))), seeing(blocked()), seeing(say("Yes."))]);
    await face.send(session, "Hi").catch(() => {});
    await face.resume(session);
    expect(await standing(store)).toEqual(["idle", "blocked"]);
    await face.send(session, "And now?");
    expect(seen).toEqual(Array.from({ length: 3 }, () => ["running", undefined]));
    expect(await standing(store)).toEqual(["idle", "finished"]);
  });

  test("is aborted for a run that was stopped", async () => {
    const stop: ScriptLine = () => {
      void session.stop();
      return hangs();
    };
    const { store, session } = open([stop]);
    await expect(face.send(session, "Hi")).rejects.toMatchObject({ code: "run_stopped" });
    expect(await standing(store)).toEqual(["stopped", "aborted"]);
  });
});

describe("how a run ended", () => {
  test("is not known after a rewind, also of the run before", async () => {
    const { store, session } = open([blocked(), say("Yes.")]);
    await session.send("Hi");
    await session.send("And now?");
    await session.rewind();
    expect(await standing(store)).toEqual(["idle", undefined]);
  });

  test("is known again with the next message of a log whose list was written by an older release", async () => {
    const { store, session } = open([blocked()]);
    await session.send("Hi");
    const entries = await store.load("s");
    const old = new MemoryStore();
    // As a release writes it that does not know endings.
    const [{ ending: _, ...info } = {}] = await store.list();
    await old.append("s", 0, entries, { info: info as never });
    expect(await standing(old)).toEqual(["idle", undefined]);
    const later = new Agent({ model: new ScriptedModel(say("Yes.")) }).session({ id: "s", store: old });
    await later.describe({ title: "Renamed" });
    expect(await standing(old)).toEqual(["idle", "blocked"]);
  });
});

test("the turns of a run that was cut off count once the next one has begun", async () => {
  const { store, session } = open([call("look", {}), say("Nothing.")]);
  await session.send("Look around");
  const cutOff = new MemoryStore();
  await cutOff.append("s", 0, (await store.load("s")).slice(0, -1));
  const next = new Agent({ model: new ScriptedModel(say("Yes.")) }).session({ id: "s", store: cutOff });
  await next.send("Are you there?");
  expect(await cutOff.list()).toMatchObject([{ turns: 3 }]);
});
