import {
  Agent,
  type AgentOptions,
  type Approve,
  defineTool,
  type FetchLike,
  gemini,
  geminiApi,
  googleSearch,
  handoff,
  MemoryStore,
  type Model,
  type ToolEffects,
} from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import type { ModelRequest } from "@pollux/core/model";
import { call, calls, costs, grounded, join, say, ScriptedModel, type ScriptedTurn } from "@pollux/core/testing";
import { calls as emulatedCalls, createEmulator, say as emulatedSay, script, type ScriptLine } from "@pollux/emulator";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  atMost,
  defineEval,
  type EvalSuiteOptions,
  runEval,
  type RunEvalOptions,
  type SessionCase,
  type Trial,
} from "../../src/index.ts";

const version = { tree: "t1" };
const scrub = (text: string) => text;
const passes = () => true;

/** What really ran, in order. */
let ran: string[] = [];

function tool(name: string, options: { readonly effects?: ToolEffects; readonly needsApproval?: boolean } = {}) {
  return defineTool({
    name,
    description: name,
    input: z.object({ order: z.string().optional() }),
    ...options,
    run: ({ order = "" }) => {
      ran.push(name);
      return `${name} ${order} for real`;
    },
  });
}

const tools = [
  tool("look_up", { effects: "none" }),
  tool("refund"),
  tool("cancel", { effects: "once" }),
  tool("pay", { effects: "none", needsApproval: true }),
];

/** Answers the requests after the user's message in this order, in each run. */
function model(...turns: readonly ScriptedTurn[]): ScriptedModel {
  let next = 0;
  const line = (): ScriptedTurn => turns[next++ % turns.length] ?? say("none");
  return new ScriptedModel(...Array.from({ length: 200 }, () => line));
}

function agentOf(...turns: readonly ScriptedTurn[]) {
  return new Agent({ model: model(...turns), tools });
}

/** A session of one run that was made before the second one, which is the case. */
async function record(
  turns: readonly ScriptedTurn[],
  { id = "order", approve = async () => true, ...more }: Partial<SessionCase> & { readonly approve?: Approve } = {},
): Promise<SessionCase> {
  const store = new MemoryStore();
  const agent = new Agent({ model: new ScriptedModel(say("Hello."), ...turns), tools, approve });
  const session = agent.session({ id: "s", store });
  await session.send("Hi");
  await session.send("What about order 17?", { runId: "asked" });
  ran = [];
  return { id, recording: { log: await store.load("s"), exchanges: [] }, runId: "asked", ...more };
}

/** A session whose requests went to the emulator, and were kept. */
async function recordKept(
  agentAt: (live: Model, observers: AgentOptions["observers"]) => Agent,
  ...lines: readonly ScriptLine[]
): Promise<SessionCase> {
  const [store, exchanges] = [new MemoryStore(), new MemoryStore()];
  const keeper = keepExchanges(exchanges);
  const emulator = createEmulator({ brain: script(lines) });
  const fetch: FetchLike = (input, init) => emulator.fetch(input, init);
  const live = gemini("gemini-3.5-flash", { endpoint: geminiApi({ apiKey: "emulator" }), fetch });
  await agentAt(live, [keeper]).session({ id: "s", store }).send("What about order 17?", { runId: "asked" });
  await keeper.flush();
  ran = [];
  const recording = { log: await store.load("s"), exchanges: await exchanges.load("s") };
  return { id: "kept", recording, runId: "asked" };
}

async function trialsOf(options: Partial<EvalSuiteOptions>, given: Partial<RunEvalOptions> = {}) {
  ran = [];
  const suite = defineEval("worlds", {
    agent: agentOf(say("ok")),
    data: [],
    trials: 1,
    scorers: [passes],
    scrub,
    ...options,
  });
  const [run] = await runEval(suite, { version, concurrency: 1, ...given });
  if (run === undefined) throw new Error("there is no run");
  return { run, trials: run.cases.flatMap(({ trials }) => trials) };
}

/** Scores nothing, and keeps what it is given. */
function watching() {
  const seen: Trial[] = [];
  return { seen, scorers: [(trial: Trial) => seen.push(trial) > 0] };
}

function outputs({ calls: made }: Trial | undefined = { calls: [] } as unknown as Trial) {
  return made.map((one) =>
    one.status === "completed" ? one.output : one.status === "failed" ? one.error : one.status,
  );
}

describe("live", () => {
  const data = [{ id: "a", input: "Refund 17" }];

  test.each(["refund", "cancel"])("%s, which may have effects, does not run: the trial is invalid", async (name) => {
    const { trials } = await trialsOf({ agent: agentOf(call(name), say("Done.")), data });

    expect(ran).toEqual([]);
    expect(trials).toMatchObject([
      {
        status: "invalid",
        why: `"${name}" may have effects and was not run: add standIn.${name}, or name it in allowEffects; a tool without effects says effects: "none"`,
      },
    ]);
  });

  test("an invalid trial is read again as it is", async () => {
    const store = new MemoryStore();
    const refunds = model(join(call("refund"), costs({ promptTokenCount: 3 })));
    const agent = new Agent({ model: refunds, tools, prices: { input: 1_000_000, output: 0 } });
    const first = await trialsOf({ agent, data }, { store });
    const again = await trialsOf({ agent, data }, { store });

    expect(again.trials).toEqual(first.trials);
    expect(again.run.cost).toEqual(first.run.cost);
    expect(first.run.cost.agent).toBe(3);
    expect(refunds.requests).toHaveLength(1);
  });

  test("a stand-in answers in its place; what it throws is the failure", async () => {
    const { seen, scorers } = watching();
    const standIn = {
      refund: ({ order }: { order: string }) => `${order} stood in`,
      cancel: () => {
        throw new Error("too late");
      },
    };
    const agent = agentOf(calls({ name: "refund", args: { order: "17" } }, "cancel"), say("Done."));
    const { trials } = await trialsOf({ agent, data, standIn, scorers });

    expect(ran).toEqual([]);
    expect(outputs(seen[0])).toEqual(["17 stood in", { kind: "failed", message: "too late" }]);
    expect(trials).toMatchObject([{ status: "passed" }]);
  });

  test("one that allowEffects names runs, and the run says so", async () => {
    const agent = agentOf(call("refund"), say("Done."));
    const { run, trials } = await trialsOf({ agent, data, allowEffects: ["refund"] });

    expect(ran).toEqual(["refund"]);
    expect(trials).toMatchObject([{ status: "passed" }]);
    expect(run.notes).toEqual(["Tools with effects really ran: refund."]);
    expect(run).not.toHaveProperty("recordedShare");
  });

  test("tools of an agent inside a call, and of one that takes over, go by the same rules", async () => {
    const inner = (name: string) => new Agent({ name, model: model(call("refund"), say("Refunded.")), tools });
    const asTool = new Agent({
      model: model(call("helper", { task: "refund" }), say("ok")),
      tools: [inner("helper").asTool({ description: "Helps." })],
    });
    const handing = new Agent({
      model: model(call("transfer_to_desk")),
      tools: [handoff(inner("desk"), { description: "Refunds." })],
    });
    for (const agent of [asTool, handing]) {
      const refused = await trialsOf({ agent, data });
      expect(refused.trials[0]?.why).toContain('"refund" may have effects and was not run');
      expect(ran).toEqual([]);
    }
  });

  test("no tool with effects ever runs unless it is named", async () => {
    const names = ["look_up", "refund", "cancel"];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.subarray(names, { minLength: 1 }), { maxLength: 3 }),
        fc.subarray(["refund", "cancel"]),
        fc.subarray(["refund", "cancel"]),
        async (turns, allowed, standing) => {
          const agent = agentOf(...turns.map((one) => calls(...one)), say("ok"));
          const standIn = Object.fromEntries(
            standing.filter((name) => !allowed.includes(name)).map((name) => [name, () => "stood in"]),
          );
          await trialsOf({ agent, data, allowEffects: allowed, standIn });
          expect(ran.filter((name) => name !== "look_up" && !allowed.includes(name))).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("the suite decides about approvals, and without its approve the trial is invalid", async () => {
    const asked: string[] = [];
    const own = () => {
      asked.push("agent's own");
      return true;
    };
    const agent = new Agent({ model: model(call("pay"), say("ok")), tools, approve: own });
    const { seen, scorers } = watching();
    await trialsOf({ agent, data, scorers, approve: ({ call: { name } }) => asked.push(name) > 0 });

    expect(asked).toEqual(["pay"]);
    expect(ran).toEqual(["pay"]);
    expect(seen[0]?.approvals.map(({ call: { name } }) => name)).toEqual(["pay"]);
    const { trials } = await trialsOf({ agent, data });
    expect(trials).toMatchObject([
      {
        status: "invalid",
        why: 'nobody decides about "pay", which needs approval: give the suite an approve function',
      },
    ]);
    expect(ran).toEqual([]);
  });

  test("an outcome from outside comes from a stand-in", async () => {
    const ask = defineTool({ name: "ask", description: "Asks a person.", effects: "none" });
    const agent = new Agent({ model: model(call("ask"), say("ok")), tools: [ask] });
    const { seen, scorers } = watching();
    await trialsOf({ agent, data, scorers, standIn: { ask: () => 42 } });
    expect(outputs(seen[0])).toEqual([42]);
  });
});

describe("recorded-tools", () => {
  const turns = [
    call("look_up", { order: "17" }),
    calls({ name: "look_up", args: { order: "17" } }, { name: "refund", args: { order: "17" } }),
    say("Refunded."),
  ];

  test("the model is live, and the recording answers by name and arguments, in order, then with the last", async () => {
    const one = await record(turns);
    // The recorded outcomes of one call are told apart.
    const log = JSON.parse(
      JSON.stringify(one.recording.log).replace("look_up 17 for real", "first"),
    ) as typeof one.recording.log;
    const again = call("look_up", { order: "17" });
    const agent = agentOf(again, again, again, call("refund", { order: "17" }), say("ok"));
    const { seen, scorers } = watching();
    const { run, trials } = await trialsOf({ agent, data: [{ ...one, recording: { log, exchanges: [] } }], scorers });

    expect(ran).toEqual([]);
    expect(outputs(seen[0])).toEqual(["first", "look_up 17 for real", "look_up 17 for real", "refund 17 for real"]);
    expect(trials).toMatchObject([{ status: "passed", metrics: { calls: 4, turns: 5 } }]);
    expect(run).toMatchObject({ recordedShare: 1, cases: [{ world: "recorded-tools" }], notFixed: [] });
    // The message of its run, after the run before.
    expect(seen[0]?.input).toEqual([{ role: "user", parts: [{ text: "What about order 17?" }] }]);
    expect(seen[0]?.conversation.messages).toHaveLength(4);
    expect(seen[0]?.results).toHaveLength(1);
  });

  test("match says which arguments are the same", async () => {
    const one = await record(turns);
    const agent = agentOf(call("refund", { order: "seventeen" }), say("ok"));
    const { trials } = await trialsOf({ agent, data: [one], match: { refund: () => true } });
    expect(trials).toMatchObject([{ status: "passed" }]);
  });

  test("an unknown call fails the trial as invalid, is stood in for, or runs, as the suite says", async () => {
    const data = [await record(turns)];
    const agent = () => agentOf(call("look_up", { order: "3" }), say("ok"));
    const failed = await trialsOf({ agent, data });
    expect(failed.trials).toMatchObject([
      {
        status: "invalid",
        why: 'the recording has no call look_up({"order":"3"}): set match to say which arguments are the same, or unknownCall to say what else may answer',
      },
    ]);
    expect(failed.run.recordedShare).toBe(0);

    const stood = await trialsOf({ agent, data, unknownCall: "stand-in", standIn: { look_up: () => "stood in" } });
    expect([stood.trials[0]?.status, ran]).toEqual(["passed", []]);
    const missing = await trialsOf({ agent, data, unknownCall: "stand-in" });
    expect(missing.trials[0]?.why).toBe(
      'the recording has no call look_up({"order":"3"}), and there is no stand-in for it: add standIn.look_up',
    );
    const real = await trialsOf({ agent, data, unknownCall: "run" });
    expect([real.trials[0]?.status, ran]).toEqual(["passed", ["look_up"]]);
    const effects = await trialsOf({
      agent: agentOf(call("refund", { order: "3" }), say("ok")),
      data,
      unknownCall: "run",
    });
    expect([effects.trials[0]?.status, ran]).toEqual(["invalid", []]);
  });

  test.each([
    [true, "pay 17 for real"],
    [false, { kind: "failed", message: expect.any(String) as unknown }],
  ])("an approval is as recorded (%s); another one is the suite's", async (allowed, output) => {
    const pay = call("pay", { order: "17" });
    const one = await record([pay, say("ok")], { approve: () => allowed });
    const { seen, scorers } = watching();
    await trialsOf({ agent: agentOf(pay, say("ok")), data: [one], scorers });
    expect(outputs(seen[0])).toEqual([output]);
    expect(seen[0]?.approvals).toHaveLength(1);

    const other = () => agentOf(call("pay", { order: "3" }), say("ok"));
    const { trials } = await trialsOf({ agent: other, data: [one], unknownCall: "run" });
    expect(trials[0]?.why).toBe('nobody decides about "pay", which needs approval: give the suite an approve function');
    const decided = await trialsOf({ agent: other, data: [one], unknownCall: "run", approve: () => true });
    expect([decided.trials[0]?.status, ran]).toEqual(["passed", ["pay"]]);
  });

  test("the time is the recorded one, and stands still for the agent", async () => {
    const one = await record(turns);
    const times: number[] = [];
    const data = [one];
    await trialsOf(
      {
        agent: ({ now }) => {
          times.push(now(), now());
          return agentOf(say("ok"));
        },
        data,
      },
      { now: () => Date.now() + 1e9 },
    );
    const { at } = { ...Object(one.recording.log.find((value) => Object(value).runId === "asked")) } as { at: number };
    // Twice to see where its model is.
    expect(times).toEqual([at, at, at, at]);
  });

  test("agents inside calls run, and their calls are answered by the requests that were kept", async () => {
    const teamOf = (outer: Model, inner: Model, observers: AgentOptions["observers"] = []) =>
      new Agent({
        model: outer,
        tools: [new Agent({ name: "helper", model: inner, tools, observers }).asTool({ description: "Helps." })],
        observers,
      });
    const one = await recordKept(
      (live, observers) => teamOf(live, live, observers),
      emulatedCalls({ name: "helper", args: { task: "look at 17" } }),
      emulatedCalls({ name: "look_up", args: { order: "17" } }),
      emulatedSay("Friday."),
      emulatedSay("On Friday."),
    );
    const agent = teamOf(
      model(call("helper", { task: "look again" }), say("ok")),
      model(call("look_up", { order: "17" }), say("ok")),
    );
    const { run, trials } = await trialsOf({ agent, data: [one] });

    expect([trials[0]?.status, trials[0]?.why, ran]).toEqual(["passed", undefined, []]);
    expect(run.recordedShare).toBe(1);
  });

  test("the service's own search is live where the recording has nothing, and reported", async () => {
    const one = await record(turns);
    const searches = ScriptedModel.with(
      { capabilities: { builtInsWithFunctions: false } },
      call("google_search", { query: "carriers" }),
      grounded("Late.", { sources: [{ uri: "https://carrier.example" }], queries: ["carriers"] }),
      say("ok"),
    );
    const agent = new Agent({ model: searches, tools: [...tools, googleSearch()] });
    const { run, trials } = await trialsOf({ agent, data: [one] });

    expect([trials[0]?.status, trials[0]?.why]).toEqual(["passed", undefined]);
    expect(run.notFixed).toEqual(["googleSearch"]);
  });

  test("a case without a recording is left out of a world that needs one, and the run says so", async () => {
    const data = [{ id: "plain", input: "x" }, await record(turns)];
    const { run } = await trialsOf({ agent: agentOf(say("ok")), data }, { world: "fork" });
    expect(run.cases).toEqual([]);
    expect(run.notes).toEqual([
      "Left out of the world fork, which needs a recording: plain.",
      "Left out of the world fork, which needs a turn to fork at: order.",
    ]);
  });
});

describe("fork", () => {
  const priced = (turn: ScriptedTurn, tokens: number) => join(turn, costs({ promptTokenCount: tokens }));
  const prices = { input: 1_000_000, output: 0 };
  const turns = [
    priced(call("look_up", { order: "17" }), 100),
    priced(call("refund", { order: "17" }), 200),
    priced(say("Refunded."), 300),
  ];

  test("makes the turns from N on, with what went before as it was recorded, and counts only them", async () => {
    const one = await record(turns, { turn: 2 });
    const forked = new Agent({
      model: model(priced(call("refund", { order: "17" }), 5), priced(say("Done."), 7)),
      tools,
      prices,
    });
    const { seen, scorers } = watching();
    const { run, trials } = await trialsOf({ agent: forked, data: [one], scorers, world: "fork" });

    expect(ran).toEqual([]);
    expect(trials).toMatchObject([
      { status: "passed", answer: "Done.", metrics: { cost: 12, turns: 2, calls: 1, inputTokens: 12 } },
    ]);
    expect(run).toMatchObject({ recordedShare: 1, cost: { agent: 12 } });
    expect(seen[0]?.calls.map(({ name, turn }) => [name, turn])).toEqual([["refund", 2]]);
    expect(seen[0]).toMatchObject({ usage: { requests: 2, inputTokens: 12 }, text: "Done." });
  });

  test("what the recording had for the turns before N, or for calls before an abort, is used up", async () => {
    const again = call("look_up", { order: "17" });
    const one = await record([again, again, again, say("ok")], { turn: 2 });
    let count = 0;
    const log = one.recording.log.map((entry) => {
      const text = JSON.stringify(entry);
      // Of each outcome, which is in one entry.
      return text.includes("for real") ? (JSON.parse(text.replace("for real", `${++count}`)) as typeof entry) : entry;
    });
    const abort = new AbortController();
    const forked = new ScriptedModel(
      again,
      () => {
        abort.abort(new Error("Ctrl-C"));
        return again;
      },
      again,
      say("Done."),
    );
    const { seen, scorers } = watching();
    const data = [{ ...one, recording: { log, exchanges: [] } }];
    const options = { agent: new Agent({ model: forked, tools }), data, world: "fork", scorers } as const;
    const store = new MemoryStore();
    await expect(trialsOf(options, { store, signal: abort.signal })).rejects.toThrow("Ctrl-C");
    await trialsOf(options, { store });

    expect(outputs(seen[0])).toEqual(["look_up 17 2", "look_up 17 3"]);
  });

  test("ends after so many turns", async () => {
    const one = await record(turns, { turn: 2, turns: 1 });
    const requests: ModelRequest[] = [];
    const forked = new ScriptedModel((request) => {
      requests.push(request);
      return call("refund", { order: "17" });
    });
    const { trials } = await trialsOf({
      agent: new Agent({ model: forked, tools, instructions: "Changed." }),
      data: [one],
      world: "fork",
      // The turn before was the recording's.
      scorers: [atMost("turns", 1)],
    });

    expect(trials).toMatchObject([{ status: "passed", stopReason: "limit", metrics: { turns: 1, calls: 1 } }]);
    expect(requests.map(({ contents, instructions }) => [contents.length, instructions])).toEqual([[5, "Changed."]]);
  });

  test("the first trial of a case goes alone, so that the others find its prefix in the cache", async () => {
    const one = await record(turns, { turn: 3 });
    let underWay = 0;
    const together: number[] = [];
    const lines = Array.from({ length: 4 }, () => async () => {
      underWay += 1;
      await new Promise((resolve) => setImmediate(resolve));
      together.push(underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return say("ok");
    });
    await trialsOf(
      { agent: new Agent({ model: new ScriptedModel(...lines), tools }), data: [one], world: "fork", trials: 4 },
      { concurrency: 3 },
    );
    expect(together[0]).toBe(1);
    expect(Math.max(...together.slice(1))).toBeGreaterThan(1);
  });

  test("an interrupted fork goes on", async () => {
    const one = await record(turns, { turn: 2 });
    const store = new MemoryStore();
    const abort = new AbortController();
    const forked = new ScriptedModel(
      call("refund", { order: "17" }),
      () => {
        abort.abort(new Error("Ctrl-C"));
        return say("late");
      },
      say("Done."),
    );
    const options = { agent: new Agent({ model: forked, tools }), data: [one], world: "fork" } as const;
    await expect(trialsOf(options, { store, signal: abort.signal })).rejects.toThrow("Ctrl-C");
    const { trials } = await trialsOf(options, { store });

    expect(trials).toMatchObject([{ status: "passed", answer: "Done.", metrics: { turns: 2, calls: 1 } }]);
    expect(forked.requests).toHaveLength(3);
    const reread = await trialsOf(options, { store });
    expect(reread.trials).toEqual(trials);
  });
});

describe("replay", () => {
  const shop = (live: Model, options: Partial<AgentOptions>) =>
    new Agent({ instructions: "You help customers.", tools, ...options, model: live });
  const recorded = () =>
    recordKept(
      (live, observers) => shop(live, { observers }),
      emulatedCalls({ name: "look_up", args: { order: "17" } }),
      emulatedSay("On Friday."),
    );
  const offline = gemini("gemini-3.5-flash", {
    endpoint: geminiApi({ apiKey: "none" }),
    fetch: async () => {
      throw new Error("nothing is sent");
    },
  });

  test("an unchanged agent passes, with one trial, without a request or a tool", async () => {
    const { run, trials } = await trialsOf(
      { agent: shop(offline, {}), data: [await recorded()], trials: 5 },
      { world: "replay" },
    );

    expect(ran).toEqual([]);
    expect(run.cases).toMatchObject([{ world: "replay", planned: 1 }]);
    expect(trials).toEqual([
      {
        number: 1,
        status: "passed",
        scores: [],
        metrics: { turns: 2, calls: 1 },
        stopReason: "finished",
        answer: "On Friday.",
      },
    ]);
    expect(run.cost).toEqual({ agent: 0, judges: 0, users: 0, total: 0, unpriced: 0 });
  });

  test.each<[string, Partial<AgentOptions>, string]>([
    [
      "instructions",
      { instructions: "You serve customers." },
      "request 1 (model:1) differs at systemInstruction.parts[0].text: was ",
    ],
    ["tools", { tools: tools.slice(1) }, "request 1 (model:1) differs at tools[0].functionDeclarations"],
  ])("a difference in its %s fails it, and says where", async (_, options, why) => {
    const { trials } = await trialsOf({ agent: shop(offline, options), data: [await recorded()] }, { world: "replay" });
    expect(trials).toMatchObject([{ status: "failed", metrics: {}, answer: "" }]);
    expect(trials[0]?.why).toContain(why);
  });

  test("a clock in the instructions is the recorded one, if it is the world's", async () => {
    const one = await recordKept(
      (live, observers) => shop(live, { observers, instructions: "Today is a good day." }),
      emulatedSay("Hi."),
    );
    const { at } = { ...Object(one.recording.log.find((value) => Object(value).runId === "asked")) } as { at: number };
    const agent = ({ now }: { readonly now: () => number }) =>
      shop(offline, { instructions: now() === at ? "Today is a good day." : `It is ${now()}.` });
    const { trials } = await trialsOf({ agent, data: [one] }, { world: "replay", now: () => 5 });
    expect(trials).toMatchObject([{ status: "passed" }]);
  });

  test("a recording without requests cannot be judged", async () => {
    const one = await record([say("ok")]);
    const { trials } = await trialsOf({ agent: shop(offline, {}), data: [one] }, { world: "replay" });
    expect(trials).toMatchObject([
      {
        status: "invalid",
        why: "the requests of run asked were not kept: give its agent the observer keepExchanges(store)",
      },
    ]);
  });
});
