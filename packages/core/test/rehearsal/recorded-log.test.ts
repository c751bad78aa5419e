import { describe, expect, test } from "vitest";
import { Agent } from "../../src/agent/agent.ts";
import { cutLog } from "../../src/rehearsal/cut-recording.ts";
import { recordedCalls, RecordedOutcomes } from "../../src/rehearsal/recorded-calls.ts";
import { MemoryStore } from "../../src/session/store/memory-store.ts";
import { call, calls, say, ScriptedModel } from "../../src/testing/index.ts";
import { defineTool } from "../../src/tool/define-tool.ts";

const look = defineTool({
  name: "look",
  description: "Looks.",
  input: { type: "object", properties: { at: { type: "string" } }, required: ["at"] },
  run: (input) => {
    const { at } = input as { at: string };
    if (at === "sun") throw new Error("too bright");
    return `${at} seen`;
  },
});
const ask = defineTool({ name: "ask", description: "Asks." });

/** Two runs: the first one calls twice, in two turns; the second one waits for an answer, and goes on. */
async function recorded() {
  const store = new MemoryStore();
  const model = new ScriptedModel(
    calls({ name: "look", args: { at: "moon" } }, { name: "look", args: { at: "sun" } }),
    call("look", { at: "moon" }),
    say("Seen."),
    call("ask"),
    say("Answered."),
  );
  const session = new Agent({ model, tools: [look, ask] }).session({ id: "s", store });
  await session.send("Look.", { runId: "one" });
  const waiting = await session.send("Ask.", { runId: "two" });
  const [pending] = waiting.stopReason === "needs-outcome" ? waiting.pending : [];
  await session.resume({ outcomes: { [pending?.token ?? ""]: { output: 42 } } });
  return await store.load("s");
}

describe("recorded calls", () => {
  test("have arguments and the responses that the model read, in order", async () => {
    const log = await recorded();
    expect(recordedCalls(log)).toEqual([
      {
        runId: "one",
        turn: 1,
        callId: "call:1.0",
        name: "look",
        args: { at: "moon" },
        response: { output: "moon seen" },
      },
      {
        runId: "one",
        turn: 1,
        callId: "call:1.1",
        name: "look",
        args: { at: "sun" },
        response: { error: expect.any(String) as unknown },
      },
      {
        runId: "one",
        turn: 2,
        callId: "call:2.0",
        name: "look",
        args: { at: "moon" },
        response: { output: "moon seen" },
      },
      {
        runId: "two",
        turn: 1,
        callId: "call:1.0",
        name: "ask",
        args: {},
        response: { output: 42 },
        route: "ask-outcome",
      },
    ]);
    expect(recordedCalls(log, "two")).toHaveLength(1);
  });

  test.each([
    ["at once", async () => ({ deny: "too late" })],
    ["later", undefined],
  ])("have what the model was told of a refusal that came %s", async (_, approve) => {
    const store = new MemoryStore();
    const pay = defineTool({ name: "pay", description: "Pays.", needsApproval: true, run: () => "paid" });
    const model = new ScriptedModel(call("pay"), say("Not paid."));
    const session = new Agent({ model, tools: [pay], approve }).session({ id: "s", store });
    const result = await session.send("Pay.", { runId: "one" });
    const [pending] = result.stopReason === "needs-approval" ? result.pending : [];
    if (pending !== undefined) await session.resume({ approvals: { [pending.token]: { deny: "too late" } } });

    expect(recordedCalls(await store.load("s"))).toMatchObject([
      { name: "pay", response: { error: "not run: the user denied this call: too late" } },
    ]);
  });

  test.each([
    [[]],
    [
      [
        null,
        1,
        "x",
        {},
        { type: "step", place: { turn: 1 }, outcome: { value: { response: { content: { parts: [null] } } } } },
      ],
    ],
  ])("are none in a log that says nothing: %j", (log) => {
    expect(recordedCalls(log)).toEqual([]);
  });
});

describe("recorded outcomes", () => {
  const recordedAs = (args: unknown, response: unknown) => ({
    runId: "r",
    turn: 1,
    callId: "c",
    name: "look",
    args,
    response,
  });
  const outcome = (output: unknown, isRepeated: boolean) => ({ outcome: { ok: true, output }, isRepeated });

  test("come in order, whatever the order of keys, and then the last one again", () => {
    const outcomes = new RecordedOutcomes([
      recordedAs({ a: 1, b: 2 }, { output: "first" }),
      recordedAs({ b: 2, a: 1 }, { output: "second" }),
      recordedAs({ a: 2 }, { error: "none" }),
      recordedAs({ a: 3 }, undefined),
    ]);
    const args = { b: 2, a: 1 };
    expect(outcomes.next("look", args)).toEqual(outcome("first", false));
    expect(outcomes.next("look", args)).toEqual(outcome("second", false));
    expect(outcomes.next("look", args)).toEqual(outcome("second", true));
    expect(outcomes.next("look", { a: 2 })).toEqual({
      outcome: { ok: false, kind: "failed", message: "none" },
      isRepeated: false,
    });
    expect([outcomes.next("look", { a: 3 }), outcomes.next("look", {}), outcomes.next("seek", args)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("are those of calls that their match says are the same", () => {
    const outcomes = new RecordedOutcomes([recordedAs({ at: "Moon" }, { output: "seen" })], {
      look: (recordedArgs, args) => JSON.stringify(recordedArgs).toLowerCase() === JSON.stringify(args),
    });
    expect(outcomes.next("look", { at: "moon" })).toEqual(outcome("seen", false));
    expect(outcomes.next("look", { at: "sun" })).toBeUndefined();
  });
});

describe("a log that is cut", () => {
  const goOn = async (entries: Parameters<MemoryStore["append"]>[2], message?: string) => {
    const store = new MemoryStore();
    await store.append("cut", 0, entries);
    const model = new ScriptedModel(say("Other."));
    const session = new Agent({ model, tools: [look, ask] }).session({ id: "cut", store });
    const result = message === undefined ? await session.resume({ anyLoopVersion: true }) : await session.send(message);
    return {
      runId: result.runId,
      text: result.text,
      contents: model.requests[0]?.contents.length,
      turns: result.turns,
    };
  };

  test.each([
    ["continues before its first turn", 1, { contents: 1, turns: 1 }],
    ["continues after the answers of earlier turns", 2, { contents: 3, turns: 2 }],
    ["continues after its last call", 3, { contents: 5, turns: 3 }],
  ])("%s", async (_name, turn, expected) => {
    const { entries, message } = cutLog(await recorded(), { runId: "one", turn });
    expect(message).toBeUndefined();
    expect(await goOn(entries)).toEqual({ runId: "one", text: "Other.", ...expected });
  });

  test("keeps the answers from outside, and the end that they came after leaves no trace", async () => {
    const { entries } = cutLog(await recorded(), { turn: 2, newRunId: "new" });
    expect(await goOn(entries)).toEqual({ runId: "new", text: "Other.", contents: 9, turns: 2 });
  });

  test("as a whole gives its message", async () => {
    const log = await recorded();
    const { entries, message } = cutLog(log, {});
    expect(message).toEqual([{ role: "user", parts: [{ text: "Ask." }] }]);
    expect(await goOn(entries, "Ask.")).toMatchObject({ text: "Other.", contents: 7, turns: 1 });
  });

  test.each([
    [{ runId: "three" }, "no run three"],
    [{ turn: 0 }, "the turns 1 to 2"],
    [{ turn: 4 }, "the turns 1 to 2"],
    [{ turn: 1.5 }, "the turns 1 to 2"],
  ])("is not cut at %j", async (at, problem) => {
    const log = await recorded();
    expect(() => cutLog(log, at)).toThrow(problem);
    expect(() => cutLog([], {})).toThrow("the log has no run");
  });
});
