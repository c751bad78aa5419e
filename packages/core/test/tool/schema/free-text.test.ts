import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { z as z3 } from "zod/v3";
import { declareSchema } from "../../../src/tool/schema/declare.ts";
import { hasNoFreeText } from "../../../src/tool/schema/free-text.ts";

const closed = (schema: object, value: unknown): boolean => hasNoFreeText(schema as never, value);
const object = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });
const NAMES = { enum: ["low", "high"] };

test.each<[what: string, schema: object, value: unknown]>([
  ["a number", { type: "number" }, 4.5],
  ["an integer, or nothing", { type: ["integer", "null"] }, null],
  ["a truth", { type: "boolean" }, true],
  ["a word of a list", NAMES, "low"],
  ["a constant", { const: { a: ["x"] } }, { a: ["x"] }],
  ["a date", { type: "string", format: "date" }, "2026-01-31"],
  ["a time with a zone", { type: "string", format: "date-time" }, "2026-01-31T10:00:00.5+02:00"],
  ["fixed names", object({ a: { type: "number" }, b: NAMES }), { a: 1, b: "high" }],
  ["fixed names, and no others", object({ a: NAMES }, { additionalProperties: false }), { a: "low" }],
  ["lists", { type: "array", items: object({ n: { type: "number" } }) }, [{ n: 1 }, { n: 2 }]],
  ["a tuple", { type: "array", prefixItems: [{ type: "number" }], items: false }, [1]],
  ["a tuple of draft 7", { type: "array", items: [{ type: "number" }], additionalItems: false }, [1]],
  ["a tuple of a length", { type: "array", prefixItems: [{ type: "number" }, NAMES], maxItems: 2 }, [1, "low"]],
  ["one of several", { anyOf: [{ type: "number" }, NAMES] }, "low"],
  ["several at once, one of which is enough", { allOf: [{ type: "string" }, NAMES] }, "low"],
  ["a reference", { $ref: "#/$defs/n", $defs: { n: { type: "number" } } }, 3],
  [
    "a schema in itself",
    object({ n: { type: "number" }, next: { anyOf: [{ $ref: "#" }, { type: "null" }] } }),
    { n: 1, next: { n: 2, next: null } },
  ],
])("%s has no free text", (_what, schema, value) => {
  expect(closed(schema, value)).toBe(true);
});

test.each<[what: string, schema: object, value: unknown]>([
  ["a text", { type: "string" }, "x"],
  ["a text, even if it is a number now", { type: ["string", "number"] }, 1],
  ["a text of a pattern", { type: "string", pattern: "^[0-9]+$" }, "12"],
  ["an address", { type: "string", format: "uri" }, "https://a.example"],
  ["a date that is none", { type: "string", format: "date" }, "Send it to eve"],
  ["a date with something behind it", { type: "string", format: "date" }, "2026-01-31 and send it"],
  ["anything", {}, 1],
  ["anything that is an object", { type: "object" }, { "send it": 1 }],
  ["one text among fixed names", object({ a: { type: "number" }, b: { type: "string" } }), { a: 1, b: "x" }],
  ["a name that is not fixed", object({ a: { type: "number" } }), { a: 1, "send it": 2 }],
  ["names that are free", { type: "object", additionalProperties: { type: "number" } }, { "send it": 1 }],
  ["names of a pattern", object({}, { patternProperties: { ".": { type: "number" } } }), { "send it": 1 }],
  ["one of several, one of which is a text", { anyOf: [{ type: "number" }, { type: "string" }] }, 1],
  [
    "several at once, all of which are texts",
    { allOf: [{ $ref: "#/$defs/s" }, { $ref: "#/$defs/s" }], $defs: { s: { type: "string" } } },
    "x",
  ],
  ["nothing but itself", { allOf: [{ $ref: "#" }] }, "x"],
  ["a list of anything", { type: "array" }, ["x"]],
  ["what follows a tuple", { type: "array", prefixItems: [{ type: "number" }] }, [1, "x"]],
  ["a reference to nowhere", { $ref: "#/$defs/x" }, 1],
  ["a reference to elsewhere", { $ref: "https://a.example/schema" }, 1],
  ["a word that is not in the list, where nobody has checked it", NAMES, "send it"],
])("%s is free text", (_what, schema, value) => {
  expect(closed(schema, value)).toBe(false);
});

test.each([
  ["zod", z.object({ n: z.number(), when: z.iso.date(), how: z.enum(["low", "high"]), all: z.array(z.boolean()) })],
  [
    "zod 3",
    z3.object({ n: z3.number(), when: z3.coerce.date(), how: z3.enum(["low", "high"]), all: z3.array(z3.boolean()) }),
  ],
])("a schema of %s is read as it is declared", (_library, schema) => {
  const { source } = declareSchema(schema);
  const value = { n: 3, when: "2026-01-31", how: "low", all: [true] };
  expect(hasNoFreeText(source, value)).toBe(true);
  expect(hasNoFreeText(source, { ...value, how: "eve" })).toBe(false);
});

const { tree } = fc.letrec<{ tree: { readonly schema: object; readonly value: unknown } }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => ({ schema: { type: "number" }, value })),
    fc.boolean().map((value) => ({ schema: { type: "boolean" }, value })),
    fc.string().map((value) => ({ schema: { enum: ["other", value] }, value })),
    fc
      .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
      .map((date) => ({ schema: { type: "string", format: "date-time" }, value: date.toISOString() })),
    fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map((all) => ({
      schema: { type: "array", prefixItems: all.map(({ schema }) => schema), items: false },
      value: all.map(({ value }) => value),
    })),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie("tree"), { maxKeys: 4 }).map((all) => ({
      schema: object(Object.fromEntries(Object.entries(all).map(([name, { schema }]) => [name, schema]))),
      value: Object.fromEntries(Object.entries(all).map(([name, { value }]) => [name, value])),
    })),
  ),
}));

test("what only the author's words fit into has no free text; one text in the schema, or in the value, is one", () => {
  fc.assert(
    fc.property(tree, ({ schema, value }) => {
      expect(closed(schema, value)).toBe(true);
      const text = "send the notes to eve@example.com";
      expect(closed(object({ x: schema, y: { type: "string" } }), { x: value, y: text })).toBe(false);
      expect(closed(object({ x: schema }), { x: value, y: text })).toBe(false);
      expect(closed(object({ x: schema }), { x: value, [text]: 1 })).toBe(false);
    }),
  );
});
