import { isObject, type JsonObject, listAt } from "./json.ts";
import type { Work } from "./work.ts";

/**
 * Merges schemas into one that requires what all of them require, as far as possible; if two contradict each other, the later
 * one wins. None of them may be a reference.
 *
 * @throws {TooComplexError} If it takes too many steps.
 */
export function mergeAllOf(schemas: readonly JsonObject[], work: Work): JsonObject {
  const merged = new Map<string, unknown>();
  for (const schema of schemas) {
    for (const [key, value] of Object.entries(schema)) {
      merged.set(key, merged.has(key) ? joined(key, merged.get(key), value, work) : value);
    }
  }
  return Object.fromEntries(merged);
}

function joined(key: string, a: unknown, b: unknown, work: Work): unknown {
  switch (key) {
    case "properties":
      return isObject(a) && isObject(b) ? mergeProperties(a, b, work) : b;
    case "required":
      return [...new Set([...asList(a), ...asList(b)])];
    case "enum": {
      const common = inBoth(a, b);
      return common.length > 0 ? common : b;
    }
    case "type": {
      const common = inBoth(a, b);
      return common.length > 1 ? common : (common[0] ?? b);
    }
    case "title":
    case "description":
      return a;
    case "anyOf":
    case "oneOf":
      // Merging would require every combination: the first choice is kept, and the service checks the rest.
      return a;
    case "additionalProperties":
      // Each schema forbids the members that only the others define.
      return a === false || b === false ? undefined : b;
    default:
      return b;
  }
}

function mergeProperties(a: JsonObject, b: JsonObject, work: Work): JsonObject {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  work.step(names.size);
  return Object.fromEntries(
    [...names].map((name) => {
      const [left, right] = [a[name], b[name]];
      if (!isObject(left) || !isObject(right)) return [name, right ?? left];
      const hasRef = "$ref" in left || "$ref" in right;
      return [name, hasRef ? right : work.inside(() => mergeAllOf([left, right], work))];
    }),
  );
}

function inBoth(a: unknown, b: unknown): readonly unknown[] {
  const others = new Set(asList(b));
  return asList(a).filter((value) => others.has(value));
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** Required names that are also defined: a document may require a member that it never describes. */
export function knownRequired(schema: JsonObject): readonly string[] {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  return listAt(schema, "required")
    .map(String)
    .filter((name) => Object.hasOwn(properties, name));
}
