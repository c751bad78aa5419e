import type { AgentError } from "../../errors/agent-error.ts";
import { asList, asObject, isObject, schemaType } from "../../internal/json.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";
import type { SchemaChange } from "../tool.ts";

/** Maximum number of schemas, counted each time a reference repeats them; a schema that the service accepts has a few hundred. */
const MAX_SCHEMAS = 40_000;
/** Maximum number of schemas inside each other, references followed. */
const MAX_OPEN = 400;

/** The option that a schema is written for; errors name it. */
export interface SchemaOwner {
  /** The option that holds the schema. */
  readonly option: "input" | "output";
  /** @param path - In the schema, such as `properties.when`; `undefined` if the schema is not the problem. */
  error(problem: string, path?: string, options?: ErrorOptions): AgentError;
}

/** Shared by all schemas of one tool or output. */
export class SchemaScope {
  readonly owner: SchemaOwner;
  /** The author's schema, for its references. */
  readonly root: JsonSchema;
  readonly changes: SchemaChange[] = [];
  /** Cleaned definitions by name; undefined while one is being cleaned. */
  readonly definitions: Map<string, JsonSchema | undefined> = new Map();
  /** Reference as written → name in `$defs`. */
  readonly names: Map<string, string> = new Map();
  #schemas = 0;
  #open = 0;

  constructor(owner: SchemaOwner, root: JsonSchema) {
    this.owner = owner;
    this.root = root;
  }

  /** Cleans one more schema: a stranger's may stand for billions of others, or contain itself. */
  inside<T>(place: SchemaPlace, clean: () => T): T {
    if (++this.#schemas > MAX_SCHEMAS)
      throw place.refused(`stands for more than ${MAX_SCHEMAS} schemas, references followed: make it smaller`);
    if (this.#open >= MAX_OPEN) throw place.refused(`is inside ${MAX_OPEN} others, references followed: flatten it`);
    this.#open++;
    try {
      return clean();
    } finally {
      this.#open--;
    }
  }
}

/** A location in the author's schema. */
export class SchemaPlace {
  readonly scope: SchemaScope;
  readonly path: readonly string[];
  /** References being inlined, to detect one inside itself. */
  readonly inlining: ReadonlySet<string>;

  constructor(scope: SchemaScope, path: readonly string[] = [], inlining: ReadonlySet<string> = new Set()) {
    this.scope = scope;
    this.path = path;
    this.inlining = inlining;
  }

  at(...keys: readonly (string | number)[]): SchemaPlace {
    return new SchemaPlace(this.scope, [...this.path, ...keys.map(String)], this.inlining);
  }

  changed(change: string, ...keys: readonly string[]): void {
    this.scope.changes.push({ path: [...this.path, ...keys].join("."), change });
  }

  refused(problem: string): AgentError {
    const path = this.path.join(".");
    return this.scope.owner.error(`${path === "" ? "the schema" : path} ${problem}`, path);
  }
}

/** One schema object being cleaned. */
export interface SchemaNode {
  /** The author's schema. */
  readonly schema: JsonSchema;
  /** Its types, see {@link readTypes}; empty means any. */
  readonly types: readonly string[];
  /** Keywords to send; later entries win. */
  readonly draft: Record<string, unknown>;
  /** Sentences to append to the description. */
  readonly notes: string[];
  readonly place: SchemaPlace;
}

const TYPES = ["string", "number", "integer", "boolean", "array", "object", "null"];

/** The types a schema allows, in lower case; if it names none, the type its other keywords imply. */
export function readTypes(schema: JsonSchema, place: SchemaPlace): string[] {
  const { type } = schema;
  const given: readonly unknown[] = Array.isArray(type) ? type : type === undefined ? [] : [type];
  if (Array.isArray(type) && type.length === 0)
    throw place.refused(`has an empty list of types: name one of ${TYPES.join(", ")}`);
  const types = given.map((word) => {
    const lower = String(schemaType(word));
    if (!TYPES.includes(lower))
      throw place.refused(`has the type ${JSON.stringify(word)}: use one of ${TYPES.join(", ")}`);
    if (lower !== word) place.changed(`${JSON.stringify(word)} changed to "${lower}"`, "type");
    return lower;
  });
  if (types.length === 0) {
    const isArray = "items" in schema || "prefixItems" in schema;
    const implied = isObject(schema["properties"]) ? "object" : isArray ? "array" : undefined;
    if (implied !== undefined) {
      types.push(implied);
      place.changed(`added "${implied}", which the other keywords imply`, "type");
    }
  }
  if (schema["nullable"] === true) {
    place.changed('replaced by the type "null"', "nullable");
    if (types.length > 0 && !types.includes("null")) types.push("null");
  }
  return types;
}

/** `enum` and `const`: keeps strings and numbers; other values become types or a note. */
export function addValues({ schema, types, draft, notes, place }: SchemaNode): void {
  const key = "const" in schema ? "const" : "enum";
  if (!(key in schema)) return;
  const values: unknown = key === "const" ? [schema["const"]] : schema["enum"];
  if (!Array.isArray(values) || values.length === 0)
    throw place.at(key).refused("has an enum without values: name at least one");
  const words: unknown[] = values.filter(
    (value) => (typeof value === "string" && value !== "") || (typeof value === "number" && Number.isFinite(value)),
  );
  const flags: unknown[] = values.filter((value) => typeof value === "boolean");
  const nulls: unknown[] = values.filter((value) => value === null);
  if (words.length + flags.length + nulls.length < values.length) {
    place.changed("moved into the description: the service only accepts numbers and non-empty strings", key);
    notes.push(`One of ${values.map((value) => JSON.stringify(value)).join(", ")}.`);
    return;
  }

  const kinds: { readonly [key: string]: unknown }[] = [];
  if (words.length > 0) kinds.push({ type: chooseType(words, types), enum: words });
  if (flags.length > 0) kinds.push({ type: "boolean" });
  if (nulls.length > 0) kinds.push({ type: "null" });
  if (key === "const" && words.length > 0) place.changed("replaced by an enum with one value", key);
  else if (words.length < values.length)
    place.changed("replaced by types: the service only accepts strings and numbers in an enum", key);
  if (kinds.length === 1) Object.assign(draft, kinds[0]);
  else {
    delete draft["type"];
    draft["anyOf"] = kinds;
  }
  if (new Set(flags).size === 1)
    notes.push(`${kinds.length > 1 ? "A boolean is always" : "Always"} ${String(flags[0])}.`);
}

function chooseType(words: readonly unknown[], types: readonly string[]): unknown {
  const named = types.filter((type) => type !== "null" && type !== "boolean");
  if (named.length > 0) return named.length === 1 ? named[0] : named;
  const numbers = words.filter((word) => typeof word === "number");
  if (numbers.length === 0) return "string";
  const number = numbers.every((word) => Number.isInteger(word)) ? "integer" : "number";
  return numbers.length < words.length ? ["string", number] : number;
}

const MOVED = "moved into the description: the service does not support it";

const BOUNDS = [
  { inclusive: "minimum", exclusive: "exclusiveMinimum", step: 1, tighter: Math.max, word: "Greater" },
  { inclusive: "maximum", exclusive: "exclusiveMaximum", step: -1, tighter: Math.min, word: "Less" },
] as const;

/** Bounds: exclusive ones become inclusive for integers and a note for other numbers. */
export function addBounds({ schema, types, draft, notes, place }: SchemaNode): void {
  const isWhole = types.includes("integer") && !types.includes("number");
  for (const { inclusive, exclusive, step, tighter, word } of BOUNDS) {
    let bound = typeof schema[inclusive] === "number" ? schema[inclusive] : undefined;
    // Older drafts of JSON Schema have `minimum: 0, exclusiveMinimum: true`.
    const open = schema[exclusive] === true ? bound : schema[exclusive];
    if (schema[exclusive] === true) bound = undefined;
    if (typeof open === "number") {
      if (isWhole) {
        const next = (step > 0 ? Math.floor(open) : Math.ceil(open)) + step;
        bound = bound === undefined ? next : tighter(bound, next);
        place.changed(`replaced by ${inclusive} ${next}`, exclusive);
      } else {
        notes.push(`${word} than ${open}.`);
        place.changed(MOVED, exclusive);
      }
    }
    if (bound === undefined) continue;
    if (Math.abs(bound) >= Number.MAX_SAFE_INTEGER)
      place.changed("dropped: it only states the range of safe integers", inclusive);
    else draft[inclusive] = bound;
  }
}

/** Longest regular expression put into a description, in characters. */
const MAX_PATTERN = 200;

/** Unsupported keywords that a sentence in the description can replace. */
const SENTENCES: { readonly [keyword: string]: (value: unknown) => string } = {
  minLength: (value) => `At least ${count(value, "character")}.`,
  maxLength: (value) => `At most ${count(value, "character")}.`,
  pattern: (value) => (String(value).length > MAX_PATTERN ? "" : `Matches /${String(value)}/.`),
  uniqueItems: (value) => (value === true ? "No duplicates." : ""),
  multipleOf: (value) => `A multiple of ${String(value)}.`,
  minProperties: (value) => `At least ${count(value, "property", "properties")}.`,
  maxProperties: (value) => `At most ${count(value, "property", "properties")}.`,
  default: (value) => `Default: ${JSON.stringify(value)}.`,
  examples: (value) => {
    const examples = asList(value).map((example) => JSON.stringify(example));
    return examples.length > 0 ? `Examples: ${examples.join(", ")}.` : "";
  },
  example: (value) => `Example: ${JSON.stringify(value)}.`,
  contentEncoding: (value) => `Encoded as ${String(value)}.`,
  contentMediaType: (value) => `Content type ${String(value)}.`,
};

function count(value: unknown, one: string, many = `${one}s`): string {
  return `${String(value)} ${value === 1 ? one : many}`;
}

/** Formats the service supports, by type. */
const FORMATS: ReadonlyMap<string, readonly string[]> = new Map([
  ["string", ["date-time", "enum"]],
  ["number", ["float", "double"]],
  ["integer", ["int32", "int64"]],
]);

/** True for a format that the service supports for one of these types. */
export function keepsFormat(format: string, types: readonly string[]): boolean {
  return types.some((type) => FORMATS.get(type)?.includes(format) === true);
}

/** Describes unsupported keywords in words; values are validated against the author's schema anyway. */
export function addNotes({ schema, types, notes, place }: SchemaNode): void {
  const { format } = schema;
  for (const [key, value] of Object.entries(schema)) {
    const sentence = Object.hasOwn(SENTENCES, key) ? SENTENCES[key] : undefined;
    if (sentence === undefined) continue;
    // A named format tells the model more than the regular expression zod derives from it.
    const text = key === "pattern" && typeof format === "string" ? "" : sentence(value);
    if (text !== "") notes.push(text);
    place.changed(text === "" ? "dropped: the model does not need it" : MOVED, key);
  }
  if (typeof format !== "string" || keepsFormat(format, types)) return;
  notes.push(`Format: ${format}.`);
  const known = [...FORMATS.values()].flat().join(", ");
  place.changed(`"${format}" moved into the description: the service only supports ${known}`, "format");
}

/** Makes the error for schemas that cannot be merged. */
type Refuse = (why: string) => Error;

/** Merges two cleaned schemas into one that requires both. */
export function mergeSchemas(a: JsonSchema, b: JsonSchema, refuse: Refuse): JsonSchema {
  const merged = new Map(Object.entries(a));
  for (const [key, value] of Object.entries(b)) {
    const other = merged.get(key);
    const isNew = !merged.has(key) || JSON.stringify(other) === JSON.stringify(value);
    merged.set(key, isNew ? value : join(key, other, value, refuse));
  }
  // One side forbids the properties of the other.
  const isClosedByOne = (a["additionalProperties"] === false) !== (b["additionalProperties"] === false);
  const hasProperties = (a["properties"] ?? b["properties"]) !== undefined;
  if (isClosedByOne && hasProperties && a["type"] !== undefined && b["type"] !== undefined)
    merged.delete("additionalProperties");
  return Object.fromEntries(merged);
}

function join(key: string, a: unknown, b: unknown, refuse: Refuse): unknown {
  switch (key) {
    case "description":
      return withNote(a, String(b));
    case "title":
    case "propertyOrdering":
      return a;
    case "required":
      return [...new Set([...[a].flat(), ...[b].flat()])];
    case "minimum":
    case "minItems":
      return Math.max(Number(a), Number(b));
    case "maximum":
    case "maxItems":
      return Math.min(Number(a), Number(b));
    case "enum": {
      const others = new Set([b].flat());
      const common = [a].flat().filter((value) => others.has(value));
      if (common.length === 0) throw refuse("they have no values in common");
      return common;
    }
    case "type":
      return joinTypes([a].flat(), [b].flat(), refuse);
    case "properties":
      return joinProperties(a, b, refuse);
    case "additionalProperties":
      return typeof a === "boolean" && typeof b === "boolean" ? a && b : isObject(a) ? a : b;
    default:
      throw refuse(`both have \`${key}\``);
  }
}

function joinTypes(a: readonly unknown[], b: readonly unknown[], refuse: Refuse): unknown {
  const common = a.filter((type) => b.includes(type));
  if (common.length > 0) return common.length === 1 ? common[0] : common;
  const isNumeric = (type: unknown): boolean => type === "number" || type === "integer";
  if (a.some(isNumeric) && b.some(isNumeric)) return "integer";
  throw refuse(`one is ${a.join(" or ")}, the other ${b.join(" or ")}`);
}

function joinProperties(a: unknown, b: unknown, refuse: Refuse): unknown {
  const properties = new Map(Object.entries(asObject(a)));
  for (const [name, schema] of Object.entries(asObject(b))) {
    const other = properties.get(name);
    const both = isObject(other) && isObject(schema);
    const merged = both ? mergeSchemas(other, schema, (why) => refuse(`in \`${name}\`, ${why}`)) : schema;
    properties.set(name, merged);
  }
  return Object.fromEntries(properties);
}

/** Appends a sentence to a description. */
export function withNote(description: unknown, note: string): string {
  if (typeof description !== "string" || description.trim() === "") return note;
  const text = description.trimEnd();
  return `${text}${/[.!?:;]$/.test(text) ? "" : "."} ${note}`;
}
