/* oxlint-disable unicorn/no-thenable, typescript/unbound-method -- a keyword of JSON Schema; a function that needs no this */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import * as zm from "zod/mini";
import { z as z3 } from "zod/v3";
import { ToolDefinitionError } from "../../../src/errors/run-errors.ts";
import { declareParameters, declareSchema, ownedByTool } from "../../../src/tool/schema/declare.ts";
import { zod3 } from "../../../src/tool/schema/zod3.ts";
import type { JsonSchema } from "../../../src/wire/types/declaration.ts";

const OWNER = ownedByTool("t");

/** The declared form of one property. */
function property(schema: z.ZodType): unknown {
  const declared = declareParameters(z.object({ p: schema }), "t").schema;
  return (declared["properties"] as Record<string, unknown>)["p"];
}

function raw(schema: Record<string, unknown>): unknown {
  return declareSchema(schema, OWNER).schema;
}

function errorOf(work: () => unknown): ToolDefinitionError {
  try {
    work();
  } catch (error) {
    if (error instanceof ToolDefinitionError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("zod 4 types become the service's subset", () => {
  const table: [string, z.ZodType, unknown][] = [
    ["string", z.string(), { type: "string" }],
    ["described", z.string().describe("City"), { type: "string", description: "City" }],
    [
      "length",
      z.string().min(1).max(20),
      { type: "string", description: "At least 1 character. At most 20 characters." },
    ],
    [
      "length after a description",
      z.string().max(20).describe("City"),
      { type: "string", description: "City. At most 20 characters." },
    ],
    ["pattern", z.string().regex(/^a+$/), { type: "string", description: "Matches /^a+$/." }],
    ["two patterns", z.string().regex(/a/).regex(/b/), { type: "string", description: "Matches /a/. Matches /b/." }],
    ["email", z.email(), { type: "string", description: "Format: email." }],
    ["iso date-time", z.iso.datetime(), { type: "string", format: "date-time" }],
    ["iso date", z.iso.date(), { type: "string", description: "Format: date." }],
    ["coerced date", z.coerce.date(), { type: "string", format: "date-time" }],
    [
      "coerced, wrapped date",
      z.coerce.date().optional().describe("When"),
      { type: "string", description: "When", format: "date-time" },
    ],
    ["coerced bigint", z.coerce.bigint(), { type: "string", description: "An integer in decimal digits." }],
    ["int", z.int(), { type: "integer" }],
    ["positive int", z.int().positive(), { type: "integer", minimum: 1 }],
    ["int below", z.int().lt(10), { type: "integer", maximum: 9 }],
    ["int between", z.int().min(2).max(9), { type: "integer", minimum: 2, maximum: 9 }],
    ["positive number", z.number().positive(), { type: "number", description: "Greater than 0." }],
    ["number below", z.number().lt(1.5), { type: "number", description: "Less than 1.5." }],
    ["number between", z.number().min(0).max(1), { type: "number", minimum: 0, maximum: 1 }],
    ["multiple", z.number().multipleOf(5), { type: "number", description: "A multiple of 5." }],
    ["boolean", z.boolean(), { type: "boolean" }],
    ["nullable", z.string().nullable(), { type: ["string", "null"] }],
    ["null", z.null(), { type: "null" }],
    ["any", z.any(), {}],
    ["default", z.string().default("x"), { type: "string", description: 'Default: "x".' }],
    ["enum", z.enum(["a", "b"]), { type: "string", enum: ["a", "b"] }],
    ["enum with an empty word", z.enum(["", "b"]), { type: "string", description: 'One of "", "b".' }],
    ["literal", z.literal("a"), { type: "string", enum: ["a"] }],
    ["number literal", z.literal(3), { type: "number", enum: [3] }],
    ["true", z.literal(true), { type: "boolean", description: "Always true." }],
    [
      "mixed literals",
      z.literal(["a", 1, null]),
      { anyOf: [{ type: ["string", "integer"], enum: ["a", 1] }, { type: "null" }] },
    ],
    [
      "array",
      z.array(z.string()).min(1).max(3),
      { type: "array", items: { type: "string" }, minItems: 1, maxItems: 3 },
    ],
    [
      "tuple",
      z.tuple([z.string(), z.number()]),
      { type: "array", prefixItems: [{ type: "string" }, { type: "number" }], minItems: 2, maxItems: 2 },
    ],
    ["record", z.record(z.string(), z.number()), { type: "object", additionalProperties: { type: "number" } }],
    [
      "record of known keys",
      z.record(z.enum(["a", "b"]), z.number()),
      {
        type: "object",
        properties: { a: { type: "number" }, b: { type: "number" } },
        required: ["a", "b"],
        additionalProperties: false,
      },
    ],
    [
      "strict object",
      z.strictObject({ a: z.string() }),
      { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false },
    ],
    [
      "loose object",
      z.looseObject({ a: z.string() }),
      { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: true },
    ],
    [
      "optional property",
      z.object({ a: z.string().optional() }),
      { type: "object", properties: { a: { type: "string" } } },
    ],
    [
      "property that is never there",
      z.object({ a: z.never().optional(), b: z.string() }),
      { type: "object", properties: { b: { type: "string" } }, required: ["b"] },
    ],
    [
      "union of objects",
      z.union([z.object({ a: z.string() }), z.null()]),
      { anyOf: [{ type: "object", properties: { a: { type: "string" } }, required: ["a"] }, { type: "null" }] },
    ],
    [
      "discriminated union",
      z.discriminatedUnion("k", [z.object({ k: z.literal("a") }), z.object({ k: z.literal("b") })]),
      {
        anyOf: [
          { type: "object", properties: { k: { type: "string", enum: ["a"] } }, required: ["k"] },
          { type: "object", properties: { k: { type: "string", enum: ["b"] } }, required: ["k"] },
        ],
      },
    ],
    [
      "intersection",
      z.intersection(z.object({ a: z.string() }), z.object({ b: z.number() })),
      { type: "object", properties: { a: { type: "string" }, b: { type: "number" } }, required: ["a", "b"] },
    ],
    ["transform", z.string().transform((text) => text.length), { type: "string" }],
    ["preprocess", z.preprocess((value) => value, z.number()), { type: "number" }],
    ["pipe", z.string().pipe(z.coerce.number()), { type: "string" }],
    ["refined", z.string().refine((text) => text !== "x"), { type: "string" }],
  ];
  test.each(table)("%s", (_name, schema, expected) => {
    expect(property(schema)).toEqual(expected);
  });

  test("a zod/mini schema goes the same way", () => {
    expect(declareParameters(zm.object({ a: zm.optional(zm.string()), b: zm.number() }), "t").schema).toEqual({
      type: "object",
      properties: { a: { type: "string" }, b: { type: "number" } },
      required: ["b"],
    });
  });

  test("a key named __proto__ stays a key", () => {
    const { schema } = declareParameters(z.object({ ["__proto__"]: z.string(), a: z.string() }), "t");
    expect(JSON.stringify(schema)).toContain('"a":{"type":"string"}');
    expect(
      JSON.stringify(
        raw(
          JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string","minLength":1}}}') as Record<
            string,
            unknown
          >,
        ),
      ),
    ).toBe('{"type":"object","properties":{"__proto__":{"type":"string","description":"At least 1 character."}}}');
  });

  test("an object without properties takes the form that every endpoint takes", () => {
    expect(declareParameters(z.object({}), "t").schema).toEqual({
      type: "object",
      properties: {},
      additionalProperties: false,
    });
    expect(declareParameters({ type: "object" }, "t").schema).toEqual({
      type: "object",
      properties: {},
      additionalProperties: false,
    });
    expect(declareParameters(z.looseObject({}), "t").schema).toEqual({
      type: "object",
      properties: {},
      additionalProperties: true,
    });
  });
});

describe("recursion", () => {
  test("through an optional property is kept as a reference", () => {
    const Node = z.object({
      v: z.string(),
      get kids() {
        return z.array(Node).optional();
      },
    });
    expect(declareParameters(Node, "t").schema).toEqual({
      type: "object",
      properties: { v: { type: "string" }, kids: { type: "array", items: { $ref: "#" } } },
      required: ["v"],
    });
    expect(declareParameters(z.object({ tree: Node }), "t").schema).toMatchObject({
      properties: { tree: { $ref: "#/$defs/__schema0" } },
      $defs: { __schema0: { type: "object" } },
    });
  });

  test("through required properties only is refused with the path and the fix", () => {
    const Node = z.object({
      get kids() {
        return z.array(Node);
      },
    });
    const error = errorOf(() => declareParameters(Node, "t"));
    expect(error.path).toBe("properties.kids.items");
    expect(error.message).toContain(".optional()");
  });

  test("zod 3 recursion is kept too", () => {
    interface Tree {
      v: string;
      kids?: Tree[] | undefined;
    }
    const Node: z3.ZodType<Tree> = z3.object({ v: z3.string(), kids: z3.array(z3.lazy(() => Node)).optional() });
    expect(declareParameters(Node, "t").schema).toMatchObject({ properties: { kids: { items: { $ref: "#" } } } });
    expect(declareParameters(z3.object({ tree: Node }), "t").schema).toMatchObject({
      properties: { tree: { properties: { kids: { items: { $ref: "#/$defs/ref_1" } } } } },
      $defs: { ref_1: { type: "object", properties: { kids: { items: { $ref: "#/$defs/ref_1" } } } } },
    });
  });
});

describe("zod 3", () => {
  const schema = z3.object({
    city: z3.string().min(1).describe("City"),
    unit: z3.enum(["c", "f"]).default("c"),
    at: z3.coerce.date().optional(),
    pair: z3.tuple([z3.string(), z3.number()]),
    days: z3.number().int().positive(),
  });
  const expected = {
    type: "object",
    properties: {
      city: { type: "string", description: "City. At least 1 character." },
      unit: { type: "string", enum: ["c", "f"], description: 'Default: "c".' },
      at: { type: "string", format: "date-time" },
      pair: { type: "array", prefixItems: [{ type: "string" }, { type: "number" }], minItems: 2, maxItems: 2 },
      days: { type: "integer", minimum: 1 },
    },
    required: ["city", "pair", "days"],
    additionalProperties: false,
  };
  test("a bare schema is converted on Node", () => {
    expect(declareParameters(schema, "t").schema).toEqual(expected);
  });
  test("zod3() gives the same", () => {
    expect(declareParameters(zod3(schema), "t").schema).toEqual(expected);
  });
  test("where modules cannot be loaded, the error names the way out", () => {
    const { getBuiltinModule } = process;
    Object.assign(process, { getBuiltinModule: undefined });
    try {
      expect(errorOf(() => declareParameters(schema, "t")).message).toContain(
        'import { zod3 } from "@pollux/core/zod3"',
      );
      expect(declareParameters(zod3(schema), "t").schema).toEqual(expected);
    } finally {
      Object.assign(process, { getBuiltinModule });
    }
  });
  test("zod3() refuses a zod 4 schema", () => {
    expect(() => zod3(z.object({}) as never)).toThrow(TypeError);
  });
  test.each([
    ["date", z3.date(), "z.coerce.date()"],
    ["bigint", z3.bigint(), "z.coerce.bigint()"],
    ["map", z3.map(z3.string(), z3.string()), "z.record()"],
    ["set", z3.set(z3.string()), "z.array()"],
    ["symbol", z3.symbol(), "z.string()"],
  ])("%s is an error with the path and the fix", (_name, bad, fix) => {
    const error = errorOf(() => declareParameters(z3.object({ a: z3.object({ b: bad.optional() }) }), "t"));
    expect(error).toMatchObject({ path: "properties.a.properties.b", tool: "t" });
    expect(error.message).toContain(fix);
  });
});

describe("types that JSON has not are errors with the path and the fix", () => {
  test.each<[string, z.ZodType, string]>([
    ["date", z.date(), "z.coerce.date()"],
    ["bigint", z.bigint(), "z.coerce.bigint()"],
    ["bigint literal", z.literal(3n), "z.coerce.bigint()"],
    ["map", z.map(z.string(), z.string()), "z.record()"],
    ["set", z.set(z.string()), "z.array()"],
    ["symbol", z.symbol(), "z.string()"],
    ["nan", z.nan(), "z.number()"],
    ["custom", z.custom(() => true), ".refine()"],
    ["instanceof", z.instanceof(URL), ".refine()"],
    ["file", z.file(), "path"],
  ])("%s", (_name, bad, fix) => {
    const error = errorOf(() => declareParameters(z.object({ a: z.array(z.object({ b: bad.optional() })) }), "t"));
    expect(error).toMatchObject({ path: "properties.a.items.properties.b", tool: "t", code: "tool_definition" });
    expect(error.message).toContain(fix);
  });
});

describe("the root of parameters must be an object", () => {
  test.each<[string, unknown]>([
    ["string", z.string()],
    ["array", z.array(z.string())],
    ["union", z.union([z.object({ a: z.string() }), z.object({ b: z.string() })])],
    ["nullable", z.object({ a: z.string() }).nullable()],
    ["any", z.any()],
    ["raw union", { anyOf: [{ type: "object" }, { type: "null" }] }],
  ])("%s", (_name, schema) => {
    const error = errorOf(() => declareParameters(schema, "t"));
    expect(error.message).toContain(": wrap it");
  });
  test("an answer may have any root", () => {
    expect(declareSchema(z.array(z.string())).schema).toEqual({
      type: "array",
      items: { type: "string" },
    });
    expect(declareSchema("json").schema).toEqual({});
  });
  test("a value that is not a schema is an error", () => {
    for (const input of [null, 5, "x", () => 1, []])
      expect(errorOf(() => declareSchema(input, OWNER)).message).toBe(
        'tool "t": the schema must be a zod, Valibot or ArkType schema, or a JSON Schema object',
      );
  });
});

describe("raw JSON Schema is cleaned by allowlist", () => {
  test.each<[string, Record<string, unknown>, unknown]>([
    [
      "$schema and unknown words",
      { $schema: "x", $comment: "c", type: "string", "x-a": 1, deprecated: true },
      { type: "string" },
    ],
    ["title stays", { type: "string", title: "T" }, { type: "string", title: "T" }],
    ["upper-case types", { type: "STRING" }, { type: "string" }],
    ["types by protobuf's numbers", { type: 5, items: { type: 3 } }, { type: "array", items: { type: "integer" } }],
    ["nullable", { type: "string", nullable: true }, { type: ["string", "null"] }],
    ["type implied by properties", { properties: { a: {} } }, { type: "object", properties: { a: {} } }],
    ["array without items", { type: "array" }, { type: "array", items: {} }],
    [
      "older tuples",
      { type: "array", items: [{ type: "string" }], additionalItems: false },
      { type: "array", prefixItems: [{ type: "string" }], maxItems: 1 },
    ],
    ["properties on a string", { type: "string", properties: { a: {} }, required: ["a"] }, { type: "string" }],
    ["items on an object", { type: "object", properties: {}, items: {} }, { type: "object", properties: {} }],
    ["oneOf", { oneOf: [{ type: "string" }, { type: "number" }] }, { anyOf: [{ type: "string" }, { type: "number" }] }],
    ["one alternative", { description: "d", anyOf: [{ type: "string" }, false] }, { description: "d", type: "string" }],
    [
      "alternatives that only require",
      { type: "object", properties: { a: {}, b: {}, c: {} }, anyOf: [{ required: ["a", "b"] }, { required: ["c"] }] },
      { type: "object", properties: { a: {}, b: {}, c: {} }, description: "Requires a and b, or c." },
    ],
    ["const null", { const: null }, { type: "null" }],
    ["enum of numbers", { enum: [1, 2.5] }, { type: "number", enum: [1, 2.5] }],
    ["enum of objects", { enum: [{ a: 1 }] }, { description: 'One of {"a":1}.' }],
    ["booleans", { enum: [true, false] }, { type: "boolean" }],
    [
      "older exclusive bounds",
      { type: "integer", minimum: 0, exclusiveMinimum: true },
      { type: "integer", minimum: 1 },
    ],
    [
      "fractional exclusive bounds",
      { type: "integer", exclusiveMinimum: 0.5, exclusiveMaximum: 3.5 },
      { type: "integer", minimum: 1, maximum: 3 },
    ],
    ["formats by type", { type: "integer", format: "int32" }, { type: "integer", format: "int32" }],
    [
      "unique items",
      { type: "array", items: {}, uniqueItems: true },
      { type: "array", items: {}, description: "No duplicates." },
    ],
    [
      "examples",
      { type: "string", examples: ["a"], description: "D!" },
      { type: "string", description: 'D! Examples: "a".' },
    ],
    [
      "patternProperties",
      { type: "object", properties: { a: {} }, patternProperties: { x: {} }, additionalProperties: false },
      { type: "object", properties: { a: {} } },
    ],
    [
      "conditions",
      { type: "object", properties: { a: {} }, if: {}, then: {}, not: { required: ["b"] } },
      { type: "object", properties: { a: {} } },
    ],
    [
      "false property",
      { type: "object", properties: { a: false, b: true } },
      { type: "object", properties: { b: {} } },
    ],
    [
      "propertyOrdering",
      { type: "object", properties: { a: {} }, propertyOrdering: ["a", "z"] },
      { type: "object", properties: { a: {} }, propertyOrdering: ["a"] },
    ],
    [
      "siblings of a reference",
      { type: "object", properties: { a: { $ref: "#/$defs/A", description: "d" } }, $defs: { A: { type: "string" } } },
      {
        type: "object",
        properties: { a: { description: "d", anyOf: [{ $ref: "#/$defs/A" }] } },
        $defs: { A: { type: "string" } },
      },
    ],
    [
      "constraints beside a reference",
      {
        type: "object",
        properties: { a: { $ref: "#/$defs/A", maximum: 5 } },
        $defs: { A: { type: "integer", minimum: 1 } },
      },
      {
        type: "object",
        properties: { a: { maximum: 5, type: "integer", minimum: 1 } },
      },
    ],
    [
      "definitions",
      {
        type: "object",
        properties: { a: { $ref: "#/definitions/A" } },
        definitions: { A: { type: "string" }, Unused: {} },
      },
      {
        type: "object",
        properties: { a: { $ref: "#/$defs/A" } },
        $defs: { A: { type: "string" } },
      },
    ],
    [
      "references by path",
      { type: "object", properties: { a: { type: "string" }, b: { $ref: "#/properties/a" } } },
      {
        type: "object",
        properties: { a: { type: "string" }, b: { $ref: "#/$defs/ref_1" } },
        $defs: { ref_1: { type: "string" } },
      },
    ],
    [
      "a reference as root",
      { $ref: "#/$defs/A", $defs: { A: { type: "object", properties: { a: {} } } } },
      { type: "object", properties: { a: {} } },
    ],
    [
      "allOf",
      {
        allOf: [{ type: "object", properties: { a: {} }, required: ["a"] }, { $ref: "#/$defs/B" }],
        $defs: { B: { type: "object", properties: { b: {} }, required: ["b"] } },
      },
      {
        type: "object",
        properties: { a: {}, b: {} },
        required: ["a", "b"],
      },
    ],
    [
      "allOf with bounds",
      { type: "integer", allOf: [{ minimum: 1 }, { minimum: 3, maximum: 9 }, { maximum: 5 }] },
      { type: "integer", minimum: 3, maximum: 5 },
    ],
  ])("%s", (_name, schema, expected) => {
    expect(raw(schema)).toEqual(expected);
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    ["unknown type", { properties: { a: { type: "date" } } }, "properties.a", "use one of"],
    ["empty type list", { properties: { a: { type: [] } } }, "properties.a", "name one of"],
    ["empty enum", { properties: { a: { enum: [] } } }, "properties.a.enum", "at least one"],
    ["required without property", { type: "object", properties: { a: {} }, required: ["b"] }, "required", "remove it"],
    [
      "required that fits nothing",
      { type: "object", properties: { a: false }, required: ["a"] },
      "properties.a",
      "optional",
    ],
    ["missing definition", { properties: { a: { $ref: "#/$defs/A" } } }, "properties.a", "does not exist"],
    ["outside reference", { properties: { a: { $ref: "https://x/y" } } }, "properties.a", "$defs"],
    [
      "allOf that contradicts itself",
      { properties: { a: { allOf: [{ type: "string" }, { type: "number" }] } } },
      "properties.a.allOf",
      "write one schema",
    ],
    [
      "two choices at once",
      {
        properties: {
          a: { anyOf: [{ type: "string" }, { type: "null" }], oneOf: [{ type: "number" }, { type: "null" }] },
        },
      },
      "properties.a.oneOf",
      "spell out the combinations",
    ],
    ["empty anyOf", { properties: { a: { anyOf: [] } } }, "properties.a.anyOf", "at least one"],
    [
      "circle of definitions",
      { properties: { a: { $ref: "#/$defs/A" } }, $defs: { A: { $ref: "#/$defs/B" }, B: { $ref: "#/$defs/A" } } },
      "$defs.B",
      "optional",
    ],
    [
      "allOf inside itself",
      { properties: { a: { $ref: "#/$defs/A" } }, $defs: { A: { allOf: [{ $ref: "#/$defs/A" }] } } },
      "$defs.A.allOf.0.allOf.0",
      "cycle",
    ],
    ["not a schema", { properties: { a: 5 } }, "properties.a", "use an object"],
    ["a schema for nothing", { not: {} }, "", "matches no value"],
  ])("%s is an error with the path and the fix", (_name, schema, path, fix) => {
    const error = errorOf(() => raw(schema));
    expect(error.path).toBe(path);
    expect(error.message).toContain(fix);
  });

  test("endless nesting is an error, also when the object contains itself", () => {
    const loop: Record<string, unknown> = { type: "array" };
    loop["items"] = loop;
    expect(errorOf(() => raw(loop)).message).toContain("32 levels");
    let deep: Record<string, unknown> = { type: "string" };
    for (let level = 0; level < 30; level++) deep = { type: "array", items: deep };
    expect(() => raw(deep)).not.toThrow();
  });

  const row = (length: number, schema: (ref: object) => object): JsonSchema => ({
    type: "object",
    properties: { a: { $ref: "#/$defs/S0" } },
    $defs: Object.fromEntries(
      Array.from({ length }, (_, at) => [
        `S${at}`,
        at < length - 1 ? schema({ $ref: `#/$defs/S${at + 1}` }) : { type: "string" },
      ]),
    ),
  });

  test.each([
    [
      "3,000 definitions in a row",
      row(3_000, (ref) => ({ type: "object", properties: { a: ref } })),
      /is inside 400 others/,
    ],
    ["3,000 references in a row", row(3_000, (ref) => ({ ...ref, minimum: 1 })), /is inside 400 others/],
    ["2^30 schemas", row(30, (ref) => ({ allOf: [ref, ref] })), /stands for more than 40000 schemas/],
  ])("%s are an error", (_what, schema, problem) => {
    expect(() => declareParameters(schema, "f")).toThrow(ToolDefinitionError);
    expect(() => declareParameters(schema, "f")).toThrow(problem);
  });

  test("a hundred definitions in a row are sent, and a long row that is named from its end", () => {
    const { schema } = declareParameters(
      row(100, (ref) => ({ type: "object", properties: { a: ref } })),
      "f",
    );
    expect(Object.keys(schema["$defs"] as object)).toHaveLength(100);
    const long = row(3_000, (ref) => ({ type: "object", properties: { a: ref }, required: ["a"] }));
    const names = Object.keys(long["$defs"] as object).toReversed();
    const properties = Object.fromEntries(names.map((name) => [name, { $ref: `#/$defs/${name}` }]));
    const declared = declareParameters({ ...long, properties, required: ["S0"] }, "f").schema;
    expect(Object.keys(declared["$defs"] as object)).toHaveLength(3_000);
  });

  test("every change is recorded with its place", () => {
    const { changes } = declareSchema(
      { $schema: "s", type: "object", properties: { a: { type: "string", format: "email", minLength: 2 } } },
      OWNER,
    );
    expect(changes).toEqual([
      { path: "$schema", change: "dropped: the service does not support it" },
      { path: "properties.a.minLength", change: "moved into the description: the service does not support it" },
      {
        path: "properties.a.format",
        change:
          '"email" moved into the description: the service only supports date-time, enum, float, double, int32, int64',
      },
    ]);
  });

  test("the author's schema is not touched", () => {
    const schema = Object.freeze({
      type: "object",
      properties: Object.freeze({ a: Object.freeze({ type: "string", minLength: 1 }) }),
    });
    const before = JSON.stringify(schema);
    declareSchema(schema, OWNER);
    expect(JSON.stringify(schema)).toBe(before);
  });
});
