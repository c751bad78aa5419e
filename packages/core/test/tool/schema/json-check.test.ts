import { Agent, type Approval, defineTool, finished, type JsonObject } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { faces, typed } from "../../helpers/faces.ts";

type Schema = Readonly<Record<string, unknown>>;

/** Problems of a value, by a tool that takes it as its only argument; `undefined` when it is accepted. */
async function problemOf(schema: Schema | boolean, value: unknown, root: Schema = {}): Promise<string | undefined> {
  const tool = defineTool({
    name: "look",
    description: "Looks.",
    input: { type: "object", properties: { value: schema }, ...root },
  });
  try {
    await tool.parse({ value });
    return undefined;
  } catch (error) {
    return (error as Error).message.replace("invalid arguments: ", "");
  }
}

/** Schema, values that fit, values that do not. */
const KEYWORDS: readonly (readonly [name: string, Schema, fits: readonly unknown[], misfits: readonly unknown[]])[] = [
  ["type", { type: "number" }, [1, 1.5], ["1", { x: 5000 }, null, [1], true]],
  ["integer", { type: "integer" }, [1, 1.0, -3], [1.5, "1"]],
  ["several types", { type: ["string", "null"] }, ["a", null], [1]],
  ["upper-case types, as Gemini writes them", { type: "STRING" }, ["a"], [1]],
  ["types by protobuf's numbers", { type: [1, 7] }, ["a", null], [1]],
  ["nullable, as OpenAPI writes it", { type: "string", nullable: true, enum: ["a"] }, ["a", null], ["b", 1]],
  ["enum", { enum: ["a", 1] }, ["a", 1], ["b", 2, null]],
  ["multipleOf, also of money", { multipleOf: 0.01 }, [19.99, 1_234_567.89, 123_456_789.12], [19.995, 123_456_789.125]],
  ["multipleOf 0, which is none", { multipleOf: 0 }, [4], []],
  ["const", { const: "a" }, ["a"], ["b"]],
  ["minimum and maximum", { minimum: 1, maximum: 3 }, [1, 3, "5"], [0, 4]],
  ["exclusive bounds", { exclusiveMinimum: 1, exclusiveMaximum: 3 }, [2], [1, 3]],
  [
    "draft 4's exclusive bounds",
    { minimum: 1, exclusiveMinimum: true, maximum: 3, exclusiveMaximum: false },
    [2, 3],
    [1, 4],
  ],
  ["multipleOf", { multipleOf: 0.01 }, [19.99, 3], [0.005]],
  ["length in code points", { minLength: 2, maxLength: 2 }, ["ab", "😀😀"], ["a", "😀", "abc"]],
  ["pattern, anywhere in the text", { pattern: "b+" }, ["abc", 7], ["ac"]],
  ["pattern of JavaScript", { pattern: "^\\u00e9\\/[^]$" }, ["é/\n"], ["e/x"]],
  ["format, which only describes", { type: "string", format: "email" }, ["no address"], [1]],
  ["items", { items: { type: "string" } }, [[], ["a"], "x"], [["a", 1]]],
  ["number of items", { minItems: 1, maxItems: 2 }, [[1]], [[], [1, 2, 3]]],
  [
    "uniqueItems",
    { uniqueItems: true },
    [[1, "1", [1]]],
    [
      [1, 1],
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
    ],
  ],
  [
    "prefixItems",
    { type: "array", prefixItems: [{ type: "string" }], items: { type: "number" } },
    [["a", 1]],
    [[1], ["a", "b"]],
  ],
  [
    "draft-07's list of items",
    { type: "array", items: [{ type: "string" }], additionalItems: false },
    [["a"]],
    [[1], ["a", 1]],
  ],
  ["contains", { type: "array", items: {}, contains: { const: 1 }, maxContains: 1 }, [[1, 2]], [[2], [1, 1]]],
  ["required", { type: "object", properties: { a: {} }, required: ["a"] }, [{ a: 1 }], [{}, { b: 1 }]],
  [
    "names that every object inherits",
    { properties: { toString: { type: "string" } }, required: [] },
    [{}],
    [{ toString: 1 }],
  ],
  ["additionalProperties", { properties: { a: {} }, additionalProperties: false }, [{ a: 1 }, "x"], [{ b: 1 }]],
  [
    "patternProperties",
    { patternProperties: { "^x-": { type: "number" } }, properties: { a: {} }, additionalProperties: false },
    [{ "x-a": 1, a: "a" }],
    [{ "x-a": "1" }, { b: 1 }],
  ],
  ["propertyNames", { type: "object", propertyNames: { pattern: "^[a-z]+$" } }, [{ ab: 1 }], [{ A: 1 }]],
  ["number of properties", { type: "object", minProperties: 1, maxProperties: 1 }, [{ a: 1 }], [{}, { a: 1, b: 2 }]],
  ["dependentRequired", { type: "object", dependentRequired: { a: ["b"] } }, [{ b: 1 }, { a: 1, b: 1 }], [{ a: 1 }]],
  [
    "draft-07's dependencies",
    { type: "object", dependencies: { a: ["b"], c: { minProperties: 2 } } },
    [{ a: 1, b: 1 }],
    [{ a: 1 }, { c: 1 }],
  ],
  [
    "unevaluatedProperties",
    { type: "object", allOf: [{ properties: { a: {} } }], unevaluatedProperties: false },
    [{ a: 1 }],
    [{ b: 1 }],
  ],
  ["allOf", { allOf: [{ type: "number" }, { minimum: 1 }] }, [1], [0, "1"]],
  ["anyOf", { anyOf: [{ type: "string" }, { type: "number", minimum: 1 }] }, ["a", 1], [0, null]],
  ["oneOf", { oneOf: [{ type: "integer" }, { type: "number", minimum: 5 }] }, [1, 5.5], [7, 0.5]],
  ["not", { not: { type: "string" } }, [1], ["a"]],
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  ["if", { if: { minimum: 5 }, then: { multipleOf: 5 }, else: { multipleOf: 2 } }, [10, 4], [6, 3]],
];

describe("a plain JSON Schema accepts and rejects by", () => {
  test.each(KEYWORDS)("%s", async (_name, schema, fits, misfits) => {
    for (const value of fits) expect([value, await problemOf(schema, value)]).toEqual([value, undefined]);
    for (const value of misfits) expect([value, await problemOf(schema, value)]).toEqual([value, expect.any(String)]);
  });

  test("references, also of a schema to itself", async () => {
    const $defs = {
      tree: {
        type: "object",
        properties: { name: { type: "string" }, kids: { type: "array", items: { $ref: "#/$defs/tree" } } },
      },
    };
    const schema = { $ref: "#/$defs/tree" };
    expect(await problemOf(schema, { name: "a", kids: [{ name: "b", kids: [] }] }, { $defs })).toBe(undefined);
    expect(await problemOf(schema, { kids: [{ kids: [{ name: 1 }] }] }, { $defs })).toBe(
      "value.kids.0.kids.0.name: must be string",
    );
  });

  test("what stands beside a reference, except in draft-07", async () => {
    const root = { $defs: { text: { type: "string" } } };
    const schema = { $ref: "#/$defs/text", description: "At most 2.", maxLength: 2 };
    const draft7 = { ...root, $schema: "http://json-schema.org/draft-07/schema#" };
    const nested = { allOf: [schema] };
    expect(await problemOf(nested, "abc", root)).toBe("value: must not have more than 2 characters");
    expect(await problemOf(nested, "abc", draft7)).toBe(undefined);
  });

  test("the same decisions as zod, for schemas that zod wrote", async () => {
    const leaf = fc.constantFrom<z.ZodType>(
      z.string(),
      z.string().min(2),
      z.number().max(3),
      z.int(),
      z.boolean(),
      z.null(),
      z.enum(["a", "b"]),
      z.literal(1),
    );
    const { schema } = fc.letrec<{ schema: z.ZodType }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        leaf,
        tie("schema").map((item) => z.array(item).max(2)),
        fc.tuple(tie("schema"), tie("schema")).map(([a, b]) => z.union([a, b])),
        fc.tuple(tie("schema"), tie("schema")).map(([a, b]) => z.strictObject({ a, b: b.optional() })),
        tie("schema").map((value) => z.record(z.string().regex(/^[a-z]*$/), value)),
      ),
    }));
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom<unknown>("a", "c", "", "abc", 0, 1, 3.5, 9, true, null),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("a", "b", "B"), tie("value"), { maxKeys: 2 }),
      ),
    }));
    const seen = { fits: 0, misfits: 0 };
    await fc.assert(
      fc.asyncProperty(schema, value, async (type, given) => {
        const { success } = type.safeParse(given);
        seen[success ? "fits" : "misfits"]++;
        expect((await problemOf(z.toJSONSchema(type) as Schema, given)) === undefined).toBe(success);
      }),
      { numRuns: 500 },
    );
    expect(Math.min(seen.fits, seen.misfits)).toBeGreaterThan(20);
  });
});

describe("a schema or a value from a stranger", () => {
  const TOO_MUCH = "too large or too deep to be checked against the schema: make it smaller";

  const changesOf = (value: Schema): readonly string[] =>
    defineTool({ name: "look", description: "Looks.", input: { type: "object", properties: { value } } })
      .schemaChanges.filter(({ change }) => change.startsWith("not checked"))
      .map(({ path, change }) => `${path}: ${change}`);

  test("an expression is matched in linear time", async () => {
    // Backtracking would take longer than the universe is old.
    expect(await problemOf({ pattern: "^(a+)+$" }, `${"a".repeat(60_000)}!`)).toBe("value: does not match /^(a+)+$/");
    const names = { patternProperties: { "^(a+)+$": { type: "number" } }, additionalProperties: { type: "string" } };
    expect(await problemOf({ type: "object", ...names }, { [`${"a".repeat(60_000)}!`]: "x" })).toBe(undefined);
  });

  test.each([
    ["a lookahead", "^(?!x)a", "b", "lookarounds and backreferences cannot be matched in linear time"],
    ["a backreference", "^(a)\\1$", "b", "lookarounds and backreferences cannot be matched in linear time"],
    ["more repetitions than RE2 has", "^a{1,1001}$", "b", "the expression is too large"],
    ["a mistake", "(", "b", "it is not an expression"],
    ["repetitions of repetitions", "((a{100}){100}){100}", "b", "the expression is too large"],
  ])("%s is skipped, with a notice", async (_name, pattern, value, why) => {
    const path = "properties.value.pattern";
    expect(await problemOf({ type: "string", pattern }, value)).toBe(undefined);
    expect(await problemOf({ type: "string", pattern }, 1)).toBe("value: must be string");
    expect(changesOf({ type: "string", pattern })).toEqual([`${path}: not checked: ${why}`]);
  });

  test("what is skipped never makes a value wrong that is not", async () => {
    const skipped = { pattern: "^(?!x)a" };
    const oneOf = [skipped, { type: "string", maxLength: 1 }];
    expect(await problemOf({ not: skipped }, "b")).toBe(undefined);
    expect(await problemOf({ oneOf }, "b")).toBe(undefined);
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    expect(await problemOf({ if: skipped, then: false }, "b")).toBe(undefined);
    const patterns = { patternProperties: { "^(?!x)a": { type: "number" } }, additionalProperties: false };
    expect(await problemOf({ type: "object", ...patterns }, { b: 1 })).toBe(undefined);
    expect(changesOf({ not: skipped })).toEqual([
      "properties.value.not.pattern: not checked: lookarounds and backreferences cannot be matched in linear time",
      "properties.value.not: not checked: another part of the schema is not",
    ]);
  });

  test("patterns of property names keep what is left of the others from being checked", async () => {
    const schema = { type: "object", patternProperties: { "^x": { type: "number" } }, unevaluatedProperties: false };
    expect(await problemOf(schema, { x: 1, y: 1 })).toBe(undefined);
    expect(await problemOf(schema, { x: "1" })).toBe('value: the property "x" does not fit');
    expect(changesOf(schema)).toEqual([
      "properties.value.unevaluatedProperties: not checked: another part of the schema is not",
    ]);
  });

  test("a reference that leads outside is never followed", async () => {
    const schema = { type: "string", not: { $ref: "https://example.com/schema.json" } };
    expect([await problemOf(schema, "a"), await problemOf(schema, 1)]).toEqual([undefined, "value: must be string"]);
    expect(changesOf(schema)).toEqual([
      "properties.value.not.$ref: not checked: the reference leads to nothing inside the schema",
      "properties.value.not: not checked: another part of the schema is not",
    ]);
  });

  test("alternatives that multiply with each level end after a number of steps", async () => {
    const step = (next: number): Schema => ({ properties: { p: { $ref: `#/$defs/s${next}` } } });
    const $defs = Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => [`s${at}`, { not: { anyOf: [step(at + 1), step(at + 1)] } }]),
    );
    let value: unknown = 1;
    for (let level = 0; level < 30; level++) value = { p: value };
    expect(await problemOf({ $ref: "#/$defs/s0" }, value, { $defs: { ...$defs, s30: { type: "string" } } })).toBe(
      TOO_MUCH,
    );
  });

  test("a schema inside itself, without a value inside the value, ends", async () => {
    expect(await problemOf({ not: { allOf: [{ $ref: "#/properties/value/not" }] } }, 1)).toBe(TOO_MUCH);
  });

  test("a hundred thousand items are compared once each, and millions refused", async () => {
    const items = Array.from({ length: 100_000 }, (_, at) => at);
    expect(await problemOf({ type: "array", items: true, uniqueItems: true }, items)).toBe(undefined);
    expect(await problemOf({ type: "array", items: true, uniqueItems: true }, [...items, 7])).toBe(
      "value: has duplicates",
    );
    expect(await problemOf({ type: "array", items: { type: "integer" } }, [...items, ...items, ...items])).toBe(
      TOO_MUCH,
    );
  });

  test("values nest fifty levels, and thousands are refused", async () => {
    const schema = { type: "object", properties: { k: { $ref: "#/properties/value" } } };
    const nested = (levels: number): unknown => {
      let value: unknown = {};
      for (let level = 0; level < levels; level++) value = { k: value };
      return value;
    };
    expect(await problemOf(schema, nested(50))).toBe(undefined);
    expect(await problemOf(schema, nested(4_000))).toBe(TOO_MUCH);
  });
});

describe.each(faces)("in a run by %s", (name, read) => {
  const input = {
    type: "object",
    properties: { amount: { type: "number" } },
    required: ["amount"],
    additionalProperties: false,
  };
  const payments = (options: { readonly validate?: boolean } = {}) => {
    const paid: unknown[] = [];
    const pay = defineTool({
      name: "pay",
      description: "Pays.",
      input,
      ...options,
      needsApproval: (given) => Number((given as JsonObject)["amount"]) > 100,
      run: (given) => paid.push(given),
    });
    return { pay, paid };
  };

  test("arguments that are no amount pass neither the tool nor its approval rule", async () => {
    const { pay, paid } = payments();
    const model = new ScriptedModel(call("pay", { amount: { x: 5000 } }), call("pay", { amount: 5000 }));
    const result = await read(new Agent({ model, tools: [pay] }), "Pay.");
    expect([result.stopReason, paid]).toEqual(["needs-approval", []]);
    expect(model.requests[1]?.contents.at(-1)?.parts?.[0]?.functionResponse?.response).toEqual({
      error: "invalid arguments: amount: must be number",
    });
  });

  test("arguments that an approval changes have to fit", async () => {
    const { pay, paid } = payments();
    const model = new ScriptedModel(call("pay", { amount: 5000 }));
    const approve = (): Approval => ({ args: { amount: "all" } });
    await expect(read(new Agent({ model, tools: [pay], approve }), "Pay.")).rejects.toMatchObject({
      name: "InvalidApprovalError",
      message: expect.stringContaining("amount: must be number"),
    });
    expect(paid).toEqual([]);
  });

  test("validate: false lets a server decide", async () => {
    const { pay, paid } = payments({ validate: false });
    const model = new ScriptedModel(call("pay", { amount: "7", note: "x" }), say("Paid."));
    await read(new Agent({ model, tools: [pay] }), "Pay.");
    expect(paid).toEqual([{ amount: "7", note: "x" }]);
  });

  test("an answer that does not match is asked for again", async () => {
    const model = new ScriptedModel(say('{"amount":"7"}'), say('{"amount":7}'));
    const result = await typed(name, new Agent({ model }), "How much?", { output: input });
    expect(finished(result).output).toEqual({ amount: 7 });
    expect(model.requests[1]?.contents.at(-1)?.parts?.[0]?.text).toContain("amount: must be number");
  });
});

test("validate: false is refused where the schema is not plain JSON Schema", () => {
  const spec = { name: "look", description: "Looks.", validate: false };
  expect(() => defineTool({ ...spec, input: z.object({ a: z.string() }) })).toThrow(
    'tool "look": validate: false is for an input that is a plain JSON Schema',
  );
});
