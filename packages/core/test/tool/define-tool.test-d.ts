import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";
import * as zm from "zod/mini";
import { z as z3 } from "zod/v3";
import { defineTool } from "../../src/tool/define-tool.ts";
import type { AnyTool, Tool } from "../../src/tool/tool.ts";
import { zod3 } from "../../src/tool/schema/zod3.ts";

const words = { name: "t", description: "d" };

describe("input", () => {
  test("of zod 4 is what the schema gives out", () => {
    const tool = defineTool({
      ...words,
      input: z.object({ a: z.string(), n: z.number().optional(), at: z.coerce.date(), x: z.string().default("") }),
      run: (input, context) => {
        expectTypeOf(input).toEqualTypeOf<{ a: string; n?: number | undefined; at: Date; x: string }>();
        expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
        // @ts-expect-error -- the schema has no such key
        void input.b;
        return input.a.length;
      },
    });
    type Input = { a: string; n?: number | undefined; at: Date; x: string };
    type Args = { a: string; n?: number | undefined; at: unknown; x?: string | undefined };
    expectTypeOf(tool).toEqualTypeOf<Made<Input, number, Args>>();
  });
  test("of zod/mini, zod 3 and zod3()", () => {
    defineTool({
      ...words,
      input: zm.object({ a: zm.optional(zm.string()) }),
      run: (input) => expectTypeOf(input).toEqualTypeOf<{ a?: string | undefined }>(),
    });
    defineTool({
      ...words,
      input: z3.object({ a: z3.string() }),
      run: (input) => expectTypeOf(input).toEqualTypeOf<{ a: string }>(),
    });
    defineTool({
      ...words,
      input: zod3(z3.object({ a: z3.number() })),
      run: (input) => expectTypeOf(input).toEqualTypeOf<{ a: number }>(),
    });
  });
  test("of a raw JSON Schema is unknown, without input an empty object", () => {
    defineTool({
      ...words,
      input: { type: "object", properties: {} },
      run: (input) => expectTypeOf(input).toEqualTypeOf<unknown>(),
    });
    defineTool({ ...words, run: (input) => expectTypeOf(input).toEqualTypeOf<Record<string, never>>() });
  });
});

/** A tool without context that doesn't end the run. */
type Made<Input, Output, Args = Input> = Tool<Input, Output, unknown, string, Args, false>;

describe("output", () => {
  test("is what run returns, resolves to, or returns at the end", () => {
    expectTypeOf(defineTool({ ...words, run: () => 5 })).toEqualTypeOf<Made<Record<string, never>, number>>();
    expectTypeOf(defineTool({ ...words, run: async () => ({ a: "x" }) })).toEqualTypeOf<
      Made<Record<string, never>, { a: string }>
    >();
    const stepwise = defineTool({
      ...words,
      input: z.object({ n: z.number() }),
      run: async function* ({ n }) {
        yield `step ${n}`;
        return { done: true };
      },
    });
    expectTypeOf(stepwise).toEqualTypeOf<Made<{ n: number }, { done: boolean }>>();
  });
});

test("a list holds any tool", () => {
  const one = defineTool({ ...words, input: z.object({ a: z.string() }), run: ({ a }) => a });
  const other = defineTool({ ...words, run: () => 1 });
  expectTypeOf([one, other]).toExtend<readonly Tool[]>();
  const tools: readonly AnyTool[] = [one, other];
  expectTypeOf(tools).toEqualTypeOf<readonly AnyTool[]>();
});

test("misspelled or wrong options are reported where they are", () => {
  defineTool({
    ...words,
    input: z.object({}),
    // @ts-expect-error -- misspelled
    timeout: 5,
    run: () => 1,
  });
  defineTool({
    ...words,
    // @ts-expect-error -- misspelled, without input
    timeout: 5,
    run: () => 1,
  });
  // @ts-expect-error -- the description is missing
  defineTool({
    name: "t",
    run: () => 1,
  });
  defineTool({
    ...words,
    // @ts-expect-error -- milliseconds are a number
    timeoutMs: "5",
    run: () => 1,
  });
  defineTool({
    ...words,
    // @ts-expect-error -- input is no schema
    input: "x",
    run: () => 1,
  });
  const wrong = (input: { a: number }): number => input.a;
  defineTool({
    ...words,
    input: z.object({ a: z.string() }),
    // @ts-expect-error -- run expects another input than the schema returns
    run: wrong,
  });
});

test("the spellings of other libraries are reported where they are", () => {
  defineTool({
    ...words,
    // @ts-expect-error -- it is called input
    inputSchema: z.object({ a: z.string() }),
    run: () => 1,
  });
  defineTool({
    ...words,
    // @ts-expect-error -- it is called input
    parameters: { type: "object" },
    run: () => 1,
  });
  defineTool({
    ...words,
    input: z.object({ a: z.string() }),
    // @ts-expect-error -- it is called run
    execute: async () => 1,
  });
  defineTool({
    ...words,
    input: z.object({ a: z.string() }),
    // @ts-expect-error -- it is called run
    handler: async () => 1,
  });
});

describe("a declaration about untrusted content", () => {
  test("may depend on the input and the output, and makes no other tool of it", () => {
    const tool = defineTool({
      ...words,
      input: z.object({ url: z.string() }),
      run: ({ url }) => ({ host: url }),
      reads: (input, output) => {
        expectTypeOf(input).toEqualTypeOf<{ url: string }>();
        expectTypeOf(output).toEqualTypeOf<{ host: string } | undefined>();
        return output === undefined ? "untrusted" : ["untrusted", "private"];
      },
      reach: ({ url }, run) => (run.seen(url) ? "inside" : "lookup"),
    });
    expectTypeOf(tool).toExtend<AnyTool>();
    expectTypeOf<Awaited<ReturnType<typeof tool.run>>>().not.toBeAny();
  });

  test("is one of a few words", () => {
    const run = (): number => 1;
    defineTool({ ...words, run, reads: "trusted", reach: "outside", origin: "x", afterUntrusted: "deny" });
    // @ts-expect-error -- "trusted" excludes other words
    defineTool({ ...words, run, reads: ["trusted", "private"] });
    // @ts-expect-error -- no such word
    defineTool({ ...words, run, reach: "far" });
    // @ts-expect-error -- not a promise: a decision needs it at once
    defineTool({ ...words, run, reach: async () => "inside" as const });
  });
});
