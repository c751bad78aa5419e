import { Agent, defineTool } from "@pollux/core";
import { map, type MapItem } from "@pollux/core/bulk";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";

const agent = new Agent({ model: "gemini-flash-latest" });

test("inputs that are no messages need `message`", () => {
  void map(agent, ["a"]);
  void map(agent, [["look at this", { text: "b" }]]);
  void map(agent, [{ id: 1 }], { message: ({ id }) => `Number ${id}` });
  // @ts-expect-error `message` is missing.
  void map(agent, [{ id: 1 }]);
  // @ts-expect-error `message` is missing.
  void map(agent, [{ id: 1 }], { concurrency: 2 });
});

test("outputs have the type of the agent's schema, or of the runs' own", async () => {
  const typed = new Agent({ model: "gemini-flash-latest", output: z.object({ n: z.number() }) });
  for await (const item of map(typed, ["a"]))
    if (item.status === "finished") expectTypeOf(item.output).toEqualTypeOf<{ n: number }>();
  const run = { output: z.object({ yes: z.boolean() }) };
  const [own] = await map(typed, ["a"], { run }).results();
  if (own?.status === "finished") expectTypeOf(own.output).toEqualTypeOf<{ yes: boolean }>();
  const each = map(agent, [{ wide: true }], {
    message: () => "x",
    run: ({ wide }) => ({ limits: { turns: wide ? 9 : 3 } }),
  });
  expectTypeOf(await each.results()).items.toExtend<MapItem<{ wide: boolean }, undefined>>();
});

test("an agent with a context needs one", () => {
  const lookUp = defineTool({
    name: "look_up",
    description: "Looks up.",
    input: z.object({}),
    run: (_, { context }: { readonly context: { readonly tenant: string } }) => context.tenant,
  });
  const tenants = new Agent({ model: "gemini-flash-latest", tools: [lookUp] });
  void map(tenants, ["a"], { run: { context: { tenant: "acme" } } });
  void map(tenants, ["a"], { run: (input) => ({ context: { tenant: input } }) });
  // @ts-expect-error Its tools need a context.
  void map(tenants, ["a"]);
  // @ts-expect-error Its tools need a context.
  void map(tenants, ["a"], { concurrency: 3 });
});

test("calls have the types of the tools", async () => {
  const add = defineTool({ name: "add", description: "Adds.", input: z.object({ n: z.number() }), run: ({ n }) => n });
  for await (const item of map(new Agent({ model: "gemini-flash-latest", tools: [add] }), ["a"]))
    if (item.status === "finished")
      for (const one of item.result.toolCalls)
        if (one.status === "completed") expectTypeOf(one.name).toEqualTypeOf<"add">();
});
