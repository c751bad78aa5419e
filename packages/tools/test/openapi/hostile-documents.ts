import fc from "fast-check";

/** How many levels or parts a hostile document has. */
const SIZES = [1, 3, 30, 3_000] as const;

/** Schemas nested inside each other. */
function nested(levels: number, kind: "items" | "properties" | "allOf" | "anyOf" | "enum", leaf: unknown): unknown {
  let schema = leaf;
  for (let level = 0; level < levels; level++) {
    if (kind === "items") schema = { type: "array", items: schema };
    else if (kind === "properties") schema = { type: "object", properties: { a: schema, b: { type: "string" } } };
    else schema = { [kind]: [schema] };
  }
  return schema;
}

/** Components that each refer to the next ones, in a ring. */
function ring(size: number, width: number, kind: "properties" | "allOf" | "anyOf"): object {
  const refs = (at: number): object[] =>
    Array.from({ length: width }, (_, step) => ({ $ref: `#/components/schemas/S${(at + step + 1) % size}` }));
  const schema = (at: number): object =>
    kind === "properties"
      ? { type: "object", properties: Object.fromEntries(refs(at).map((ref, index) => [`p${index}`, ref])) }
      : { [kind]: refs(at) };
  return Object.fromEntries(Array.from({ length: size }, (_, at) => [`S${at}`, schema(at)]));
}

const size = fc.constantFrom(...SIZES);
const name = fc.oneof(
  fc.constantFrom(
    "a",
    "__proto__",
    "constructor",
    "toString",
    "$ref",
    "",
    " ",
    "é",
    "[".repeat(5_000),
    "<a".repeat(5_000),
  ),
  fc.string({ maxLength: 8 }),
);
const text = fc.oneof(name, fc.constantFrom("(".repeat(9_000), "![".repeat(9_000), " ".repeat(9_000)));
const REFS = [
  "#/components/schemas/S0",
  "#/components/schemas/none",
  "#",
  "#/",
  "#/paths",
  "else.json",
  "#/%",
  `#${"/a".repeat(9_000)}`,
];

const schema: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ $ref: fc.constantFrom(...REFS), description: text }, { requiredKeys: ["$ref"] }),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(size, fc.constantFrom("items", "properties", "allOf", "anyOf", "enum"), fc.jsonValue())
      .map(([levels, kind, leaf]) => nested(levels, kind, leaf)),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      {
        type: fc.oneof(fc.constantFrom("object", "array", "string", "file", "none"), fc.jsonValue()),
        properties: fc.oneof(fc.dictionary(name, fc.jsonValue({ maxDepth: 2 })), fc.jsonValue()),
        required: fc.oneof(fc.array(name), fc.jsonValue()),
        enum: fc.jsonValue(),
        allOf: fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 4 }),
        default: fc.jsonValue(),
        discriminator: fc.jsonValue(),
        description: text,
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue() },
);

const parameter = fc.oneof(
  fc.record(
    { in: fc.constantFrom("path", "query", "header", "cookie", "body", "formData", "x"), name, schema },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
);

const operation = fc.record(
  {
    operationId: fc.oneof(text, fc.jsonValue()),
    summary: text,
    description: fc.oneof(text, fc.jsonValue()),
    tags: fc.jsonValue(),
    parameters: fc.oneof(fc.array(parameter, { maxLength: 4 }), fc.jsonValue()),
    requestBody: fc.oneof(
      fc.record({
        content: fc.dictionary(fc.constantFrom("application/json", "a", "multipart/form-data"), fc.record({ schema })),
      }),
      fc.jsonValue(),
    ),
    responses: fc.oneof(
      fc.record({
        200: fc.record({
          description: text,
          content: fc.record({ "application/json": fc.record({ schema }) }),
          schema,
        }),
      }),
      fc.jsonValue(),
    ),
    servers: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

/** Documents that are malformed, endless or far too large in some places and valid in others, as objects or as JSON text. */
export const hostileDocument: fc.Arbitrary<object | string> = fc
  .record({
    version: fc.constantFrom({ openapi: "3.0.0" }, { openapi: "3.1.0" }, { swagger: "2.0" }, {}, { openapi: {} }),
    servers: fc.oneof(
      { weight: 4, arbitrary: fc.constant([{ url: "https://a.example" }]) },
      { weight: 1, arbitrary: fc.jsonValue() },
    ),
    path: fc.oneof(
      name.map((one) => `/${one}/{${one}}`),
      fc.constantFrom("/a", `/${"{a}".repeat(3_000)}`),
    ),
    operation: fc.oneof({ weight: 9, arbitrary: operation }, { weight: 1, arbitrary: fc.jsonValue() }),
    ring: fc.tuple(size, fc.integer({ min: 1, max: 12 }), fc.constantFrom("properties", "allOf", "anyOf")),
    asText: fc.boolean(),
  })
  .map(({ version, servers, path, operation: post, ring: [count, width, kind], asText }) => {
    const components = { schemas: ring(count, width, kind) };
    const document = { ...version, servers, host: "a.example", paths: { [path]: { post } }, components };
    return asText && count < 3_000 ? JSON.stringify(document, shallow(document)) : document;
  });

/** `JSON.stringify` fails on values that are nested too deeply. */
function shallow(document: object): undefined | ((key: string, value: unknown) => unknown) {
  try {
    JSON.stringify(document);
    return undefined;
  } catch {
    return (key, value) => (key === "post" ? {} : value);
  }
}
