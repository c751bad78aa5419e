import fc from "fast-check";
import type { JsonSchema } from "../../../src/wire/types/declaration.ts";

/** How many levels or parts a hostile schema has. */
const SIZES = [1, 3, 20, 60, 3_000] as const;

const name = fc.oneof(
  fc.constantFrom("a", "__proto__", "constructor", "toString", "$ref", "", " ", "é", "x".repeat(5_000)),
  fc.string({ maxLength: 8 }),
);

/** A schema inside a schema, again and again. */
function nested(levels: number, kind: string, leaf: unknown): unknown {
  let schema = leaf;
  for (let level = 0; level < levels; level++) {
    if (kind === "properties") schema = { type: "object", properties: { a: schema }, required: ["a"] };
    else if (kind === "items") schema = { type: "array", items: schema };
    else schema = { [kind]: [schema] };
  }
  return schema;
}

/** Definitions in which each refers to later ones, in a ring or to an end. */
function definitions(size: number, width: number, kind: string, isRing: boolean): object {
  const refs = (at: number): object[] =>
    Array.from({ length: width }, (_, step) => {
      const next = at + step + 1;
      return { $ref: `#/$defs/S${isRing ? next % size : Math.min(next, size - 1)}` };
    });
  const schema = (at: number): object => {
    if (!isRing && at === size - 1) return { type: "object", properties: { a: { type: "string", default: "x" } } };
    if (kind !== "properties") return { [kind]: refs(at) };
    return { type: "object", properties: Object.fromEntries(refs(at).map((ref, index) => [`p${index}`, ref])) };
  };
  return Object.fromEntries(Array.from({ length: size }, (_, at) => [`S${at}`, schema(at)]));
}

const size = fc.constantFrom(...SIZES);
const kind = fc.constantFrom("properties", "allOf", "anyOf", "oneOf");
const REFS = [
  "#/$defs/S0",
  "#/$defs/none",
  "#",
  "#/",
  "#/properties/a",
  "else.json",
  "#/%",
  `#${"/a".repeat(9_000)}`,
  "",
];
const types = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("object", "array", "string", "integer", ["string", "null"]) },
  { weight: 1, arbitrary: fc.constantFrom("null", "NEW", {}, null, []) },
);
const bound = fc.constantFrom(0, 1, -1, 1e9, 1e308, 0.5, "1", null);
const text = fc.constantFrom("(", "a{1000000}", "^(?:a+)+$", "\\", "x".repeat(20_000), "\0", "\ud800");

const members = fc.record(
  {
    type: types,
    description: fc.oneof(text, fc.jsonValue()),
    properties: fc.oneof(fc.dictionary(name, fc.jsonValue({ maxDepth: 2 })), fc.jsonValue()),
    required: fc.oneof(fc.array(name), fc.jsonValue()),
    items: fc.jsonValue({ maxDepth: 2 }),
    prefixItems: fc.jsonValue({ maxDepth: 2 }),
    enum: fc.oneof(fc.jsonValue(), fc.constant(Array.from({ length: 5_000 }, (_, at) => `v${at}`))),
    const: fc.jsonValue(),
    default: fc.jsonValue(),
    anyOf: fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 4 }),
    allOf: fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 4 }),
    not: fc.jsonValue({ maxDepth: 2 }),
    additionalProperties: fc.jsonValue({ maxDepth: 1 }),
    patternProperties: fc.dictionary(text, fc.jsonValue({ maxDepth: 1 })),
    propertyNames: fc.jsonValue({ maxDepth: 1 }),
    pattern: text,
    format: fc.oneof(text, fc.constantFrom("date", "uri")),
    minItems: bound,
    maxLength: bound,
    minimum: bound,
    multipleOf: bound,
    $defs: fc.jsonValue(),
    $ref: fc.constantFrom(...REFS),
    $anchor: name,
    new: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

const schema: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...REFS).map(($ref) => ({ $ref })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(size, fc.constantFrom("properties", "items", "allOf", "anyOf", "oneOf", "prefixItems"), members)
      .map(([levels, how, leaf]) => nested(levels, how, leaf)),
  },
  { weight: 4, arbitrary: members },
  {
    weight: 4,
    arbitrary: fc.record({ type: types, description: text, pattern: text, minItems: bound, new: fc.jsonValue() }),
  },
  { weight: 1, arbitrary: fc.jsonValue() },
);

/** Schemas that are malformed, endless, deep or far too large in some places and valid in others. */
export const hostileSchema: fc.Arbitrary<JsonSchema> = fc
  .record({
    member: schema,
    other: fc.constantFrom({ type: "string" }, { type: "integer", default: 1 }, {}, { $ref: "#/$defs/S0" }),
    root: fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: members }),
    ring: fc.tuple(size, fc.integer({ min: 1, max: 6 }), kind, fc.boolean()),
    allOf: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, fc.constantFrom("#", "#/$defs/S0", "#/allOf/0")),
  })
  .map(({ member, other, root, ring, allOf }) => ({
    type: "object",
    properties: { a: member, b: other },
    required: ["b"],
    $defs: definitions(...ring),
    ...(allOf !== undefined && { allOf: [{ $ref: allOf }, { $ref: allOf }] }),
    ...root,
  }));

/** Arguments as a model may write them for any of these schemas. */
export const hostileArguments: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc.dictionary(
  fc.constantFrom("a", "b", "p0", "p1", "__proto__"),
  fc.oneof(
    fc.jsonValue(),
    size.map((levels) => nested(Math.min(levels, 60), "properties", 1)),
  ),
);
