import { AsyncLocalStorage, createHook } from "node:async_hooks";
import {
  Agent,
  type AgentOptions,
  ApiStatusError,
  defineTool,
  googleSearch,
  type Logger,
  type RunEvent,
  type RunResult,
} from "@pollux/core";
import type { Step } from "@pollux/core/durable";
import type { Observer, RunInfo, StepInfo } from "@pollux/core/observers";
import {
  assertObservations,
  call,
  calls,
  costs,
  dies,
  empty,
  fails,
  grounded,
  hangs,
  say,
  type ScriptedTurn,
  ScriptedModel,
  join,
} from "@pollux/core/testing";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { executeStep } from "../../../src/loop/single-step.ts";
import { chunks, countedService } from "../../helpers/counted-service.ts";
import { deferred } from "../../helpers/deferred.ts";
import { eventsOf, faces } from "../../helpers/faces.ts";
import { fakeTime } from "../../helpers/fake-time.ts";
import { drawTrace, record, shape } from "../../helpers/observations.ts";

const look = defineTool({ name: "look", description: "x", run: () => "seen" });
/** For a million tokens. */
const PRICES = { input: 1e6, output: 2e6 };

/** An agent of a script, and what its observer is told. */
function observed(script: readonly ScriptedTurn[], options: Partial<AgentOptions> = {}) {
  const observer = record();
  const model = new ScriptedModel(...script);
  const agent = new Agent({ model, tools: [look], observers: [observer], ...options });
  return { agent, model, observations: observer.observations };
}

/** A result without how long its calls took. */
function untimed(result: RunResult): unknown {
  return { ...result, toolCalls: result.toolCalls.map((one) => ({ ...one, durationMs: undefined })) };
}

describe.each(faces)("%s", (_face, read) => {
  describe("is observed", () => {
    fakeTime("leaps");

    test("from its start to its end, with times, ids, answers and what they cost", async () => {
      const { agent, model, observations } = observed([call("look", { at: "sea" }), say("It ", "is.")], {
        name: "watcher",
        prices: PRICES,
      });
      const parent = { runId: "outer", step: "call:7.1", callId: "call:7.1" };
      const result = await read(agent, "Look.", { runId: "r", parent });
      assertObservations(observations);
      const at = expect.any(Number) as number;
      const identity = { runId: "r", agent: "watcher" };
      const run: RunInfo = { ...identity, model: "gemini-scripted", parent, startedAt: at };
      const step = (name: string, more: object): StepInfo =>
        ({
          run,
          agent: "watcher",
          name,
          turn: Number(name[name.indexOf(":") + 1]),
          key: `r/${name}`,
          attempt: 1,
          startedAt: at,
          ...more,
        }) as StepInfo;
      const asked = (turn: number): StepInfo => {
        const place = { kind: "model", phase: "work", turn, attempt: 0 };
        return step(`model:${turn}`, { kind: "model", phase: "work", place });
      };
      const [first, second] = [asked(1), asked(2)];
      const made = { name: "look", args: { at: "sea" } };
      const called = step("call:1.0", {
        kind: "call",
        place: { kind: "call", turn: 1, callId: "call:1.0", attempt: 0 },
        callId: "call:1.0",
        call: made,
        toolDescription: "x",
      });
      const response = (index: number): unknown => ({
        content: index === 0 ? result.contents[1] : result.contents[3],
        finishReason: "STOP",
        usage: expect.objectContaining({ inputTokens: 10, outputTokens: 5, cachedTokens: 0 }) as unknown,
        candidate: { finishReason: "STOP" },
        envelope: expect.objectContaining({ modelVersion: "gemini-scripted" }) as unknown,
      });
      const expected = [
        { type: "run-start", ...identity, model: "gemini-scripted" },
        { type: "turn-start", turn: 1 },
        { type: "step-start", step: first },
        { type: "request", step: first, request: model.requests[0], model: "gemini-scripted" },
        { type: "first-part", step: first },
        { type: "step-end", step: first, ok: true, response: response(0), cost: 10 + 2 * 5, chunksAt: [at] },
        { type: "step-start", step: called },
        { type: "step-end", step: called, ok: true, outcome: { ok: true, output: "seen" }, reads: "both" },
        { type: "turn-end", turn: 1 },
        { type: "turn-start", turn: 2 },
        { type: "step-start", step: second },
        { type: "request", step: second, request: model.requests[1], model: "gemini-scripted" },
        { type: "first-part", step: second },
        { type: "step-end", step: second, ok: true, response: response(1), cost: 20, chunksAt: [at, at] },
        { type: "turn-end", turn: 2 },
        { type: "run-end", ended: "result", result, turns: 2, usage: result.usage, cost: 40 },
      ];
      expect(observations).toEqual(
        expected.map((one, seq) => ({ ...one, run, at, seq, ...("step" in one && { turn: one.step.turn }) })),
      );
      expect(JSON.parse(JSON.stringify(observations))).toHaveLength(observations.length);
      // One object for a run, and one for a step: keys for a WeakMap.
      expect(new Set(observations.map((one) => one.run)).size).toBe(1);
      expect(new Set(observations.flatMap((one) => ("step" in one ? [one.step] : []))).size).toBe(3);
    });

    test("with calls side by side, drawn as siblings", async () => {
      const [both, gate] = [deferred(), { open: 0 }];
      const wait = defineTool({
        name: "wait",
        description: "x",
        run: async () => {
          if (++gate.open === 2) both.resolve();
          await both.promise;
          return gate.open;
        },
      });
      const { agent, observations } = observed([calls("wait", "wait"), say("Done.")], { tools: [wait] });
      await read(agent, "Go.");
      assertObservations(observations);
      expect(shape(observations).slice(6, 10)).toEqual([
        "step-start call:1.0",
        "step-start call:1.1",
        "step-end call:1.0",
        "step-end call:1.1",
      ]);
      expect(drawTrace(observations)).toEqual([
        "run agent: finished",
        "  model:1: STOP 15",
        "  call:1.0 wait: ok",
        "  call:1.1 wait: ok",
        "  model:2: STOP 15",
      ]);
    });

    test("with the time that calls wait for each other in nobody's span", async () => {
      const sleep = defineTool({
        name: "sleep",
        description: "x",
        sequential: true,
        run: () => new Promise((done) => setTimeout(done, 50)),
      });
      const { agent, observations } = observed([calls("sleep", "sleep"), say("Done.")], { tools: [sleep] });
      await read(agent, "Go.");
      const times = observations.flatMap((one) =>
        one.type === "step-end" && one.step.kind === "call" ? [one.at - one.step.startedAt] : [],
      );
      expect(times).toEqual([50, 50]);
    });

    test("with the runs of agents and of built-in tools inside its calls", async () => {
      const observer = record();
      const inner = new Agent({
        name: "helper",
        model: new ScriptedModel(call("look"), say("Found.")),
        tools: [look],
        observers: [observer],
      });
      const model = ScriptedModel.with(
        { id: "gemini-2.5-flash" },
        calls({ name: "helper", args: { task: "Find it." } }, { name: "google_search", args: { query: "where?" } }),
        grounded("There.", { sources: [{ uri: "https://a.example", title: "a" }] }),
        say("Done."),
      );
      const tools = [inner.asTool({ description: "x" }), googleSearch()];
      await read(new Agent({ model, tools, observers: [observer] }), "Go.");
      assertObservations(observer.observations);
      expect(drawTrace(observer.observations)).toEqual([
        "run agent: finished",
        "  model:1: STOP 15",
        "  call:1.0 helper: ok",
        "    run helper: finished",
        "      model:1: STOP 15",
        "      call:1.0 look: ok",
        "      model:2: STOP 15",
        "  call:1.1 google_search: ok",
        "    run agent: finished",
        "      model:1: STOP 15",
        "  model:2: STOP 15",
      ]);
    });

    test("with an agent's run inside a call by that agent's own observers", async () => {
      const observer = record();
      const inner = new Agent({ name: "helper", model: new ScriptedModel(say("Found.")), observers: [observer] });
      const { agent, observations } = observed([call("helper", { task: "Find." }), say("Done.")], {
        tools: [inner.asTool({ description: "x" })],
      });
      await read(agent, "Go.", { runId: "r" });
      expect(drawTrace(observer.observations)).toEqual(["run helper: finished", "  model:1: STOP 15"]);
      expect(observer.observations[0]?.run.parent).toEqual({ runId: "r", step: "call:1.0", callId: "call:1.0" });
      expect(drawTrace(observations)).toHaveLength(4);
    });

    test("with retries and heals, in the request they belong to", async () => {
      const refusals = [
        new Response("{}", { status: 503 }),
        new Response(
          JSON.stringify({ error: { code: 400, status: "INVALID_ARGUMENT", message: "Corrupted thought signature." } }),
          { status: 400 },
        ),
      ];
      const { model } = countedService([chunks([{ text: "Hi." }])], () => refusals.shift());
      const observer = record();
      await read(new Agent({ model, observers: [observer] }), "Go.");
      const { observations } = observer;
      assertObservations(observations);
      expect(drawTrace(observations)).toEqual(["run agent: finished", "  model:1: retry, heal, STOP 101"]);
      expect(observations[0]?.run).toMatchObject({ model: "gemini-2.5-flash", endpoint: "http://service.local" });
      expect(observations.flatMap((one) => (one.type === "notice" ? [one.notice] : []))).toMatchObject([
        { type: "retry", attempt: 1, error: { status: 503 } },
        { type: "heal", heal: "repeat-request" },
      ]);
    });

    test("with a stream that breaks and is begun again, and an answer that cannot be used", async () => {
      const { agent, observations } = observed([dies("It"), say("It is.")]);
      await read(agent, "Go.");
      const again = observed([empty(), say("It is.")]);
      await read(again.agent, "Go.");
      for (const one of [observations, again.observations]) assertObservations(one);
      expect(shape(observations).slice(2, -2)).toEqual([
        "step-start model:1",
        "request model:1",
        "first-part model:1",
        "discard model:1",
        "request model:1",
        "first-part model:1",
        "step-end model:1",
      ]);
      expect(drawTrace(again.observations)).toEqual([
        "run agent: recover empty, finished",
        "  model:1: STOP 15",
        "  model:1.1: STOP 15",
      ]);
    });

    test("with a summary of its oldest messages, which is a run of its own", async () => {
      const LONG = "word ".repeat(400);
      const { agent, observations } = observed([say("It was long."), say("Yes.")], {
        compaction: { windowTokens: 600, threshold: 0.5, keep: 0.3 },
      });
      const contents = [LONG, "Noted.", "And now?"].map((text, index) => ({
        role: index === 1 ? ("model" as const) : ("user" as const),
        parts: [{ text }],
      }));
      await read(agent, contents, { runId: "r" });
      assertObservations(observations);
      expect(drawTrace(observations)).toEqual([
        "run agent: compact, finished",
        "  compact:1: ok",
        "    run agent: finished",
        "      model:1: STOP 15",
        "  model:1: STOP 15",
      ]);
      const inner = observations.find(({ run }) => run.runId !== "r");
      expect(inner?.run.parent).toEqual({ runId: "r", step: "compact:1" });
    });

    test("with what it waits for, and who was asked", async () => {
      const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });
      const { agent, observations } = observed([calls("look", "pay")], { tools: [look, pay] });
      await read(agent, "Pay.");
      assertObservations(observations);
      expect(drawTrace(observations)).toEqual([
        "run agent: call:1.1 waits, needs-approval",
        "  model:1: STOP 15",
        "  route:1: ok",
        "  call:1.0 look: ok",
      ]);
    });

    test.each<[string, readonly ScriptedTurn[], string]>([
      ["failed", [fails(new TypeError("no"))], "TypeError: no"],
      ["aborted", [hangs("It")], "Error: enough"],
    ])("to its end when it is %s, with every turn and step closed", async (ended, script, message) => {
      const { agent, observations } = observed(script);
      const abort = new AbortController();
      setTimeout(() => abort.abort(new Error("enough")), 100);
      const error: unknown = await read(agent, "Go.", { signal: abort.signal }).catch((thrown: unknown) => thrown);
      assertObservations(observations);
      expect(shape(observations).slice(-3)).toEqual(["step-end model:1", "turn-end 1", "run-end"]);
      expect(observations.at(-3)).toMatchObject({ ok: false, error });
      expect(observations.at(-1)).toMatchObject({ ended, error, turns: 1 });
      expect(String(error)).toBe(message);
    });

    test("to its end when a limit ends it in the middle of a turn", async () => {
      const { agent, observations } = observed([hangs("It")], { limits: { wallTimeMs: 100 } });
      await read(agent, "Go.");
      assertObservations(observations);
      expect(drawTrace(observations)).toEqual(["run agent: limit", "  model:1: failed"]);
    });
  });

  describe("with an observer that wraps steps", () => {
    fakeTime("leaps");
    const script = [call("look"), say("Done.")];

    test("has its context active in requests, tools and runs inside calls", async () => {
      const context = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      const around: Observer["around"] = (step, next) => {
        const path = [context.getStore(), step.name].join(" > ");
        return context.run(path, next);
      };
      const note = defineTool({
        name: "note",
        description: "x",
        run: async () => {
          await Promise.resolve();
          return seen.push(context.getStore());
        },
      });
      const answer = (text: ScriptedTurn) => () => {
        seen.push(context.getStore());
        return text;
      };
      const inner = new Agent({
        name: "helper",
        model: new ScriptedModel(answer(call("note")), answer(say("Found."))),
        tools: [note],
        observers: [{ around }],
      });
      const model = new ScriptedModel(answer(call("helper", { task: "Find." })), answer(say("Done.")));
      await read(new Agent({ model, tools: [inner.asTool({ description: "x" })], observers: [{ around }] }), "Go.");
      expect(seen).toEqual([
        " > model:1",
        " > call:1.0 > model:1",
        " > call:1.0 > call:1.0",
        " > call:1.0 > model:2",
        " > model:2",
      ]);
    });

    test("is wrapped by the first one outermost, between the step's start and what comes after it", async () => {
      const log: string[] = [];
      const wrapping = (name: string): Observer => ({
        observe: (one) => void ("step" in one && one.step.name === "call:1.0" && log.push(`${name} ${one.type}`)),
        around: async ({ name: step }, next) => {
          if (step === "call:1.0") log.push(`${name} in`);
          await next();
          if (step === "call:1.0") log.push(`${name} out`);
        },
      });
      const noted = defineTool({ name: "look", description: "x", run: () => log.push("tool") });
      const { agent } = observed(script, { tools: [noted], observers: [wrapping("a"), {}, wrapping("b")] });
      await read(agent, "Go.");
      expect(log).toEqual([
        "a step-start",
        "b step-start",
        "a in",
        "b in",
        "tool",
        "a step-end",
        "b step-end",
        "b out",
        "a out",
      ]);
    });

    const MISUSES: readonly [string, NonNullable<Observer["around"]>, warned: boolean][] = [
      ["calls next twice", (_, next) => Promise.all([next(), next()]).then(() => {}), false],
      ["calls next again when all is over", (_, next) => next().then(next), false],
      ["never calls next", () => {}, true],
      ["calls next too late", async (_, next) => Promise.resolve().then(next), true],
      [
        "throws before it calls next",
        () => {
          throw new Error("before");
        },
        true,
      ],
      [
        "throws after it called next",
        (_, next) => {
          void next();
          throw new Error("after");
        },
        true,
      ],
      [
        "rejects when the step is over",
        async (_, next) => {
          await next();
          throw new Error("after");
        },
        true,
      ],
      ["hangs before it calls next", () => new Promise<void>(() => {}), true],
      ["hangs after it called next", (_, next) => next().then(() => new Promise<void>(() => {})), false],
    ];

    test.each(MISUSES)("that %s is the same run", async (_what, around, warned) => {
      const warn = vi.fn<Logger["warn"]>();
      const logger = { trace() {}, debug() {}, info() {}, warn, error() {} };
      const runs: string[] = [];
      const counted = defineTool({ name: "look", description: "x", run: (_, { callId }) => runs.push(callId) });
      const plain = await read(new Agent({ model: new ScriptedModel(...script), tools: [counted] }), "Go.", {
        runId: "r",
      });
      runs.length = 0;
      const { agent, model, observations } = observed(script, {
        tools: [counted],
        logger,
        observers: [{ around }, record()],
      });
      expect(observations).toEqual([]);
      const result = await read(agent, "Go.", { runId: "r" });
      expect(result).toEqual(plain);
      expect(runs).toEqual(["call:1.0"]);
      expect(model.requests).toHaveLength(2);
      // Once a run, not once a step.
      expect(warn).toHaveBeenCalledTimes(warned ? 1 : 0);
    });

    test("that hangs holds no run up after an abort", async () => {
      const abort = new AbortController();
      const { agent, observations } = observed([hangs("It")], {
        observers: [{ around: (_, next) => next().then(() => new Promise<void>(() => {})) }],
      });
      setTimeout(() => abort.abort(new Error("enough")), 10);
      await expect(read(agent, "Go.", { signal: abort.signal })).rejects.toThrow("enough");
      expect(observations).toEqual([]);
    });

    test("learns from next only that the step is over", async () => {
      const left: unknown[] = [];
      const { agent } = observed([fails(new Error("no"))], {
        observers: [{ around: (_, next) => next().then((...given: unknown[]) => void left.push(...given)) }],
      });
      await expect(read(agent, "Go.")).rejects.toThrow("no");
      expect(left).toEqual([undefined]);
    });
  });

  describe("with an observer", () => {
    test.each<[string, () => void | Promise<void>]>([
      [
        "that throws",
        () => {
          throw new Error("mine");
        },
      ],
      ["that rejects", () => Promise.reject(new Error("mine"))],
      ["that hangs", () => new Promise<void>(() => {})],
      [
        "that gives back something broken",
        () =>
          ({
            // What an observer may be unlucky enough to give back.
            // oxlint-disable-next-line unicorn/no-thenable
            get then() {
              throw new Error("mine");
            },
          }) as unknown as Promise<void>,
      ],
    ])("%s is the same run, and seen by the others", async (what, observe) => {
      const warn = vi.fn<Logger["warn"]>();
      const logger = { trace() {}, debug() {}, info() {}, warn, error() {} };
      const other = record();
      const script = [call("look"), say("Done.")];
      const { agent } = observed(script, { observers: [{ observe }, other], logger });
      const plain = await read(new Agent({ model: new ScriptedModel(...script), tools: [look] }), "Go.", {
        runId: "r",
      });
      expect(untimed(await read(agent, "Go.", { runId: "r" }))).toEqual(untimed(plain));
      assertObservations(other.observations);
      expect(shape(other.observations)).toHaveLength(16);
      expect(warn.mock.calls.map(([facts, said]) => [facts, said] as unknown[])).toEqual(
        what === "that hangs"
          ? []
          : [
              [
                { err: new Error("mine"), runId: "r", agent: agent.name, observer: 0 },
                "an observer failed; the run continues",
              ],
            ],
      );
    });
  });
});

describe("without observers", () => {
  test("a step is the promise of its work, which gets the very step", async () => {
    const step: Step<RunEvent> = { key: "r/call:1.0", attempt: 1, signal: AbortSignal.abort(), emit: () => {} };
    const place = { kind: "call", turn: 1, callId: "call:1.0", attempt: 0 } as const;
    const identity = { runId: "r", agent: "a" };
    const given: unknown[] = [];
    const work = Promise.resolve("done");
    const running = executeStep({ clock: undefined, observed: undefined, identity }, place, step, (one) => {
      given.push(one);
      return work;
    });
    expect(running).toBe(work);
    expect(given[0]).toBe(step);
  });

  test("a turn makes as many promises as with an empty list, and the run's own steps and events are used as they are", async () => {
    const promisesOf = async (options: Partial<AgentOptions>): Promise<number> => {
      const model = new ScriptedModel(...Array.from({ length: 8 }, () => call("look")), say("Done."));
      const agent = new Agent({ model, tools: [look], limits: { repeats: Number.POSITIVE_INFINITY }, ...options });
      return await countPromises(() => agent.run("Go.", { runId: "r" }));
    };
    await promisesOf({});
    const none = await promisesOf({});
    expect(await promisesOf({ observers: [] })).toBe(none);
    expect(await promisesOf({ observers: [record()] })).toBeGreaterThan(none);
  });
});

/** Promises that are made while something runs. */
async function countPromises(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const hook = createHook({ init: (_id, type) => void (type === "PROMISE" && count++) }).enable();
  try {
    await work();
  } finally {
    hook.disable();
  }
  return count;
}

test("the events of a run are the same with observers", async () => {
  const script = (): readonly ScriptedTurn[] => [dies("It"), call("look"), empty(), say("Do", "ne.")];
  const plain = await eventsOf(new Agent({ model: new ScriptedModel(...script()), tools: [look] }), "Go.", {
    runId: "r",
  });
  const { agent } = observed(script());
  const seen = await eventsOf(agent, "Go.", { runId: "r" });
  const timeless = (events: readonly object[]): unknown =>
    JSON.parse(JSON.stringify(events, (key, value: unknown) => (key === "durationMs" ? 0 : value)));
  expect(timeless(seen.events)).toEqual(timeless(plain.events));
});

test("an observer that tampers with its events affects no other", async () => {
  const tampering: Observer = { observe: (one) => void Object.assign(one, { seq: 99, run: {} }) };
  const other = record();
  const logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
  await observed([say("Done.")], { observers: [tampering, other], logger }).agent.run("Go.");
  assertObservations(other.observations);
});

test("a price table that throws ends the run as it would without observers", async () => {
  const prices = (): never => {
    throw new Error("no such price");
  };
  const { agent, observations } = observed([say("Done.")], { prices });
  await expect(agent.run("Go.")).rejects.toThrow("no such price");
  assertObservations(observations);
  expect(drawTrace(observations)).toEqual(["run agent: failed", "  model:1: STOP 15"]);
});

test("a run that is left is observed to its end", async () => {
  const { agent, observations } = observed([hangs("One ")]);
  for await (const event of agent.stream("Count.")) if (event.type === "text-delta") break;
  assertObservations(observations);
  expect(observations.at(-1)).toMatchObject({ type: "run-end", ended: "aborted" });
});

test("a run of a chat is observed as any other", async () => {
  const { agent, observations } = observed([say("One."), say("Two.")]);
  const chat = agent.session();
  await chat.send("Count.");
  await chat.send("Go on.");
  assertObservations(observations);
  expect(drawTrace(observations)).toEqual([
    "run agent: finished",
    "  model:1: STOP 15",
    "run agent: finished",
    "  model:1: STOP 15",
  ]);
});

describe("whatever the model does", () => {
  fakeTime("leaps");
  const anyTurn: fc.Arbitrary<ScriptedTurn> = fc.oneof(
    fc.constant(call("look")),
    fc.constant(calls("look", "slow", "ask", "nothing")),
    fc.constant(calls({ name: "helper", args: { task: "Find." } }, "look")),
    fc.constant(say("Said.")),
    fc.constant(empty()),
    fc.constant(dies("It")),
    fc.constant(hangs("It")),
    fc.constant(join(say("Cut"), { batches: [], finishReason: "MAX_TOKENS" })),
    fc.constant(fails(new ApiStatusError("busy", { status: 503, retryable: true }))),
    fc.constant(join(say("Dear."), costs({ promptTokenCount: 5_000, totalTokenCount: 5_000 }))),
  );

  test("observations fit the grammar", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyTurn, { maxLength: 6 }), fc.nat({ max: 200 }), async (script, abortMs) => {
        const observer = record();
        const observers = [observer];
        const inner = new ScriptedModel(call("look"), say("Found."), call("look"), say("Found."));
        const helper = new Agent({ name: "helper", model: inner, tools: [look], observers }).asTool({
          description: "x",
        });
        const slow = defineTool({
          name: "slow",
          description: "x",
          run: () => new Promise((done) => setTimeout(done, 30)),
        });
        const ask = defineTool({ name: "ask", description: "x", needsApproval: true, run: () => "ok" });
        const agent = new Agent({
          model: new ScriptedModel(...script),
          tools: [look, slow, ask, helper],
          observers,
          approve: abortMs % 2 === 0 ? () => true : undefined,
          limits: { wallTimeMs: 150, totalTokens: 9_000 },
        });
        const abort = new AbortController();
        const timer = setTimeout(() => abort.abort(new Error("enough")), abortMs);
        await agent.run("Go.", { signal: abort.signal }).catch(() => {});
        clearTimeout(timer);
        assertObservations(observer.observations);
        const drawn = drawTrace(observer.observations).length;
        const starts = observer.observations.filter(({ type }) => type === "run-start" || type === "step-start").length;
        expect(drawn).toBe(starts);
      }),
      { numRuns: 60 },
    );
  });
});
