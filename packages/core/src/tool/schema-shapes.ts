import { isObject } from "../internal/json.ts";
import type { Clean } from "./schema-refs.ts";
import { changed, into, refused, type SchemaPlace, type SchemaScope } from "./schema-scope.ts";
import type { Draft } from "./schema-values.ts";

type Node = { readonly [key: string]: unknown };

/** The keywords of objects. Returns sentences for the description. */
export function objectInto(
  draft: Draft,
  node: Node,
  types: readonly string[],
  scope: SchemaScope,
  place: SchemaPlace,
  clean: Clean,
): string[] {
  const mentions = ["properties", "required", "additionalProperties", "propertyNames", "propertyOrdering"].filter(
    (key) => node[key] !== undefined,
  );
  if (types.length > 0 && !types.includes("object")) {
    for (const key of mentions) changed(scope, place, "dropped: only an object has it", key);
    return [];
  }
  const { names, note } = keysOf(node, scope, place);
  const required = new Set<string>(Array.isArray(node["required"]) ? node["required"].map(String) : []);
  const properties = new Map<string, unknown>();
  const given = isObject(node["properties"]) ? node["properties"] : undefined;
  for (const [name, schema] of [
    ...Object.entries(given ?? {}),
    ...names.map((key): [string, unknown] => [key, node["additionalProperties"] ?? true]),
  ]) {
    const at = into(place, "properties", name);
    const cleaned = clean(schema, scope, at);
    if (cleaned !== undefined) properties.set(name, cleaned);
    else if (required.has(name))
      throw refused(scope, at, "fits no value and is required: make it optional or leave it out");
    else changed(scope, at, "dropped: no value fits it");
  }
  if (given !== undefined || properties.size > 0) draft.set("properties", Object.fromEntries(properties));
  for (const name of required) {
    if (!properties.has(name))
      throw refused(
        scope,
        into(place, "required"),
        `names ${JSON.stringify(name)}, which is not among the properties: define it or take it out`,
      );
  }
  if (required.size > 0) draft.set("required", [...required]);
  additionalInto(draft, node, names.length > 0, scope, place, clean);
  const order = node["propertyOrdering"];
  if (Array.isArray(order))
    draft.set(
      "propertyOrdering",
      order.filter((name) => properties.has(String(name))),
    );
  return note;
}

/** The keywords of arrays. Returns sentences for the description. */
export function arrayInto(
  draft: Draft,
  node: Node,
  types: readonly string[],
  scope: SchemaScope,
  place: SchemaPlace,
  clean: Clean,
): string[] {
  const mentions = ["items", "prefixItems", "additionalItems", "minItems", "maxItems"].filter(
    (key) => node[key] !== undefined,
  );
  if (!types.includes("array")) {
    for (const key of mentions) changed(scope, place, "dropped: only an array has it", key);
    return [];
  }
  const older = Array.isArray(node["items"]);
  if (older) changed(scope, place, "a list of schemas written as prefixItems", "items");
  const prefix = older ? node["items"] : node["prefixItems"];
  const rest = older ? node["additionalItems"] : node["items"];
  if (Array.isArray(prefix) && prefix.length > 0) {
    const cleaned = prefix.map((schema: unknown, index) => {
      const at = into(place, "prefixItems", index);
      const item = clean(schema, scope, at);
      if (item === undefined) throw refused(scope, at, "fits no value: leave it out");
      return item;
    });
    draft.set("prefixItems", cleaned);
  }
  const length = Array.isArray(prefix) ? prefix.length : 0;
  const items = rest === undefined ? {} : clean(rest, scope, into(place, "items"));
  if (items === undefined) changed(scope, place, `written as maxItems ${length}`, "items");
  else if (rest !== undefined || length === 0) draft.set("items", items);
  if (rest === undefined && length === 0)
    changed(scope, place, "added: an array needs it, and any value is meant", "items");
  for (const key of ["minItems", "maxItems"]) if (typeof node[key] === "number") draft.set(key, node[key]);
  if (items === undefined)
    draft.set("maxItems", Math.min(length, typeof node["maxItems"] === "number" ? node["maxItems"] : length));
  return [];
}

function keysOf(
  node: Node,
  scope: SchemaScope,
  place: SchemaPlace,
): { readonly names: readonly string[]; readonly note: string[] } {
  const { propertyNames } = node;
  if (propertyNames === undefined) return { names: [], note: [] };
  const values: unknown = isObject(propertyNames)
    ? (propertyNames["enum"] ?? ("const" in propertyNames ? [propertyNames["const"]] : undefined))
    : undefined;
  if (Array.isArray(values) && node["properties"] === undefined) {
    changed(scope, place, "its names written as properties", "propertyNames");
    return { names: values.map(String), note: [] };
  }
  changed(scope, place, "dropped: it is not in the service's subset", "propertyNames");
  const pattern =
    isObject(propertyNames) && typeof propertyNames["pattern"] === "string" ? propertyNames["pattern"] : undefined;
  return { names: [], note: pattern === undefined ? [] : [`Names match /${pattern}/.`] };
}

function additionalInto(
  draft: Draft,
  node: Node,
  named: boolean,
  scope: SchemaScope,
  place: SchemaPlace,
  clean: Clean,
): void {
  const additional = node["additionalProperties"];
  if (named) draft.set("additionalProperties", false);
  if (named || additional === undefined) return;
  // The names that the pattern allowed would be forbidden.
  if (additional === false && isObject(node["patternProperties"])) {
    changed(scope, place, "dropped, with patternProperties", "additionalProperties");
    return;
  }
  const cleaned = clean(additional, scope, into(place, "additionalProperties"));
  draft.set("additionalProperties", cleaned === undefined ? false : Object.keys(cleaned).length === 0 ? true : cleaned);
}
