import { isObject } from "../../internal/json.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";

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
      return [...new Set([...list(a), ...list(b)])];
    case "minimum":
    case "minItems":
      return Math.max(Number(a), Number(b));
    case "maximum":
    case "maxItems":
      return Math.min(Number(a), Number(b));
    case "enum": {
      const common = list(a).filter((value) => list(b).includes(value));
      if (common.length === 0) throw refuse("they have no values in common");
      return common;
    }
    case "type":
      return joinTypes(list(a), list(b), refuse);
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
  const properties = new Map(Object.entries(isObject(a) ? a : {}));
  for (const [name, schema] of Object.entries(isObject(b) ? b : {})) {
    const other = properties.get(name);
    const both = isObject(other) && isObject(schema);
    const merged = both ? mergeSchemas(other, schema, (why) => refuse(`in \`${name}\`, ${why}`)) : schema;
    properties.set(name, merged);
  }
  return Object.fromEntries(properties);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** Appends a sentence to a description. */
export function withNote(description: unknown, note: string): string {
  if (typeof description !== "string" || description.trim() === "") return note;
  const text = description.trimEnd();
  return `${text}${/[.!?:;]$/.test(text) ? "" : "."} ${note}`;
}
