import { followPointer, isObject } from "../../internal/json.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";
import type { SchemaPlace, SchemaScope } from "./schema-place.ts";

/** What a local reference points to in the author's schema. */
export function followReference(ref: string, place: SchemaPlace): unknown {
  const where = JSON.stringify(ref);
  if (ref !== "#" && !ref.startsWith("#/"))
    throw place.refused(
      `refers to ${where}, which is not inside the schema: put the definition under $defs and refer to "#/$defs/<name>"`,
    );
  const target = followPointer(ref, place.scope.root);
  if (target === undefined)
    throw place.refused(`refers to ${where}, which does not exist: define it or correct the path`);
  return target;
}

/** The name in `$defs` under which a reference's target is sent. */
export function nameDefinition(ref: string, { names }: SchemaScope): string {
  const known = names.get(ref);
  if (known !== undefined) return known;
  const plain = /^#\/(?:\$defs|definitions)\/([^/~%]+)$/.exec(ref)?.[1];
  const taken = new Set(names.values());
  let name = plain ?? `ref_${taken.size + 1}`;
  while (taken.has(name)) name = `${name}_`;
  names.set(ref, name);
  return name;
}

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
export function findRequiredCycle(schema: JsonSchema): readonly string[] | undefined {
  const edges = new Map<string, readonly Edge[]>([["#", listEdges(schema, [])]]);
  const definitions = schema["$defs"];
  if (isObject(definitions))
    for (const [name, definition] of Object.entries(definitions))
      edges.set(`#/$defs/${name}`, listEdges(definition, ["$defs", name]));

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

function listEdges(schema: unknown, path: readonly string[]): Edge[] {
  if (!isObject(schema)) return [];
  const edges: Edge[] = [];
  if (typeof schema["$ref"] === "string") edges.push({ target: schema["$ref"], path });
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const { properties, items, additionalProperties } = schema;
  for (const [name, property] of Object.entries(isObject(properties) ? properties : {}))
    if (required.includes(name)) edges.push(...listEdges(property, [...path, "properties", name]));
  edges.push(
    ...listEdges(items, [...path, "items"]),
    ...listEdges(additionalProperties, [...path, "additionalProperties"]),
  );
  for (const key of ["anyOf", "prefixItems"]) {
    const members = schema[key];
    if (Array.isArray(members))
      for (const [index, member] of members.entries()) edges.push(...listEdges(member, [...path, key, String(index)]));
  }
  return edges;
}
