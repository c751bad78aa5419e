import { type Fields, isFields } from "../internal/json.ts";
import type { Random } from "../internal/random.ts";
import type { Material } from "./material.ts";
import { numberValue } from "./number-value.ts";
import { textValue } from "./text-value.ts";
import { Work } from "./work.ts";

/** Options for filling a schema. */
export interface FillOptions {
  readonly material: Material;
  readonly random: Random;
  /** Whether to include properties that are not required. */
  readonly optional: boolean;
  /** Where to start in lists of candidates, so that parallel calls differ. Default: 0. */
  readonly index?: number | undefined;
}

interface Filling extends FillOptions {
  readonly work: Work;
}

interface Place {
  readonly name: string;
  readonly index: number;
  readonly depth: number;
  /** True if the values from the conversation have already been used. Default: false. */
  readonly fresh?: boolean | undefined;
}

// Deeper than this, a recursive schema is ended as soon as it allows.
const MAX_FREE_DEPTH = 5;
const MAX_DEPTH = 40;
// How often another item is made up for a list without repetitions.
const MAX_TRIES = 60;

/**
 * A value that satisfies a JSON Schema (or the older OpenAPI subset, with types in either case). At most 10,000 values with
 * 1,000,000 characters are made up: a schema that demands more gets less.
 */
export function fillSchema(schema: unknown, options: FillOptions): unknown {
  return fill(schema, schema, { name: "", index: options.index ?? 0, depth: 0 }, { ...options, work: new Work() });
}

function fill(given: unknown, root: unknown, place: Place, options: Filling): unknown {
  if (!isFields(given) || place.depth > MAX_DEPTH || !options.work.take()) return null;
  const { work } = options;
  const schema = resolve(given, root, work);
  if ("const" in schema) return schema["const"];
  const deep = place.depth > MAX_FREE_DEPTH;
  if (Array.isArray(schema["enum"]) && schema["enum"].length > 0) return pickMember(schema["enum"], place, options);
  const choices = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(choices) && choices.length > 0) {
    const { anyOf: _any, oneOf: _one, ...beside } = schema;
    const choice = pickChoice(choices, root, deep, work);
    return fill({ ...beside, ...resolve(choice, root, work) }, root, { ...place, depth: place.depth + 1 }, options);
  }
  switch (typeOf(schema, deep)) {
    case "object":
      return fillObject(schema, root, place, options);
    case "array":
      return fillArray(schema, root, place, options);
    case "integer":
      return numberValue({ ...place, schema, whole: true }, options.material, options.random);
    case "number":
      return numberValue({ ...place, schema, whole: false }, options.material, options.random);
    case "boolean":
      return !/\b(?:no|not|never|without|don't)\b/i.test(options.material.text);
    case "null":
      return null;
    default:
      return textValue({ name: place.name, index: place.index, schema }, options.material, options.random, work);
  }
}

/** Resolves `$ref` and merges `allOf`. */
function resolve(given: unknown, root: unknown, work: Work): Fields {
  let schema: Fields = isFields(given) ? given : {};
  for (let hops = 0; typeof schema["$ref"] === "string" && hops < 20 && work.take(); hops += 1) {
    const { $ref, ...beside } = schema;
    const steps = $ref
      .split("/")
      .slice(1)
      .map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"));
    const target = steps.reduce<unknown>((value, step) => (isFields(value) ? value[step] : undefined), root);
    schema = { ...(isFields(target) ? target : {}), ...beside };
  }
  if (!Array.isArray(schema["allOf"]) || !work.take()) return schema;
  const { allOf, ...beside } = schema;
  return [...allOf.map((part) => resolve(part, root, work)), beside].reduce<Fields>(merge, {});
}

function merge(left: Fields, right: Fields): Fields {
  const properties = { ...fieldsOf(left["properties"]), ...fieldsOf(right["properties"]) };
  const required = [...listOf(left["required"]), ...listOf(right["required"])];
  return {
    ...left,
    ...right,
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.length > 0 && { required }),
  };
}

function pickMember(members: readonly unknown[], place: Place, { material }: Filling): unknown {
  const text = material.text.toLowerCase();
  const mentioned = members.filter(
    (member) => typeof member === "string" && member !== "" && text.includes(member.toLowerCase()),
  );
  return (mentioned.length > 0 ? mentioned : members)[place.index % (mentioned.length || members.length)];
}

function pickChoice(choices: readonly unknown[], root: unknown, deep: boolean, work: Work): unknown {
  const isNull = (choice: unknown): boolean => String(resolve(choice, root, work)["type"]).toLowerCase() === "null";
  if (deep)
    return choices.find(isNull) ?? choices.find((choice) => !JSON.stringify(choice).includes('"$ref"')) ?? choices[0];
  return choices.find((choice) => !isNull(choice)) ?? choices[0];
}

function typeOf(schema: Fields, deep: boolean): string {
  const types = (Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]]).map((type) =>
    String(type ?? "").toLowerCase(),
  );
  if (deep && (types.includes("null") || schema["nullable"] === true)) return "null";
  const type = types.find((candidate) => candidate !== "null") ?? "null";
  if (type !== "") return type;
  if (schema["properties"] !== undefined) return "object";
  return schema["items"] === undefined && schema["prefixItems"] === undefined ? "string" : "array";
}

function fillObject(schema: Fields, root: unknown, place: Place, options: Filling): Fields {
  const properties = fieldsOf(schema["properties"]);
  const required = new Set(listOf(schema["required"]));
  const deep = place.depth >= MAX_FREE_DEPTH;
  const given = Object.keys(properties).filter((name) => required.has(name) || (options.optional && !deep));
  const inner = (name: string, value: unknown, index = place.index): unknown =>
    fill(value, root, { name, index, depth: place.depth + 1 }, options);
  const filled: Record<string, unknown> = Object.fromEntries(
    given.map((name) => [name, inner(name, properties[name])]),
  );
  const { work } = options;
  for (const name of required) if (!(name in filled)) filled[name] = inner(name, schema["additionalProperties"] ?? {});
  const minimum = Number(schema["minProperties"] ?? 0);
  const open = isFields(schema["additionalProperties"]) && Object.keys(properties).length === 0 && !deep;
  const keys = options.material.names.length > 0 ? options.material.names : ["first", "second"];
  let count = Object.keys(filled).length;
  for (let index = 0; count < Math.max(minimum, open ? 1 : 0) && !work.isDone; index += 1) {
    const name = keys[index] ?? `key${index + 1}`;
    if (!(name in filled)) count += 1;
    filled[name] = inner(
      place.name,
      isFields(schema["additionalProperties"]) ? schema["additionalProperties"] : {},
      index,
    );
  }
  return filled;
}

function fillArray(schema: Fields, root: unknown, place: Place, options: Filling): unknown[] {
  const prefix: readonly unknown[] = Array.isArray(schema["prefixItems"]) ? schema["prefixItems"] : [];
  const min = Number(schema["minItems"] ?? 0);
  const max = Number(schema["maxItems"] ?? Number.POSITIVE_INFINITY);
  const wanted = place.depth > MAX_FREE_DEPTH ? 0 : prefix.length > 0 ? prefix.length : 2;
  const length = Math.min(Math.max(wanted, min), max);
  const singular = place.name.replace(/s$/, "");
  const items: unknown[] = [];
  const unique = schema["uniqueItems"] === true;
  const itemAt = (position: number, index: number, fresh = false): unknown => {
    const itemPlace = { name: singular, index, depth: place.depth + 1, fresh };
    return fill(prefix[position] ?? schema["items"] ?? {}, root, itemPlace, options);
  };
  const known = new Set<string>();
  const isNew = (item: unknown): boolean => !known.has(JSON.stringify(item));
  for (let position = 0; position < length && !options.work.isDone; position += 1) {
    let item = itemAt(position, position);
    const tries = unique ? MAX_TRIES : 0;
    for (let more = 1; more < tries && !isNew(item); more += 1) item = itemAt(position, position + more, true);
    if (!unique || isNew(item)) items.push(item);
    else if (items.length < min) items.push(typeof item === "string" ? `${item} ${position + 1}` : item);
    if (unique) known.add(JSON.stringify(items.at(-1)));
  }
  return items;
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
