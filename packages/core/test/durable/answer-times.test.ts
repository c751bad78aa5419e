import { Agent, defineTool, MemoryStore, type PendingCall, type RunEvent } from "@pollux/core";
import type { Op, Steps } from "@pollux/core/durable";
import { questionToken } from "@pollux/core/tool";
import { passThrough, waitTimedOut } from "@pollux/core/durable";
import { call, calls, collect, say, ScriptedModel } from "@pollux/core/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fakeTime } from "../helpers/fake-time.ts";
import { SESSION_FACES, waits } from "../session/session-faces.ts";
import { MemoryEngine } from "../../../engine/test/memory-engine.ts";
import { answersTo } from "../helpers/answers.ts";

function tools(answerTimeoutMs: number | undefined) {
  const ran: string[] = [];
  const pay = defineTool({
    name: "pay",
    description: "x",
    needsApproval: true,
    answerTimeoutMs,
    run: () => (ran.push("pay"), "paid"),
  });
  const ask = defineTool({ name: "ask", description: "x", answerTimeoutMs });
  return { tools: [pay, ask], ran };
}

const BOTH = [calls("pay", "ask"), say("Nobody there.")] as const;
const UNSURE = "it is unknown whether this call took effect; check before repeating it";

function answersIn(model: ScriptedModel, request: number): unknown[] {
  return model.requests[request]?.contents.at(-1)?.parts.map((part) => part.functionResponse?.response) ?? [];
}

describe("a question that is put to somebody outside", () => {
  fakeTime("leaps");

  test.each([
    [5_000, { timeoutMs: 5_000 }],
    [undefined, {}],
    [Infinity, {}],
  ] as const)("goes along with its wait, with a time of %s", async (answerTimeoutMs, timeout) => {
    const seen: Op[] = [];
    const made = tools(answerTimeoutMs);
    const agent = new Agent({ model: new ScriptedModel(call("ask", { q: 1 }), say("Good.")), tools: made.tools });
    const steps = ({ runId, signal }: { runId: string; signal: AbortSignal }): Steps<RunEvent> => {
      const inner = passThrough<RunEvent>({ runId, signal });
      return {
        runId,
        round: async (ops) => {
          seen.push(...ops.filter(({ kind }) => kind === "wait"));
          return ops[0]?.kind === "wait" ? [{ ok: true, value: { output: "yes" } }] : await inner.round(ops);
        },
      };
    };
    await agent.run("Go.", { runId: "r", steps });
    const asked = { callId: "call:1.0", call: { name: "ask", args: { q: 1 } }, question: "outcome" } as const;
    const question: PendingCall = { turn: 1, ...asked, token: questionToken("r", asked) };
    const place = { kind: "wait", turn: 1, callId: "call:1.0", question: "outcome", time: 1 };
    expect(seen).toEqual([{ kind: "wait", name: "call:1.0/outcome", place, question, ...timeout }]);
  });

  test.each([["run"], ["stream"]])("is answered as timed out when a person is late, read by %s", async (face) => {
    const made = tools(40);
    const model = new ScriptedModel(...BOTH);
    const agent = new Agent({ model, tools: made.tools });
    const late = ({ runId, signal }: { runId: string; signal: AbortSignal }): Steps<RunEvent> => {
      const inner = passThrough<RunEvent>({ runId, signal });
      return {
        runId,
        round: async (ops) =>
          ops[0]?.kind === "wait" ? ops.map(({ name }) => waitTimedOut(name, 40)) : await inner.round(ops),
      };
    };
    const options = { runId: "r", steps: late };
    const result =
      face === "run" ? await agent.run("Go.", options) : (await collect(agent.stream("Go.", options))).result;
    expect(result).toMatchObject({ stopReason: "finished", text: "Nobody there." });
    expect(answersIn(model, 1)).toEqual([
      { error: "not run: this call was not approved within 40 ms" },
      { error: `no result arrived within 40 ms; ${UNSURE}` },
    ]);
    expect(made.ran).toEqual([]);
  });

  test("on an engine that waits in place ends with its time", async () => {
    const made = tools(30);
    const model = new ScriptedModel(...BOTH);
    const report = await new MemoryEngine().start(new Agent({ model, tools: made.tools }), "r", { input: "Go." });
    expect(report).toMatchObject({ status: "ended", result: { stopReason: "finished" } });
    expect(answersIn(model, 1)).toEqual([
      { error: "not run: this call was not approved within 30 ms" },
      { error: `no result arrived within 30 ms; ${UNSURE}` },
    ]);
  });
});

const START = 1_700_000_000_000;

describe.each(SESSION_FACES)("a session whose questions have a time, read by %s", (_, face) => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: START }));
  afterEach(() => void vi.useRealTimers());

  test("answers as timed out when it is resumed, and not before", async () => {
    const store = new MemoryStore();
    const made = tools(300);
    const model = new ScriptedModel(...BOTH);
    const agent = new Agent({ model, tools: made.tools });
    const first = await face.send(agent.session({ id: "s", store }), "Go.");
    expect(waits(first)).toEqual(["call:1.0 approval", "call:1.1 outcome"]);
    vi.setSystemTime(START + 299);
    expect(waits(await face.resume(agent.session({ id: "s", store })))).toEqual(waits(first));
    vi.setSystemTime(START + 300);
    const last = await face.resume(agent.session({ id: "s", store }));
    expect(last).toMatchObject({ stopReason: "finished", text: "Nobody there." });
    expect(answersIn(model, 1)).toEqual([
      { error: "not run: this call was not approved within 300 ms" },
      { error: `no result arrived within 300 ms; ${UNSURE}` },
    ]);
    expect(made.ran).toEqual([]);
    // What was written can be read again, and nobody is asked twice.
    const more = new Agent({ model: new ScriptedModel(say("Again.")), tools: made.tools }).session({ id: "s", store });
    expect(await face.send(more, "And now?")).toMatchObject({ stopReason: "finished", text: "Again." });
  });

  test("takes an answer that comes in time, and one that comes with the resume that is late", async () => {
    const store = new MemoryStore();
    const made = tools(20);
    const model = new ScriptedModel(...BOTH);
    const agent = new Agent({ model, tools: made.tools });
    await face.send(agent.session({ id: "s", store }), "Go.");
    vi.setSystemTime(START + 30);
    const answers = { approvals: { "call:1.0": true }, outcomes: { "call:1.1": { output: "late" } } };
    const session = agent.session({ id: "s", store });
    const result = await face.resume(session, await answersTo(session, answers));
    expect(result).toMatchObject({ stopReason: "finished" });
    expect(answersIn(model, 1)).toEqual([{ output: "paid" }, { output: "late" }]);
    expect(made.ran).toEqual(["pay"]);
  });

  test("leaves a run that is given up alone: nothing is begun for its questions", async () => {
    const store = new MemoryStore();
    const made = tools(1);
    const agent = new Agent({ model: new ScriptedModel(...BOTH, say("On.")), tools: made.tools });
    await face.send(agent.session({ id: "s", store }), "Go.");
    await face.send(agent.session({ id: "s", store }), "Never mind.", { unfinished: "close" });
    const entries = (await store.load("s")) as unknown as readonly { readonly type: string; readonly step?: string }[];
    expect(entries.filter(({ type }) => type === "begin").map(({ step }) => step)).toEqual([
      "call:1.0/approval",
      "call:1.1/outcome",
    ]);
  });
});

test.each([0, -1, Number.NaN, "soon" as unknown as number])("a time of %s is refused when the tool is made", (time) => {
  expect(() => defineTool({ name: "ask", description: "x", answerTimeoutMs: time })).toThrow(
    `tool "ask": answerTimeoutMs must be a number of at least 1, got ${time}`,
  );
});
