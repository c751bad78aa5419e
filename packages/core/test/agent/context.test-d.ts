import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  Agent,
  type AnyTool,
  type ApprovalContext,
  type CallInfo,
  type CompletedToolCall,
  defineTool,
  googleSearch,
  handoff,
  type JsonOf,
  media,
  type RunContext,
  type RunEvent,
  type RunResult,
  type Session,
  type Tool,
  type ToolCall,
  type ToolContext,
} from "../../src/index.ts";
import { type ServedAgent, type WorkerContext } from "../../../engine/src/index.ts";

interface App {
  readonly user: string;
  readonly orders: ReadonlyMap<string, number>;
}
type User = Pick<App, "user">;
interface Other {
  readonly tenant: number;
}

const app: App = { user: "ann", orders: new Map() };
const model = "gemini-flash-latest";
const order = defineTool({
  name: "get_order",
  description: "Looks an order up.",
  input: z.object({ id: z.string(), full: z.boolean().default(false) }),
  run: ({ id, full }, { context }: ToolContext<App>) => ({ total: context.orders.get(id) ?? 0, at: new Date(), full }),
});
const greet = defineTool({
  name: "greet",
  description: "Greets.",
  input: z.object({ name: z.string() }),
  run: async ({ name }, { context }: ToolContext<User>) => `${name}, from ${context.user}`,
});
const now = defineTool({
  name: "now",
  description: "The time.",
  run: (_, { signal }) => (signal.aborted ? 0 : Date.now()),
});
const tenant = defineTool({
  name: "tenant",
  description: "The tenant.",
  run: (_, { context }: ToolContext<Other>) => context.tenant,
});
declare const listed: readonly Tool[];

describe("a tool", () => {
  test("has its name as a literal, and the context that its run declares", () => {
    expectTypeOf(now).toEqualTypeOf<
      Tool<Record<string, never>, number, unknown, "now", Record<string, never>, false>
    >();
    expectTypeOf(greet).toEqualTypeOf<Tool<{ name: string }, string, User, "greet", { name: string }, false>>();
    expectTypeOf(tenant).toEqualTypeOf<
      Tool<Record<string, never>, number, Other, "tenant", Record<string, never>, false>
    >();
  });

  test("declares the context of its rule for approvals as well", () => {
    const rule = defineTool({
      name: "pay",
      description: "Pays.",
      input: z.object({ euros: z.number() }),
      needsApproval: ({ euros }, { name }, { context, metadata, signal }: ApprovalContext<User>) =>
        euros > 50 && name !== context.user && metadata === undefined && !signal.aborted,
      run: ({ euros }) => ({ paid: euros }),
    });
    expectTypeOf(rule).toEqualTypeOf<
      Tool<{ euros: number }, { paid: number }, User, "pay", { euros: number }, false>
    >();
    const both = defineTool({
      name: "both",
      description: "Both.",
      needsApproval: (_, __, { context }: ApprovalContext<User>) => context.user === "",
      run: (_, { context }: ToolContext<Other>) => context.tenant,
    });
    expectTypeOf(both["~context"]).toEqualTypeOf<((context: Other & User) => void) | undefined>();
    const undeclared = defineTool({
      name: "undeclared",
      description: "Uses no context in its rule.",
      needsApproval: (_, __, { context, metadata }) => {
        expectTypeOf(context).toBeUnknown();
        return metadata !== undefined;
      },
      run: (_, { context }: ToolContext<App>) => context.user,
    });
    expectTypeOf(undeclared["~context"]).toEqualTypeOf<((context: App) => void) | undefined>();
    // @ts-expect-error -- the agent's context has no user
    void new Agent<Other>({ model, tools: [rule] });
  });

  test("without a context fits everywhere, with one only where it is given", () => {
    const anywhere: AnyTool<App> = now;
    const fits: AnyTool<App> = greet;
    // @ts-expect-error -- App has no tenant
    const wrong: AnyTool<App> = tenant;
    // @ts-expect-error -- no context is given
    const nowhere: AnyTool = greet;
    // @ts-expect-error -- nor in a plain tool
    const plain: Tool = greet;
    void [anywhere, fits, wrong, nowhere, plain];
  });
});

describe("an agent", () => {
  test("infers its context from its tools, in an array or a variable, mixed with built-in ones", () => {
    const inline = new Agent({ model, tools: [now, order, greet, googleSearch()] });
    expectTypeOf(inline).toEqualTypeOf<
      Agent<App, typeof now | typeof order | typeof greet | ReturnType<typeof googleSearch>>
    >();
    const tools = [order, now];
    expectTypeOf(new Agent({ model, tools })).toEqualTypeOf<Agent<App, typeof order | typeof now>>();
    expectTypeOf(new Agent({ model, tools: [...listed, now] })).toExtend<Agent>();
    expectTypeOf(new Agent({ model, tools: [now, googleSearch()] })).toExtend<Agent>();
    expectTypeOf(new Agent({ model })).toEqualTypeOf<Agent>();
  });

  test("gives its functions and hooks all that its tools need", () => {
    const both = new Agent({
      model,
      tools: [now, tenant, greet],
      instructions: ({ context }) => `${context.user} ${context.tenant}`,
      approve: (_, { context }) => context.user === "ann" && context.tenant === 1,
      guardrails: { input: [{ name: "g", check: ({ context }) => void [context.user, context.tenant] }] },
      hooks: {
        beforeCall: ({ context }) => void [context.user, context.tenant],
        prepareTurn: ({ context }) => ({ instructions: `${context.user} ${context.tenant}` }),
      },
    });
    void both.run("Go.", { context: { user: "ann", tenant: 1 } });
    // @ts-expect-error -- the tenant is missing
    void both.run("Go.", { context: { user: "ann" } });
    const third = new Agent({ model, tools: [tenant], instructions: ({ context }: RunContext<User>) => context.user });
    void third.run("Go.", { context: { user: "ann", tenant: 1 } });
    // @ts-expect-error -- the user is missing, whom the instructions declare
    void third.run("Go.", { context: { tenant: 1 } });
  });

  test("gives that context to its functions and hooks, or infers it from what they declare", () => {
    void new Agent({
      model,
      tools: [order],
      instructions: ({ context, runId }) => `${expectTypeOf(context).toEqualTypeOf<App>()} ${runId}`,
      approve: (_, { context }) => context.user === "ann",
      hooks: {
        beforeCall: ({ context }) => void context.orders,
        afterCall: ({ context, outcome }) => void [context.orders, outcome.ok],
        prepareTurn: ({ context }) => ({ instructions: context.user }),
      },
    });
    const described = new Agent({ model, instructions: ({ context }: RunContext<User>) => context.user, tools: [now] });
    expectTypeOf(described).toEqualTypeOf<Agent<User, typeof now>>();
    const hooked = new Agent({ model, hooks: { beforeCall: ({ context }: CallInfo<User>) => void context.user } });
    expectTypeOf(hooked).toEqualTypeOf<Agent<User>>();
    const functional = new Agent({
      model,
      tools: ({ context }: RunContext<User>) => (context.user === "" ? [] : [greet]),
    });
    expectTypeOf(functional).toEqualTypeOf<Agent<User>>();
  });

  test("of a stated context takes the tools that it suffices for", () => {
    expectTypeOf(new Agent<App>({ model, tools: [order, greet, now, googleSearch(), ...listed] })).toEqualTypeOf<
      Agent<App>
    >();
    expectTypeOf(new Agent<App & Other>({ model, tools: [order, tenant] })).toEqualTypeOf<Agent<App & Other>>();
    // @ts-expect-error -- App has no tenant
    void new Agent<App>({ model, tools: [order, tenant] });
    // @ts-expect-error -- User has no orders
    void new Agent<User>({ model, tools: () => [order] });
  });

  test("reports a mistake at the property that is wrong", () => {
    void new Agent({
      model,
      tools: [order],
      // @ts-expect-error -- a number is no instruction
      instructions: ({ context }) => context.orders.size,
    });
    void new Agent({
      model,
      tools: [order],
      // @ts-expect-error -- misspelled
      instruction: "Be brief.",
    });
  });

  test("is all that the tools and the hooks need together", async () => {
    const both = new Agent({ model, tools: [order, tenant] });
    const context = { ...app, tenant: 7 };
    const { toolCalls } = await both.run("Go.", { context });
    for (const one of toolCalls)
      if (one.status === "completed" && one.name === "tenant") expectTypeOf(one.output).toEqualTypeOf<number>();
    await both.session().send("Go.", { context });
    // @ts-expect-error -- the tenant is missing
    void both.run("Go.", { context: app });
    // @ts-expect-error -- so is all of it
    void both.stream("Go.");
    const outer = new Agent({ model, tools: [both.asTool({ description: "Both." }), greet] });
    await outer.run("Go.", { context });
    // @ts-expect-error -- the tenant is missing
    void outer.run("Go.", { context: app });
    const hooked = new Agent({
      model,
      tools: [order],
      hooks: { beforeCall: ({ context: { tenant: id } }: CallInfo<Other>) => void id },
    });
    await hooked.run("Go.", { context });
    // @ts-expect-error -- hooks need it, too
    void hooked.run("Go.", { context: app });
  });

  test("does not fit where less or nothing is given", () => {
    const needy = new Agent({ model, tools: [order] });
    // @ts-expect-error -- no context is given
    const plain: Agent = needy;
    // @ts-expect-error -- a user is not enough
    const partly: Agent<User> = needy;
    const fits: Agent<App> = needy;
    // @ts-expect-error -- nor do its sessions
    const session: Session = needy.session();
    void [plain, partly, fits, session];
  });

  test("as a tool needs the context of its runs from the agent around it", () => {
    const inner = new Agent({ model, tools: [order] }).asTool({ name: "clerk", description: "Knows orders." });
    expectTypeOf(inner).toEqualTypeOf<Tool<{ readonly task: string }, string, App, "clerk">>();
    expectTypeOf(new Agent({ model, tools: [inner, now] })).toEqualTypeOf<Agent<App, typeof inner | typeof now>>();
    // @ts-expect-error -- User has no orders
    void new Agent<User>({ model, tools: [inner] });
    const plain = new Agent({ model }).asTool({ description: "Helps.", output: z.object({ n: z.number() }) });
    expectTypeOf(plain).toEqualTypeOf<Tool<{ readonly task: string }, { n: number }>>();
  });

  test("is served by a worker that makes its context", () => {
    const needy = new Agent({ model, tools: [order] });
    const served: readonly ServedAgent<App>[] = [needy, new Agent({ model })];
    // @ts-expect-error -- the worker makes no context
    const without: readonly ServedAgent<unknown>[] = [needy];
    // @ts-expect-error -- it has to
    const worker: WorkerContext<App> = {};
    const plain: WorkerContext<unknown> = {};
    void [served, without, worker, plain];
  });
});

describe("a run's context", () => {
  const needy = new Agent({ model, tools: [order, now] });
  const plain = new Agent({ model, tools: [now] });

  test("is required exactly if the agent has one", () => {
    void needy.run("Go.", { context: app });
    void needy.stream("Go.", { context: app, limits: { turns: 1 } });
    void needy.session().send("Go.", { context: app });
    void needy.session().send("Go.", { context: app, whileRunning: "wait" });
    void needy.session().resume({ context: app, approvals: { "call:1.0": true } });
    void needy.session().regenerate({ context: app, whileRunning: "wait" });
    void needy.session().rewind({ context: app, before: "r:user" });
    void needy.session().continue({ context: app, message: "Go." });
    void plain.run("Go.");
    void new Agent<App | undefined>({ model }).run("Go.");
    // @ts-expect-error -- it is missing
    void needy.run("Go.");
    // @ts-expect-error -- it is missing
    void needy.run("Go.", { limits: { turns: 1 } });
    // @ts-expect-error -- it is missing
    void needy.session().resume();
    // @ts-expect-error -- it is missing
    void needy.session().regenerate();
    // @ts-expect-error -- it is missing
    void needy.session().rewind();
    // @ts-expect-error -- it is missing
    void needy.session().stream("Go.");
  });

  test("is checked, and is an error where the agent has none", () => {
    // @ts-expect-error -- a user is a text
    void needy.run("Go.", { context: { user: 5, orders: new Map() } });
    // @ts-expect-error -- the agent has no context
    void plain.run("Go.", { context: app });
    // @ts-expect-error -- it is not JSON
    void plain.run("Go.", { metadata: "order 7" });
  });
});

describe("the calls of a result", () => {
  const agent = new Agent({ model, tools: [order, greet, now, googleSearch()] });

  test("narrow by their status and name", async () => {
    const result = await agent.run("Go.", { context: app, output: z.object({ ok: z.boolean() }) });
    for (const call of result.toolCalls) {
      if (call.status === "completed") {
        expectTypeOf(call.name).toEqualTypeOf<"get_order" | "greet" | "now">();
        if (call.name === "get_order") {
          // Before the default, and after JSON.
          expectTypeOf(call.input).toEqualTypeOf<{ id: string; full?: boolean | undefined }>();
          expectTypeOf(call.output).toEqualTypeOf<{
            readonly total: number;
            readonly at: string;
            readonly full: boolean;
          }>();
        }
        if (call.name === "greet") expectTypeOf(call.output).toEqualTypeOf<string>();
        // @ts-expect-error -- there is no such tool
        if (call.name === "get_orders") void 0;
      }
      if (call.status === "failed") expectTypeOf(call.name).toEqualTypeOf<string>();
      if (call.status === "shortened") expectTypeOf(call.output).toEqualTypeOf<string>();
      // @ts-expect-error -- only some calls have an output
      void call.output;
    }
  });

  test("are typed in events, chats and sessions as well", async () => {
    for await (const event of agent.stream("Go.", { context: app })) {
      if (event.type !== "tool-end" || event.name !== "get_order" || !event.outcome.ok) continue;
      if (event.outcome.shortened === true) expectTypeOf(event.outcome.output).toEqualTypeOf<string>();
      else expectTypeOf(event.outcome.output.total).toEqualTypeOf<number>();
    }
    const result = await agent.run("Go.", { context: app });
    type Result = typeof result;
    expectTypeOf(await agent.session().send("Go.", { context: app })).toEqualTypeOf<Result>();
    expectTypeOf(await agent.session().send("Go.", { context: app })).toEqualTypeOf<Result>();
    expectTypeOf(await agent.session().resume({ context: app })).toEqualTypeOf<Result>();
    expectTypeOf<Result>().toExtend<RunResult>();
  });

  test("have unknown inputs and outputs when the tools are only known at run time", async () => {
    const agents = [
      new Agent({ model }),
      new Agent({ model, tools: () => [now] }),
      new Agent({ model, tools: listed }),
      new Agent({ model, tools: [now, ...listed] }),
    ];
    const [first] = agents;
    if (first === undefined) return;
    const { toolCalls } = await first.run("Go.");
    expectTypeOf(toolCalls).toEqualTypeOf<readonly ToolCall[]>();
    for (const call of toolCalls)
      if (call.status === "completed") expectTypeOf(call).toEqualTypeOf<CompletedToolCall>();
    for await (const event of first.stream("Go.")) expectTypeOf(event).toEqualTypeOf<RunEvent>();
  });

  test("of a tool in the array itself keep their name", async () => {
    const result = await new Agent({
      model,
      tools: [defineTool({ name: "add", description: "Adds.", input: z.object({ a: z.number() }), run: ({ a }) => a })],
    }).run("Go.");
    for (const call of result.toolCalls)
      if (call.status === "completed")
        expectTypeOf(call).toEqualTypeOf<CompletedToolCall<"add", { a: number }, number, false>>();
  });

  test("have their output as JSON", () => {
    const picture = media(new Uint8Array(), { mimeType: "image/png" });
    expectTypeOf<JsonOf<{ a?: Date; b: bigint; c: [string, 1 | null]; d: Map<string, 1> }>>().toEqualTypeOf<{
      readonly a?: string;
      readonly b: string;
      readonly c: readonly [string, 1 | null];
      readonly d: unknown;
    }>();
    expectTypeOf<JsonOf<{ a: Promise<1>; b: Response; c: string | Buffer }>>().toEqualTypeOf<{
      readonly a: never;
      readonly b: never;
      readonly c: string;
    }>();
    expectTypeOf<JsonOf<void>>().toEqualTypeOf<null>();
    expectTypeOf<JsonOf<unknown>>().toEqualTypeOf<unknown>();
    expectTypeOf<JsonOf<{ picture: typeof picture }>>().toEqualTypeOf<{ readonly picture: string }>();
    expectTypeOf<JsonOf<{ toJSON(): { n: number } }>>().toEqualTypeOf<{ readonly n: number }>();
  });
});

describe("a handoff", () => {
  const billing = new Agent({ name: "billing", model, tools: [order] });
  const desk = new Agent({
    name: "desk",
    model,
    tools: [greet, now, handoff(billing, { name: "to_billing", input: z.object({ reason: z.string() }) })],
  });

  test("needs what the agent that takes over needs", () => {
    void (() => desk.run("Go.", { context: app }));
    // @ts-expect-error -- billing needs the orders
    void (() => desk.run("Go.", { context: { user: "ann" } }));
  });

  test("gives the calls of both, typed", () => {
    type Calls = Awaited<ReturnType<typeof desk.run>>["toolCalls"][number];
    type Completed = Extract<Calls, { status: "completed" }>;
    expectTypeOf<Completed["name"]>().toEqualTypeOf<"greet" | "now" | "to_billing" | "get_order">();
    expectTypeOf<Extract<Completed, { name: "to_billing" }>["input"]>().toEqualTypeOf<{ reason: string }>();
    expectTypeOf<Extract<Completed, { name: "get_order" }>["output"]["at"]>().toEqualTypeOf<string>();
  });

  test("goes both ways with a type that is written down", () => {
    const one: Agent = new Agent({ name: "one", model, tools: [now, handoff(() => two, { name: "to_two" })] });
    const two: Agent = new Agent({ name: "two", model, tools: [handoff(one)] });
    void (() => two.run("Go."));
  });
});
