import {
  Agent,
  type AnyTool,
  type ApprovalContext,
  defineTool,
  MemoryStore,
  type RunContext,
  type RunOptions,
  type RunResult,
  type ToolContext,
} from "@pollux/core";
import { call, calls, say, ScriptedModel, type ScriptedTurn } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { answersTo } from "../helpers/answers.ts";

interface App {
  readonly user: string;
}

const ANN: App = { user: "ann" };

/** A tool that tells whose run it is in. */
const whose = defineTool({
  name: "whose",
  description: "Tells whose run it is.",
  run: (_, { context }: ToolContext<App>) => context.user,
});

type AppAgent = Agent<App, AnyTool<App>>;
type Options = RunOptions<undefined, App> & { readonly context: App };

/** The ways to start a run with a context. */
const FACES: readonly [string, (agent: AppAgent, options: Options) => Promise<RunResult>][] = [
  ["run", (agent, options) => agent.run("Go.", options)],
  [
    "stream",
    async (agent, options) => {
      const running = agent.stream("Go.", options);
      for await (const _ of running);
      return running.result();
    },
  ],
  ["chat", (agent, options) => agent.chat().send("Go.", options)],
  ["session", (agent, options) => agent.session().send("Go.", options)],
];

const outputs = ({ toolCalls }: Pick<RunResult, "toolCalls">): unknown[] =>
  toolCalls.map((one) => ("output" in one ? one.output : one.status));

describe.each(FACES)("the context of a run, by %s", (_face, read) => {
  test("reaches tools, hooks, approvals, and functions among the options, as the same object", async () => {
    const seen: [string, unknown][] = [];
    const see = (where: string, context: unknown): void => void seen.push([where, context]);
    const model = new ScriptedModel(call("whose"), say("Ann's."));
    const agent = new Agent<App>({
      model,
      instructions: ({ context }) => (see("instructions", context), `You serve ${context.user}.`),
      tools: ({ context }) => {
        see("tools", context);
        const needsApproval = (_: unknown, __: unknown, run: ApprovalContext<App>): boolean => {
          see("needsApproval", run.context);
          return run.context.user === "ann";
        };
        return [{ ...whose, needsApproval }];
      },
      approve: (_, { context }) => (see("approve", context), context.user === "ann"),
      hooks: {
        beforeCall: ({ context }) => see("beforeCall", context),
        afterCall: ({ context }) => see("afterCall", context),
        prepareTurn: ({ context }) => see("prepareTurn", context),
      },
    });
    const result = await read(agent, { context: ANN });
    expect(outputs(result)).toEqual(["ann"]);
    expect(new Set(seen.map(([where]) => where))).toEqual(
      new Set(["instructions", "tools", "needsApproval", "approve", "prepareTurn", "beforeCall", "afterCall"]),
    );
    for (const [, context] of seen) expect(context).toBe(ANN);
    expect(model.requests.map(({ instructions }) => instructions)).toEqual(["You serve ann.", "You serve ann."]);
  });

  test("and its metadata decide whether a call needs approval", async () => {
    const refund = defineTool({
      name: "refund",
      description: "Refunds.",
      needsApproval: (_, __, { context, metadata }: ApprovalContext<App>) =>
        context.user !== "boss" && metadata?.["trial"] !== true,
      run: () => "refunded",
    });
    const model = (): ScriptedModel => new ScriptedModel(call("refund"), say("."));
    const ask = async (options: Options): Promise<string> =>
      (await read(new Agent({ model: model(), tools: [refund] }), options)).stopReason;
    expect(await ask({ context: ANN })).toBe("needs-approval");
    expect(await ask({ context: { user: "boss" } })).toBe("finished");
    expect(await ask({ context: ANN, metadata: { trial: true } })).toBe("finished");
  });

  test("is each run's own", async () => {
    const model = new ScriptedModel(call("whose"), say("."), call("whose"), say("."));
    const agent = new Agent({ model, tools: [whose] });
    expect(outputs(await read(agent, { context: ANN }))).toEqual(["ann"]);
    expect(outputs(await read(agent, { context: { user: "bob" } }))).toEqual(["bob"]);
  });

  test("passes on to agents inside, whose questions come back with it", async () => {
    const inner = new Agent({
      name: "clerk",
      model: new ScriptedModel(call("whose"), say("It is Ann's.")),
      tools: [{ ...whose, needsApproval: () => true }],
    });
    const asked: unknown[] = [];
    const outer = new Agent({
      model: new ScriptedModel(call("clerk", { task: "Whose?" }), say("Ann's.")),
      tools: [inner.asTool({ description: "Knows." })],
      approve: ({ path }, { context }) => (asked.push([path, context]), true),
    });
    expect(outputs(await read(outer, { context: ANN }))).toEqual(["It is Ann's."]);
    expect(asked).toEqual([[["clerk"], ANN]]);
  });
});

describe("instructions that are a function", () => {
  const agentOf = (instructions: (run: RunContext<App>) => string | Promise<string>, ...turns: ScriptedTurn[]) => {
    const model = new ScriptedModel(...turns);
    return { model, agent: new Agent<App>({ model, instructions, tools: [whose] }) };
  };

  test("may be async, and are made once for all requests of a run", async () => {
    let made = 0;
    const { agent, model } = agentOf(async ({ context }) => `${context.user} ${++made}`, call("whose"), say("."));
    await agent.run("Go.", { context: ANN });
    expect(model.requests.map(({ instructions }) => instructions)).toEqual(["ann 1", "ann 1"]);
  });

  test("that throw, or give no text, fail the run before a request", async () => {
    const thrown = agentOf(() => {
      throw new RangeError("no such user");
    });
    await expect(thrown.agent.run("Go.", { context: ANN })).rejects.toThrow(new RangeError("no such user"));
    // A JavaScript program can return anything.
    const nothing = agentOf(() => undefined as unknown as string);
    await expect(nothing.agent.stream("Go.", { context: ANN }).result()).rejects.toThrow(
      "instructions: the function must return a string, got undefined",
    );
    expect([...thrown.model.requests, ...nothing.model.requests]).toEqual([]);
  });

  test("that never end are left when the run is aborted", async () => {
    const { agent } = agentOf(() => new Promise<string>(() => {}));
    const abort = new AbortController();
    const running = agent.run("Go.", { context: ANN, signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
  });

  test("are made with the context given for a count of tokens", async () => {
    const model = new ScriptedModel();
    const counted: unknown[] = [];
    const counting = Object.assign(model, {
      countTokens: async (request: { readonly instructions?: string | undefined }) => {
        counted.push(request.instructions);
        return { totalTokens: 1, cachedTokens: 0, details: [] };
      },
    });
    const agent = new Agent<App>({ model: counting, instructions: ({ context }) => `For ${context.user}.` });
    await agent.countTokens("Go.", { context: ANN });
    expect(counted).toEqual(["For ann."]);
  });
});

describe("the context of a session's run", () => {
  const agentOf = (...turns: ScriptedTurn[]) =>
    new Agent({
      model: new ScriptedModel(...turns),
      tools: [
        whose,
        { ...whose, name: "ask", declaration: { ...whose.declaration, name: "ask" }, needsApproval: () => true },
      ],
    });

  test("is given again to resume, and nothing of it is stored", async () => {
    const store = new MemoryStore();
    const asked = await agentOf(calls("whose", "ask")).session({ id: "s", store }).send("Go.", { context: ANN });
    expect(asked.stopReason).toBe("needs-approval");
    expect(JSON.stringify(await store.load("s"))).not.toContain('"user":"ann"');
    const later = agentOf(say("Done.")).session({ id: "s", store });
    const result = await later.resume(
      await answersTo(later, { context: { user: "bob" }, approvals: { "call:1.1": true } }),
    );
    expect(outputs(result)).toEqual(["ann", "bob"]);
  });

  test("is not needed to close a run that was cut off, nor to replay one", async () => {
    const store = new MemoryStore();
    const model = new ScriptedModel(call("whose"), say("Done."));
    let made = 0;
    const agent = new Agent<App>({ model, tools: [whose], instructions: ({ context }) => `${context.user} ${++made}` });
    const session = agent.session({ id: "s", store });
    await session.send("Go.", { context: ANN });
    const replayed = await session.replay().result();
    expect([outputs(replayed), replayed.text, made]).toEqual([["ann"], "Done.", 1]);
  });
});

test("tools that are a function of the run are not called when the agent is made", () => {
  let called = 0;
  void new Agent({ model: new ScriptedModel(), tools: (_run: RunContext<App>) => (called++, [whose]) });
  expect(called).toBe(0);
});

test("a context may hold anything, and unset it is undefined", async () => {
  const seen: unknown[] = [];
  const tool = defineTool({
    name: "look",
    description: "Looks.",
    input: z.object({}),
    run: (_, { context }) => void seen.push(context),
  });
  const model = new ScriptedModel(call("look"), say("."));
  await new Agent({ model, tools: [tool] }).run("Go.");
  expect(seen).toEqual([undefined]);
});
