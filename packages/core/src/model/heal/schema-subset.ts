import { asList, asObject, followPointer, schemaType } from "../../internal/json.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";

/** Deepest nesting that is kept; this also ends recursive schemas. */
const MAX_DEPTH = 12;
const COPIED =
  "title description default minItems maxItems minProperties maxProperties minLength maxLength pattern minimum maximum".split(
    " ",
  );
const FORMATS: Readonly<Record<string, readonly string[]>> = {
  STRING: ["enum", "date-time"],
  NUMBER: ["float", "double"],
  INTEGER: ["int32", "int64"],
};
/**
 * Converts JSON Schema to the older OpenAPI subset of `parameters` and `responseSchema`, for endpoints that do not support it.
 *
 * References are inlined, `const` becomes an `enum`, `oneOf` an `anyOf`, `null` in a list of types `nullable`; keywords that the
 * subset lacks are dropped.
 *
 * @returns `undefined` when the schema allows only an empty object: such a function is declared without parameters.
 * @see https://ai.google.dev/api/caching#Schema
 */
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
  // Only words can be listed.
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
