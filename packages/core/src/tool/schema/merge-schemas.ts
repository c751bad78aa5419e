import { isObject } from "../../internal/json.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";

/** Merges two cleaned schemas into one that requires both. @returns The schema, or why they cannot be merged. */
export function mergeSchemas(a: JsonSchema, b: JsonSchema): JsonSchema | string {
  const merged = new Map(Object.entries(a));
  for (const [key, value] of Object.entries(b)) {
    const other = merged.get(key);
    if (!merged.has(key) || JSON.stringify(other) === JSON.stringify(value)) {
      merged.set(key, value);
      continue;
    }
    const joined = join(key, other, value);
    if (typeof joined === "string") return joined;
    merged.set(key, joined.value);
  }
  // One side forbids the properties of the other.
  const isClosedByOne = (a["additionalProperties"] === false) !== (b["additionalProperties"] === false);
  const hasProperties = (a["properties"] ?? b["properties"]) !== undefined;
  if (isClosedByOne && hasProperties && a["type"] !== undefined && b["type"] !== undefined)
    merged.delete("additionalProperties");
  return Object.fromEntries(merged);
}

function join(key: string, a: unknown, b: unknown): { readonly value: unknown } | string {
  switch (key) {
    case "description":
      return { value: withNote(a, String(b)) };
    case "title":
    case "propertyOrdering":
      return { value: a };
    case "required":
      return { value: [...new Set([...list(a), ...list(b)])] };
    case "minimum":
    case "minItems":
      return { value: Math.max(Number(a), Number(b)) };
    case "maximum":
    case "maxItems":
      return { value: Math.min(Number(a), Number(b)) };
    case "enum": {
      const common = list(a).filter((value) => list(b).includes(value));
      return common.length === 0 ? "they have no values in common" : { value: common };
    }
    case "type":
      return joinTypes(list(a), list(b));
    case "properties":
      return joinProperties(a, b);
    case "additionalProperties":
      return { value: typeof a === "boolean" && typeof b === "boolean" ? a && b : isObject(a) ? a : b };
    default:
      return `both have \`${key}\``;
  }
}

function joinTypes(a: readonly unknown[], b: readonly unknown[]): { readonly value: unknown } | string {
  const common = a.filter((type) => b.includes(type));
  if (common.length === 0 && a.includes("number") && b.includes("integer")) common.push("integer");
  if (common.length === 0 && a.includes("integer") && b.includes("number")) common.push("integer");
  if (common.length === 0) return `one is ${a.join(" or ")}, the other ${b.join(" or ")}`;
  return { value: common.length === 1 ? common[0] : common };
}

function joinProperties(a: unknown, b: unknown): { readonly value: unknown } | string {
  const properties = new Map(Object.entries(isObject(a) ? a : {}));
  for (const [name, schema] of Object.entries(isObject(b) ? b : {})) {
    const other = properties.get(name);
    const both = isObject(other) && isObject(schema) ? mergeSchemas(other, schema) : schema;
    if (typeof both === "string") return `in \`${name}\`, ${both}`;
    properties.set(name, both);
  }
  return { value: Object.fromEntries(properties) };
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
