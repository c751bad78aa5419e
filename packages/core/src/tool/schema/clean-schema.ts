import { asObject, followPointer, isObject } from "../../internal/json.ts";
import { wordsIn } from "../../internal/text.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";
import {
  addBounds,
  addNotes,
  addValues,
  keepsFormat,
  mergeSchemas,
  readTypes,
  type SchemaNode,
  SchemaPlace,
  type SchemaScope,
  withNote,
} from "./keywords.ts";

/** Maximum nesting of the author's schema, in levels; the service rejects far less. */
const MAX_DEPTH = 32;

/** Keywords that are sent or converted. Any other is dropped and recorded as a change. */
const HANDLED = wordsIn(
  "$ref $defs definitions $id $anchor type nullable format title description enum const items prefixItems additionalItems",
  "minItems maxItems minimum maximum exclusiveMinimum exclusiveMaximum anyOf oneOf allOf not properties required",
  "additionalProperties propertyNames propertyOrdering minLength maxLength pattern uniqueItems multipleOf minProperties",
  "maxProperties default examples example contentEncoding contentMediaType",
);

const UNSUPPORTED = "dropped: the service does not support it";

/** Keywords that only describe; a reference may have them as siblings. */
const ANNOTATIONS = wordsIn("title description default examples example deprecated readOnly writeOnly id");

/** Reduces a schema to the subset that the service documents; `undefined` if it matches no value. @throws {AgentError} If none is possible. */
export function cleanSchema(schema: unknown, place: SchemaPlace): JsonSchema | undefined {
  if (schema === true) return {};
  if (schema === false) return undefined;
  if (!isObject(schema)) {
    const given = Array.isArray(schema) ? "a list" : (JSON.stringify(schema) ?? typeof schema);
    throw place.refused(`is ${given}, not a schema: use an object, true or false`);
  }
  checkDepth(place);
  return place.scope.inside(place, () => cleanObject(schema, place));
}

function cleanObject(schema: JsonSchema, place: SchemaPlace): JsonSchema | undefined {
  if (Array.isArray(schema["allOf"])) return mergeAllOf(schema, schema["allOf"], place);
  if (typeof schema["$ref"] === "string") return cleanReference(schema, schema["$ref"], place);
  if (isObject(schema["not"]) && Object.keys(schema["not"]).length === 0) return undefined;

  for (const key of Object.keys(schema)) if (!HANDLED.has(key) || key === "not") place.changed(UNSUPPORTED, key);
  const types = readTypes(schema, place);
  const draft: SchemaNode["draft"] = {};
  const node: SchemaNode = { schema, types, draft, notes: [], place };
  if (types.length > 0) draft["type"] = types.length === 1 ? types[0] : types;
  for (const key of ["$id", "$anchor", "title"]) if (typeof schema[key] === "string") draft[key] = schema[key];
  // Reserves its position before the longer keywords; the text is set below.
  draft["description"] = undefined;
  if (typeof schema["format"] === "string" && keepsFormat(schema["format"], types)) draft["format"] = schema["format"];
  addValues(node);
  addBounds(node);
  addObject(node);
  addArray(node);
  addNotes(node);

  const { description } = schema;
  const text = node.notes.length === 0 ? description : withNote(description, node.notes.join(" "));
  if (typeof text === "string" && text !== "") draft["description"] = text;
  else delete draft["description"];
  return addAlternatives(draft, schema, place);
}

function checkDepth(place: SchemaPlace): void {
  const { scope, path, inlining } = place;
  const levels = path.filter((key) => key === "properties" || key === "items" || /^(any|one|all)Of$/.test(key));
  if (levels.length <= MAX_DEPTH && path.length <= MAX_DEPTH * 8) return;
  throw new SchemaPlace(scope, path.slice(0, 12), inlining).refused(
    `nests deeper than ${MAX_DEPTH} levels: flatten it, or accept part of it as a JSON string`,
  );
}

const OF_OBJECTS = wordsIn("properties required additionalProperties propertyNames propertyOrdering");
const OF_ARRAYS = wordsIn("items prefixItems additionalItems minItems maxItems");

function dropKeywords(schema: JsonSchema, keys: ReadonlySet<string>, kind: string, place: SchemaPlace): void {
  for (const key of keys) if (schema[key] !== undefined) place.changed(`dropped: it only applies to ${kind}`, key);
}

function addObject({ schema, types, draft, notes, place }: SchemaNode): void {
  if (types.length > 0 && !types.includes("object")) return dropKeywords(schema, OF_OBJECTS, "objects", place);
  const names = readPropertyNames(schema, notes, place);
  const required = new Set<string>(Array.isArray(schema["required"]) ? schema["required"].map(String) : []);
  const properties = new Map<string, unknown>();
  const given = isObject(schema["properties"]) ? schema["properties"] : undefined;
  for (const [name, property] of [
    ...Object.entries(given ?? {}),
    ...names.map((key): [string, unknown] => [key, schema["additionalProperties"] ?? true]),
  ]) {
    const at = place.at("properties", name);
    const cleaned = cleanSchema(property, at);
    if (cleaned !== undefined) properties.set(name, cleaned);
    else if (required.has(name)) throw at.refused("matches no value and is required: make it optional or remove it");
    else at.changed("dropped: it matches no value");
  }
  if (given !== undefined || properties.size > 0) draft["properties"] = Object.fromEntries(properties);
  for (const name of required) {
    if (!properties.has(name))
      throw place
        .at("required")
        .refused(`names ${JSON.stringify(name)}, which is not among the properties: define it or remove it`);
  }
  if (required.size > 0) draft["required"] = [...required];
  if (names.length > 0) draft["additionalProperties"] = false;
  else addAdditionalProperties(schema, draft, place);
  const order = schema["propertyOrdering"];
  if (Array.isArray(order)) draft["propertyOrdering"] = order.filter((name) => properties.has(String(name)));
}

/** The property names of a record, if its schema lists them. */
function readPropertyNames(schema: JsonSchema, notes: string[], place: SchemaPlace): readonly string[] {
  const { propertyNames } = schema;
  if (propertyNames === undefined) return [];
  const given = asObject(propertyNames);
  const values: unknown = given["enum"] ?? ("const" in given ? [given["const"]] : undefined);
  if (Array.isArray(values) && schema["properties"] === undefined) {
    place.changed("replaced by one property per name", "propertyNames");
    return values.map(String);
  }
  place.changed(UNSUPPORTED, "propertyNames");
  if (typeof given["pattern"] === "string") notes.push(`Property names match /${given["pattern"]}/.`);
  return [];
}

function addAdditionalProperties(schema: JsonSchema, draft: SchemaNode["draft"], place: SchemaPlace): void {
  const additional = schema["additionalProperties"];
  if (additional === undefined) return;
  // Keeping it would forbid the names the patterns allow.
  if (additional === false && isObject(schema["patternProperties"])) {
    place.changed("dropped along with patternProperties", "additionalProperties");
    return;
  }
  const cleaned = cleanSchema(additional, place.at("additionalProperties"));
  draft["additionalProperties"] = cleaned === undefined ? false : Object.keys(cleaned).length === 0 ? true : cleaned;
}

function addArray({ schema, types, draft, place }: SchemaNode): void {
  if (!types.includes("array")) return dropKeywords(schema, OF_ARRAYS, "arrays", place);
  const isOlder = Array.isArray(schema["items"]);
  if (isOlder) place.changed("list of schemas replaced by prefixItems", "items");
  const prefix = isOlder ? schema["items"] : schema["prefixItems"];
  const rest = isOlder ? schema["additionalItems"] : schema["items"];
  const length = Array.isArray(prefix) ? prefix.length : 0;
  if (Array.isArray(prefix) && length > 0) {
    const cleaned = prefix.map((member: unknown, index) => {
      const at = place.at("prefixItems", index);
      const item = cleanSchema(member, at);
      if (item === undefined) throw at.refused("matches no value: remove it");
      return item;
    });
    draft["prefixItems"] = cleaned;
  }
  const items = rest === undefined ? {} : cleanSchema(rest, place.at("items"));
  if (items === undefined) place.changed(`replaced by maxItems ${length}`, "items");
  else if (rest !== undefined || length === 0) draft["items"] = items;
  if (rest === undefined && length === 0)
    place.changed("added: the service requires it, and any value is allowed", "items");
  for (const key of ["minItems", "maxItems"]) if (typeof schema[key] === "number") draft[key] = schema[key];
  if (items === undefined)
    draft["maxItems"] = Math.min(length, typeof schema["maxItems"] === "number" ? schema["maxItems"] : length);
}

/** Merges `anyOf` and `oneOf` with their sibling keywords. */
function addAlternatives(base: JsonSchema, schema: JsonSchema, place: SchemaPlace): JsonSchema | undefined {
  let result = base;
  for (const key of ["anyOf", "oneOf"] as const) {
    const members = schema[key];
    if (members === undefined) continue;
    if (!Array.isArray(members) || members.length === 0)
      throw place.at(key).refused("has no members: name at least one");
    const groups = describeRequiredGroups(members);
    if (groups !== undefined) {
      place.changed(
        "moved into the description: alternatives that differ only in required properties cannot be declared",
        key,
      );
      result = Object.assign({}, result, { description: withNote(result["description"], `Requires ${groups}.`) });
      continue;
    }
    if (key === "oneOf") place.changed("replaced by anyOf: the service treats both alike", key);
    const cleaned = members
      .map((member: unknown, index) => cleanSchema(member, place.at(key, index)))
      .filter((member) => member !== undefined);
    if (cleaned.length < members.length) place.changed("dropped members that match no value", key);
    if (cleaned.length === 0) return undefined;
    if (schema["nullable"] === true && !cleaned.some((member) => member["type"] === "null"))
      cleaned.push({ type: "null" });
    const choice = (cleaned.length === 1 ? cleaned[0] : undefined) ?? { anyOf: cleaned };
    result = mergeSchemas(result, choice, (why) =>
      place.at(key).refused(`cannot be combined with its siblings: ${why}; spell out the combinations`),
    );
  }
  return result;
}

/** `a and b, or c` if the alternatives only list required properties. */
function describeRequiredGroups(members: readonly unknown[]): string | undefined {
  const groups: string[] = [];
  for (const member of members) {
    const { required, ...others } = asObject(member);
    if (!Array.isArray(required) || Object.keys(others).length > 0) return undefined;
    groups.push(required.join(" and "));
  }
  return groups.join(", or ");
}

function mergeAllOf(schema: JsonSchema, members: readonly unknown[], place: SchemaPlace): JsonSchema | undefined {
  const { allOf: _, ...around } = schema;
  let result = Object.keys(around).length === 0 ? {} : cleanSchema(around, place);
  place.changed("merged into one schema: the service does not support it", "allOf");
  for (const [index, member] of members.entries()) {
    const cleaned = cleanInlined(member, place.at("allOf", index));
    if (cleaned === undefined || result === undefined) return undefined;
    result = mergeSchemas(result, cleaned, (why) =>
      place.at("allOf").refused(`cannot be merged: ${why}; write one schema that covers both`),
    );
  }
  return result;
}

/** Replaces a reference by its target, where a merge needs it. */
export function cleanInlined(schema: unknown, place: SchemaPlace): JsonSchema | undefined {
  if (!isObject(schema) || typeof schema["$ref"] !== "string") return cleanSchema(schema, place);
  const { $ref, ...beside } = schema;
  if (place.inlining.has($ref)) throw place.refused(`refers to itself (${$ref}) where it cannot: remove the cycle`);
  const inside = new SchemaPlace(place.scope, place.path, new Set([...place.inlining, $ref]));
  const target = place.scope.inside(place, () => cleanInlined(followReference($ref, place), inside));
  const rest = Object.keys(beside).length === 0 ? {} : cleanSchema(beside, place);
  if (target === undefined || rest === undefined) return undefined;
  return mergeSchemas(rest, target, (why) => place.refused(`cannot be merged with ${$ref}: ${why}`));
}

function cleanReference(schema: JsonSchema, ref: string, place: SchemaPlace): JsonSchema | undefined {
  const { $ref: _, $defs: _defs, definitions: _definitions, $schema: _schema, ...beside } = schema;
  const keys = Object.keys(beside).filter((key) => !key.startsWith("$"));
  if (keys.length === 0) return { $ref: defineTarget(ref, place) };
  if (!keys.every((key) => ANNOTATIONS.has(key))) return cleanInlined({ ...beside, $ref: ref }, place);
  place.changed("wrapped in anyOf: a reference cannot have sibling keywords", "$ref");
  const around = cleanSchema(beside, place);
  return { ...around, anyOf: [{ $ref: defineTarget(ref, place) }] };
}

/** The reference as it is sent, `#` or `#/$defs/<name>`. Adds the cleaned definition to the scope. */
function defineTarget(ref: string, place: SchemaPlace): string {
  if (ref === "#" || ref === "#/") return "#";
  const { scope, inlining } = place;
  const target = followReference(ref, place);
  const name = nameDefinition(ref, scope);
  const sent = `#/$defs/${name}`;
  if (scope.definitions.has(name)) return sent;
  if (sent !== ref) place.changed(`${ref} rewritten as ${sent}`, "$ref");
  scope.definitions.set(name, undefined);
  const at = new SchemaPlace(scope, ["$defs", name], inlining);
  const cleaned = cleanSchema(target, at);
  if (cleaned === undefined) throw at.refused("matches no value: remove what refers to it");
  scope.definitions.set(name, cleaned);
  return sent;
}

function followReference(ref: string, place: SchemaPlace): unknown {
  const where = JSON.stringify(ref);
  if (ref !== "#" && !ref.startsWith("#/"))
    throw place.refused(
      `refers to ${where}, which is not inside the schema: put the definition under $defs and refer to "#/$defs/<name>"`,
    );
  const target = followPointer(ref, place.scope.root);
  if (target === undefined)
    throw place.refused(`refers to ${where}, which does not exist: define it or correct the path`);
  return target;
}

/** The name of a reference's target in the `$defs` that are sent. */
function nameDefinition(ref: string, { names, definitions }: SchemaScope): string {
  const known = names.get(ref);
  if (known !== undefined) return known;
  const plain = /^#\/(?:\$defs|definitions)\/([^/~%]+)$/.exec(ref)?.[1];
  let name = plain ?? `ref_${names.size + 1}`;
  while (definitions.has(name)) name = `${name}_`;
  names.set(ref, name);
  return name;
}
