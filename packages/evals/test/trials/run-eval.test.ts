import { Agent, ApiStatusError, defineTool, MemoryStore, type RunInput } from "@pollux/core";
import type { ModelRequest } from "@pollux/core/model";
import { call, join, say, type ScriptLine, ScriptedModel, type ScriptedTurn, costs } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import {
  type AgentWorld,
  called,
  defineEval,
  type EvalProgress,
  type EvalSuiteOptions,
  runEval,
  type RunEvalOptions,
  type Score,
  simulatedUser,
  type Trial,
  type UnjudgedRun,
} from "../../src/index.ts";

const version = { tree: "t1" };
const prices = { input: 1_000_000, output: 0 };

const lookUp = defineTool({
  name: "look_up",
  description: "Finds an order.",
  input: z.object({ order: z.string() }),
  effects: "none",
  run: ({ order }) => `order ${order} arrives on Friday`,
});

/** A model that answers each request as the function says, however many there are. */
function answering(answer: (request: ModelRequest, count: number) => ScriptedTurn): ScriptedModel {
  let count = 0;
  const line: ScriptLine = (request) => answer(request, ++count);
  return new ScriptedModel(...Array.from({ length: 500 }, () => line));
}

function lastText({ contents }: ModelRequest): string {
  return (
    contents
      .at(-1)
      ?.parts.map(({ text = "" }) => text)
      .join("") ?? ""
  );
}

/** Looks the order up, then says what it has found. */
const support = answering((request) =>
  lastText(request) === "" ? say("It arrives on Friday.") : call("look_up", { order: "17" }),
);

function suiteOf(options: Partial<EvalSuiteOptions> = {}) {
  return defineEval("support", {
    agent: new Agent({ model: support, tools: [lookUp] }),
    trials: 2,
    data: [
      { id: "status", input: "Where is order 17?", scorers: [called("look_up", { order: "17" })], tags: ["orders"] },
      {
        id: "hello",
        input: "Hi!",
        scorers: [
          function isShort({ text }) {
            return text.length < 10;
          },
        ],
      },
    ],
    ...options,
  });
}

async function run(options: Partial<EvalSuiteOptions> = {}, given: Partial<RunEvalOptions> = {}) {
  const [only] = await runEval(suiteOf(options), { version, ...given });
  if (only === undefined) throw new Error("there is no run");
  return only;
}

function statuses({ cases }: UnjudgedRun) {
  return Object.fromEntries(cases.map(({ id, trials }) => [id, trials.map(({ status }) => status)]));
}

describe("runEval", () => {
  test("tries each case, scores the trials and says what they came to", async () => {
    let time = 1000;
    const model = answering((request) => {
      time += 40;
      return join(
        lastText(request) === "" ? say("It arrives on Friday.") : call("look_up", { order: "17" }),
        costs({ promptTokenCount: 2, candidatesTokenCount: 3, thoughtsTokenCount: 1, cachedContentTokenCount: 1 }),
      );
    });
    const agent = new Agent({ model, tools: [lookUp], prices });
    const result = await run({ agent, trials: 1 }, { now: () => time });

    expect(result).toEqual({
      v: 1,
      id: expect.stringMatching(/^1970-01-01T00:00:01\.000Z-[0-9a-f]{8}$/u),
      suite: "support",
      at: 1000,
      ms: 160,
      version,
      models: [{ id: "gemini-scripted", version: "gemini-scripted" }],
      cases: [
        {
          id: "status",
          key: expect.stringMatching(/^[0-9a-f]{12}$/u),
          world: "live",
          tags: ["orders"],
          planned: 1,
          trials: [
            {
              number: 1,
              status: "passed",
              scores: [{ name: "called", score: 1, threshold: 1 }],
              metrics: {
                cost: 4,
                durationMs: expect.any(Number),
                turns: 2,
                calls: 1,
                inputTokens: 4,
                outputTokens: 8,
                cachedTokens: 2,
              },
              stopReason: "finished",
              answer: "It arrives on Friday.",
              sessionId: expect.stringMatching(
                /^evals\/support\/t1\/status\.[0-9a-f]{12}\/live\/gemini-scripted\/-\/1$/u,
              ),
            },
          ],
        },
        {
          id: "hello",
          key: expect.any(String),
          world: "live",
          tags: [],
          planned: 1,
          trials: [
            expect.objectContaining({ status: "failed", scores: [{ name: "isShort", score: 0, threshold: 1 }] }),
          ],
        },
      ],
      passed: { share: 0.5, low: expect.any(Number), high: expect.any(Number) },
      cost: { agent: 8, judges: 0, users: 0, total: 8, unpriced: 0 },
      notFixed: [],
      notes: [],
    });
  });

  test("measures the agent alone, by the clock that it is given", async () => {
    let time = 0;
    const model = answering(() => {
      time += 70;
      return say("Hi");
    });
    const slowScorer = () => {
      time += 1000;
      return true;
    };
    const result = await run(
      { agent: new Agent({ model }), data: [{ id: "a", input: "x" }], scorers: [slowScorer] },
      { now: () => time, concurrency: 1 },
    );

    expect(result.cases[0]?.trials.map(({ metrics }) => metrics["durationMs"])).toEqual([70, 70]);
  });

  test("begins with the first trial of all cases, variants side by side", async () => {
    const order: string[] = [];
    const agent = ({ variant }: AgentWorld) =>
      new Agent({
        model: answering((request) => {
          order.push(`${lastText(request)} ${variant}`);
          return say("ok");
        }),
      });
    const data = [
      { id: "a", input: "a" },
      { id: "b", input: "b" },
    ];
    const suite = suiteOf({ agent, data, variants: ["x", "y"], scorers: [() => true] });
    const runs = await runEval(suite, { version, concurrency: 1 });

    expect(order).toEqual(["a x", "a y", "b x", "b y", "a x", "a y", "b x", "b y"]);
    expect(runs.map(({ variant, cases }) => [variant, cases.map(({ trials }) => trials.length)])).toEqual([
      ["x", [2, 2]],
      ["y", [2, 2]],
    ]);
    const [y] = await runEval(suite, { version, variants: ["y"], baseline: true });
    expect(y?.cases.map(({ trials }) => trials.length)).toEqual([6, 6]);
    await expect(runEval(suite, { version, variants: ["z"] })).rejects.toThrow(
      'suite "support" has no variant "z"; it has x, y',
    );
  });

  test("makes the agent for each trial, with the same random numbers for the same case and number", async () => {
    const drawn: number[] = [];
    const agent = ({ random }: AgentWorld) => {
      drawn.push(random());
      return new Agent({ model: answering(() => say("ok")) });
    };
    const options = { agent, data: [{ id: "a", input: "a" }], scorers: [() => true] };
    await run(options);
    await run(options);

    // The first of each run's three is made to see where its model is.
    expect(drawn.slice(4)).toEqual(drawn.slice(1, 3));
    expect(new Set(drawn).size).toBe(2);
  });

  test("says messages one after another in one session, and gives scorers the whole conversation", async () => {
    const trials: Trial[] = [];
    const model = answering((request) => say(`${request.contents.length}`));
    const messages: readonly RunInput[] = ["one", "two"];
    await run({
      agent: new Agent({ model }),
      trials: 1,
      data: [{ id: "a", input: { messages }, expected: "3" }],
      scorers: [(trial) => trials.push(trial) > 0 && trial.text === trial.expected],
    });

    expect(trials).toEqual([
      expect.objectContaining({ input: messages, output: "3", text: "3", expected: "3", number: 1, world: "live" }),
    ]);
    expect(trials[0]?.results.map(({ text }) => text)).toEqual(["1", "3"]);
    expect(trials[0]?.conversation.messages.map(({ role }) => role)).toEqual(["user", "model", "user", "model"]);
  });

  test("lets a simulated user talk, whose cost is apart, and reads the conversation again", async () => {
    const line = (message: string, done = "goes-on") =>
      join(say(JSON.stringify({ done, message })), costs({ promptTokenCount: 5 }));
    const user = new ScriptedModel(line("Refund me"), line("Order 17"), line("", "reached"));
    const agent = answering((request) => say(`You said ${lastText(request)}`));
    const store = new MemoryStore();
    const options: Partial<EvalSuiteOptions> = {
      agent: new Agent({ model: agent, prices }),
      trials: 1,
      data: [{ id: "a", input: simulatedUser({ model: user, prices, goal: "A refund" }) }],
      scorers: [
        ({ text, input }) => text === "You said Order 17" && JSON.stringify(input) === '["Refund me","Order 17"]',
      ],
    };
    const result = await run(options, { store });

    expect(statuses(result)).toEqual({ a: ["passed"] });
    expect(result.cost).toEqual({ agent: 20, judges: 0, users: 15, total: 35, unpriced: 0 });
    const again = await run(options, { store });
    expect(again.cases).toEqual(result.cases);
    expect(again.cost).toEqual(result.cost);
    expect([user.requests.length, agent.requests.length]).toEqual([3, 2]);
  });
});

describe("a conversation with a simulated user", () => {
  const line = (message: string, done = "goes-on") =>
    join(say(JSON.stringify({ done, message })), costs({ promptTokenCount: 5 }));
  const optionsOf = (agent: ScriptedModel, user: ScriptedModel): Partial<EvalSuiteOptions> => ({
    agent: new Agent({ model: agent, prices }),
    trials: 1,
    data: [{ id: "a", input: simulatedUser({ model: user, prices, goal: "A refund" }) }],
    scorers: [({ input }) => JSON.stringify(input) === '["Refund me"]'],
  });

  test("that an error cut off begins anew, and what it cost counts", async () => {
    const outage = new ApiStatusError("try later", { status: 503, retryable: true });
    const user = new ScriptedModel(line("Hi"), line("Refund"), line("Refund me"), line("", "reached"));
    const agent = new ScriptedModel(
      join(say("Hi"), costs({ promptTokenCount: 7 })),
      () => {
        throw outage;
      },
      join(say("Done"), costs({ promptTokenCount: 7 })),
    );
    const result = await run(optionsOf(agent, user));

    expect(statuses(result)).toEqual({ a: ["passed"] });
    expect(result.cases[0]?.trials[0]?.sessionId).toMatch(/\/1@2$/u);
    expect(result.cost.agent).toBe(14);
  });

  test("that an abort cut off begins anew with the next call", async () => {
    const store = new MemoryStore();
    const abort = new AbortController();
    const user = new ScriptedModel(line("Hi"), line("Refund me"), line("", "reached"));
    const agent = new ScriptedModel(() => {
      abort.abort(new Error("Ctrl-C"));
      return say("late");
    }, say("Done"));
    const options = optionsOf(agent, user);
    await expect(run(options, { store, signal: abort.signal })).rejects.toThrow("Ctrl-C");
    expect(statuses(await run(options, { store }))).toEqual({ a: ["passed"] });
    user.assertSpent();
  });
});

test("runs get the suite's context and the case's metadata", async () => {
  const seen: unknown[] = [];
  const agent = new Agent<{ readonly shop: string }>({
    model: answering(() => say("ok")),
    instructions: ({ context, metadata }) => {
      seen.push(context, metadata);
      return "x";
    },
  });
  const data = [{ id: "a", input: "x", metadata: { lang: "en" } }];
  await run({ agent, data, trials: 1, scorers: [() => true], context: { shop: "Oslo" } });
  expect(seen).toEqual([{ shop: "Oslo" }, { lang: "en" }]);
});

test("options that cannot be are refused", async () => {
  await expect(run({}, { concurrency: 0 })).rejects.toThrow("runEval(): concurrency must be a whole number from 1 on");
  // What a program without types may write.
  const epochs = { trial: 3 } as unknown as RunEvalOptions;
  await expect(run({}, epochs)).rejects.toThrow('runEval(): there is no option "trial"; did you mean "trials"?');
});

test("a function that makes no agent is an error of the suite", async () => {
  // What a program without types may write.
  const agent = (() => undefined) as unknown as () => Agent;
  await expect(run({ agent, scorers: [() => true] })).rejects.toThrow(
    'suite "support": its agent function returned no Agent',
  );
});

describe("scores", () => {
  const said = (score: Score["score"], reason?: string) => () => ({
    name: "quality",
    score,
    ...(reason !== undefined && { metadata: { reason } }),
  });

  test.each([
    ["at its threshold", Object.assign(said(0.7), { threshold: 0.7 }), { status: "passed" }],
    ["below its threshold", Object.assign(said(0.6), { threshold: 0.7 }), { status: "failed" }],
    ["that only advises", Object.assign(said(0), { isAdvisory: true }), { status: "passed" }],
    [
      "that cannot be told",
      said(null, "no source"),
      { status: "invalid", why: "quality could not judge it: no source" },
    ],
    [
      "out of range",
      said(7),
      { status: "invalid", why: "quality could not judge it: its score is 7, neither from 0 to 1 nor null" },
    ],
    [
      "whose scorer throws",
      function broken(): boolean {
        throw new RangeError("oops");
      },
      { status: "invalid", why: "broken could not judge it: it threw RangeError: oops" },
    ],
  ])("a score %s", async (_, scorer, expected) => {
    const { cases } = await run({ trials: 1, data: [{ id: "a", input: "x" }], scorers: [scorer] });
    expect(cases[0]?.trials[0]).toMatchObject(expected);
  });

  test("a case without scorers is refused", async () => {
    await expect(run({ data: [{ id: "a", input: "x" }] })).rejects.toThrow(
      'suite "support", case "a": it has no scorers; add some to it or to the suite',
    );
  });
});

describe("trials are kept", () => {
  test("the same version reads them again, with another scorer too; fresh and another version make new ones", async () => {
    const store = new MemoryStore();
    const model = answering(() => say("ok"));
    const options = { agent: new Agent({ model }), data: [{ id: "a", input: "x" }], scorers: [() => true] };
    const first = await run(options, { store });
    expect(model.requests).toHaveLength(2);

    const scorers = [() => false];
    const second = await run({ ...options, scorers }, { store });
    expect(model.requests).toHaveLength(2);
    expect(statuses(second)).toEqual({ a: ["failed", "failed"] });
    expect(second.cases[0]?.trials[0]?.metrics).toEqual(first.cases[0]?.trials[0]?.metrics);
    expect(second.cases[0]?.key).not.toBe(first.cases[0]?.key);

    const third = await run(options, { store, fresh: true });
    expect(model.requests).toHaveLength(4);
    expect(third.cases[0]?.trials[0]?.sessionId).toBe(`${first.cases[0]?.trials[0]?.sessionId}@2`);
    expect((await run(options, { store })).cases).toEqual(third.cases);
    expect(model.requests).toHaveLength(4);

    await run(options, { store, version: { tree: "t2" } });
    expect(model.requests).toHaveLength(6);
  });

  test("another service has trials of its own: what an emulator has answered is not read in its place", async () => {
    const store = new MemoryStore();
    const at = (endpoint: string) => {
      const model = answering(() => say(endpoint));
      return Object.assign(model, { origin: { endpoint, family: "gemini-2" } });
    };
    const local = at("http://127.0.0.1:4000");
    const options = (model: ScriptedModel) => ({
      agent: new Agent({ model }),
      data: [{ id: "a", input: "a", scorers: [() => true] }],
    });
    await run(options(local), { store });
    await run(options(local), { store });
    const restarted = at("http://127.0.0.1:5000");
    await run(options(restarted), { store });
    const service = at("https://api.example.com/v1");
    const { cases } = await run(options(service), { store });
    expect([local, restarted, service].map(({ requests }) => requests.length)).toEqual([2, 0, 2]);
    expect(cases[0]?.trials.map(({ answer }) => answer)).toEqual([
      "https://api.example.com/v1",
      "https://api.example.com/v1",
    ]);
  });

  test("a judge that was paid is not paid again", async () => {
    const store = new MemoryStore();
    const judge = Object.assign(
      vi.fn<() => Score>(() => ({ name: "judge", score: 1, metadata: { cost: 3, reason: "fine" } })),
      { key: "judge(1)", prepare: async () => ({ cost: 10 }) },
    );
    const options = { data: [{ id: "a", input: "x" }], scorers: [judge] };
    const first = await run(options, { store });
    const second = await run(options, { store });

    expect(first.cost).toEqual({ agent: 0, judges: 16, users: 0, total: 16, unpriced: 2 });
    expect(second.cost).toEqual(first.cost);
    expect(second.cases).toEqual(first.cases);
    expect(judge).toHaveBeenCalledTimes(2);
  });

  test("a judge without prices is not asked again either: nobody retries until it passes", async () => {
    const store = new MemoryStore();
    const asked = vi.fn<() => Score>(() => ({ name: "judge", score: 1 }));
    asked.mockReturnValueOnce({ name: "judge", score: 0 });
    const judge = Object.assign(asked, { key: "judge(1)", prepare: async () => ({}) });
    const options = { data: [{ id: "a", input: "x" }], scorers: [judge] };
    const first = await run(options, { store });
    expect((await run(options, { store })).cases).toEqual(first.cases);
    expect(judge).toHaveBeenCalledTimes(2);
  });

  test("after an abort the same call goes on: no finished step is made again", async () => {
    const store = new MemoryStore();
    const ran = vi.fn<() => string>(() => "found");
    const counted = defineTool({ name: "look_up", description: "x", input: z.object({}), effects: "none", run: ran });
    const abort = new AbortController();
    let isAborted = false;
    const model = answering((request, count) => {
      if (count === 4 && !isAborted) {
        isAborted = true;
        abort.abort(new Error("Ctrl-C"));
      }
      return lastText(request) === "" ? say("ok") : call("look_up");
    });
    const options = {
      agent: new Agent({ model, tools: [counted] }),
      data: [{ id: "a", input: "x" }],
      scorers: [({ calls, results }: Trial) => calls.length === 1 && results.length === 1],
    };
    await expect(run(options, { store, concurrency: 1, signal: abort.signal })).rejects.toThrow("Ctrl-C");
    expect(ran).toHaveBeenCalledTimes(2);

    const result = await run(options, { store, concurrency: 1 });
    expect(statuses(result)).toEqual({ a: ["passed", "passed"] });
    expect(ran).toHaveBeenCalledTimes(2);
    // The request that was aborted is made once more.
    expect(model.requests).toHaveLength(5);
    expect(result.cases[0]?.trials.map(({ metrics }) => metrics["turns"])).toEqual([2, 2]);
  });
});

describe("errors", () => {
  const outage = new ApiStatusError("try later", { status: 503, retryable: true });

  test("are tried again twice, and stay in the denominator", async () => {
    const model = answering((_, count) => {
      if (count <= 2 || count > 3) throw outage;
      return say("ok");
    });
    const result = await run(
      { agent: new Agent({ model }), data: [{ id: "a", input: "x" }], scorers: [() => true] },
      { concurrency: 1 },
    );

    expect(
      result.cases[0]?.trials.map(({ status, why, metrics }) => [status, why, Object.keys(metrics).length > 0]),
    ).toEqual([
      ["passed", undefined, true],
      ["error", "ApiStatusError: try later", false],
    ]);
    expect(result.passed.share).toBe(0.5);
  });

  test("that every trial would meet end the run", async () => {
    const model = answering(() => {
      throw new ApiStatusError("the key is wrong", { status: 401, retryable: false });
    });
    await expect(run({ agent: new Agent({ model }), scorers: [() => true] }, { concurrency: 1 })).rejects.toThrow(
      "the key is wrong",
    );
    expect(model.requests).toHaveLength(1);
  });
});

describe("money", () => {
  const model = () => answering(() => join(say("ok"), costs({ promptTokenCount: 1 })));
  const data = [{ id: "a", input: "x" }];

  test("no trial begins that would exceed the budget, at the mean so far", async () => {
    const options = { agent: new Agent({ model: model(), prices }), data, trials: 10, scorers: [() => true] };
    const store = new MemoryStore();
    const result = await run(options, { store, budget: 3.5, concurrency: 1 });

    expect(result.cases[0]).toMatchObject({ planned: 10, trials: { length: 3 } });
    expect(result.cost.total).toBe(3);
    expect(result.stopped).toBe("the budget is spent");
    // What was paid counts.
    expect((await run(options, { store, budget: 3.5 })).cases).toEqual(result.cases);
    expect((await run({ ...options, gate: { budget: 5 } }, { store })).cases[0]?.trials).toHaveLength(5);
  });

  test("a budget without prices is an error", async () => {
    await expect(
      run({ agent: new Agent({ model: model() }), data, scorers: [() => true] }, { budget: 1 }),
    ).rejects.toThrow('suite "support" has a budget, but the cost of a trial is not known: give the agent, judges');
  });

  test("so is a budget with a judge whose cost nobody knows", async () => {
    const judge = Object.assign((): Score => ({ name: "judge", score: 1 }), { prepare: async () => ({}) });
    await expect(
      run({ agent: new Agent({ model: model(), prices }), data, scorers: [judge] }, { budget: 9 }),
    ).rejects.toThrow('suite "support" has a budget, but the cost of a trial is not known: give the agent, judges');
  });
});

test("begins no further trial once it is decided", async () => {
  const decided = await run(
    { trials: 5, scorers: [() => false] },
    { concurrency: 1, isDecided: ({ cases }) => cases[0]?.trials.length === 2 },
  );
  expect(statuses(decided)).toEqual({ status: ["failed", "failed"], hello: ["failed"] });
  expect(decided.stopped).toBe("it is decided");
});

test("reports how it stands", async () => {
  const seen: EvalProgress[] = [];
  let time = 0;
  const model = answering(() => {
    time += 100;
    return say("ok");
  });
  await run(
    { agent: new Agent({ model, prices: { input: 100_000, output: 0 } }), scorers: [() => true] },
    { now: () => time, concurrency: 1, onProgress: (progress) => seen.push(progress), filter: { ids: ["hello"] } },
  );

  const about = { suite: "support", total: 2, reused: 0, cases: 1 };
  expect(seen).toEqual([
    { ...about, done: 0, cost: 0 },
    { ...about, done: 1, cost: 1, timeLeftMs: 100 },
    { ...about, done: 1, cost: 1, timeLeftMs: 100 },
    { ...about, done: 2, cost: 2, timeLeftMs: 0 },
  ]);
});
