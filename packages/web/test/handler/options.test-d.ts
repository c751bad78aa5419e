import { Agent, defineTool, MemoryStore, type ToolContext } from "@pollux/core";
import { chatHandler } from "@pollux/web";
import { aiSdk } from "@pollux/web/ai-sdk";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";

const tool = defineTool({
  name: "plan",
  description: "The plan.",
  input: z.object({}),
  run: (_, { context }: ToolContext<{ readonly plan: string }>) => context.plan,
});
const rest = { store: new MemoryStore(), protocol: aiSdk() };
const planned = new Agent({ model: "gemini-flash-latest", tools: [tool] });
const plain = new Agent({ model: "gemini-flash-latest" });

test("authorize has to give what the agent's tools need, and nothing where they need nothing", () => {
  chatHandler({ ...rest, agent: planned, authorize: () => ({ owner: "ann", context: { plan: "pro" } }) });
  chatHandler({ ...rest, agent: plain, authorize: async () => ({ owner: "ann" }) });
  chatHandler({ ...rest, agent: plain, authorize: () => new Response(undefined, { status: 401 }) });
  // @ts-expect-error -- the context is missing
  chatHandler({ ...rest, agent: planned, authorize: () => ({ owner: "ann" }) });
  // @ts-expect-error -- the context is another
  chatHandler({ ...rest, agent: planned, authorize: () => ({ owner: "ann", context: { plan: 7 } }) });
  // @ts-expect-error -- the owner is missing
  chatHandler({ ...rest, agent: plain, authorize: () => ({}) });
});

test("options of a run know the body by its schema, and give what the agent's tools need", () => {
  const body = z.object({ plan: z.enum(["free", "pro"]) });
  const authorize = () => ({ owner: "ann", context: { plan: "" } });
  const given = { ...rest, agent: planned, authorize };
  chatHandler({ ...given, perRun: { body, options: ({ body: { plan } }) => ({ context: { plan } }) } });
  chatHandler({ ...given, perRun: { body, options: () => ({ settings: { temperature: 0 } }) } });
  // @ts-expect-error -- the schema has no such member
  chatHandler({ ...given, perRun: { body, options: ({ body: { plans } }) => ({ context: { plan: plans } }) } });
  // @ts-expect-error -- the context is another
  chatHandler({ ...given, perRun: { body, options: () => ({ context: { plan: 7 } }) } });
});

test("a handler is a function of a web request", () => {
  const handler = chatHandler({ ...rest, agent: plain, authorize: () => ({ owner: "ann" }) });
  expectTypeOf(handler).toBeCallableWith(new Request("http://localhost"));
  expectTypeOf(handler).returns.resolves.toEqualTypeOf<Response>();
});
