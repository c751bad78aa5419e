import { Agent, defineTool, explainSchema, googleSearch, urlContext } from "@pollux/core";
import { ToolDefinitionError } from "@pollux/core/errors";
import { call, faults, json, grounded, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { z as z3 } from "zod/v3";
import { faces, typed } from "../../packages/core/test/helpers/faces.ts";
import { sentBy, sketch } from "../support/sketch.ts";
import { add, byStep } from "../support/trip.ts";
import { watch } from "../support/watch.ts";
import { openWorld, refusals } from "../support/world.ts";

const describeIt = { description: "x", run: () => "ok" } as const;

/** Schemas of zod and MCP servers that the service or a proxy has refused. */
const RICH = z.object({
  kind: z.literal("order"),
  email: z.email(),
  count: z.number().positive().multipleOf(2),
  price: z.number().gt(1).lt(10),
  tags: z.record(z.string().regex(/^a/), z.string()),
  either: z.union([z.object({ a: z.string() }), z.object({ b: z.null() })]),
  maybe: z.string().nullable().default("x"),
  pair: z.tuple([z.string(), z.number()]),
});
const FROM_MCP = {
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  properties: {
    mode: { const: "fast" },
    size: { type: "integer", exclusiveMinimum: 0, exclusiveMaximum: 9 },
    map: { type: "object", propertyNames: { pattern: "^a" }, patternProperties: { "^a": { type: "string" } } },
    node: { $ref: "#/definitions/node" },
  },
  definitions: { node: { type: "object", properties: { value: { type: ["string", "null"] } } } },
  additionalProperties: false,
  examples: [{ mode: "fast" }],
};
const FORBIDDEN =
  /"(?:\$schema|const|exclusiveMinimum|exclusiveMaximum|propertyNames|patternProperties|examples|definitions|multipleOf|not|if|allOf)":/;

/** Names and parameters as sent. */
function declared(body: { tools?: readonly object[] } | undefined) {
  const tools = (body?.tools ?? []) as readonly { functionDeclarations?: readonly Record<string, unknown>[] }[];
  return tools.flatMap(({ functionDeclarations = [] }) => functionDeclarations);
}

describe.each(faces)("%s", (face) => {
  test.each([
    ["zod 4", RICH],
    ["zod 3", z3.object({ kind: z3.literal("order"), count: z3.number().positive(), tags: z3.record(z3.string()) })],
    ["an MCP server", FROM_MCP],
  ])(
    "keywords of %s that nobody takes are never sent: not as JSON Schema, and not in the older form",
    async (_who, input) => {
      const tool = defineTool({ ...describeIt, name: "f", input: input as typeof RICH });
      for (const profile of ["developer", "comet", "old-proxy"] as const) {
        await using world = await openWorld({ profile, brain: byStep(() => say("Hi.")) });
        const seen = await watch(face, new Agent({ model: world.model(), tools: [tool] }), "Hi.");
        expect(seen.result, profile).toMatchObject({ stopReason: "finished", text: "Hi." });
        for (const body of world.bodies) expect(body, profile).not.toMatch(FORBIDDEN);
        const [declaration] = declared(sentBy(world).at(-1));
        const form = profile === "old-proxy" ? "parameters" : "parametersJsonSchema";
        expect(Object.keys(declaration ?? {}), profile).toEqual(["name", "description", form]);
      }
    },
  );

  test("a function without input is declared with an empty object, not with nothing", async () => {
    const ping = defineTool({ ...describeIt, name: "ping" });
    await using world = await openWorld({
      brain: byStep(
        () => call("ping"),
        () => say("Pong."),
      ),
    });
    const seen = await watch(face, new Agent({ model: world.model(), tools: [ping], toolChoice: "required" }), "Ping.");
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "Pong." });
    expect(declared(sentBy(world)[0])[0]).toEqual({
      name: "ping",
      description: "x",
      parametersJsonSchema: { type: "object", properties: {}, additionalProperties: false },
    });
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("a bare `invalid argument` while a call is forced: the call is left to the model, once", async () => {
    await using world = await openWorld({
      brain: byStep(
        () => call("add", { a: 1, b: 2 }),
        () => say("3"),
      ),
      faults: [
        {
          at: ({ body }) => JSON.stringify(body).includes('"ANY"'),
          fault: faults.apiError(400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
        },
      ],
    });
    const agent = new Agent({ model: world.model(), tools: [add], toolChoice: "required" });
    const seen = await watch(face, agent, "Add.");
    seen.saw(`run-start turn-start notice part response tool-start tool-end turn-end
      turn-start text-delta response turn-end run-end`);
    expect(sentBy(world).map(({ toolConfig }) => toolConfig?.["functionCallingConfig"])).toEqual([
      { mode: "ANY" },
      { mode: "AUTO" },
      undefined,
    ]);
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "3" });
  });

  test("a bare `invalid argument` without a forced call ends the run at once", async () => {
    const fault = faults.apiError(400, "INVALID_ARGUMENT", "Request contains an invalid argument.");
    await using world = await openWorld({ faults: [{ at: () => true, fault }] });
    const seen = await watch(face, new Agent({ model: world.model(), tools: [add] }), "Add.");
    expect(seen.error).toMatchObject({ code: "api_status", status: 400, retryable: false });
    expect(world.bodies).toHaveLength(1);
    expect(sketch(seen.contents)).toEqual(['user: "Add."']);
  });

  test("more functions than an open model can be forced among: the call is left to the model", async () => {
    const tools = Array.from({ length: 20 }, (_, i) => defineTool({ ...describeIt, name: `tool_${i}` }));
    await using world = await openWorld({
      brain: byStep(
        () => call("tool_3"),
        () => say("Done."),
      ),
    });
    const agent = new Agent({ model: world.model("gemma-4-31b-it"), tools, toolChoice: "required" });
    const seen = await watch(face, agent, "Go.");
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "Done." });
    expect(refusals(world.emulator)).toEqual([{ number: 1, rule: "E-30" }]);
  });

  test.each(["required", "none", "auto"] as const)(
    "only built-in tools, toolChoice %s: no calling mode is sent where there is nothing to call",
    async (toolChoice) => {
      for (const id of ["gemini-3.8-flash", "gemini-2.5-flash"]) {
        await using world = await openWorld({
          brain: byStep(() => [say("Ok."), grounded("", { queries: ["q"], sources: [] })]),
        });
        const agent = new Agent({ model: world.model(id), tools: [googleSearch(), urlContext()], toolChoice });
        const seen = await watch(face, agent, "Hi.");
        expect(seen.result).toMatchObject({ stopReason: "finished", text: "Ok." });
        const [sent] = sentBy(world);
        expect(sent).not.toHaveProperty("toolConfig");
        expect(sent?.tools?.map((tool) => Object.keys(tool)[0]) ?? []).toEqual(
          toolChoice === "none" ? [] : ["googleSearch", "urlContext"],
        );
        expect(refusals(world.emulator)).toEqual([]);
      }
    },
  );

  test.each(["list.files", "fs:read-file", "_x", "a".repeat(64)])("the name %s is taken everywhere", async (name) => {
    const tool = defineTool({ ...describeIt, name });
    await using world = await openWorld({
      brain: byStep(
        () => call(name),
        () => say("Done."),
      ),
    });
    const seen = await watch(face, new Agent({ model: world.model(), tools: [tool] }), "Go.");
    expect(sketch(seen.contents)[2]).toBe(`user: ${name} <- {"output":"ok"}`);
    expect(refusals(world.emulator)).toEqual([]);
  });

  test.each<[string, "off" | "minimal" | "low" | "xhigh" | { budget: number }, object | "refused"]>([
    ["gemini-2.5-flash", "low", { thinkingBudget: 1024 }],
    ["gemini-2.5-flash", "off", { thinkingBudget: 0 }],
    ["gemini-2.5-pro", "off", "refused"],
    ["gemini-2.5-flash", { budget: 100_000 }, "refused"],
    ["gemini-3.8-flash", "low", { thinkingLevel: "LOW" }],
    ["gemini-3.8-flash", "minimal", "refused"],
    ["gemini-3.8-flash", { budget: 1024 }, "refused"],
    ["gemini-3.1-pro-preview", "minimal", "refused"],
    ["gemini-2.0-flash", "low", "refused"],
    ["gemini-2.0-flash", "off", {}],
  ])("%s with thinking %j is asked for in the one way it takes, or not at all", async (id, thinking, expected) => {
    await using world = await openWorld({ brain: byStep(() => say("Hi.")) });
    const start = async () => watch(face, new Agent({ model: world.model(id), settings: { thinking } }), "Hi.");
    if (expected === "refused") {
      const error = await start().then(
        (seen) => seen.error,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: "configuration" });
      expect(world.bodies).toHaveLength(0);
      return;
    }
    expect((await start()).result).toMatchObject({ stopReason: "finished" });
    expect(sentBy(world)[0]?.generationConfig?.["thinkingConfig"] ?? {}).toEqual(expected);
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("a setting of 0 is a setting", async () => {
    await using world = await openWorld({ brain: byStep(() => say("Hi.")) });
    const agent = new Agent({ model: world.model("gemini-2.5-flash"), settings: { seed: 0, temperature: 0, topP: 0 } });
    await watch(face, agent, "Hi.");
    expect(sentBy(world)[0]?.generationConfig).toEqual({ temperature: 0, topP: 0, seed: 0 });
  });

  test.each<[string, unknown, unknown]>([
    ["a schema with references", { $ref: "#/$defs/a", $defs: { a: {} } }, '{"$ref":"#/$defs/a","$defs":{"a":{}}}'],
    ["a list", [1, 2], [1, 2]],
    ["a text", "four", "four"],
    ["nothing", undefined, null],
    [
      "what JSON has no word for",
      { a: Number.NaN, b: 2n ** 64n, c: undefined },
      { a: "NaN", b: "18446744073709551616" },
    ],
    ["an object with a key `error`", { error: "no" }, { error: "no" }],
  ])("a tool's result that is %s reaches the model as an object the service takes", async (_what, value, output) => {
    const tool = defineTool({ name: "f", description: "x", run: () => value });
    await using world = await openWorld({
      brain: byStep(
        () => call("f"),
        () => say("Done."),
      ),
    });
    const seen = await watch(face, new Agent({ model: world.model(), tools: [tool] }), "Go.");
    expect(sentBy(world)[1]?.contents[2]?.parts[0]?.functionResponse?.response).toEqual({ output });
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "Done." });
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("arguments that do not fit are answered with what is wrong, and the tool is closed after three times", async () => {
    let runs = 0;
    const tool = defineTool({ name: "f", description: "x", input: z.object({ n: z.number() }), run: () => runs++ });
    await using world = await openWorld({ brain: byStep(({ number }) => call("f", { n: `no ${number}` })) });
    const seen = await watch(face, new Agent({ model: world.model(), tools: [tool], limits: { turns: 5 } }), "Go.");
    expect(seen.result).toMatchObject({ stopReason: "limit" });
    expect(runs).toBe(0);
    expect(sketch(seen.contents)[2]).toMatch(/^user: f <- \{"error":".*n/);
    expect(sketch(seen.contents).at(-1)).toMatch(/not run: f is disabled for this run after/);
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("a schema for the answer is taken with functions on every model, and never sent beside them where it is refused", async () => {
    for (const id of ["gemini-3.8-flash", "gemini-2.5-flash"]) {
      await using world = await openWorld({
        brain: { answer: ({ request }) => (request.generationConfig?.responseMimeType ? json({ sum: 3 }) : say("3")) },
      });
      const agent = new Agent({ model: world.model(id), tools: [add] });
      const result = await typed(face, agent, "Add.", { output: z.object({ sum: z.number() }) });
      expect(result).toMatchObject({ stopReason: "finished", output: { sum: 3 } });
      expect(refusals(world.emulator)).toEqual([]);
    }
  });
});

test.each(["server/list files", "fs read", "9lives", "a".repeat(65), "naïve", ""])(
  "the name %j is refused when the tool is defined, with what is allowed",
  (name) => {
    expect(() => defineTool({ ...describeIt, name })).toThrow(ToolDefinitionError);
    expect(() => defineTool({ ...describeIt, name })).toThrow(/start with a letter or underscore/);
  },
);

test("two tools of one name are refused when the agent is made, or at its first run at the latest", async () => {
  await using world = await openWorld();
  const tools = [defineTool({ ...describeIt, name: "f" }), defineTool({ ...describeIt, name: "f" })];
  await expect((async () => new Agent({ model: world.model(), tools }).run("Go."))()).rejects.toThrow(
    'two tools are named "f"',
  );
  expect(world.bodies).toHaveLength(0);
});

const list: z.ZodType = z.lazy(() => z.object({ value: z.string(), next: list.optional() }));
const tree: z.ZodType = z.lazy(() => z.object({ value: z.string(), children: z.array(tree) }));

/** Schemas that a developer may write, and that the service must accept. */
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

/** Schemas that can't be sent, and their errors. */
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
    // Only the overloads distinguish the two; the behavior is the same.
    const tool = defineTool({ ...describeIt, name: "shape_it", input: input as z.ZodType });
    await using world = await openWorld({ brain: byStep(() => say("Fine.")) });
    for (const id of ["gemini-3.8-flash", "gemini-2.5-flash-lite", "gemini-4-argon"])
      expect((await new Agent({ model: world.model(id), tools: [tool] }).run("Go.")).stopReason, id).toBe("finished");
    expect(refusals(world.emulator)).toEqual([]);
    expect(world.bodies).toHaveLength(3);
  });

  test.each(Object.entries(REFUSED))(
    "of %s is refused when the tool is defined, with the place and the fix",
    (_what, [input, said]) => {
      const define = () => defineTool({ ...describeIt, name: "shape_it", input });
      expect(define).toThrow(ToolDefinitionError);
      expect(define).toThrow(/"shape_it"/);
      expect(define).toThrow(said);
    },
  );

  test("that cannot be sent is an error which names the place, and a changed one can be explained", () => {
    const bad = () =>
      defineTool({ ...describeIt, name: "t", input: z.object({ inner: z.object({ at: z.symbol() }) }) });
    expect(bad).toThrow(ToolDefinitionError);
    expect(bad).toThrow(/inner/);
    const tool = defineTool({
      ...describeIt,
      name: "t",
      input: z.object({ point: z.tuple([z.number(), z.number()]) }),
    });
    expect(explainSchema(tool)).toContain("point");
  });
});

const NULLABLE = { anyOf: [{ type: "string" }, { type: "null" }], default: null };
const PLACE = {
  type: "object",
  properties: { city: { type: "string" }, zip: NULLABLE, size: { type: "integer", default: 3 } },
  required: ["city", "zip", "size"],
};
const RAW = {
  type: "object",
  properties: {
    name: { type: "string" },
    unit: NULLABLE,
    old: { type: ["string", "null"], default: null },
    place: { anyOf: [{ $ref: "#/$defs/place" }, { type: "null" }] },
    stops: { type: "array", items: { $ref: "#/$defs/place" } },
  },
  required: ["name", "unit", "old", "place", "stops"],
  $defs: { place: PLACE },
};

/** Nullable, required, and with a default that only the JSON Schema has. */
const nullable = () => z.string().nullable().meta({ default: null });
const place4 = z.object({ city: z.string(), zip: nullable(), size: z.int().meta({ default: 3 }) });
const ZOD4 = z.object({
  name: z.string(),
  unit: nullable(),
  old: z.string().nullable().default(null),
  place: place4.nullable(),
  stops: z.array(place4),
});
const place3 = z3.object({
  city: z3.string(),
  zip: z3.string().nullable().default(null),
  size: z3.number().int().default(3),
});
const ZOD3 = z3.object({
  name: z3.string(),
  unit: z3.string().nullable().default(null),
  old: z3.string().nullable().default(null),
  place: place3.nullable(),
  stops: z3.array(place3),
});

describe.each(faces)("%s", (_face, read) => {
  test.each<[string, object]>([
    ["zod 4", ZOD4],
    ["zod 3", ZOD3],
    ["raw JSON Schema", RAW],
  ])("what a call leaves out takes its default, with %s", async (_kind, input) => {
    const got: unknown[] = [];
    // Each row has the type of one overload.
    const tool = defineTool({
      name: "go",
      description: "x",
      input: input as typeof RAW,
      run: (args) => void got.push(args),
    });
    const made = { name: "Tour", place: { city: "Oslo" }, stops: [{ city: "Lima", zip: "15001" }, { city: "Rome" }] };
    await using world = await openWorld({
      brain: byStep(
        () => call("go", made),
        () => say("Done."),
      ),
    });
    const result = await read(new Agent({ model: world.model(), tools: [tool] }), "Go.");
    expect(result.stopReason).toBe("finished");
    expect(got).toEqual([
      {
        name: "Tour",
        unit: null,
        old: null,
        place: { city: "Oslo", zip: null, size: 3 },
        stops: [
          { city: "Lima", zip: "15001", size: 3 },
          { city: "Rome", zip: null, size: 3 },
        ],
      },
    ]);
    // The history has the model's original call.
    expect(result.contents[1]?.parts[0]?.functionCall?.args).toEqual(made);
  });

  test("what a call leaves out and has no default is still asked for", async () => {
    const got: unknown[] = [];
    const tool = defineTool({ name: "go", description: "x", input: RAW, run: (args) => void got.push(args) });
    await using world = await openWorld({
      brain: byStep(
        () => call("go", { name: "Tour", stops: [] }),
        () => say("Done."),
      ),
    });
    const { contents } = await read(new Agent({ model: world.model(), tools: [tool] }), "Go.");
    expect(got).toEqual([]);
    expect(contents[2]?.parts[0]?.functionResponse?.response["error"]).toMatch(/place/);
  });
});
