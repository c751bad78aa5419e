import { Agent, type AgentOptions, defineTool, MemoryStore, type SessionStore } from "@pollux/core";
import { call, calls, fails, hangs, say, type ScriptLine, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { inspect } from "../support/inspected.ts";
import { add, fail, foldOf, keyed, pay, sessionOf } from "../support/sessions.ts";

const scan = defineTool({ name: "scan", description: "Scans a page", input: z.object({}) });

/** The inspector's agent: another object than the session's. */
function helper(script: readonly ScriptLine[], options: Partial<AgentOptions> = {}): Readonly<Record<string, Agent>> {
  return { helper: new Agent({ model: new ScriptedModel(...script), tools: [add, fail, pay, scan], ...options }) };
}

async function answersOf(store: SessionStore): Promise<readonly unknown[]> {
  const log = (await store.load("chat-1")) as unknown as readonly { readonly type: string; readonly value?: unknown }[];
  return log.flatMap(({ type, value }) => (type === "answer" ? [value] : []));
}

/** Resolves once the last run has ended. */
async function ended(store: MemoryStore): Promise<string> {
  for (;;) {
    const fold = await foldOf(store);
    const reason = fold.runs.at(-1)?.end?.["stopReason"];
    if (typeof reason === "string") return reason;
    await new Promise<void>((resolve) => {
      const end = store.watch("chat-1", () => {
        end();
        resolve();
      });
    });
  }
}

async function asked(...lines: readonly ScriptLine[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  await sessionOf(store, lines, { tools: [add, fail, pay, scan] }).send("Pay 3.");
  return store;
}

describe("answers", () => {
  test("an approval is recorded, and the run continues", async () => {
    const store = await asked(call("pay", { amount: 3 }));
    const inspected = inspect({ store, agents: helper([say("Paid.")]), allowActions: true });
    const done = await inspected.act("answer", await keyed(store, { approvals: { "call:1.0": true } }));
    expect(done).toEqual({ done: "Recorded; the run continues.", runId: expect.any(String) });
    expect(await ended(store)).toBe("finished");
    expect(await answersOf(store)).toEqual([true]);
  });

  test("a call is run with the arguments that a person gave it", async () => {
    const store = await asked(call("pay", { amount: 3 }));
    const inspected = inspect({ store, agents: helper([say("Paid.")]), allowActions: true });
    await inspected.act("answer", await keyed(store, { approvals: { "call:1.0": { args: { amount: 2 } } } }));
    expect(await ended(store)).toBe("finished");
    const turn: any = await inspected.view(`turns/${(await foldOf(store)).runs[0]?.runId}/1`);
    expect(turn.calls[0]).toMatchObject({ editedArgs: { amount: 2 }, response: { output: "paid 2" } });
  });

  test("arguments that the tool does not accept are refused in the library's words", async () => {
    const store = await asked(call("pay", { amount: 3 }));
    const inspected = inspect({ store, agents: helper([]), allowActions: true });
    const wrong = inspected.act(
      "answer",
      await keyed(store, { approvals: { "call:1.0": { args: { amount: "two" } } } }),
    );
    await expect(wrong).rejects.toThrow(/^409 invalid_approval: .*call:1\.0 \(pay\)/);
    expect(await answersOf(store)).toEqual([]);
  });

  test("a denial, and the outcome of an external call", async () => {
    const store = await asked(calls({ name: "pay", args: { amount: 3 } }, "scan"));
    const inspected = inspect({ store, agents: helper([say("Well.")]), allowActions: true });
    const first = await inspected.act(
      "answer",
      await keyed(store, { approvals: { "call:1.0": { deny: "too much" } } }),
    );
    expect(first).toEqual({ done: "Recorded. These calls wait for an answer: call:1.1 (scan)." });
    await expect(inspected.act("resume", {})).rejects.toThrow("409 waiting");
    await inspected.act("answer", await keyed(store, { outcomes: { "call:1.1": { output: "a page" } } }));
    expect(await ended(store)).toBe("finished");
    expect(await answersOf(store)).toEqual([{ deny: "too much" }, { output: "a page" }]);
  });

  test("without an agent, an answer is recorded for the program that resumes the run", async () => {
    const store = await asked(call("pay", { amount: 3 }));
    const done = await inspect({ store, allowActions: true }).act(
      "answer",
      await keyed(store, { approvals: { "call:1.0": true } }),
    );
    expect(done).toEqual({ done: expect.stringContaining("when its program resumes it") });
    expect(await answersOf(store)).toEqual([true]);
  });

  test("an answer without a question is refused", async () => {
    const store = await asked(say("Paid."));
    const inspected = inspect({ store, agents: helper([]), allowActions: true });
    const wrong = inspected.act("answer", await keyed(store, { approvals: { "call:1.0": true } }));
    await expect(wrong).rejects.toThrow("409 unexpected_answer");
    await expect(inspected.act("answer", { approvals: [true] })).rejects.toThrow("400 invalid: approvals");
  });
});

describe("send and resume", () => {
  test("a message starts a run", async () => {
    const store = await asked(say("Which one?"));
    const inspected = inspect({ store, agents: helper([say("That one.")]), allowActions: true });
    expect(await inspected.act("send", { message: "The first." })).toMatchObject({ done: "Sent." });
    expect(await ended(store)).toBe("finished");
    expect((await foldOf(store)).runs).toHaveLength(2);
    await expect(inspected.act("send", { message: " " })).rejects.toThrow("400 invalid: message must be a text.");
    const odd = inspected.act("send", { message: "Hi", whileRunning: "wait" });
    await expect(odd).rejects.toThrow("400 invalid: whileRunning");
  });

  test("a failed run continues where it stopped", async () => {
    const store = new MemoryStore();
    const failed = sessionOf(store, [call("add", { a: 1, b: 2 }), fails(new Error("down"))]).send("Add.");
    await expect(failed).rejects.toThrow("down");
    const inspected = inspect({ store, agents: helper([say("It is 3.")]), allowActions: true });
    expect(await inspected.act("resume", {})).toMatchObject({ done: "The run continues." });
    expect(await ended(store)).toBe("finished");
    await expect(inspected.act("resume", {})).rejects.toThrow("409 nothing_to_resume");
  });

  test("actions that need an agent say so, and how to pass one", async () => {
    const store = await asked(say("Hello."));
    const without = inspect({ store, allowActions: true });
    await expect(without.act("send", { message: "Hi" })).rejects.toThrow("409 no_agent: To send, the inspector needs");
    await expect(without.act("resume", {})).rejects.toThrow("--agent FILE.ts");
    const agents = { ...helper([]), other: new Agent({ model: new ScriptedModel() }) };
    const many = inspect({ store, agents, allowActions: true });
    await expect(many.act("send", { message: "Hi" })).rejects.toThrow("Name the agent to send: helper, other.");
  });
});

describe("during a run", () => {
  test("it is steered, and stopped, without an agent; a message is refused or replaces it", async () => {
    const store = new MemoryStore();
    const running = sessionOf(store, [hangs("Well")]).send("Think.");
    const over = running.catch((error: unknown) => String(error));
    const inspected = inspect({ store, allowActions: true });
    const begun = async (): Promise<boolean> => (await store.records("chat-1")).lease?.held === true;
    while (!(await begun())) await new Promise((resolve) => setImmediate(resolve));
    expect(await inspected.act("steer", { message: "Be quick." })).toEqual({
      done: "The run's next request has it.",
    });
    const agents = helper([say("Now.")]);
    const withAgent = inspect({ store, agents, allowActions: true });
    await expect(withAgent.act("send", { message: "Hi" })).rejects.toThrow(
      "409 session_running: The session is running: wait until its run is over",
    );
    expect(await inspected.act("stop", {})).toEqual({ done: "Stopped." });
    expect(await over).toContain("stopped on request");
    expect(await inspected.act("stop", {})).toEqual({ done: "No run is active." });
    expect(await inspected.act("steer", { message: "Later." })).toEqual({
      done: "No run is active: the next one has it.",
    });
    await withAgent.act("send", { message: "Go on." });
    expect(await ended(store)).toBe("finished");
  });
});

test.each(["answer", "stop", "steer", "send", "resume", "fork"])("%s needs allowActions", async (action) => {
  const store = await asked(say("Hello."));
  await expect(inspect({ store }).act(action, {})).rejects.toThrow("403 read_only");
});
