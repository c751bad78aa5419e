import {
  Agent,
  ApiStatusError,
  defineTool,
  endpoint,
  gemini,
  handoff,
  OutputAudio,
  type RunEvent,
  runSoFar,
} from "@pollux/core";
import type { Steps } from "@pollux/core/durable";
import { LOOP_VERSION, passThrough, type RunReport } from "@pollux/core/durable";
import { cancelledReport, runOnEngine } from "@pollux/engine";
import { call, calls, costs, cut, fails, hangs, say, ScriptedModel, join } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { deferred } from "../../core/test/helpers/deferred.ts";
import { fakeTime, idle } from "../../core/test/helpers/fake-time.ts";
import { until } from "../../core/test/helpers/until.ts";
import { Cancelled, MemoryEngine } from "./memory-engine.ts";

const PRICES = { input: 1, output: 2 };

/** What both ways of running give, without the time it took. */
function timeless(report: RunReport): RunReport {
  return { ...report, activeMs: 0 };
}

/** An agent that does a bit of everything: tools with and without effects, a question, a child, typed output. */
function everything() {
  const effects: string[] = [];
  const look = defineTool({
    name: "look",
    description: "x",
    reads: "trusted",
    input: z.object({ n: z.number() }),
    run: ({ n }, { idempotencyKey }) => (effects.push(`look ${idempotencyKey}`), { n }),
  });
  const pay = defineTool({
    name: "pay",
    description: "x",
    reads: "trusted",
    effects: "once",
    needsApproval: true,
    run: (_, { idempotencyKey }) => (effects.push(`pay ${idempotencyKey}`), "paid"),
  });
  const inner = new ScriptedModel(
    call("look", { n: 2 }),
    join(say("Found."), costs({ totalTokenCount: 7, promptTokenCount: 4 })),
  );
  const helper = new Agent({ name: "helper", model: inner, tools: [look] });
  const outer = new ScriptedModel(
    calls({ name: "look", args: { n: 1 } }, { name: "pay", args: {} }, { name: "helper", args: { task: "Look." } }),
    { batches: [], finishReason: "STOP" },
    say('{"sum":3}'),
  );
  const agent = new Agent({ model: outer, tools: [look, pay, helper.asTool({ description: "x" })], prices: PRICES });
  return { agent, helper, effects, requests: () => outer.requests.length + inner.requests.length };
}

const SUM = { type: "object", properties: { sum: { type: "number" } }, required: ["sum"] };

describe.each([
  ["an engine", false],
  ["an engine that begins the run anew after every round", true],
] as const)("a run on %s", (_, restarting) => {
  fakeTime("stands");

  test("runs a call with the arguments of its approval, and ends with the output of a tool", async () => {
    const done: unknown[] = [];
    const input = z.object({ amount: z.number() });
    const pay = defineTool({
      name: "pay",
      description: "x",
      input,
      needsApproval: true,
      run: ({ amount }) => (done.push(amount), "paid"),
    });
    const submit = defineTool({ name: "submit", description: "x", endsRun: true, run: () => ({ total: 5 }) });
    const model = new ScriptedModel(
      calls({ name: "pay", args: { amount: 500 } }, { name: "pay", args: { amount: 1 } }),
      call("submit"),
    );
    const engine = new MemoryEngine({ restarting });
    await engine.answer("r", "call:1.0/approval", { args: { amount: 5 } });
    // Nobody who answers an engine knows the tool's schema.
    await engine.answer("r", "call:1.1/approval", { args: { amount: "one" } });
    const report = await engine.start(new Agent({ model, tools: [pay, submit] }), "r", { input: "Go." });
    expect(done).toEqual([5]);
    expect(report).toMatchObject({
      status: "ended",
      result: {
        stopReason: "finished",
        output: { total: 5 },
        endedBy: "submit",
        toolCalls: [
          { status: "completed", input: { amount: 5 }, edited: true },
          { status: "failed", edited: true, error: { kind: "bad-input" } },
          { status: "completed", endedRun: true },
        ],
      },
    });
  });

  test("is handed over to another agent, which is asked as it would be alone", async () => {
    const look = defineTool({ name: "look", description: "x", run: () => "seen" });
    const lines = [call("look"), say("It is so.")];
    const billing = ScriptedModel.with({ id: "gemini-2.5-flash" }, ...lines);
    const desk = new ScriptedModel(calls("look", "transfer_to_billing"));
    const expert = new Agent({ name: "billing", model: billing, instructions: "Bills.", tools: [look] });
    const agent = new Agent({
      model: desk,
      tools: [look, handoff(expert, { filter: (contents) => contents.slice(1) })],
    });
    const input = ["A secret.", "Go."].map((text) => ({ role: "user" as const, parts: [{ text }] }));
    const report = await new MemoryEngine({ restarting }).start(agent, "r", { input });
    expect(report).toMatchObject({ status: "ended", result: { text: "It is so.", agent: "billing", turns: 3 } });
    expect(billing.requests.map(({ instructions, contents }) => [instructions, contents.length])).toEqual([
      ["Bills.", 3],
      ["Bills.", 5],
    ]);
    desk.assertSpent();
    billing.assertSpent();
  });

  test("reports images and sounds as plain JSON, from which a sound is made again", async () => {
    const sound = (data: string) => ({ inlineData: { mimeType: "audio/L16;codec=pcm;rate=24000", data } });
    const image = { mimeType: "image/png", data: "aGk=" };
    const model = new ScriptedModel({
      batches: [[sound("AQA="), sound("AgA="), { inlineData: image }]],
      finishReason: "STOP",
    });
    const engine = new MemoryEngine({ restarting });
    const report = await engine.start(new Agent({ model }), "r", { input: "Go." });
    if (report.status !== "ended") throw new Error(report.status);
    const { images, audio } = report.result;
    const { mimeType } = sound("").inlineData;
    expect(images).toEqual([image]);
    expect(audio).toEqual([{ mimeType, pieces: ["AQA=", "AgA="], rate: 24_000, channels: 1, durationMs: 0 }]);
    expect(audio.map((one) => [...new OutputAudio(one).toWav().subarray(44)])).toEqual([[1, 0, 2, 0]]);
  });

  test("does each thing once and reports what a run that goes through reports", async () => {
    const made = everything();
    const engine = new MemoryEngine({ restarting });
    engine.serve(made.helper);
    await engine.answer("r", "call:1.1/approval", true);
    const report = await engine.start(made.agent, "r", { input: "Go.", output: SUM });

    expect(engine.restarts > 5).toBe(restarting);
    expect(made.effects.toSorted()).toEqual(["look r/call:1.0", "look r:call:1.2/call:1.0", "pay r/call:1.1"]);
    expect(made.requests()).toBe(5);
    expect(engine.recorded("r").toSorted()).toEqual([
      "call:1.0",
      "call:1.1",
      "call:1.1/approval",
      "call:1.2",
      "loop-version",
      "model:1",
      "model:2",
      "model:2.1",
      "route:1",
      "waits:7",
    ]);

    const plain = everything();
    const run = plain.agent.run("Go.", { runId: "r", output: SUM, approve: () => true });
    // The engine has recorded the answers.
    const { responses, ...result } = await run;
    expect(responses).toHaveLength(result.turns);
    expect(timeless(report)).toEqual({
      status: "ended",
      runId: "r",
      activeMs: 0,
      result: JSON.parse(JSON.stringify(result)),
    });
  });

  test("gives the very same report when it is read again", async () => {
    const made = everything();
    const engine = new MemoryEngine({ restarting });
    engine.serve(made.helper);
    await engine.answer("r", "call:1.1/approval", true);
    const report = await engine.start(made.agent, "r", { input: "Go." });
    await engine.reopen();
    expect(await engine.start(made.agent, "r", { input: "Go." })).toEqual(report);
    expect(made.requests()).toBe(5);
    expect(JSON.parse(JSON.stringify(report))).toStrictEqual(report);
  });

  test("reports a failure with what was done, the same when it is read again", async () => {
    const refused = new ApiStatusError("quota is used up", {
      status: 429,
      reason: "RESOURCE_EXHAUSTED",
      retryable: false,
    });
    const tool = defineTool({ name: "look", description: "x", reads: "trusted", run: () => "seen" });
    const agent = new Agent({ model: new ScriptedModel(call("look"), fails(refused)), tools: [tool] });
    const engine = new MemoryEngine({ restarting });
    const report = await engine.start(agent, "r", { input: "Go." });
    expect(timeless(report)).toEqual({
      status: "failed",
      runId: "r",
      activeMs: 0,
      error: { name: "ApiStatusError", message: "quota is used up", code: "api_status", status: 429 },
      soFar: {
        runId: "r",
        contents: [
          { role: "user", parts: [{ text: "Go." }] },
          { role: "model", parts: [{ functionCall: { name: "look", args: {} } }] },
          { role: "user", parts: [{ functionResponse: { name: "look", response: { output: "seen" } } }] },
        ],
        turns: 2,
        usage: expect.objectContaining({ requests: 1, totalTokens: 15 }) as unknown,
      },
    });
    await engine.reopen();
    expect(await engine.start(agent, "r", { input: "Go." })).toEqual(report);
  });

  test("keeps the answers of a turn whose other call broke the run", async () => {
    const tool = defineTool({ name: "look", description: "x", input: z.object({ n: z.number() }), run: ({ n }) => n });
    const hooks = {
      afterCall: ({ callId }: { readonly callId: string }) => {
        if (callId === "call:1.0") throw new Error("the hook broke");
      },
    };
    const model = new ScriptedModel(calls({ name: "look", args: { n: 1 } }, { name: "look", args: { n: 2 } }));
    const agent = new Agent({ model, tools: [tool], hooks });
    const engine = new MemoryEngine({ restarting });
    const report = await engine.start(agent, "r", { input: "Go." });
    expect(report).toMatchObject({ status: "failed", error: { name: "Error", message: "the hook broke" } });
    const soFar = report.status === "failed" ? report.soFar : undefined;
    expect(soFar?.contents.at(-1)?.parts.map((part) => part.functionResponse?.response)).toEqual([
      { error: "cancelled: the run ended before this call finished" },
      { output: 2 },
    ]);
    await engine.reopen();
    expect(await engine.start(agent, "r", { input: "Go." })).toEqual(report);
  });

  test("reports input that cannot be sent as a failure", async () => {
    const agent = new Agent({ model: new ScriptedModel() });
    const report = await new MemoryEngine({ restarting }).start(agent, "r", { input: " " });
    expect(report).toEqual({
      status: "failed",
      runId: "r",
      activeMs: 0,
      error: { name: "TypeError", message: "the prompt is empty: describe what the agent should do" },
    });
  });

  test("ends with the wall time as a number, waiting for a person not counted", async () => {
    const ask = defineTool({ name: "ask", description: "x", input: z.object({}) });
    const model = new ScriptedModel(call("ask"), hangs("Still "));
    const agent = new Agent({ model, tools: [ask], limits: { wallTimeMs: 300 } });
    const engine = new MemoryEngine({ restarting });
    const run = engine.start(agent, "r", { input: "Go." });
    // Longer than the wall time: the run is not at work meanwhile.
    await vi.advanceTimersByTimeAsync(450);
    await engine.answer("r", "call:1.0/outcome", { output: "yes" });
    await idle();
    expect(model.requests).toHaveLength(2);
    // A little longer than the wall time, so that the recorded times show that it was passed.
    await vi.advanceTimersByTimeAsync(320);
    const report = await run;
    expect(report).toMatchObject({ status: "ended", result: { stopReason: "limit", turns: 2 } });
    expect(report.status === "ended" && report.result.stopReason === "limit" && report.result.limit).toEqual({
      name: "wallTimeMs",
      limit: 300,
      used: 300,
    });
    expect(model.requests).toHaveLength(2);
  });

  test("that was begun by another version of the loop fails and makes no step", async () => {
    const model = new ScriptedModel(say("Hello."));
    const engine = new MemoryEngine({ restarting });
    await engine.run("r", async (steps) => {
      await steps.round([{ kind: "step", name: "loop-version", run: async () => LOOP_VERSION + 1 }]);
      return null;
    });
    const report = await engine.start(new Agent({ model }), "r", { input: "Go." });
    expect(report).toMatchObject({
      status: "failed",
      error: {
        name: "LoopVersionError",
        code: "loop_version",
        message: expect.stringContaining(
          `started by loop version ${LOOP_VERSION + 1}, but this is version ${LOOP_VERSION}`,
        ) as unknown,
      },
    });
    expect(model.requests).toEqual([]);
  });

  test("that is cancelled rejects with what the engine says, with what was done", async () => {
    const begun = deferred();
    const tool = defineTool({ name: "look", description: "x", run: () => "seen" });
    const last = () => (begun.resolve(), hangs("So "));
    const agent = new Agent({ model: new ScriptedModel(call("look"), last), tools: [tool] });
    const engine = new MemoryEngine({ restarting });
    const run = engine.start(agent, "r", { input: "Go." });
    await begun.promise;
    await engine.cancel("r");
    const error: unknown = await run.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Cancelled);
    expect(runSoFar(error)).toMatchObject({ runId: "r", turns: 2, usage: { requests: 1 } });
    expect(engine.recorded("r").at(-1)).toBe("call:1.0");
  });

  test("hears what is said to it before its last answer counts", async () => {
    const model = new ScriptedModel(say("First."), say("Second."), say("Third."));
    const engine = new MemoryEngine({ restarting });
    let asked = 0;
    // Said when the answer is recorded and the run is about to finish: no model step has seen it.
    engine.beforeWaits = () => {
      if (asked++ === 0) void engine.steer("r", [{ role: "user", parts: [{ text: "One more." }] }]);
    };
    const report = await engine.start(new Agent({ model }), "r", { input: "Go." });
    expect(report).toMatchObject({ status: "ended", result: { stopReason: "finished", text: "Second.", turns: 2 } });
    expect(model.requests[1]?.contents.map(({ parts }) => parts[0]?.text)).toEqual(["Go.", "First.", "One more."]);
  });

  test("takes no message after its last look: whoever sends one is told", async () => {
    const lookedOnce = deferred();
    // A model that takes no schema beside tools: its answer is converted after the last look.
    const model = ScriptedModel.with({ capabilities: { outputWithFunctions: false } }, say("Three."), async () => {
      await lookedOnce.promise;
      return say('{"sum":3}');
    });
    const look = defineTool({ name: "look", description: "x", run: () => "seen" });
    const agent = new Agent({ model, tools: [look] });
    const engine = new MemoryEngine({ restarting });
    const run = engine.start(agent, "r", { input: "Go.", output: SUM });
    await until(() => model.requests.length === 2);
    await expect(engine.steer("r", [{ role: "user", parts: [{ text: "Wait!" }] }])).rejects.toThrow("is over");
    lookedOnce.resolve();
    const report = await run;
    expect(report).toMatchObject({ status: "ended", result: { stopReason: "finished", output: { sum: 3 } } });
    expect(report).not.toHaveProperty("unread");
  });

  test.each(["limit", "failure"])("reports what was said to it and not read, when it ended by a %s", async (kind) => {
    const heard = { role: "user", parts: [{ text: "Heard." }] } as const;
    const unheard = { role: "user", parts: [{ text: "Not heard." }] } as const;
    const engine = new MemoryEngine({ restarting });
    const talk = defineTool({
      name: "talk",
      description: "x",
      run: async (_input, { callId }) => {
        await engine.steer("r", [callId === "call:1.0" ? heard : unheard]);
        if (kind === "failure" && callId === "call:2.0") throw new Error("broken");
        return "said";
      },
    });
    const hooks = {
      afterCall: ({ callId }: { readonly callId: string }) => {
        if (kind === "failure" && callId === "call:2.0") throw new Error("the hook broke");
      },
    };
    const model = new ScriptedModel(call("talk"), call("talk"), say("Never."));
    const agent = new Agent({ model, tools: [talk], hooks, limits: { turns: 2 } });
    const report = await engine.start(agent, "r", { input: "Go." });
    expect(report).toMatchObject({ status: kind === "limit" ? "ended" : "failed", unread: [unheard] });
    expect(model.requests).toHaveLength(2);
    await expect(engine.steer("r", [unheard])).rejects.toThrow("is over");
    await engine.reopen();
    expect(await engine.start(agent, "r", { input: "Go." })).toEqual(report);
  });

  test("that is cancelled in the middle of a text reports what was shown of it", async () => {
    const shown = deferred();
    const agent = new Agent({
      model: new ScriptedModel(async () => {
        setTimeout(shown.resolve, 1);
        return hangs("So far, ", "so good");
      }),
    });
    const engine = new MemoryEngine({ restarting });
    const run = engine.start(agent, "r", { input: "Go." });
    await vi.advanceTimersByTimeAsync(1);
    await shown.promise;
    await idle();
    await engine.cancel("r");
    const partial = { role: "model", parts: [{ text: "So far, so good" }] };
    const report = cancelledReport("r", runSoFar(await run.catch((reason: unknown) => reason)));
    expect(report).toMatchObject({
      status: "cancelled",
      soFar: { contents: [{ role: "user" }, partial], interrupted: partial },
    });
  });

  test("reports live from inside of steps only, and not what was done before", async () => {
    const begun = deferred();
    const look = defineTool({
      name: "look",
      description: "x",
      run: async function* () {
        yield "half";
        return "seen";
      },
    });
    let hang = true;
    const last = () => {
      begun.resolve();
      return hang ? hangs("Half") : say("Hel", "lo.");
    };
    const model = new ScriptedModel(call("look"), last, last);
    const agent = new Agent({ model, tools: [look] });
    const engine = new MemoryEngine({ restarting });
    engine.start(agent, "r", { input: "Go." }).catch(() => {});
    await begun.promise;
    await idle();
    await engine.reopen();
    const before = engine.events.length;
    hang = false;
    await engine.start(agent, "r", { input: "Go." });
    const told = engine.events.map(({ step, attempt, seq, event }) => `${step} ${attempt}.${seq} ${event.type}`);
    expect(told.slice(0, before)).toEqual([
      "model:1 1.0 part",
      "call:1.0 1.0 tool-start",
      "call:1.0 1.1 tool-progress",
      "call:1.0 1.2 tool-end",
      "model:2 1.0 text-delta",
    ]);
    expect(told.slice(before)).toEqual(["model:2 1.0 text-delta", "model:2 1.1 text-delta"]);
  });

  test("tells the model of a result that is too large to keep", async () => {
    const data = "A".repeat(20_000);
    const image = defineTool({
      name: "draw",
      description: "x",
      maxResultBytes: 1_000_000,
      run: () => data,
    });
    const model = new ScriptedModel(call("draw"), say("Too large."));
    const engine = new MemoryEngine({ restarting, maxBytes: 10_000 });
    const report = await engine.start(new Agent({ model, tools: [image] }), "r", { input: "Draw." });
    expect(report).toMatchObject({ status: "ended", result: { text: "Too large." } });
    expect(model.requests[1]?.contents.at(-1)?.parts[0]?.functionResponse?.response["error"]).toMatch(
      /^the result of call:1\.0 is 2\d{4} bytes, over the limit of 10000: ask for less at a time, or have the tool store large data/,
    );
  });

  test("reports what a broken answer used, the same when it is read again", async () => {
    const usageMetadata = { promptTokenCount: 4, candidatesTokenCount: 2, totalTokenCount: 6 };
    const body = `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: "So " }] } }], usageMetadata })}\n\n`;
    let requests = 0;
    const model = gemini("gemini-3.8-flash", {
      endpoint: endpoint({ baseUrl: "http://127.0.0.1:1" }),
      fetch: () => Promise.resolve(new Response(++requests > 0 ? body : "")),
    });
    const agent = new Agent({ model, limits: { restarts: 0 }, prices: PRICES });
    const engine = new MemoryEngine({ restarting });
    const report = await engine.start(agent, "r", { input: "Go." });
    const usage = { requests: 1, inputTokens: 4, outputTokens: 2, totalTokens: 6, incomplete: true };
    expect(report).toMatchObject({ status: "failed", soFar: { usage, cost: 0.000008 } });
    expect(report.status === "failed" && report.error).not.toHaveProperty("lost");
    await engine.reopen();
    expect(await engine.start(agent, "r", { input: "Go." })).toMatchObject({ soFar: { usage, cost: 0.000008 } });
    expect(requests).toBe(1);
  });

  test("fails when the model's answer is too large to keep", async () => {
    const engine = new MemoryEngine({ restarting, maxBytes: 10_000 });
    const agent = new Agent({ model: new ScriptedModel(say("A".repeat(20_000))) });
    const report = await engine.start(agent, "r", { input: "Go." });
    expect(report).toMatchObject({ status: "failed", error: { name: "ValueTooLargeError", code: "value-too-large" } });
    expect(report.status === "failed" && report.error.message).toMatch(
      /^the model's answer in model:1 is 2\d{4} bytes, over the limit of 10000: limit it with maxOutputTokens/,
    );
  });
});

describe("a run on steps of one's own", () => {
  const steps = (signal: AbortSignal): Steps<RunEvent> => passThrough<RunEvent>({ runId: "r", signal });

  test("reports that it was cancelled when only its signal aborted", async () => {
    const abort = new AbortController();
    const model = new ScriptedModel(() => (abort.abort(new Error("enough")), hangs("So ")));
    const report = await runOnEngine(
      new Agent({ model }),
      { input: "Go." },
      {
        runId: "r",
        signal: abort.signal,
        steps: ({ signal }) => steps(signal),
      },
    );
    expect(report).toEqual({
      status: "cancelled",
      runId: "r",
      activeMs: 0,
      soFar: expect.objectContaining({ runId: "r", turns: 1 }) as unknown,
    });
  });

  test("rejects when the run is suspended, and does not call that a result", async () => {
    const ask = defineTool({ name: "ask", description: "x", input: z.object({}) });
    const agent = new Agent({ model: new ScriptedModel(call("ask")), tools: [ask] });
    const run = runOnEngine(agent, { input: "Go." }, { runId: "r", steps: ({ signal }) => steps(signal) });
    const error: unknown = await run.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "RunSuspended", waiting: ["call:1.0/outcome"] });
    expect(runSoFar(error)).toMatchObject({ runId: "r", turns: 1, usage: { requests: 1 } });
  });

  test("has no bound where JSON has no number for it", async () => {
    const model = new ScriptedModel(...Array.from({ length: 30 }, (_, n) => call("look", { n })), say("Seen."));
    const look = defineTool({ name: "look", description: "x", input: z.object({ n: z.number() }), run: ({ n }) => n });
    const limits = JSON.parse(JSON.stringify({ turns: Infinity, toolCalls: 200 })) as { readonly turns: number };
    const report = await new MemoryEngine().start(new Agent({ model, tools: [look] }), "r", { input: "Go.", limits });
    expect(report).toMatchObject({ status: "ended", result: { stopReason: "finished", turns: 31 } });
  });

  test("keeps limits and stop reasons as they are", async () => {
    const agent = new Agent({ model: new ScriptedModel(cut("Once upon")), prices: PRICES });
    const report = await runOnEngine(
      agent,
      { input: "Go.", limits: { turns: 1 } },
      {
        runId: "r",
        steps: ({ signal }) => steps(signal),
      },
    );
    expect(report).toMatchObject({ status: "ended", result: { stopReason: "truncated", text: "Once upon" } });
  });
});

describe("a report that would be too large to keep", () => {
  test("leaves out what was not read only when nothing else helps, and says so", async () => {
    const engine = new MemoryEngine();
    const talk = defineTool({
      name: "talk",
      description: "x",
      run: async () => {
        for (let n = 0; n < 3; n++)
          await engine.steer("r", [{ role: "user", parts: [{ text: String(n).repeat(6 * 1024 * 1024) }] }]);
      },
    });
    const agent = new Agent({ model: new ScriptedModel(call("talk")), tools: [talk], limits: { turns: 1 } });
    const report = await engine.start(agent, "r", { input: "Go." });
    expect(report).toMatchObject({
      status: "ended",
      unread: [],
      omitted: ["contents", "added", "toolCalls", "found", "response", "unread"],
    });
  });

  const IMAGE = { inlineData: { mimeType: "image/png", data: "A".repeat(9 * 1024 * 1024) } };
  const input = [{ role: "user" as const, parts: [IMAGE, { text: "What is it?" }] }];

  test("leaves the conversation out, and says so", async () => {
    const agent = new Agent({ model: new ScriptedModel(say("A cat.")) });
    const report = await new MemoryEngine().start(agent, "r", { input });
    expect(report).toMatchObject({
      status: "ended",
      omitted: ["contents", "added", "toolCalls"],
      result: { text: "A cat.", contents: [], added: [], response: { content: { parts: [{ text: "A cat." }] } } },
    });
  });

  test("keeps one that just fits as it is", async () => {
    const agent = new Agent({ model: new ScriptedModel(say("A cat.")) });
    const half = { inlineData: { ...IMAGE.inlineData, data: "A".repeat(7 * 1024 * 1024) } };
    const report = await new MemoryEngine().start(agent, "r", { input: [{ role: "user", parts: [half] }] });
    expect(report).not.toHaveProperty("omitted");
    expect(report).toMatchObject({ result: { contents: [{ parts: [half] }, {}] } });
  });

  test("leaves out the answers as well when that is not enough", async () => {
    const text = "x".repeat(7 * 1024 * 1024);
    const agent = new Agent({ model: new ScriptedModel(say(`"${text}"`)) });
    const report = await new MemoryEngine().start(agent, "r", { input, output: "json" });
    expect(report).toMatchObject({
      omitted: ["contents", "added", "toolCalls", "found", "response"],
      result: { stopReason: "finished", output: text, text: `"${text}"` },
    });
    expect(report).not.toHaveProperty("result.response");
  });

  test("of a run that failed or was cancelled has what it used", async () => {
    const look = defineTool({ name: "look", description: "x", run: () => "seen" });
    const model = new ScriptedModel(call("look"), fails(new TypeError("gone")));
    const twice = [...input, ...input];
    const report = await new MemoryEngine().start(new Agent({ model, tools: [look] }), "r", { input: twice });
    const soFar = { runId: "r", contents: [], turns: 2, usage: expect.objectContaining({ requests: 1 }) as unknown };
    expect(report).toMatchObject({ status: "failed", error: { message: "gone" }, omitted: ["contents"], soFar });
    const contents = [...twice, { role: "model" as const, parts: [{ text: "A" }] }];
    const usage = report.status === "failed" ? report.soFar?.usage : undefined;
    if (usage === undefined) throw new Error("it has no usage");
    expect(cancelledReport("r", { runId: "r", contents, turns: 2, usage })).toEqual({
      status: "cancelled",
      runId: "r",
      activeMs: 0,
      omitted: ["contents"],
      soFar: { runId: "r", contents: [], turns: 2, usage },
    });
  });
});
