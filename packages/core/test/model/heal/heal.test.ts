import * as fc from "fast-check";
import { expect, test } from "vitest";
import { HEALS } from "../../../src/model/heal/heal.ts";
import { simplifySchema } from "../../../src/model/heal/schema-subset.ts";
import type { JsonSchema } from "../../../src/wire/types/declaration.ts";

const nested = (levels: number): JsonSchema =>
  levels === 0
    ? { type: "object", description: "the end", properties: { x: { type: "string" } } }
    : { type: "object", properties: { a: nested(levels - 1) }, required: ["a"] };

test.each<[string, JsonSchema, JsonSchema]>([
  [
    "bounds, patterns and formats go",
    {
      type: "object",
      properties: {
        when: { type: "string", format: "date-time", description: "when" },
        tags: { type: "array", items: { type: "string", minLength: 2, pattern: "^a" }, minItems: 1, maxItems: 900 },
        n: { type: ["integer", "null"], minimum: 0, exclusiveMaximum: 10, default: 3 },
      },
      required: ["when"],
      additionalProperties: false,
    },
    {
      type: "object",
      properties: {
        when: { type: "string", description: "when" },
        tags: { type: "array", items: { type: "string" } },
        n: { type: ["integer", "null"] },
      },
      required: ["when"],
      additionalProperties: false,
    },
  ],
  [
    "an argument may be called like a keyword",
    { type: "object", properties: { format: { type: "string" }, maximum: { type: "number", maximum: 3 } } },
    { type: "object", properties: { format: { type: "string" }, maximum: { type: "number" } } },
  ],
  [
    "short enums stay, long ones go",
    { anyOf: [{ enum: ["a", "b"] }, { type: "string", enum: Array.from({ length: 51 }, (_, i) => `${i}`) }] },
    { anyOf: [{ enum: ["a", "b"] }, { type: "string" }] },
  ],
  ["six levels stay", nested(5), nested(5)],
  [
    "deeper ones only say what they are",
    { type: "array", items: nested(5) },
    {
      type: "array",
      items: JSON.parse(
        JSON.stringify(nested(5)).replace(
          '"description":"the end","properties":{"x":{"type":"string"}}',
          '"description":"the end"',
        ),
      ) as JsonSchema,
    },
  ],
  [
    "references are written out",
    {
      type: "object",
      properties: { city: { $ref: "#/$defs/a~1b", description: "where" }, gone: { $ref: "#/$defs/nothing" } },
      $defs: { "a/b": { type: "string", minLength: 1, description: "a city" } },
    },
    { type: "object", properties: { city: { type: "string", description: "where" }, gone: {} } },
  ],
])("%s", (_what, schema, simple) => {
  expect(simplifySchema(schema)).toEqual(simple);
});

test("a schema that contains itself is simplified without a loop", () => {
  const schema: JsonSchema = {
    $ref: "#/$defs/node",
    $defs: { node: { type: "object", properties: { next: { $ref: "#/$defs/node" } }, required: ["next"] } },
  };
  expect(JSON.stringify(simplifySchema(schema)).match(/"next":/g)?.length).toBeLessThan(6);
  expect(JSON.stringify(simplifySchema(schema))).not.toContain("$ref");
});

test("simplifying twice changes nothing more", () => {
  const leaf = fc.constantFrom({ type: "string", maxLength: 3 }, { type: "integer", minimum: 0 }, { enum: [1, 2] });
  const { schema } = fc.letrec<{ schema: object }>((tie) => ({
    schema: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaf,
      fc.record({ type: fc.constant("array"), items: tie("schema"), maxItems: fc.nat() }),
      fc.record({
        type: fc.constant("object"),
        properties: fc.dictionary(fc.constantFrom("a", "format"), tie("schema")),
      }),
      fc.record({ anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }) }),
    ),
  }));
  fc.assert(
    fc.property(schema, (given) => {
      const once = simplifySchema(given as JsonSchema);
      expect(simplifySchema(once)).toEqual(once);
      expect(JSON.stringify(once)).not.toMatch(/"(?:maxLength|minimum|maxItems)"/);
    }),
  );
});

test("a function that declares its parameters in the older form keeps them", () => {
  const older = {
    name: "older",
    description: "",
    parameters: { type: "OBJECT", properties: { a: { type: "STRING" } } },
  };
  const newer = {
    name: "newer",
    description: "",
    parametersJsonSchema: { type: "object", properties: { a: { minLength: 2 } } },
  };
  const request = { contents: [], tools: [{ functionDeclarations: [older, newer] }] };
  for (const heal of HEALS.filter(({ name }) => name === "schema-subset" || name === "simplify-schema"))
    expect(heal.apply(request, new WeakMap()).tools?.[0]?.functionDeclarations?.[0]).toEqual(older);
});
