import { followPointer, isObject } from "../../internal/json.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";

/** Whether only the author of a schema can have written the texts in a value: enums, constants, dates, and fixed names. @param value - JSON. */
export function hasNoFreeText(schema: JsonSchema, value: unknown): boolean {
  const words = new Set<string>();
  return new ClosedSchema(schema, words).isClosed(schema) && isMadeOf(value, words);
}

function isMadeOf(value: unknown, words: ReadonlySet<string>): boolean {
  if (typeof value === "string") return words.has(value) || DATE.test(value);
  if (Array.isArray(value)) return value.every((one) => isMadeOf(one, words));
  if (!isObject(value)) return true;
  return Object.entries(value).every(([name, one]) => words.has(name) && isMadeOf(one, words));
}

/** A date, a time, or both, as RFC 3339 writes them. */
const DATE = /^(\d{4}-\d\d-\d\d)?([Tt ]?\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)?)?$/;
const DATES: ReadonlySet<unknown> = new Set(["date", "date-time", "time"]);

/** Decides whether a schema allows only the author's own words, and collects them. */
class ClosedSchema {
  readonly #root: JsonSchema;
  readonly #words: Set<string>;
  /** Visited schemas: one that contains itself adds nothing. */
  readonly #seen = new Map<unknown, boolean>();

  constructor(root: JsonSchema, words: Set<string>) {
    this.#root = root;
    this.#words = words;
  }

  isClosed(schema: unknown): boolean {
    if (schema === false) return true;
    if (!isObject(schema)) return false;
    const known = this.#seen.get(schema);
    if (known !== undefined) return known;
    this.#seen.set(schema, true);
    const isClosed = this.#allowsOwn(schema);
    this.#seen.set(schema, isClosed);
    return isClosed;
  }

  #allowsOwn(schema: Readonly<Record<string, unknown>>): boolean {
    const { const: constant, enum: listed, $ref, allOf, anyOf, oneOf } = schema;
    if (constant !== undefined) return this.#addWords([constant]);
    if (Array.isArray(listed)) return this.#addWords(listed);
    if (typeof $ref === "string") return this.isClosed(followPointer($ref, this.#root));
    for (const some of [anyOf, oneOf]) if (Array.isArray(some)) return some.every((one) => this.isClosed(one));
    // All members apply, so one closed member is enough: the others only narrow it.
    if (Array.isArray(allOf) && schema["type"] === undefined) return allOf.some((one) => this.isClosed(one));
    const types = [schema["type"]].flat();
    return types.length > 0 && types.every((type) => this.#isClosedAs(type, schema));
  }

  #isClosedAs(type: unknown, schema: Readonly<Record<string, unknown>>): boolean {
    switch (type) {
      case "number":
      case "integer":
      case "boolean":
      case "null":
        return true;
      case "string":
        return DATES.has(schema["format"]);
      case "array": {
        const { items, prefixItems = [], additionalItems, maxItems } = schema;
        const listed = Array.isArray(items) ? items : prefixItems;
        const rest = Array.isArray(items) ? additionalItems : items;
        const hasRest = maxItems !== (Array.isArray(listed) ? listed.length : 0);
        return Array.isArray(listed) && listed.every((one) => this.isClosed(one)) && (!hasRest || this.isClosed(rest));
      }
      case "object": {
        const { properties = {}, additionalProperties = false, patternProperties } = schema;
        if (!isObject(properties) || additionalProperties !== false || patternProperties !== undefined) return false;
        this.#addWords(Object.keys(properties));
        return Object.values(properties).every((one) => this.isClosed(one));
      }
      default:
        return false;
    }
  }

  #addWords(values: readonly unknown[]): boolean {
    for (const value of values) {
      if (typeof value === "string") this.#words.add(value);
      else if (isObject(value)) this.#addWords(Object.entries(value).flat());
      else if (Array.isArray(value)) this.#addWords(value);
    }
    return true;
  }
}
