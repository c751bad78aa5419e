import { isObject } from "../internal/json.ts";
import { changed, refused, type SchemaPlace, type SchemaScope } from "./schema-scope.ts";

/** Part of a schema being built; later entries win. */
export type Draft = Map<string, unknown>;

const TYPES = ["string", "number", "integer", "boolean", "array", "object", "null"];

/** The types a node allows, lower case; what its other keywords imply when it names none. */
export function typesOf(node: { readonly [key: string]: unknown }, scope: SchemaScope, place: SchemaPlace): string[] {
  const { type } = node;
  const given = (Array.isArray(type) ? type : type === undefined ? [] : [type]) as readonly unknown[];
  if (Array.isArray(type) && type.length === 0)
    throw refused(scope, place, `has an empty list of types: name one of ${TYPES.join(", ")}`);
  const types = given.map((word) => {
    const lower = String(word).toLowerCase();
    if (!TYPES.includes(lower))
      throw refused(scope, place, `has the type ${JSON.stringify(word)}: use one of ${TYPES.join(", ")}`);
    if (lower !== word) changed(scope, place, `"${String(word)}" written in lower case`, "type");
    return lower;
  });
  if (types.length === 0) {
    const implied = isObject(node["properties"])
      ? "object"
      : "items" in node || "prefixItems" in node
        ? "array"
        : undefined;
    if (implied !== undefined) {
      types.push(implied);
      changed(scope, place, `"${implied}" added: the other keywords mean it`, "type");
    }
  }
  if (node["nullable"] === true) {
    changed(scope, place, 'written as the type "null"', "nullable");
    if (types.length > 0 && !types.includes("null")) types.push("null");
  }
  return types;
}

/** `enum` and `const`: strings and numbers stay, the rest is said with types or words. Returns sentences for the description. */
export function valuesInto(
  draft: Draft,
  node: { readonly [key: string]: unknown },
  types: readonly string[],
  scope: SchemaScope,
  place: SchemaPlace,
): string[] {
  const key = "const" in node ? "const" : "enum";
  if (!(key in node)) return [];
  const values: unknown = key === "const" ? [node["const"]] : node["enum"];
  if (!Array.isArray(values) || values.length === 0)
    throw refused(scope, into(place), "has an enum without values: name at least one");
  const words: unknown[] = values.filter(
    (value) => (typeof value === "string" && value !== "") || (typeof value === "number" && Number.isFinite(value)),
  );
  const flags: unknown[] = values.filter((value) => typeof value === "boolean");
  const nulls: unknown[] = values.filter((value) => value === null);
  if (words.length + flags.length + nulls.length < values.length) {
    changed(scope, place, "moved into the description: the service takes strings that are not empty, and numbers", key);
    return [`One of ${values.map((value) => JSON.stringify(value)).join(", ")}.`];
  }

  const kinds: { readonly [key: string]: unknown }[] = [];
  if (words.length > 0) kinds.push({ type: wordType(words, types), enum: words });
  if (flags.length > 0) kinds.push({ type: "boolean" });
  if (nulls.length > 0) kinds.push({ type: "null" });
  if (key === "const" && words.length > 0) changed(scope, place, "written as an enum of one value", key);
  else if (words.length < values.length)
    changed(scope, place, "written with types: the service takes strings and numbers in an enum", key);
  if (kinds.length === 1) for (const [name, value] of Object.entries(kinds[0] ?? {})) draft.set(name, value);
  else {
    draft.delete("type");
    draft.set("anyOf", kinds);
  }
  const only = new Set(flags);
  return only.size === 1 ? [`${kinds.length > 1 ? "A boolean is always" : "Always"} ${String(flags[0])}.`] : [];

  function into(at: SchemaPlace): SchemaPlace {
    return { ...at, path: [...at.path, key] };
  }
}

/** Bounds: exclusive ones become inclusive for integers and words for other numbers. Returns sentences for the description. */
export function boundsInto(
  draft: Draft,
  node: { readonly [key: string]: unknown },
  types: readonly string[],
  scope: SchemaScope,
  place: SchemaPlace,
): string[] {
  const whole = types.includes("integer") && !types.includes("number");
  const notes: string[] = [];
  for (const side of SIDES) {
    const { inclusive, exclusive, step, tighter } = side;
    let bound = typeof node[inclusive] === "number" ? node[inclusive] : undefined;
    // Older drafts say `minimum: 0, exclusiveMinimum: true`.
    const open = node[exclusive] === true ? bound : node[exclusive];
    if (node[exclusive] === true) bound = undefined;
    if (typeof open === "number") {
      if (whole) {
        const next = (step > 0 ? Math.floor(open) : Math.ceil(open)) + step;
        bound = bound === undefined ? next : tighter(bound, next);
        changed(scope, place, `written as ${inclusive} ${next}`, exclusive);
      } else {
        notes.push(`${side.word} than ${open}.`);
        changed(scope, place, "moved into the description: it is not in the service's subset", exclusive);
      }
    }
    if (bound === undefined) continue;
    if (Math.abs(bound) >= Number.MAX_SAFE_INTEGER)
      changed(scope, place, "dropped: it is only the range of safe integers", inclusive);
    else draft.set(inclusive, bound);
  }
  return notes;
}

const SIDES = [
  { inclusive: "minimum", exclusive: "exclusiveMinimum", step: 1, tighter: Math.max, word: "Greater" },
  { inclusive: "maximum", exclusive: "exclusiveMaximum", step: -1, tighter: Math.min, word: "Less" },
] as const;

function wordType(words: readonly unknown[], types: readonly string[]): unknown {
  const named = types.filter((type) => type !== "null" && type !== "boolean");
  if (named.length > 0) return named.length === 1 ? named[0] : named;
  const strings = words.some((word) => typeof word === "string");
  const numbers = words.filter((word) => typeof word === "number");
  if (numbers.length === 0) return "string";
  const number = numbers.every((word) => Number.isInteger(word)) ? "integer" : "number";
  return strings ? ["string", number] : number;
}
