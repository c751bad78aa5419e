import { type OpenApiRoot, follow } from "./document.ts";
import { isDeeperThan, isObject, type JsonObject, listAt, shortened } from "./json.ts";
import { knownRequired, mergeAllOf } from "./merge-all-of.ts";
import type { Work } from "./work.ts";

/** How much of a document's schemas is copied. */
export interface CopyDepth {
  /** Levels of objects and lists; anything deeper is described as "any". `Infinity` keeps references as `$defs`. */
  readonly levels: number;
}

/** Longest description of one value, in characters. */
const MAX_DESCRIPTION = 400;

/** Most levels of an example, a default or a member of an enum. */
const MAX_EXAMPLE_DEPTH = 20;

const KEPT: readonly string[] = [
  "type",
  "nullable",
  "format",
  "title",
  "enum",
  "const",
  "default",
  "example",
  "pattern",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "uniqueItems",
  "minProperties",
  "maxProperties",
];

/** Copies schemas out of a document, for requests: without read-only members, with the definitions they refer to. */
export class SchemaCopy {
  readonly #document: OpenApiRoot;
  readonly #levels: number;
  readonly #names = new Map<string, string>();
  readonly #taken = new Set<string>();
  readonly #definitions = new Map<string, JsonObject>();
  readonly #work: Work;

  /** @param work - Counts the steps; each method throws its {@link TooComplexError}. */
  constructor(document: OpenApiRoot, { levels }: CopyDepth, work: Work) {
    this.#document = document;
    this.#levels = levels;
    this.#work = work;
  }

  /** The definitions that the copies refer to, for the root of the schema. */
  get definitions(): JsonObject {
    return Object.fromEntries(this.#definitions);
  }

  /** A self-contained schema, except for references to {@link definitions}. */
  copy(schema: unknown): JsonObject {
    return this.#copy(schema, 0, []);
  }

  /** The merged members of an object schema; not copied. */
  plain(schema: unknown): JsonObject {
    return this.#merged(schema, []).schema;
  }

  #copy(given: unknown, level: number, inside: readonly string[]): JsonObject {
    return this.#work.inside(() => this.#copied(given, level, inside));
  }

  #copied(given: unknown, level: number, inside: readonly string[]): JsonObject {
    if (!isObject(given)) return {};
    if (typeof given["$ref"] === "string") return this.#copyRef(given, given["$ref"], level, inside);
    const { schema, refs } = this.#merged(given, inside);
    const below = [...inside, ...refs];
    const copy: { [key: string]: unknown } = {};
    for (const key of KEPT)
      if (schema[key] !== undefined && !isDeeperThan(schema[key], MAX_EXAMPLE_DEPTH)) copy[key] = schema[key];
    if (copy["type"] === "file") copy["type"] = "string";
    numericBounds(copy, schema);
    const description = descriptionOf(schema);
    if (description !== undefined) copy["description"] = description;
    const isNested = ["properties", "items", "additionalProperties", "anyOf", "oneOf", "prefixItems"].some(
      (key) => isObject(schema[key]) || Array.isArray(schema[key]),
    );
    if (isNested && level >= this.#levels) return cut(copy);
    this.#copyObject(copy, schema, level, below);
    for (const key of ["items", "additionalProperties"] as const) {
      const value = schema[key];
      if (typeof value === "boolean") copy[key] = value;
      else if (isObject(value)) copy[key] = this.#copy(value, level + 1, below);
    }
    for (const key of ["anyOf", "oneOf", "prefixItems"] as const) {
      const members = listAt(schema, key);
      if (members.length > 0) copy[key] = members.map((member) => this.#copy(member, level + 1, below));
    }
    return copy;
  }

  #copyObject(copy: { [key: string]: unknown }, schema: JsonObject, level: number, below: readonly string[]): void {
    const { properties } = schema;
    if (!isObject(properties)) return;
    // Counted before anything is copied, so that an oversized schema fails early.
    this.#work.step(Object.keys(properties).length);
    const sent = Object.entries(properties).filter(([, member]) => !this.#isReadOnly(member));
    copy["type"] ??= "object";
    copy["properties"] = Object.fromEntries(sent.map(([name, member]) => [name, this.#copy(member, level + 1, below)]));
    const names = new Set(sent.map(([name]) => name));
    const required = knownRequired(schema).filter((name) => names.has(name));
    if (required.length > 0) copy["required"] = required;
  }

  #copyRef(given: JsonObject, ref: string, level: number, inside: readonly string[]): JsonObject {
    const target = follow(this.#document.root, ref);
    const note = descriptionOf(given);
    if (!isObject(target))
      return { description: [note, `(defined elsewhere, as ${shortened(ref, 80)})`].filter(Boolean).join(" ") };
    const own = note === undefined ? {} : { description: note };
    if (this.#levels !== Infinity) {
      if (inside.includes(ref))
        return cut({ ...own, type: typeof target["type"] === "string" ? target["type"] : "object" });
      return { ...this.#copy(target, level, [...inside, ref]), ...own };
    }
    return { $ref: `#/$defs/${this.#define(ref, target)}`, ...own };
  }

  #define(ref: string, target: JsonObject): string {
    const known = this.#names.get(ref);
    if (known !== undefined) return known;
    const plain = (ref.split("/").at(-1) ?? "").replaceAll(/[^A-Za-z0-9_]+/g, "_") || "schema";
    let name = plain;
    for (let number = 2; this.#taken.has(name); number++) {
      this.#work.step();
      name = `${plain}_${number}`;
    }
    this.#taken.add(name);
    this.#names.set(ref, name);
    this.#definitions.set(name, this.#copy(target, 0, [ref]));
    return name;
  }

  /** Merges `allOf`, and resolves references. */
  #merged(
    given: unknown,
    inside: readonly string[],
  ): { readonly schema: JsonObject; readonly refs: readonly string[] } {
    if (!isObject(given)) return { schema: {}, refs: [] };
    const { $ref: ref, allOf, ...around } = given;
    const parts: JsonObject[] = [around];
    const refs: string[] = [];
    const add = (part: unknown, passed: readonly string[]): void => {
      const one = this.#work.inside(() => this.#merged(part, passed));
      parts.push(one.schema);
      refs.push(...one.refs);
    };
    if (typeof ref === "string" && !inside.includes(ref)) {
      refs.push(ref);
      add(follow(this.#document.root, ref), [...inside, ref]);
    }
    for (const member of Array.isArray(allOf) ? allOf : []) add(member, [...inside, ...refs]);
    return { schema: parts.length === 1 ? around : mergeAllOf(parts, this.#work), refs };
  }

  #isReadOnly(member: unknown): boolean {
    if (!isObject(member)) return false;
    const target = typeof member["$ref"] === "string" ? follow(this.#document.root, member["$ref"]) : undefined;
    return member["readOnly"] === true || (isObject(target) && target["readOnly"] === true);
  }
}

/** In OpenAPI 3.0, `exclusiveMinimum` and `exclusiveMaximum` are booleans: `true` excludes the bound itself. */
function numericBounds(copy: { [key: string]: unknown }, schema: JsonObject): void {
  for (const [bound, exclusive] of [
    ["minimum", "exclusiveMinimum"],
    ["maximum", "exclusiveMaximum"],
  ] as const) {
    if (typeof schema[exclusive] !== "boolean") continue;
    delete copy[exclusive];
    if (!schema[exclusive] || schema[bound] === undefined) continue;
    copy[exclusive] = schema[bound];
    delete copy[bound];
  }
}

function descriptionOf(schema: JsonObject): string | undefined {
  const { discriminator } = schema;
  const by = isObject(discriminator) ? discriminator["propertyName"] : discriminator;
  const parts = [
    schema["deprecated"] === true ? "Deprecated." : "",
    typeof schema["description"] === "string" ? shortened(schema["description"], MAX_DESCRIPTION) : "",
    typeof by === "string" ? `\`${by}\` selects the variant.` : "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? undefined : parts.join(" ");
}

function cut(copy: JsonObject): JsonObject {
  const { type, title, description, nullable, ...rest } = copy;
  const note = "(its structure is not shown here)";
  return {
    ...(rest["enum"] !== undefined && { enum: rest["enum"] }),
    ...(type !== undefined && { type }),
    ...(title !== undefined && { title }),
    ...(nullable !== undefined && { nullable }),
    description: typeof description === "string" ? `${description} ${note}` : note,
  };
}
