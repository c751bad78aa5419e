import { expect, test } from "vitest";
import { toSchemaSubset } from "../../../src/model/heal/schema-subset.ts";

const of = (property: object, rest: object = {}): unknown => {
  const schema = toSchemaSubset({ type: "object", properties: { p: property }, ...rest });
  return (schema?.["properties"] as { p: unknown } | undefined)?.p;
};

test.each<[string, object, object]>([
  [
    "types are written in upper case",
    { type: "integer", minimum: 1, description: "d" },
    { type: "INTEGER", minimum: 1, description: "d" },
  ],
  ["types by protobuf's numbers", { type: 5, items: { type: 4 } }, { type: "ARRAY", items: { type: "BOOLEAN" } }],
  ["null in a list of types", { type: ["string", "null"] }, { type: "STRING", nullable: true }],
  ["several types", { type: ["string", "number"] }, { anyOf: [{ type: "STRING" }, { type: "NUMBER" }] }],
  ["null as an option", { anyOf: [{ type: "string" }, { type: "null" }] }, { type: "STRING", nullable: true }],
  ["oneOf", { oneOf: [{ type: "string" }, { type: "boolean" }] }, { anyOf: [{ type: "STRING" }, { type: "BOOLEAN" }] }],
  ["const", { const: "a" }, { type: "STRING", enum: ["a"] }],
  ["numbers that are listed", { enum: [1, 2] }, { type: "NUMBER", description: "One of: 1, 2." }],
  ["formats", { type: "string", format: "email" }, { type: "STRING" }],
  ["known formats", { type: "string", format: "date-time" }, { type: "STRING", format: "date-time" }],
  [
    "lists without items",
    { type: "array" },
    { type: "ARRAY", items: { anyOf: [{ type: "STRING" }, { type: "NUMBER" }, { type: "BOOLEAN" }] } },
  ],
  [
    "tuples",
    { prefixItems: [{ type: "string" }, { type: "number" }] },
    { type: "ARRAY", items: { anyOf: [{ type: "STRING" }, { type: "NUMBER" }] } },
  ],
  [
    "allOf",
    {
      allOf: [
        { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
        { properties: { b: { type: "string" } } },
      ],
    },
    { type: "OBJECT", properties: { a: { type: "STRING" }, b: { type: "STRING" } }, required: ["a"] },
  ],
  [
    "names that are required but not there",
    { type: "object", properties: { a: { type: "string" } }, required: ["a", "b"] },
    { type: "OBJECT", properties: { a: { type: "STRING" } }, required: ["a"] },
  ],
])("%s", (_name, property, subset) => {
  const converted = of(property) as { properties?: object };
  expect(converted).toEqual(subset);
});

test("references are written out", () => {
  expect(
    of(
      { $ref: "#/$defs/Place", description: "where" },
      { $defs: { Place: { type: "string", description: "a place" } } },
    ),
  ).toEqual({ type: "STRING", description: "where" });
});

test("a schema that refers to itself is written out without a loop", () => {
  const schema = toSchemaSubset({
    $ref: "#/$defs/N",
    $defs: { N: { type: "object", properties: { next: { $ref: "#/$defs/N" } } } },
  });
  expect(schema?.["type"]).toBe("OBJECT");
});

test("an object without properties is given one inside, and left out at the root", () => {
  expect(of({ type: "object" })).toMatchObject({
    type: "OBJECT",
    properties: { _: { type: "STRING", nullable: true } },
  });
  expect(toSchemaSubset({ type: "object", properties: {}, additionalProperties: false })).toBeUndefined();
});
