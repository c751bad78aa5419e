import { Agent, defineTool, MemoryStore, type SessionStore } from "@pollux/core";
import { assertObservations, call, fails, hangs, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { record } from "../helpers/observations.ts";
import { Processes, storeLike } from "../helpers/processes.ts";
import { tracer } from "../helpers/tracer.ts";
import { SESSION_FACES } from "./session-faces.ts";
import { answersTo } from "../helpers/answers.ts";
import { until } from "../helpers/until.ts";

fakeTime("stands");

const look = defineTool({ name: "look", description: "x", run: () => "seen" });
const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });

/** What one process makes of the session. */
function processOf(store: SessionStore, script: readonly ScriptLine[], traced = tracer()) {
  const model = new ScriptedModel(...script);
  const agent = new Agent({ model, tools: [look, pay], observers: [traced] });
  return { ...traced, model, session: agent.session({ id: "s", store }) };
}

/** The run as the observer of a process knows it. */
function linkOf({ observations }: ReturnType<typeof tracer>): string | undefined {
  assertObservations(observations);
  return observations[0]?.run.resumedFrom;
}

describe.each(SESSION_FACES)("a run that is resumed, by %s", (_face, face) => {
  test("after an approval is linked to the trace it was last in, each time", async () => {
    const store = new MemoryStore();
    const first = processOf(store, [call("pay")]);
    await face.send(first.session, "Pay.");
    expect(linkOf(first)).toBeUndefined();
    const second = processOf(store, [fails(new Error("no"))]);
    await expect(
      face.resume(second.session, await answersTo(second.session, { approvals: { "call:1.0": true } })),
    ).rejects.toThrow("no");
    expect(linkOf(second)).toBe(first.of("run"));
    const third = processOf(store, [say("Paid.")]);
    await face.resume(third.session);
    expect(linkOf(third)).toBe(second.of("run"));
    const next = processOf(store, [say("Hi.")]);
    await face.send(next.session, "Hi.");
    expect(linkOf(next)).toBeUndefined();
  });

  test("after it failed before anything was recorded is linked, too", async () => {
    const store = new MemoryStore();
    const first = processOf(store, [fails(new Error("no"))]);
    await expect(face.send(first.session, "Go.")).rejects.toThrow("no");
    const second = processOf(store, [say("Done.")]);
    await face.resume(second.session);
    expect(linkOf(second)).toBe(first.of("run"));
  });

  test("after a process without a tracing observer is linked to the one before", async () => {
    const store = new MemoryStore();
    const first = processOf(store, [call("pay")]);
    await face.send(first.session, "Pay.");
    const model = new ScriptedModel(fails(new Error("no")));
    const plain = new Agent({ model, tools: [look, pay], observers: [record()] });
    await expect(
      face.resume(
        plain.session({ id: "s", store }),
        await answersTo(plain.session({ id: "s", store }), { approvals: { "call:1.0": true } }),
      ),
    ).rejects.toThrow("no");
    const third = processOf(store, [say("Paid.")]);
    await face.resume(third.session);
    expect(linkOf(third)).toBe(first.of("run"));
  });

  test.each<[string, readonly ScriptLine[], ms: number]>([
    ["in a later request", [call("look"), hangs()], 0],
    ["in its first answer, by its draft", [hangs("Once ", "upon")], 600],
    ["in its first request, by its lease", [hangs()], 4_000],
  ])("after its process was killed %s is linked", async (_when, script, ms) => {
    const processes = new Processes(new MemoryStore());
    const { store, die } = processes.start();
    const first = processOf(store, script);
    void face.send(first.session, "Go.").catch(() => {});
    await until(() => first.model.requests.length === script.length);
    await idle();
    await vi.advanceTimersByTimeAsync(ms);
    die();
    const second = processOf(processes.start().store, [say("Done.")]);
    await face.resume(second.session);
    expect(linkOf(second)).toBe(first.of("run"));
  });
});

test("a trace costs no write of its own", async () => {
  const written = async (observed: boolean): Promise<string[]> => {
    const memory = new MemoryStore();
    const writes: string[] = [];
    const store = storeLike(memory, {
      append: async (...args) => {
        writes.push(`append ${args[2].length}`);
        await memory.append(...args);
      },
      setLease: (...args) => {
        writes.push("lease");
        return memory.setLease(...args);
      },
      setDraft: (...args) => {
        writes.push("draft");
        return memory.setDraft(...args);
      },
    });
    const model = new ScriptedModel(call("look"), say("Done."));
    const agent = new Agent({ model, tools: [look], ...(observed && { observers: [tracer()] }) });
    await agent.session({ id: "s", store }).send("Go.");
    return writes;
  };
  expect(await written(true)).toEqual(await written(false));
});

test("what a session stores has no trace without an observer that traces", async () => {
  const store = new MemoryStore();
  const agent = new Agent({
    model: new ScriptedModel(call("look"), say("Done.")),
    tools: [look],
    observers: [record()],
  });
  await agent.session({ id: "s", store }).send("Go.");
  expect(JSON.stringify([await store.load("s"), await store.records("s")])).not.toContain("traceparent");
});
