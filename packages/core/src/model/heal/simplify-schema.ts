import { followPointer, isObject } from "../../internal/json.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";

/** Deepest nesting that is kept; deeper values are only said to be an object or a list. */
const MAX_DEPTH = 6;
/** Longest enum that is kept, in members. */
const MAX_ENUM = 50;

/** What narrows a value without saying what it is. */
const NARROWING: ReadonlySet<string> = new Set(
  (
    "minItems maxItems uniqueItems minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf " +
    "minProperties maxProperties propertyNames patternProperties default examples $defs definitions"
  ).split(" "),
);

/**
 * A schema that costs the service less to hold the model to: no bounds, patterns and formats, no long enums, references
 * written out, and nothing nested deeper than six levels. Whatever the full schema takes, this one takes as well.
 */
export function simplifySchema(schema: JsonSchema): JsonSchema {
  return simplify(schema, schema, 0) as JsonSchema;
}

function simplify(node: unknown, root: JsonSchema, depth: number): unknown {
  if (Array.isArray(node)) return node.map((item: unknown) => simplify(item, root, depth));
  if (!isObject(node)) return node;
  const { $ref: reference, ...rest } = node;
  if (typeof reference === "string") {
    const target = followPointer(reference, root);
    if (depth >= MAX_DEPTH || !isObject(target)) return { ...pickType(target), ...pickDescription(node) };
    return simplify({ ...target, ...rest }, root, depth + 1);
  }
  if (depth >= MAX_DEPTH) return { ...pickType(node), ...pickDescription(node) };
  const simple: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(rest)) {
    if (NARROWING.has(key) || (key === "enum" && Array.isArray(value) && value.length > MAX_ENUM)) continue;
    if (key === "properties" && isObject(value)) {
      simple[key] = Object.fromEntries(
        Object.entries(value).map(([name, child]) => [name, simplify(child, root, depth + 1)]),
      );
    } else if (key === "items" || key === "additionalProperties" || key === "prefixItems") {
      simple[key] = simplify(value, root, depth + 1);
    } else if (key === "anyOf" || key === "oneOf" || key === "allOf") {
      simple[key] = simplify(value, root, depth);
    } else simple[key] = value;
  }
  return simple;
}

function pickType(node: unknown): object {
  return isObject(node) && node["type"] !== undefined ? { type: node["type"] } : {};
}

function pickDescription(node: Readonly<Record<string, unknown>>): object {
  return node["description"] === undefined ? {} : { description: node["description"] };
}
