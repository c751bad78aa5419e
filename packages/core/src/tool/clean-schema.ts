import { isObject } from "../internal/json.ts";
import type { JsonSchema } from "../wire/declaration.ts";
import { mergeSchemas } from "./merge-schemas.ts";
import { followRef, refInto } from "./schema-refs.ts";
import { arrayInto, objectInto } from "./schema-shapes.ts";
import { keepsFormat, notesOf } from "./schema-notes.ts";
import { changed, into, refused, type SchemaPlace, type SchemaScope } from "./schema-scope.ts";
import { boundsInto, type Draft, typesOf, valuesInto } from "./schema-values.ts";
import { withNote } from "./zod4.ts";

/** How deep schemas may nest, in levels of the author's schema; the service refuses far less than this. */
const MAX_DEPTH = 32;

/** What the service documents, and what is turned into it. Anything else is dropped, and said so. */
const HANDLED = new Set(
  (
    "$ref $defs definitions $id $anchor type nullable format title description enum const items prefixItems additionalItems minItems maxItems minimum maximum " +
    "exclusiveMinimum exclusiveMaximum anyOf oneOf allOf not properties additionalProperties required propertyNames propertyOrdering minLength maxLength pattern " +
    "uniqueItems multipleOf minProperties maxProperties default examples example contentEncoding contentMediaType"
  ).split(" "),
);

/** Keywords that only describe, so they may stand beside a reference. */
const ANNOTATIONS = new Set([
  "title",
  "description",
  "default",
  "examples",
  "example",
  "deprecated",
  "readOnly",
  "writeOnly",
  "id",
]);

/**
 * One schema inside the service's documented subset. Every change is recorded in the scope.
 *
 * @returns The schema, or nothing when no value fits it.
 * @throws {ToolDefinitionError} For what the service would refuse.
 */
export function cleanSchema(schema: unknown, scope: SchemaScope, place: SchemaPlace): JsonSchema | undefined {
  if (schema === true) return {};
  if (schema === false) return undefined;
  if (!isObject(schema))
    throw refused(
      scope,
      place,
      `is ${JSON.stringify(schema) ?? typeof schema}, not a schema: use an object, true or false`,
    );
  if (
    place.path.filter((key) => key === "properties" || key === "items" || /^(any|one|all)Of$/.test(key)).length >
      MAX_DEPTH ||
    place.path.length > MAX_DEPTH * 8
  ) {
    throw refused(
      scope,
      { ...place, path: place.path.slice(0, 12) },
      `nests deeper than ${MAX_DEPTH} levels: flatten it, or take a part of it as a JSON string`,
    );
  }
  if (Array.isArray(schema["allOf"])) return cleanAll(schema, schema["allOf"], scope, place);
  if (typeof schema["$ref"] === "string") return cleanRef(schema, schema["$ref"], scope, place);
  if (isObject(schema["not"]) && Object.keys(schema["not"]).length === 0) return undefined;

  for (const key of Object.keys(schema))
    if (!HANDLED.has(key) || key === "not") changed(scope, place, "dropped: it is not in the service's subset", key);
  const types = typesOf(schema, scope, place);
  const draft: Draft = new Map();
  if (types.length > 0) draft.set("type", types.length === 1 ? types[0] : types);
  for (const key of ["$id", "$anchor", "title"]) if (typeof schema[key] === "string") draft.set(key, schema[key]);
  // Keeps its place before the longer keywords; the text follows below.
  draft.set("description", undefined);
  if (typeof schema["format"] === "string" && keepsFormat(schema["format"], types))
    draft.set("format", schema["format"]);

  const notes = [...valuesInto(draft, schema, types, scope, place), ...boundsInto(draft, schema, types, scope, place)];
  notes.push(
    ...objectInto(draft, schema, types, scope, place, cleanSchema),
    ...arrayInto(draft, schema, types, scope, place, cleanSchema),
  );
  notes.push(...notesOf(schema, types, scope, place));
  describe(draft, schema["description"], notes);
  return withAlternatives(Object.fromEntries(draft), schema, scope, place);
}

function describe(draft: Draft, description: unknown, notes: readonly string[]): void {
  const text = notes.length === 0 ? description : withNote(description, notes.join(" "));
  if (typeof text === "string" && text !== "") draft.set("description", text);
  else draft.delete("description");
}

function withAlternatives(
  base: JsonSchema,
  schema: Record<string, unknown>,
  scope: SchemaScope,
  place: SchemaPlace,
): JsonSchema | undefined {
  let result = base;
  for (const key of ["anyOf", "oneOf"] as const) {
    const members = schema[key];
    if (members === undefined) continue;
    if (!Array.isArray(members) || members.length === 0)
      throw refused(scope, into(place, key), "has no members: name at least one");
    const groups = requiredGroups(members);
    if (groups !== undefined) {
      changed(
        scope,
        place,
        "moved into the description: alternatives that only differ in what they require cannot be declared",
        key,
      );
      const description = withNote(result["description"], `Needs ${groups}.`);
      result = Object.assign({}, result, { description });
      continue;
    }
    if (key === "oneOf") changed(scope, place, "written as anyOf: the service reads it so", key);
    const cleaned = members.flatMap((member: unknown, index): JsonSchema[] => {
      const one = cleanSchema(member, scope, into(place, key, index));
      return one === undefined ? [] : [one];
    });
    if (cleaned.length < members.length) changed(scope, place, "members that no value fits are dropped", key);
    if (cleaned.length === 0) return undefined;
    if (schema["nullable"] === true && !cleaned.some((member) => member["type"] === "null"))
      cleaned.push({ type: "null" });
    const merged = mergeSchemas(result, (cleaned.length === 1 ? cleaned[0] : undefined) ?? { anyOf: cleaned });
    if (typeof merged === "string")
      throw refused(
        scope,
        into(place, key),
        `cannot stand beside what is around it: ${merged}; write the combinations out`,
      );
    result = merged;
  }
  return result;
}

/** `a and b, or c` when no alternative says more than which properties it requires. */
function requiredGroups(members: readonly unknown[]): string | undefined {
  const groups = members.map((member) =>
    isObject(member) && Object.keys(member).length === 1 && Array.isArray(member["required"])
      ? member["required"]
      : undefined,
  );
  return groups.every((group) => group !== undefined)
    ? groups.map((group) => group.join(" and ")).join(", or ")
    : undefined;
}

function cleanAll(
  schema: Record<string, unknown>,
  members: readonly unknown[],
  scope: SchemaScope,
  place: SchemaPlace,
): JsonSchema | undefined {
  const { allOf: _, ...around } = schema;
  let result = Object.keys(around).length === 0 ? {} : cleanSchema(around, scope, place);
  changed(scope, place, "merged into one schema: it is not in the service's subset", "allOf");
  for (const [index, member] of members.entries()) {
    const at = into(place, "allOf", index);
    const cleaned = cleanInlined(member, scope, at);
    if (cleaned === undefined || result === undefined) return undefined;
    const merged = mergeSchemas(result, cleaned);
    if (typeof merged === "string")
      throw refused(scope, into(place, "allOf"), `cannot be merged: ${merged}; write one schema that says both`);
    result = merged;
  }
  return result;
}

/** Puts a reference's target in its place, where a merge needs it. */
export function cleanInlined(schema: unknown, scope: SchemaScope, place: SchemaPlace): JsonSchema | undefined {
  if (!isObject(schema) || typeof schema["$ref"] !== "string") return cleanSchema(schema, scope, place);
  const { $ref, ...beside } = schema;
  if (place.inlining.has($ref))
    throw refused(scope, place, `refers to itself (${$ref}) where it cannot: leave the circle out`);
  const inside = { ...place, inlining: new Set([...place.inlining, $ref]) };
  const target = cleanInlined(followRef($ref, scope, place), scope, inside);
  const rest = Object.keys(beside).length === 0 ? {} : cleanSchema(beside, scope, place);
  if (target === undefined || rest === undefined) return undefined;
  const merged = mergeSchemas(rest, target);
  if (typeof merged === "string") throw refused(scope, place, `cannot be merged with ${$ref}: ${merged}`);
  return merged;
}

function cleanRef(
  schema: Record<string, unknown>,
  ref: string,
  scope: SchemaScope,
  place: SchemaPlace,
): JsonSchema | undefined {
  const { $ref: _, $defs: _defs, definitions: _definitions, $schema: _schema, ...beside } = schema;
  const keys = Object.keys(beside).filter((key) => !key.startsWith("$"));
  if (keys.length === 0) return { $ref: refInto(ref, scope, place, cleanSchema) };
  if (!keys.every((key) => ANNOTATIONS.has(key))) return cleanInlined({ ...beside, $ref: ref }, scope, place);
  changed(scope, place, "put into an anyOf: nothing may stand beside a reference", "$ref");
  const around = cleanSchema(beside, scope, place);
  return { ...around, anyOf: [{ $ref: refInto(ref, scope, place, cleanSchema) }] };
}
