import { Agent, defineTool, explainSchema, ToolDefinitionError } from "@pollux/core";
import { call, calls, text } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { byStep, getWeather } from "../support/trip.ts";
import { openWorld, refusals } from "../support/world.ts";

const describeIt = { description: "x" } as const;

describe.each(faces)("%s", (_face, read) => {
  test("parallel calls overlap: each waits for all the others to have begun", async () => {
    let release = (): void => {};
    const all = new Promise<void>((resolve) => (release = resolve));
    let begun = 0;
    const meet = defineTool({
      ...describeIt,
      name: "meet",
      input: z.object({ who: z.string() }),
      timeoutMs: 2_000,
      run: async ({ who }) => {
        if (++begun === 4) release();
        await all;
        return who;
      },
    });
    await using world = await openWorld({
      brain: byStep(
        () => calls(["a", "b", "c", "d"].map((who) => ({ name: "meet", args: { who } }))),
        () => text("All met."),
      ),
    });
    const result = await read(new Agent({ model: world.model(), tools: [meet] }), "Meet.");
    expect(result.contents[2]?.parts.map(({ functionResponse }) => functionResponse?.response)).toEqual([
      { output: "a" },
      { output: "b" },
      { output: "c" },
      { output: "d" },
    ]);
  });

  test("a throwing tool, bad arguments and an unknown name go on, each told what to do", async () => {
    const breaks = defineTool({ ...describeIt, name: "breaks", run: () => Promise.reject(new Error("disk on fire")) });
    await using world = await openWorld({
      brain: byStep(
        () =>
          calls([
            { name: "breaks" },
            { name: "get_weather", args: { town: "Oslo" } },
            { name: "get_whether", args: { city: "Oslo" } },
            { name: "get_weather", args: { city: "Oslo" } },
          ]),
        () => text("One of four."),
      ),
    });
    const result = await read(new Agent({ model: world.model(), tools: [breaks, getWeather] }), "Go.");
    expect(result).toMatchObject({ stopReason: "finished", text: "One of four." });
    const answers = result.contents[2]?.parts.map(({ functionResponse }) => JSON.stringify(functionResponse?.response));
    expect(answers?.[0]).toContain("disk on fire");
    expect(answers?.[1]).toMatch(/error.*city/);
    expect(answers?.[2]).toMatch(/error.*get_weather/);
    expect(answers?.[3]).toBe('{"output":{"city":"Oslo","celsius":4}}');
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("a model that never stops calling is stopped", async () => {
    await using world = await openWorld({ brain: byStep(() => call("get_weather", { city: "Oslo" })) });
    const same = await read(new Agent({ model: world.model(), tools: [getWeather] }), "Go.");
    expect(same).toMatchObject({ stopReason: "repeated-calls", turns: 3 });
    const varied = byStep(({ number }) => call("get_weather", { city: `Oslo ${number}` }));
    world.emulator.setBrain(varied);
    const bounded = await read(new Agent({ model: world.model(), tools: [getWeather] }), "Go.");
    expect(bounded).toMatchObject({ stopReason: "limit", limit: { name: "turns", limit: 25, used: 25 } });
    expect(refusals(world.emulator)).toEqual([]);
  });
});

const list: z.ZodType = z.lazy(() => z.object({ value: z.string(), next: list.optional() }));
const tree: z.ZodType = z.lazy(() => z.object({ value: z.string(), children: z.array(tree) }));

/** Schemas a developer may well write, which the service has to take. */
const TAKEN: Readonly<Record<string, z.ZodType | object>> = {
  "a nested object": z.object({ a: z.object({ b: z.array(z.object({ c: z.string().nullable() })) }) }),
  "a union by a key": z.object({
    shape: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("dot") }),
      z.object({ kind: z.literal("box"), side: z.number() }),
    ]),
  }),
  "a linked list": z.object({ list }),
  "a record": z.object({ scores: z.record(z.string(), z.number()) }),
  "a tuple": z.object({ point: z.tuple([z.number(), z.number()]) }),
  "limits and formats": z.object({
    n: z.int().min(1).max(5),
    at: z.iso.datetime(),
    mail: z.email(),
    re: z.string().regex(/^a+$/),
  }),
  "numbers to choose from": z.object({ size: z.union([z.literal(1), z.literal(2)]) }),
  "a default and an optional": z.object({ unit: z.string().default("C"), note: z.string().optional() }),
  "any value": z.object({ payload: z.unknown(), other: z.any().refine(() => true) }),
  "a raw schema with $defs": {
    type: "object",
    properties: { p: { $ref: "#/$defs/p" } },
    $defs: { p: { type: "string" } },
  },
  "a raw schema with allOf": {
    type: "object",
    allOf: [{ properties: { a: { type: "string" } } }, { properties: { b: { type: "number" } } }],
  },
  "a raw schema with an array of nothing said": { type: "object", properties: { list: { type: "array" } } },
};

/** Schemas that cannot be sent, and what the error says of them. */
const REFUSED: Readonly<Record<string, readonly [z.ZodType, RegExp]>> = {
  "a tree that never ends": [z.object({ tree }), /children.*optional/s],
  "a date": [z.object({ when: z.date() }), /properties\.when.*z\.coerce\.date/],
  "a map": [z.object({ m: z.map(z.string(), z.number()) }), /properties\.m.*z\.record/],
  "a bigint": [z.object({ n: z.bigint() }), /properties\.n.*z\.coerce\.bigint/],
  "a text": [z.string(), /z\.object/],
  "a list": [z.array(z.string()), /z\.object/],
};

describe("a schema", () => {
  test.each(Object.entries(TAKEN))("of %s is taken by every model", async (_what, input) => {
    // The overloads want to know which of the two it is; what happens does not depend on that.
    const tool = defineTool({ ...describeIt, name: "shape_it", input: input as z.ZodType, run: () => "ok" });
    await using world = await openWorld({ brain: byStep(() => text("Fine.")) });
    for (const id of ["gemini-3.8-flash", "gemini-2.5-flash-lite", "gemini-4-argon"])
      expect((await new Agent({ model: world.model(id), tools: [tool] }).run("Go.")).stopReason, id).toBe("finished");
    expect(refusals(world.emulator)).toEqual([]);
    expect(world.bodies).toHaveLength(3);
  });

  test.each(Object.entries(REFUSED))(
    "of %s is refused when the tool is defined, with the place and the fix",
    (_what, [input, said]) => {
      const define = () => defineTool({ ...describeIt, name: "shape_it", input, run: () => "ok" });
      expect(define).toThrow(ToolDefinitionError);
      expect(define).toThrow(/"shape_it"/);
      expect(define).toThrow(said);
    },
  );

  test("that cannot be sent is an error which names the place, and a changed one can be explained", () => {
    const bad = () =>
      defineTool({ ...describeIt, name: "t", input: z.object({ inner: z.object({ at: z.symbol() }) }), run: () => 1 });
    expect(bad).toThrow(ToolDefinitionError);
    expect(bad).toThrow(/inner/);
    const tool = defineTool({
      ...describeIt,
      name: "t",
      input: z.object({ point: z.tuple([z.number(), z.number()]) }),
      run: () => 1,
    });
    expect(explainSchema(tool)).toContain("point");
  });
});
