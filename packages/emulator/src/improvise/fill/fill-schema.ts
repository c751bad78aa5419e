import { type Fields, isFields } from "../../internal/json.ts";
import type { Random } from "../../internal/random.ts";
import { type Material, materialOf } from "../read/material.ts";
import type { Words } from "../read/things.ts";
import { rawWords, stem } from "../../internal/words.ts";
import { isNamed, mentionedMembers } from "./named-values.ts";
import { numberValue } from "./number-value.ts";
import { fitsSchema } from "./fits-schema.ts";
import { kindOf, type TextKind } from "./text-kinds.ts";
import { textValue } from "./text-value.ts";
import { Work } from "./work.ts";

/** Options for filling a schema. */
export interface FillOptions {
  /** The source of the values. */
  readonly material: Material;
  /** Sources of the values that the first material lacks, in this order. Default: none. */
  readonly elsewhere?: readonly Material[] | undefined;
  readonly random: Random;
  /** Optional properties to fill: `all`, or only the ones that the material has values for. */
  readonly optional: "all" | "named";
  /** Words that are implied, stemmed, for members of enumerations. Default: none. */
  readonly implied?: ReadonlySet<string> | undefined;
  /** Values by name of the property, used where they satisfy its schema. Default: none. */
  readonly known?: ReadonlyMap<string, unknown> | undefined;
  /** Text for properties such as `answer` and `summary`. Default: the words of the material. */
  readonly answer?: string | undefined;
  /** Words, stemmed, that name the function to call; the other words of a request are its subject. Default: no function. */
  readonly naming?: Words | undefined;
  /** Where to start in lists of candidates. Default: 0. */
  readonly index?: number | undefined;
}

/** Options, and the values used up while filling. */
export interface Filling extends FillOptions {
  readonly work: Work;
  /** Words of the material, stemmed. */
  readonly spoken: ReadonlySet<string>;
  /** Values that another property already has. */
  readonly used: Set<string>;
}

interface Place {
  readonly name: string;
  readonly index: number;
  readonly depth: number;
  /** True if the values from the conversation have already been used. Default: false. */
  readonly fresh?: boolean | undefined;
  /** Words of the names of all properties of its object, stemmed. */
  readonly beside?: ReadonlySet<string> | undefined;
}

// Deeper than this, a recursive schema ends as soon as it can.
const MAX_FREE_DEPTH = 5;
const MAX_DEPTH = 40;
// How many times another item is made up for a list without repetitions.
const MAX_TRIES = 60;
const ANSWERS =
  /^(?:answer|summary|explanation|reason(?:ing)?|text|message|conclusion|description|result|response|reply)$/i;

/**
 * A value that satisfies a JSON Schema (or the older OpenAPI subset, with types in either case). At most 10,000 values with
 * 1,000,000 characters are made up: a schema that demands more gets less.
 */
export function fillSchema(schema: unknown, options: FillOptions): unknown {
  const place = { name: "", index: options.index ?? 0, depth: 0 };
  return fill(schema, schema, place, {
    ...options,
    work: new Work(),
    spoken: spokenIn(options.material),
    used: new Set(),
  });
}

function fill(given: unknown, root: unknown, place: Place, options: Filling): unknown {
  if (!isFields(given) || place.depth > MAX_DEPTH || !options.work.take()) return null;
  const { work } = options;
  const schema = resolve(given, root, work);
  if ("const" in schema) return schema["const"];
  const deep = place.depth > MAX_FREE_DEPTH;
  const known = options.known?.get(nameKey(place.name));
  if (known !== undefined && place.fresh !== true && fitsSchema(known, schema, work)) return known;
  if (Array.isArray(schema["enum"]) && schema["enum"].length > 0) return pickMember(schema["enum"], place, options);
  const choices = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(choices) && choices.length > 0) {
    const { anyOf: _any, oneOf: _one, ...beside } = schema;
    const choice = pickChoice(choices, root, deep, work);
    return fill({ ...beside, ...resolve(choice, root, work) }, root, { ...place, depth: place.depth + 1 }, options);
  }
  const type = typeOf(schema, deep);
  switch (type) {
    case "object":
      return fillObject(schema, root, place, options);
    case "array":
      return fillArray(schema, root, place, options);
    case "integer":
    case "number":
      return numberValue({ ...place, schema, whole: type === "integer" }, options);
    case "boolean":
      return !/\b(?:no|not|never|without|don't|false|off|disable)\b/i.test(options.material.text);
    case "null":
      return null;
    default:
      if (options.answer !== undefined && ANSWERS.test(place.name) && fitsSchema(options.answer, schema, work))
        return options.answer;
      return textValue({ name: place.name, index: place.index, schema }, options);
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

function pickMember(members: readonly unknown[], place: Place, options: Filling): unknown {
  const mentioned = mentionedMembers(members, options);
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
  const beside = new Set(Object.keys(properties).flatMap((name) => rawWords(name).map(stem)));
  const inner = (name: string, value: unknown, index = place.index): unknown =>
    fill(value, root, { name, index, depth: place.depth + 1, beside }, options);
  const filled: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(properties)) {
    const own = resolve(value, root, options.work);
    const isWanted =
      required.has(name) ||
      (!deep && (options.optional === "all" || isNamed(name, own, properties, required, options)));
    if (isWanted) filled[name] = inner(name, value);
  }
  const { work } = options;
  for (const name of required)
    if (!Object.hasOwn(filled, name)) filled[name] = inner(name, schema["additionalProperties"] ?? {});
  const minimum = Number(schema["minProperties"] ?? 0);
  const open =
    isFields(schema["additionalProperties"]) &&
    Object.keys(properties).length === 0 &&
    !deep &&
    options.optional === "all";
  const keys = options.material.names.length > 0 ? options.material.names : ["first", "second"];
  let count = Object.keys(filled).length;
  for (let index = 0; count < Math.max(minimum, open ? 1 : 0) && !work.isDone; index += 1) {
    const name = keys[index] ?? `key${index + 1}`;
    if (!Object.hasOwn(filled, name)) count += 1;
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
  const singular = place.name.replace(/s$/, "");
  const offered = prefix.length > 0 ? [] : itemsFor(schema, root, place, options);
  const usual = prefix.length > 0 ? prefix.length : options.optional === "all" ? 2 : 1;
  const wanted = place.depth > MAX_FREE_DEPTH ? 0 : offered.length > 0 ? offered.length : usual;
  const length = Math.min(Math.max(wanted, min), max);
  const items: unknown[] = [];
  const unique = schema["uniqueItems"] === true;
  const itemAt = (position: number, index: number, fresh = false): unknown => {
    const itemPlace = { name: singular, index, depth: place.depth + 1, fresh };
    const own = offered[index];
    if (own !== undefined && !fresh) return own;
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

/** The items that the material offers for a list: each value of the kind, each number, or each thing it enumerates. */
function itemsFor(schema: Fields, root: unknown, place: Place, options: Filling): readonly unknown[] {
  const items = resolve(schema["items"], root, options.work);
  const { material, used, elsewhere = [], work } = options;
  const fitting = (values: readonly unknown[]): unknown[] =>
    values.filter((value) => fitsSchema(value, items, work)).slice(0, 50);
  if (Array.isArray(items["enum"])) return mentionedMembers(items["enum"], options);
  switch (typeOf(items, false)) {
    case "string": {
      const description = items["description"] ?? schema["description"];
      const kind: TextKind | undefined = kindOf({ name: place.name, schema: { ...items, description } });
      if (material.items.length > 1 && kind?.isSpecific !== true) return fitting(material.items);
      if (kind === undefined || (kind.isSpecific !== true && options.optional === "all")) return [];
      const source = [material, ...elsewhere].map((one) => kind.from(one).filter((value) => !used.has(value)));
      const values = fitting(source.find((found) => found.length > 0) ?? []);
      return kind.isSpecific === true ? values : values.slice(0, 1);
    }
    case "integer":
    case "number":
      return fitting(material.numbers.map(({ value }) => value));
    case "object": {
      if (material.items.length === 0 || !isFields(items["properties"])) return [];
      return material.items.map((item) => {
        const own = { ...materialOf(item), messages: [`${item.slice(0, 1).toUpperCase()}${item.slice(1)}`] };
        return fill(
          items,
          root,
          { ...place, index: 0, depth: place.depth + 1 },
          {
            ...options,
            material: own,
            elsewhere: [],
            spoken: spokenIn(own),
            used: new Set(),
          },
        );
      });
    }
    default:
      return [];
  }
}

function spokenIn({ text }: Material): ReadonlySet<string> {
  return new Set(rawWords(text).map(stem));
}

/** The form in which names of properties are compared: `minTemperature` equals `min_temperature`. */
export function nameKey(name: string): string {
  return name
    .slice(0, 200)
    .toLowerCase()
    .replaceAll(/[^\p{L}\d]/gu, "");
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
