import { isObject } from "../internal/json.ts";
import type { JsonSchema } from "../wire/declaration.ts";

/** A reference that must be followed: nothing optional stands between the two schemas. */
interface Edge {
  readonly target: string;
  readonly path: readonly string[];
}

/**
 * Finds a reference that comes back to itself without passing an optional property; the service refuses those.
 *
 * @param schema - Cleaned: references are `#` or `#/$defs/<name>`.
 * @returns Where the circle is closed, or nothing.
 * @see https://ai.google.dev/gemini-api/docs/structured-output
 */
export function requiredCycle(schema: JsonSchema): readonly string[] | undefined {
  const edges = new Map<string, readonly Edge[]>([["#", edgesOf(schema, [])]]);
  const definitions = schema["$defs"];
  if (isObject(definitions))
    for (const [name, definition] of Object.entries(definitions))
      edges.set(`#/$defs/${name}`, edgesOf(definition, ["$defs", name]));

  const done = new Set<string>();
  const open = new Set<string>();
  for (const node of edges.keys()) {
    const found = visit(node);
    if (found !== undefined) return found;
  }
  return undefined;

  function visit(node: string): readonly string[] | undefined {
    if (done.has(node)) return undefined;
    open.add(node);
    for (const { target, path } of edges.get(node) ?? []) {
      const found = open.has(target) ? path : visit(target);
      if (found !== undefined) return found;
    }
    open.delete(node);
    done.add(node);
    return undefined;
  }
}

function edgesOf(schema: unknown, path: readonly string[]): Edge[] {
  if (!isObject(schema)) return [];
  const edges: Edge[] = [];
  if (typeof schema["$ref"] === "string") edges.push({ target: schema["$ref"], path });
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const { properties, items, additionalProperties } = schema;
  if (isObject(properties)) {
    for (const [name, property] of Object.entries(properties))
      if (required.includes(name)) edges.push(...edgesOf(property, [...path, "properties", name]));
  }
  edges.push(
    ...edgesOf(items, [...path, "items"]),
    ...edgesOf(additionalProperties, [...path, "additionalProperties"]),
  );
  for (const key of ["anyOf", "prefixItems"]) {
    const members = schema[key];
    if (Array.isArray(members))
      for (const [index, member] of members.entries()) edges.push(...edgesOf(member, [...path, key, String(index)]));
  }
  return edges;
}
