import { followPointer, isObject, schemaType } from "../../internal/json.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";

/** A schema in the older form, and what it lost. */
export interface SubsetSchema {
  /** `undefined` when the schema allows only an empty object: such a function is declared without parameters. */
  readonly schema: JsonSchema | undefined;
  /** One phrase each, preceded by the path. */
  readonly changes: readonly string[];
}

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
const READ = new Set<string>([
  ...COPIED,
  ..."type format nullable enum const items prefixItems properties required propertyOrdering anyOf oneOf allOf $ref $defs definitions $schema $id example".split(
    " ",
  ),
  // The service's default, so nothing is lost.
  "additionalProperties",
]);

/**
 * Converts JSON Schema to the older OpenAPI subset of `parameters` and `responseSchema`, for endpoints that do not support it.
 *
 * References are inlined, `const` becomes an `enum`, `oneOf` an `anyOf`, `null` in a list of types `nullable`; keywords that the
 * subset lacks are dropped and listed.
 *
 * @see https://ai.google.dev/api/caching#Schema
 */
export function toSchemaSubset(schema: JsonSchema): SubsetSchema {
  const changes: string[] = [];
  const root = convert(schema, { root: schema, changes, path: "$", depth: 0 });
  const isNothing = root["type"] === "OBJECT" && root["properties"] === undefined && root["anyOf"] === undefined;
  return { schema: isNothing ? undefined : fill(root), changes };
}

interface Scope {
  readonly root: JsonSchema;
  readonly changes: string[];
  readonly path: string;
  readonly depth: number;
}

type Draft = Record<string, unknown>;

function convert(given: unknown, scope: Scope): Draft {
  const { changes, path, depth } = scope;
  const node = isObject(given) ? flatten(given, scope) : {};
  if (depth > MAX_DEPTH) {
    changes.push(`${path}: nests too deep, taken as text`);
    return { type: "STRING" };
  }
  for (const key of Object.keys(node)) if (!READ.has(key)) changes.push(`${path}: ${key} was dropped`);
  const draft: Draft = {};
  const { types, nullable } = readTypes(node);
  if (nullable) draft["nullable"] = true;
  for (const key of COPIED) if (node[key] !== undefined) draft[key] = node[key];

  const options = node["anyOf"] ?? node["oneOf"];
  if (Array.isArray(options)) return { ...draft, ...convertOptions(options, scope) };
  if (types.length > 1)
    return {
      ...draft,
      anyOf: types.map((type) => fill(convert({ ...node, type, description: undefined }, deeper(scope, "")))),
    };
  const [type = "ANY"] = types;
  if (type === "ANY") return { ...draft, anyOf: [{ type: "STRING" }, { type: "NUMBER" }, { type: "BOOLEAN" }] };
  return { ...draft, type, ...convertValues(node, type, scope), ...convertShape(node, type, scope) };
}

/** Inlines a reference and joins `allOf`; keywords next to them win. */
function flatten(node: Draft, scope: Scope): Draft {
  let flat = node;
  for (let hops = 0; typeof flat["$ref"] === "string" && hops < MAX_DEPTH; hops++) {
    const { $ref, ...beside } = flat;
    flat = { ...lookUp($ref, scope), ...beside };
  }
  const { $ref: _unresolved, allOf, ...rest } = flat;
  if (!Array.isArray(allOf)) return rest;
  let joined: Draft = rest;
  for (const member of allOf) joined = join(joined, isObject(member) ? flatten(member, scope) : {});
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

function lookUp(ref: string, { root, changes, path }: Scope): Draft {
  const target = followPointer(ref, root);
  if (isObject(target)) return target;
  changes.push(`${path}: ${ref} was not found`);
  return {};
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
  const values = "const" in node ? [node["const"]] : asList(node["enum"]);
  const kinds = new Set(
    values.map((value) =>
      value === null ? "NULL" : typeof value === "object" ? "OBJECT" : (typeof value).toUpperCase(),
    ),
  );
  return [...kinds];
}

function convertOptions(options: readonly unknown[], scope: Scope): Draft {
  const isNull = (option: unknown): boolean => isObject(option) && option["type"] === "null";
  const others = options.filter((option) => !isNull(option));
  const nullable = others.length < options.length ? { nullable: true } : {};
  const [only] = others;
  if (others.length === 1) return { ...nullable, ...fill(convert(only, deeper(scope, ""))) };
  return { ...nullable, anyOf: others.map((option, i) => fill(convert(option, deeper(scope, `.anyOf[${i}]`)))) };
}

function convertValues(node: Draft, type: string, { changes, path }: Scope): Draft {
  const values = "const" in node ? [node["const"]] : asList(node["enum"]);
  const format = typeof node["format"] === "string" ? node["format"] : undefined;
  const keepsFormat = format !== undefined && FORMATS[type]?.includes(format) === true;
  if (format !== undefined && !keepsFormat) changes.push(`${path}: format ${format} was dropped`);
  const draft: Draft = keepsFormat ? { format } : {};
  if (values.length === 0) return draft;
  if (type === "STRING" && values.every((value) => typeof value === "string" && value !== ""))
    return { ...draft, enum: values };
  const prefix = typeof node["description"] === "string" ? `${node["description"]} ` : "";
  changes.push(`${path}: only words can be listed, so the values went into the description`);
  return { ...draft, description: `${prefix}One of: ${values.map((value) => JSON.stringify(value)).join(", ")}.` };
}

function convertShape(node: Draft, type: string, scope: Scope): Draft {
  if (type === "ARRAY") {
    const tuple = asList(node["prefixItems"]);
    if (tuple.length > 0) scope.changes.push(`${scope.path}: the places of a tuple were joined into one kind of item`);
    const items = node["items"] ?? (tuple.length > 0 ? { anyOf: tuple } : {});
    return { items: fill(convert(items, deeper(scope, ".items"))) };
  }
  if (type !== "OBJECT") return {};
  const properties = Object.entries(asObject(node["properties"]));
  if (isObject(node["additionalProperties"])) scope.changes.push(`${scope.path}: additionalProperties was dropped`);
  if (properties.length === 0) return {};
  const names = new Set(properties.map(([name]) => name));
  const required = asList(node["required"]).filter((name) => typeof name === "string" && names.has(name));
  const ordering = asList(node["propertyOrdering"]);
  return {
    properties: Object.fromEntries(
      properties.map(([name, value]) => [name, fill(convert(value, deeper(scope, `.${name}`)))]),
    ),
    ...(required.length > 0 && { required }),
    ...(ordering.length > 0 && { propertyOrdering: ordering }),
  };
}

/** Adds an optional property to an object without any, which the service rejects. */
function fill(draft: Draft): Draft {
  if (draft["type"] !== "OBJECT" || draft["properties"] !== undefined) return draft;
  return { ...draft, properties: { _: { type: "STRING", nullable: true, description: "Not used; leave it out." } } };
}

function deeper(scope: Scope, key: string): Scope {
  return { ...scope, path: scope.path + key, depth: scope.depth + 1 };
}

function asObject(value: unknown): Draft {
  return isObject(value) ? value : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
