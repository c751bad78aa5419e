import {
  Agent,
  type AgentOptions,
  ApiStatusError,
  defineTool,
  type Hooks,
  MemoryStore,
  type PendingCall,
  type RunEvent,
  type RunOptions,
  type RunResult,
} from "@pollux/core";
import type { Steps } from "@pollux/core/durable";
import { passThrough, type RunReport } from "@pollux/core/durable";
import {
  assertGrammar,
  call,
  calls,
  collect,
  costs,
  cut,
  fails,
  grounded,
  hangs,
  say,
  type ScriptLine,
  ScriptedModel,
  join,
} from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { deferred } from "../../core/test/helpers/deferred.ts";
import { fakeTime, idle } from "../../core/test/helpers/fake-time.ts";
import { Cancelled, MemoryEngine } from "./memory-engine.ts";

const PRICES = { input: 1, output: 2 };

interface Setup {
  readonly inner: readonly ScriptLine[];
  readonly outer: readonly ScriptLine[];
  readonly helper?: Partial<AgentOptions>;
  readonly agent?: Partial<AgentOptions>;
  readonly tool?: object;
  readonly clerk?: Agent;
}

/** A caller and its helper, new each time. */
function made({ inner, outer, clerk, ...rest }: Setup) {
  const models = { inner: new ScriptedModel(...inner), outer: new ScriptedModel(...outer) };
  const helper = new Agent({ name: "researcher", model: models.inner, ...rest.helper });
  const tool = helper.asTool({ name: "research", description: "x", ...rest.tool });
  const agent = new Agent({ model: models.outer, tools: [tool], ...rest.agent });
  return { helper, agent, models, clerk };
}

/** The same run with the helper inside the call, and as a child on an engine. */
async function bothWays(setup: Setup, restarting = false, start: Pick<RunOptions, "limits"> = {}) {
  const inline = made(setup);
  const result = await inline.agent.run("Go.", { runId: "r", ...start });
  const { helper, agent, models } = made(setup);
  const engine = new MemoryEngine({ restarting });
  engine.serve(helper);
  const report = await engine.start(agent, "r", { input: "Go.", ...start });
  return { result: reported(result), report, engine, models, inline };
}

/** A result as a report has it. */
function reported({ responses: _, ...result }: RunResult<unknown>): unknown {
  return JSON.parse(JSON.stringify(result));
}

function ended(report: RunReport): unknown {
  return report.status === "ended" ? report.result : report;
}

const SOURCES = [{ uri: "https://example.org/a", title: "A" }];
const TASK = { task: "Find out." };
const LOOK = defineTool({ name: "look", description: "x", run: () => "seen" });

const SETUPS: readonly (Setup & { readonly what: string; readonly limits?: RunOptions["limits"] })[] = [
  {
    what: "answers with text, sources and what it cost",
    inner: [
      call("look"),
      join(grounded("It rains.", { sources: SOURCES }), costs({ promptTokenCount: 30, candidatesTokenCount: 9 })),
    ],
    outer: [call("research", TASK), say("It rains, they say.")],
    helper: { tools: [LOOK] },
    agent: { prices: PRICES },
  },
  {
    what: "rests on sources it had before its last answer",
    inner: [join(grounded("Looking.", { sources: SOURCES }), call("look")), say("Done.")],
    outer: [call("research", TASK), say("Good.")],
    helper: { tools: [LOOK] },
  },
  {
    what: "has prices of its own",
    inner: [say("Found.")],
    outer: [call("research", TASK), say("Good.")],
    helper: { prices: { input: 100, output: 100 } },
    agent: { prices: PRICES },
  },
  {
    what: "is paid for by a price function of the caller",
    inner: [say("Found.")],
    outer: [call("research", TASK), say("Good.")],
    agent: { prices: () => PRICES, limits: { cost: 10 } },
  },
  {
    what: "answers in a schema",
    inner: [say('{"day":"2026-01-02"}')],
    outer: [call("research", TASK), say("Good.")],
    tool: { output: z.object({ day: z.string().transform((day) => `${day}!`) }) },
  },
  {
    what: "answers in any JSON",
    inner: [say('{"any":[1]}')],
    outer: [call("research", TASK), say("Good.")],
    tool: { output: "json" },
  },
  {
    what: "is cut off by its token limit",
    inner: [cut("So far")],
    outer: [call("research", TASK), say("Good.")],
  },
  {
    what: "runs into the limit of what the caller has left",
    inner: [call("look"), say("Too late.")],
    outer: [call("research", TASK), say("Never.")],
    helper: { tools: [LOOK] },
    limits: { totalTokens: 20 },
  },
  {
    what: "has nothing left to run on",
    inner: [say("Never.")],
    outer: [join(call("research", TASK), costs({ promptTokenCount: 20, totalTokenCount: 30 }))],
    limits: { totalTokens: 30 },
  },
  {
    what: "fails at the service",
    inner: [fails(new ApiStatusError("no such model", { status: 404, retryable: false }))],
    outer: [call("research", TASK), say("A pity.")],
  },
  {
    what: "fails after it cost something",
    inner: [call("look"), fails(new ApiStatusError("quota", { status: 429, retryable: false }))],
    outer: [call("research", TASK), say("A pity.")],
    helper: { tools: [LOOK] },
    agent: { prices: PRICES },
  },
  { what: "is called without a task", inner: [], outer: [call("research", {}), say("Oh.")] },
  { what: "is called with an empty task", inner: [], outer: [call("research", { task: " " }), say("Oh.")] },
  {
    what: "is one of several calls, one of them of nobody",
    inner: [say("One."), say("Two.")],
    outer: [
      calls(
        { name: "research", args: TASK },
        { name: "nobody", args: {} },
        { name: "research", args: { task: "More." } },
      ),
      say("Good."),
    ],
  },
];

describe.each([
  ["an engine", false],
  ["an engine that begins runs anew after every round", true],
] as const)("a call of an agent that runs as a child, on %s", (_, restarting) => {
  fakeTime("leaps");

  test.each(SETUPS)("comes to what it comes to inside the call, when the agent $what", async ({ limits, ...setup }) => {
    const { result, report, models, inline } = await bothWays(setup, restarting, limits && { limits });
    expect(ended(report)).toEqual(result);
    expect(models.inner.requests).toEqual(inline.models.inner.requests);
    expect(models.outer.requests).toEqual(inline.models.outer.requests);
  });

  test("is begun with JSON that holds the task, the schema, its callers and what they have left", async () => {
    const { helper, agent } = made({
      inner: [],
      outer: [call("research", TASK), say("Good.")],
      helper: { limits: { turns: 7, totalTokens: 1_000, toolCalls: Infinity } },
      agent: { prices: PRICES, limits: { cost: 1, totalTokens: 500, wallTimeMs: 90_000 } },
      tool: { output: z.object({ n: z.number() }), timeoutMs: 30_000 },
    });
    const engine = new MemoryEngine({ restarting });
    const inputs: unknown[] = [];
    engine.child(helper.name, async (steps, { input }) => (inputs.push([steps.runId, input]), null));
    const report = await engine.start(agent, "r", { input: "Go." });
    expect(inputs).toEqual([
      [
        "r:call:1.0",
        {
          input: "Find out.",
          output: { type: "object", properties: { n: { type: "number" } }, required: ["n"] },
          limits: { turns: 7, totalTokens: 485, wallTimeMs: 30_000, cost: 0.99998 },
          prices: PRICES,
          callers: ["agent"],
          path: ["research"],
          parent: { runId: "r", step: "call:1.0", callId: "call:1.0" },
          read: [],
        },
      ],
    ]);
    // What answered was no agent.
    expect(ended(report)).toMatchObject({
      contents: [
        {},
        {},
        {
          parts: [{ functionResponse: { response: { error: "research failed: it was not answered by an agent" } } }],
        },
        {},
      ],
    });
  });

  test("is not run when money is limited and nobody can say what its model costs", async () => {
    const inner = ScriptedModel.with({ id: "gemini-3.8-flash" }, say("Found."));
    const helper = new Agent({ name: "researcher", model: inner });
    const prices = (model: string) => (model === "gemini-scripted" ? { input: 1, output: 1 } : undefined);
    const tools = [helper.asTool({ name: "research", description: "x" })];
    const model = new ScriptedModel(call("research", TASK), say("Good."));
    const agent = new Agent({ model, tools, prices, limits: { cost: 1 } });
    const engine = new MemoryEngine({ restarting });
    engine.serve(helper);
    const report = await engine.start(agent, "r", { input: "Go." });
    expect(ended(report)).toMatchObject({
      text: "Good.",
      contents: [{}, {}, { parts: [{ functionResponse: {} }] }, {}],
    });
    expect(inner.requests).toEqual([]);
  });

  test("stays inside the call when its agent has no name, whatever is served", async () => {
    const inner = new ScriptedModel(say("Found."));
    const helper = new Agent({ model: inner });
    const outer = new ScriptedModel(call("research", TASK), say("Good."));
    const agent = new Agent({ model: outer, tools: [helper.asTool({ name: "research", description: "x" })] });
    expect(helper.name).toBe(agent.name);
    const engine = new MemoryEngine({ restarting });
    engine.serve(agent);
    const report = await engine.start(agent, "r", { input: "Go." });
    expect(ended(report)).toMatchObject({ text: "Good.", usage: { requests: 3 } });
    expect(engine.recorded("r:call:1.0")).toEqual([]);
    expect(inner.requests).toHaveLength(1);
  });

  test("is answered with a time-out when its run was at work for longer than the tool's time", async () => {
    const { helper, agent, models } = made({
      inner: [hangs("Still")],
      outer: [call("research", TASK), say("Good.")],
      tool: { timeoutMs: 60 },
    });
    const engine = new MemoryEngine({ restarting });
    engine.serve(helper);
    await engine.start(agent, "r", { input: "Go." });
    expect(models.outer.requests[1]?.contents.at(-1)?.parts[0]?.functionResponse?.response).toEqual({
      error: "research timed out after 60 ms",
    });
  });

  test("goes through the hooks before and after it, each once", async () => {
    const told: string[] = [];
    const hooks: Hooks = {
      beforeCall: ({ call: { args } }) => {
        told.push(`before ${String(args?.["task"])}`);
        if (args?.["task"] === "deny") return { deny: "not this" };
        if (args?.["task"] === "output") return { output: "made up" };
        return args?.["task"] === "args" ? { args: { task: "changed" } } : undefined;
      },
      afterCall: ({ call: { args }, outcome }) => {
        told.push(`after ${String(args?.["task"])} ${outcome.ok ? String(outcome.output) : outcome.kind}`);
        return args?.["task"] === "plain" ? { ok: true, output: "reviewed" } : undefined;
      },
    };
    const tasks = ["plain", "deny", "output", "args"].map((task) => ({ name: "research", args: { task } }));
    // The child of each call says what it was asked.
    const echo: ScriptLine = ({ contents }) => say(`did ${contents[0]?.parts[0]?.text}`);
    const setup: Setup = { inner: [echo, echo], outer: [calls(...tasks), say("Good.")], agent: { hooks } };
    const { result, report, engine } = await bothWays(setup, restarting);
    expect(ended(report)).toEqual(result);
    const inline = told.splice(0, told.length / 2);
    expect(told.toSorted()).toEqual(inline.toSorted());
    expect(told.toSorted()).toEqual([
      "after args did changed",
      "after deny denied",
      "after output made up",
      "after plain did plain",
      "before args",
      "before deny",
      "before output",
      "before plain",
    ]);
    expect(engine.recorded("r")).toContain("call:1.3/before");
  });

  test("is not started when a hook gives it an output that is nothing", async () => {
    const hooks: Hooks = { beforeCall: () => ({ output: undefined }) };
    const setup: Setup = { inner: [], outer: [call("research", TASK), say("Good.")], agent: { hooks } };
    const { result, report, engine } = await bothWays(setup, restarting);
    expect(ended(report)).toEqual(result);
    expect(engine.recorded("r")).not.toContain("call:1.0/run");
  });

  test("ends the run when a hook throws, also when that is read again", async () => {
    const hooks: Hooks = {
      beforeCall: () => {
        throw new TypeError("the hook broke");
      },
    };
    const { helper, agent } = made({ inner: [], outer: [call("research", TASK)], agent: { hooks } });
    const engine = new MemoryEngine({ restarting });
    engine.serve(helper);
    const report = await engine.start(agent, "r", { input: "Go." });
    expect(report).toMatchObject({ status: "failed", error: { name: "TypeError", message: "the hook broke" } });
    expect(await engine.start(agent, "r", { input: "Go." })).toEqual(report);
  });

  test("does not run beside a call that has to be alone", async () => {
    const order: string[] = [];
    const alone = defineTool({
      name: "alone",
      description: "x",
      sequential: true,
      run: () => void order.push("alone"),
    });
    const inner: ScriptLine = async () => {
      order.push("child begins");
      await idle();
      order.push("child ends");
      return say("Done.");
    };
    const { helper, models } = made({
      inner: [inner],
      outer: [calls("alone", { name: "research", args: TASK }), say("Good.")],
    });
    const engine = new MemoryEngine({ restarting });
    engine.serve(helper);
    const agent = new Agent({
      model: models.outer,
      tools: [alone, helper.asTool({ name: "research", description: "x" })],
    });
    expect(await engine.start(agent, "r", { input: "Go." })).toMatchObject({ result: { text: "Good." } });
    expect(order).toEqual(["child begins", "child ends", "alone"]);
  });

  test("is asked about first when the tool needs approval", async () => {
    const { helper, models } = made({ inner: [say("Found.")], outer: [call("research", TASK), say("Good.")] });
    const tool = { ...helper.asTool({ name: "research", description: "x" }), needsApproval: () => true };
    const engine = new MemoryEngine({ restarting });
    engine.serve(helper);
    await engine.answer("r", "call:1.0/approval", true);
    const report = await engine.start(new Agent({ model: models.outer, tools: [tool] }), "r", { input: "Go." });
    expect(report).toMatchObject({ result: { text: "Good.", usage: { requests: 3 } } });
    expect(engine.recorded("r:call:1.0")).toEqual(["loop-version", "model:1", "waits:2"]);
  });

  test("asks its caller's approve, with the question that a run inside the call would ask", async () => {
    const asked: PendingCall[] = [];
    const paid: unknown[] = [];
    const pay = defineTool({
      name: "pay",
      description: "x",
      input: z.object({ amount: z.number() }),
      needsApproval: true,
      run: ({ amount }) => (paid.push(amount), "paid"),
    });
    const agents = () => {
      const clerkModel = new ScriptedModel(
        calls({ name: "pay", args: { amount: 1 } }, { name: "pay", args: { amount: 100 } }),
        say("Paid."),
      );
      const clerk = new Agent({ name: "clerk", model: clerkModel, tools: [pay] });
      return made({
        inner: [call("office", { task: "Pay." }), say("Settled.")],
        outer: [call("research", TASK), say("Good.")],
        helper: { tools: [clerk.asTool({ name: "office", description: "x" })] },
        agent: {
          name: "boss",
          approve: (pending) => {
            asked.push(pending);
            return JSON.stringify(pending.call.args).includes("100") ? { deny: "too much" } : true;
          },
        },
        clerk,
      });
    };
    const inline = await agents().agent.run("Go.", { runId: "r" });
    const inProcess = asked.splice(0);
    expect(paid.splice(0)).toEqual([1]);

    const { agent, helper, clerk, models } = agents();
    const engine = new MemoryEngine({ restarting });
    for (const one of [agent, helper, clerk]) if (one !== undefined) engine.serve(one);
    const report = await engine.start(agent, "r", { input: "Go." });
    expect(ended(report)).toEqual(reported(inline));
    // Another run asks, and its questions have other tokens.
    const withoutToken = ({ token: __, ...question }: PendingCall): object => question;
    expect(asked.map(withoutToken)).toEqual(inProcess.map(withoutToken));
    expect(asked).toMatchObject([{ path: ["research", "office"] }, { path: ["research", "office"] }]);
    expect(paid).toEqual([1]);
    expect(JSON.stringify(models.inner.requests)).toContain("Paid.");
    expect(engine.recorded("r:call:1.0:call:1.0")).not.toContain("call:1.0/approval");
  });

  test("asks the nearest approve, and waits when the agent that called it is served elsewhere", async () => {
    const asked: string[] = [];
    const approve = (who: string) => () => asked.push(who) > 0;
    const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });
    const clerk = new Agent({ name: "clerk", model: new ScriptedModel(call("pay"), say("Paid.")), tools: [pay] });
    const setup: Setup = {
      inner: [call("clerk", { task: "Pay." }), say("Settled.")],
      outer: [call("research", TASK), say("Good.")],
      helper: { tools: [clerk.asTool({ description: "x" })], approve: approve("helper") },
      agent: { name: "boss", approve: approve("boss") },
    };
    const { agent, helper } = made(setup);
    const engine = new MemoryEngine({ restarting });
    for (const one of [agent, helper, clerk]) engine.serve(one);
    expect(await engine.start(agent, "r", { input: "Go." })).toMatchObject({ result: { text: "Good." } });
    expect(asked.splice(0)).toEqual(["helper"]);

    const pays = new Agent({ name: "clerk", model: new ScriptedModel(call("pay"), say("Paid.")), tools: [pay] });
    const caller = new Agent({
      name: "boss",
      model: new ScriptedModel(call("clerk", { task: "Pay." }), say("Good.")),
      tools: [pays.asTool({ description: "x" })],
      approve: approve("boss"),
    });
    const elsewhere = new MemoryEngine({ restarting });
    elsewhere.serve(pays);
    await elsewhere.answer("r:call:1.0", "call:1.0/approval", true);
    expect(await elsewhere.start(caller, "r", { input: "Go." })).toMatchObject({ result: { text: "Good." } });
    expect(asked).toEqual([]);
  });

  test("waits for its own questions, and agents inside of it are children too", async () => {
    const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });
    const clerk = new Agent({ name: "clerk", model: new ScriptedModel(call("pay"), say("Paid.")), tools: [pay] });
    const { helper, agent } = made({
      inner: [call("clerk", { task: "Pay." }), say("Settled.")],
      outer: [call("research", TASK), say("Good.")],
      helper: { tools: [clerk.asTool({ description: "x" })] },
    });
    const engine = new MemoryEngine({ restarting });
    engine.serve(helper);
    engine.serve(clerk);
    await engine.answer("r:call:1.0:call:1.0", "call:1.0/approval", true);
    const report = await engine.start(agent, "r", { input: "Go." });
    expect(report).toMatchObject({ result: { text: "Good.", usage: { requests: 6, totalTokens: 90 } } });
  });

  test("is ended with its caller", async () => {
    const begun = deferred();
    const { helper, agent, models } = made({
      inner: [() => (begun.resolve(), hangs("Still"))],
      outer: [call("research", TASK)],
    });
    const engine = new MemoryEngine({ restarting });
    engine.serve(helper);
    const run = engine.start(agent, "r", { input: "Go." });
    await begun.promise;
    await engine.cancel("r");
    await expect(run).rejects.toBeInstanceOf(Cancelled);
    await expect(engine.start(helper, "r:call:1.0", { input: "Find out." })).rejects.toBeInstanceOf(Cancelled);
    expect(models.inner.requests).toHaveLength(1);
  });

  test("stays inside the call when nobody serves its agent, or a session keeps it", async () => {
    const { helper, models } = made({
      inner: [say("One."), say("Two.")],
      outer: [calls({ name: "research", args: TASK }, { name: "kept", args: TASK }), say("Good.")],
    });
    const store = new MemoryStore();
    const kept = helper.asTool({
      name: "kept",
      description: "x",
      session: ({ idempotencyKey }) => helper.session({ id: idempotencyKey, store }),
    });
    const unserved = new Agent({ name: "other", model: models.inner }).asTool({ name: "research", description: "x" });
    const engine = new MemoryEngine({ restarting });
    engine.serve(helper);
    const agent = new Agent({ model: models.outer, tools: [kept, unserved] });
    expect(await engine.start(agent, "r", { input: "Go." })).toMatchObject({ result: { usage: { requests: 4 } } });
    expect(engine.recorded("r:call:1.0")).toEqual([]);
    expect((await store.list()).map(({ id }) => id)).toEqual(["r/call:1.1"]);
  });
});

/** Steps of the pass-through, with children whose report is given. */
function withChildren(
  report: unknown,
): (run: { readonly runId: string; readonly signal: AbortSignal }) => Steps<RunEvent> {
  return ({ runId, signal }) => {
    const steps = passThrough<RunEvent>({ runId, signal });
    return {
      runId,
      children: new Set(["researcher"]),
      round: async (ops) => (ops[0]?.kind === "child" ? [{ ok: true, value: report as null }] : await steps.round(ops)),
    };
  };
}

describe("a reader of a run whose agents are children", () => {
  test("is told of the call as of any other, and run and stream give the same", async () => {
    const setup: Setup = { inner: [], outer: [call("research", TASK), say("Good.")] };
    const steps = withChildren({ status: "cancelled", runId: "r:call:1.0", activeMs: 7 });
    const { events, result } = await collect(made(setup).agent.stream("Go.", { runId: "r", steps }));
    assertGrammar(events);
    expect(events.filter((event) => "callId" in event)).toEqual([
      { type: "tool-start", turn: 1, callId: "call:1.0", name: "research", call: { name: "research", args: TASK } },
      {
        type: "tool-end",
        turn: 1,
        callId: "call:1.0",
        name: "research",
        call: { name: "research", args: TASK },
        outcome: { ok: false, kind: "failed", message: "research failed: its run was cancelled" },
        durationMs: 7,
        // Its report does not say what it has read.
        reads: "both",
      },
    ]);
    expect(await made(setup).agent.run("Go.", { runId: "r", steps })).toEqual(result);
  });
});
