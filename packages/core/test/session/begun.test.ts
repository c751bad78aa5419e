import { Agent, defineTool, MemoryStore, type SessionStore } from "@pollux/core";
import { calls, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { deferred } from "../helpers/deferred.ts";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { Processes } from "../helpers/processes.ts";
import { SESSION_FACES, waits } from "./session-faces.ts";
import { answersTo } from "../helpers/answers.ts";

fakeTime("stands");

/** Forty calls that must not happen twice, of which only some may run at a time. */
function forty(how: { readonly sequential?: boolean }) {
  const ran: string[] = [];
  const dead = deferred();
  const pay = defineTool({
    name: "pay",
    description: "x",
    effects: "once",
    ...how,
    run: async (_input, { callId }): Promise<string> => {
      ran.push(callId);
      if (ran.length === (how.sequential === true ? 1 : 8)) dead.resolve();
      return await new Promise(() => {});
    },
  });
  const model = new ScriptedModel(calls(...Array.from({ length: 40 }, () => "pay")));
  const open = (store: SessionStore, tools = [pay], ...script: readonly ScriptLine[]) =>
    new Agent({ model: script.length === 0 ? model : new ScriptedModel(...script), tools }).session({ id: "s", store });
  return { ran, dead: dead.promise, open, pay };
}

describe.each(SESSION_FACES)("calls that must not happen twice, after a crash, read by %s", (_face, face) => {
  test.each([
    ["of which eight may run at a time", {}, 8],
    ["that run one at a time", { sequential: true }, 1],
  ])("%s: nobody is asked about those that only waited", async (_name, how, begun) => {
    const { ran, dead, open, pay } = forty(how);
    const store = new MemoryStore();
    const processes = new Processes(store);
    const dying = processes.start();
    void face.send(open(dying.store), "Pay all.");
    await dead;
    await idle();
    dying.die();
    expect(ran).toHaveLength(begun);

    const paid: string[] = [];
    const tool = {
      ...pay,
      run: (_input: unknown, { callId }: { readonly callId: string }) => (paid.push(callId), "paid"),
    };
    const again = () => open(processes.start().store, [tool], say("Done."));
    const asked = waits(await face.resume(again()));
    expect(asked).toEqual(ran.map((callId) => `${callId} unknown-outcome`));
    expect(paid).toHaveLength(40 - begun);

    const outcomes = Object.fromEntries(ran.map((callId) => [callId, { output: "paid" }]));
    expect((await face.resume(again(), await answersTo(again(), { outcomes }))).text).toBe("Done.");
    expect(paid).toHaveLength(40 - begun);
  });

  test("a hook that ran before the tool did not begin it", async () => {
    const { open, pay } = forty({});
    const store = new MemoryStore();
    const processes = new Processes(store);
    const dying = processes.start();
    const reached = deferred();
    const model = new ScriptedModel(calls("pay"));
    const hooks = { beforeCall: async () => (reached.resolve(), await new Promise<never>(() => {})) };
    void face.send(new Agent({ model, tools: [pay], hooks }).session({ id: "s", store: dying.store }), "Pay.");
    await reached.promise;
    dying.die();
    const paid: string[] = [];
    const tool = { ...pay, run: () => (paid.push("paid"), "paid") };
    expect((await face.resume(open(processes.start().store, [tool], say("Done.")))).text).toBe("Done.");
    expect(paid).toEqual(["paid"]);
  });
});
