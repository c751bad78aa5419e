import fc from "fast-check";
import type { JsonSchema } from "./json-schema.ts";

const NAMES = ["city", "when", "note", "count", "tags", "from", "id", "email", "kind", "item"] as const;
const PATTERNS = ["^[A-Z]{3}-\\d{4}$", "^(?:red|green)_\\w+$", "^\\d{1,3}(?:\\.\\d{2})?$", "^[a-f0-9]{8}$"] as const;
const FORMATS = ["date", "date-time", "time", "duration", "email", "uri", "uuid", "hostname", "ipv4", "ipv6"] as const;

const between = (min: number, max: number) =>
  fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

/** A subset of some bounds, so that each may be missing. */
const some = (bounds: JsonSchema): fc.Arbitrary<JsonSchema> =>
  fc.subarray(Object.keys(bounds)).map((keys) => Object.fromEntries(keys.map((key) => [key, bounds[key]])));

const text: fc.Arbitrary<JsonSchema> = fc.oneof(
  fc.constant({ type: "string" }),
  between(0, 40)
    .chain(([minLength, maxLength]) => some({ minLength, maxLength }))
    .map((bounds) => ({ type: "string", ...bounds })),
  fc.constantFrom(...PATTERNS).map((pattern) => ({ type: "string", pattern })),
  fc.uniqueArray(fc.constantFrom("red", "Oslo", "漢字", "a b", "x".repeat(70)), { minLength: 1 }).map((members) => ({
    type: "string",
    enum: members,
  })),
);

const whole: fc.Arbitrary<JsonSchema> = between(-1000, 1000)
  .chain(([minimum, maximum]) => some({ minimum, maximum }))
  .map((bounds) => ({ type: "integer", ...bounds }));

const decimal: fc.Arbitrary<JsonSchema> = fc
  .tuple(fc.double({ min: -1e4, max: 1e4, noNaN: true }), fc.double({ min: 0, max: 100, noNaN: true }))
  .chain(([minimum, width]) => some({ minimum, maximum: minimum + width }))
  .map((bounds) => ({ type: "number", ...bounds }));

const jsonOnly: fc.Arbitrary<JsonSchema> = fc.oneof(
  fc.constantFrom(...FORMATS).map((format) => ({ type: "string", format })),
  fc.constantFrom<unknown>("only", 4, true, null).map((only) => ({ const: only })),
  fc.constant({ type: ["string", "null"] }),
  fc.constantFrom(1, 2, 2.5, 5, 0.25).map((multipleOf) => ({ type: "number", multipleOf })),
  fc.integer({ min: 2, max: 12 }).chain((multipleOf) =>
    between(-50, 50).map(([low, high]) => ({
      type: "integer",
      multipleOf,
      minimum: low * multipleOf,
      maximum: high * multipleOf,
    })),
  ),
  fc
    .tuple(fc.double({ min: -100, max: 100, noNaN: true }), fc.double({ min: 0.01, max: 5, noNaN: true }))
    .chain(([low, width]) => some({ exclusiveMinimum: low, exclusiveMaximum: low + width }))
    .map((bounds) => ({ type: "number", ...bounds })),
  fc.constantFrom("#/$defs/leaf", "#/$defs/tree").map(($ref) => ({ $ref })),
  fc
    .array(fc.oneof(text, whole), { minLength: 1, maxLength: 3 })
    .map((prefixItems) => ({ type: "array", prefixItems })),
  between(0, 5).chain(([minItems, maxItems]) =>
    fc.constantFrom(...NAMES).map((name) => ({
      type: "array",
      items: { type: name === "count" ? "integer" : "string" },
      uniqueItems: true,
      minItems,
      maxItems,
    })),
  ),
  // Exactly one of them fits, as the specification requires.
  fc.tuple(text, whole).map((oneOf) => ({ oneOf })),
  whole.map((additionalProperties) => ({ type: "object", properties: {}, additionalProperties })),
);

const object = (property: fc.Arbitrary<JsonSchema>, closed: boolean): fc.Arbitrary<JsonSchema> =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...NAMES), property), {
      minLength: 1,
      maxLength: 4,
      selector: ([name]) => name,
    })
    .chain((properties) =>
      fc.subarray(properties.map(([name]) => name)).map((required) => ({
        type: "object",
        properties: Object.fromEntries(properties),
        required,
        ...(closed && { additionalProperties: false }),
      })),
    );

function nested(leaf: fc.Arbitrary<JsonSchema>, closed: boolean): fc.Arbitrary<JsonSchema> {
  const { schema } = fc.letrec<{ schema: JsonSchema; branch: JsonSchema }>((tie) => ({
    schema: fc.oneof({ maxDepth: 3, depthIdentifier: "schema" }, leaf, tie("branch")),
    branch: fc.oneof(
      object(tie("schema"), closed),
      fc
        .tuple(tie("schema"), between(0, 5))
        .chain(([items, [minItems, maxItems]]) =>
          some({ minItems, maxItems }).map((bounds) => ({ type: "array", items, ...bounds })),
        ),
      fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    ),
  }));
  return object(schema, closed);
}

const scalar = fc.oneof(text, whole, decimal, fc.constant<JsonSchema>({ type: "boolean" }));

/** JSON Schemas of the supported subset whose root is an object; references lead to `$defs`, one of them recursive. */
export const jsonSchemas: fc.Arbitrary<JsonSchema> = fc
  .tuple(nested(fc.oneof(scalar, jsonOnly), true), scalar)
  .map(([root, leaf]) => ({
    ...root,
    $defs: {
      leaf,
      tree: {
        type: "object",
        properties: {
          value: { $ref: "#/$defs/leaf" },
          children: { type: "array", items: { $ref: "#/$defs/tree" } },
        },
        required: ["value", "children"],
        additionalProperties: false,
      },
    },
  }));

/** Schemas of the older kind: types in upper case, `nullable`, no references. */
export const olderSchemas: fc.Arbitrary<JsonSchema> = nested(
  fc.tuple(scalar, fc.boolean()).map(([schema, nullable]) => (nullable ? { ...schema, nullable } : schema)),
  false,
).map((schema) => upperCase(schema) as JsonSchema);

function upperCase(node: unknown): unknown {
  if (Array.isArray(node)) return node.map((item) => upperCase(item));
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, child]) => [
      key,
      key === "type" && typeof child === "string" ? child.toUpperCase() : key === "enum" ? child : upperCase(child),
    ]),
  );
}
