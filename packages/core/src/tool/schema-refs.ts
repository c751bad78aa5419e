import type { JsonSchema } from "../wire/declaration.ts";
import { changed, refused, type SchemaPlace, type SchemaScope } from "./schema-scope.ts";

/** The recursion of the clean-up, handed down so that no file imports in a circle. */
export type Clean = (schema: unknown, scope: SchemaScope, place: SchemaPlace) => JsonSchema | undefined;

/**
 * The reference in the form that is sent, `#` or `#/$defs/<name>`, with its definition cleaned into the scope.
 */
export function refInto(ref: string, scope: SchemaScope, place: SchemaPlace, clean: Clean): string {
  if (ref === "#" || ref === "#/") return "#";
  const target = followRef(ref, scope, place);
  const name = nameFor(ref, scope);
  const sent = `#/$defs/${name}`;
  if (scope.definitions.has(name)) return sent;
  if (sent !== ref) changed(scope, place, `${ref} written as ${sent}`, "$ref");
  scope.definitions.set(name, undefined);
  const at = { path: ["$defs", name], inlining: place.inlining };
  const cleaned = clean(target, scope, at);
  if (cleaned === undefined) throw refused(scope, at, "fits no value: leave out what refers to it");
  scope.definitions.set(name, cleaned);
  return sent;
}

/** What a local reference points to in the author's schema. */
export function followRef(ref: string, scope: SchemaScope, place: SchemaPlace): unknown {
  if (ref === "#" || ref === "#/") return scope.root;
  if (!ref.startsWith("#/"))
    throw refused(
      scope,
      place,
      `refers to ${JSON.stringify(ref)}, which is not inside the schema: put the definition under $defs and refer to "#/$defs/<name>"`,
    );
  let target: unknown = scope.root;
  for (const key of ref.slice(2).split("/").map(unescaped)) {
    if (typeof target !== "object" || target === null || !Object.hasOwn(target, key))
      throw refused(
        scope,
        place,
        `refers to ${JSON.stringify(ref)}, which does not exist: define it or correct the path`,
      );
    // Own properties only, as checked above.
    target = (target as Readonly<Record<string, unknown>>)[key];
  }
  return target;
}

function nameFor(ref: string, scope: SchemaScope): string {
  const known = scope.names.get(ref);
  if (known !== undefined) return known;
  const plain = /^#\/(?:\$defs|definitions)\/([^/~%]+)$/.exec(ref)?.[1];
  const taken = new Set(scope.names.values());
  let name = plain ?? `ref_${taken.size + 1}`;
  while (taken.has(name)) name = `${name}_`;
  scope.names.set(ref, name);
  return name;
}

function unescaped(key: string): string {
  const pointer = key.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return decodeURIComponent(pointer);
  } catch {
    return pointer;
  }
}
