import { asList, asObject, followPointer, isObject, present, schemaType } from "../../internal/json.ts";
import { wordsIn } from "../../internal/text.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";

/** Deepest nesting that is kept; this also ends recursive schemas. */
const MAX_DEPTH = 12;
const COPIED = wordsIn(
  "title description default minItems maxItems minProperties maxProperties minLength maxLength pattern minimum maximum",
);
const FORMATS: Readonly<Record<string, readonly string[]>> = {
  STRING: ["enum", "date-time"],
  NUMBER: ["float", "double"],
  INTEGER: ["int32", "int64"],
};
/** Converts JSON Schema to the older OpenAPI subset; `undefined` for an empty object. @see https://ai.google.dev/api/caching#Schema */
export function toSchemaSubset(schema: JsonSchema): JsonSchema | undefined {
  const root = convert(schema, schema, 0);
  const isNothing = root["type"] === "OBJECT" && root["properties"] === undefined && root["anyOf"] === undefined;
  return isNothing ? undefined : fill(root);
}

type Draft = Record<string, unknown>;

function convert(given: unknown, root: JsonSchema, depth: number): Draft {
  if (depth > MAX_DEPTH) return { type: "STRING" };
  const node = flatten(asObject(given), root);
  const inside = (inner: unknown): Draft => fill(convert(inner, root, depth + 1));
  const draft: Draft = {};
  const { types, nullable } = readTypes(node);
  if (nullable) draft["nullable"] = true;
  for (const key of COPIED) if (node[key] !== undefined) draft[key] = node[key];

  const options = node["anyOf"] ?? node["oneOf"];
  if (Array.isArray(options)) return { ...draft, ...convertOptions(options, inside) };
  if (types.length > 1)
    return { ...draft, anyOf: types.map((type) => inside({ ...node, type, description: undefined })) };
  const [type = "ANY"] = types;
  if (type === "ANY") return { ...draft, anyOf: [{ type: "STRING" }, { type: "NUMBER" }, { type: "BOOLEAN" }] };
  return { ...draft, type, ...convertValues(node, type), ...convertShape(node, type, inside) };
}

/** Inlines a reference and joins `allOf`; keywords next to them win. */
function flatten(node: Draft, root: JsonSchema): Draft {
  let flat = node;
  for (let hops = 0; typeof flat["$ref"] === "string" && hops < MAX_DEPTH; hops++) {
    const { $ref, ...beside } = flat;
    flat = { ...asObject(followPointer($ref, root)), ...beside };
  }
  const { $ref: _unresolved, allOf, ...rest } = flat;
  if (!Array.isArray(allOf)) return rest;
  let joined: Draft = rest;
  for (const member of allOf) joined = join(joined, flatten(asObject(member), root));
  return joined;
}

function join(first: Draft, other: Draft): Draft {
  const properties = { ...asObject(other["properties"]), ...asObject(first["properties"]) };
  const required = [...asList(other["required"]), ...asList(first["required"])];
  return {
    ...other,
    ...first,
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.length > 0 && { required: [...new Set(required)] }),
  };
}

function readTypes(node: Draft): { readonly types: readonly string[]; readonly nullable: boolean } {
  const declared = [node["type"]]
    .flat()
    .map(schemaType)
    .filter((type) => typeof type === "string");
  const upper = [...new Set(declared.map((type) => type.toUpperCase()))];
  const nullable = node["nullable"] === true || (upper.length > 1 && upper.includes("NULL"));
  const types = upper.length > 1 ? upper.filter((type) => type !== "NULL") : upper;
  return { types: types.length > 0 ? types : inferTypes(node), nullable };
}

function inferTypes(node: Draft): readonly string[] {
  if (node["properties"] !== undefined) return ["OBJECT"];
  if (node["items"] !== undefined || node["prefixItems"] !== undefined) return ["ARRAY"];
  return [...new Set(listValues(node).map((value) => (value === null ? "NULL" : (typeof value).toUpperCase())))];
}

function listValues({ const: only, enum: listed }: Draft): readonly unknown[] {
  return only === undefined ? asList(listed) : [only];
}

function convertOptions(options: readonly unknown[], inside: (inner: unknown) => Draft): Draft {
  const others = options.filter((option) => asObject(option)["type"] !== "null");
  const nullable = others.length < options.length ? { nullable: true } : {};
  if (others.length === 1) return { ...nullable, ...inside(others[0]) };
  return { ...nullable, anyOf: others.map(inside) };
}

function convertValues(node: Draft, type: string): Draft {
  const { format, description } = node;
  const values = listValues(node);
  const draft: Draft = typeof format === "string" && FORMATS[type]?.includes(format) === true ? { format } : {};
  if (values.length === 0) return draft;
  if (type === "STRING" && values.every((value) => typeof value === "string" && value !== ""))
    return { ...draft, enum: values };
  // An enum can list only non-empty strings.
  const prefix = typeof description === "string" ? `${description} ` : "";
  return { ...draft, description: `${prefix}One of: ${values.map((value) => JSON.stringify(value)).join(", ")}.` };
}

function convertShape(node: Draft, type: string, inside: (inner: unknown) => Draft): Draft {
  if (type === "ARRAY") {
    const tuple = asList(node["prefixItems"]);
    return { items: inside(node["items"] ?? (tuple.length > 0 ? { anyOf: tuple } : {})) };
  }
  const properties = type === "OBJECT" ? Object.entries(asObject(node["properties"])) : [];
  if (properties.length === 0) return {};
  const names = new Set(properties.map(([name]) => name));
  const required = asList(node["required"]).filter((name) => typeof name === "string" && names.has(name));
  const ordering = asList(node["propertyOrdering"]);
  return {
    properties: Object.fromEntries(properties.map(([name, value]) => [name, inside(value)])),
    ...(required.length > 0 && { required }),
    ...(ordering.length > 0 && { propertyOrdering: ordering }),
  };
}

/** Adds an optional property to an object without any, which the service rejects. */
function fill(draft: Draft): Draft {
  if (draft["type"] !== "OBJECT" || draft["properties"] !== undefined) return draft;
  return { ...draft, properties: { _: { type: "STRING", nullable: true, description: "Not used; leave it out." } } };
}

/** Deepest nesting that is kept; deeper values keep only their type and description. */
const MAX_SIMPLE_DEPTH = 6;
/** Longest enum that is kept, in members. */
const MAX_ENUM = 50;

/** Keywords that constrain a value without describing it. */
const NARROWING = wordsIn(
  "minItems maxItems uniqueItems minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf",
  "minProperties maxProperties propertyNames patternProperties default examples $defs definitions",
);

/** Makes a schema cheaper to enforce: fewer constraints, nothing nested deeper than six levels. It accepts every value that the full one does. */
export function simplifySchema(schema: JsonSchema): JsonSchema {
  return simplify(schema, schema, 0) as JsonSchema;
}

function simplify(node: unknown, root: JsonSchema, depth: number): unknown {
  if (Array.isArray(node)) return node.map((item: unknown) => simplify(item, root, depth));
  if (!isObject(node)) return node;
  const { $ref: reference, ...rest } = node;
  if (typeof reference === "string") {
    const target = followPointer(reference, root);
    if (depth >= MAX_SIMPLE_DEPTH || !isObject(target)) return outline(target, node);
    return simplify({ ...target, ...rest }, root, depth + 1);
  }
  if (depth >= MAX_SIMPLE_DEPTH) return outline(node, node);
  const simple: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(rest)) {
    if (NARROWING.has(key) || (key === "enum" && Array.isArray(value) && value.length > MAX_ENUM)) continue;
    if (key === "properties" && isObject(value))
      simple[key] = Object.fromEntries(
        Object.entries(value).map(([name, child]) => [name, simplify(child, root, depth + 1)]),
      );
    else if (key === "items" || key === "additionalProperties" || key === "prefixItems")
      simple[key] = simplify(value, root, depth + 1);
    else if (key === "anyOf" || key === "oneOf" || key === "allOf") simple[key] = simplify(value, root, depth);
    else simple[key] = value;
  }
  return simple;
}

function outline(typed: unknown, { description }: Readonly<Record<string, unknown>>): object {
  return present({ type: asObject(typed)["type"], description });
}
