import type { Json } from "@pollux/core";

/** A JSON object. */
export type Fields = { readonly [name: string]: Json };

/** The form field for a schema. `json`: a text field, for schemas without a form. */
export type Shown =
  | { readonly kind: "text" | "number" | "boolean" | "json" }
  | { readonly kind: "choice"; readonly options: readonly Json[] }
  | { readonly kind: "list"; readonly items: Json }
  | { readonly kind: "object"; readonly members: readonly Member[] };

/** A member of an object. */
export interface Member {
  readonly name: string;
  readonly schema: Json;
  readonly isRequired: boolean;
  readonly description?: string | undefined;
}

/** Deepest nesting of objects and lists in a form. */
const MAX_DEPTH = 6;
/** Most members of an object in a form. */
const MAX_MEMBERS = 100;

/**
 * The form field for a part of a schema; `json` for anything ambiguous.
 *
 * @param root - The whole schema, for its references.
 * @param depth - Of the part in the form.
 */
export function shownFor(given: Json, root: Json, depth: number = 0): Shown {
  const schema = resolve(given, root);
  if (schema === undefined || depth > MAX_DEPTH) return JSON_FIELD;
  const { enum: options, const: only, properties, items, anyOf, oneOf, allOf, patternProperties } = schema;
  if (only !== undefined) return { kind: "choice", options: [only] };
  if (Array.isArray(options) && options.length > 0)
    return options.every(isScalar) ? { kind: "choice", options } : JSON_FIELD;
  if ([anyOf, oneOf, allOf, patternProperties].some((one) => one !== undefined)) return JSON_FIELD;
  switch (typeOf(schema)) {
    case "string":
      return { kind: "text" };
    case "integer":
    case "number":
      return { kind: "number" };
    case "boolean":
      return { kind: "boolean" };
    case "array":
      return isFields(items) ? { kind: "list", items } : JSON_FIELD;
    case "object": {
      if (!isFields(properties)) return JSON_FIELD;
      const required = Array.isArray(schema["required"]) ? schema["required"] : [];
      const members = Object.entries(properties).map(([name, member]) => {
        const { description } = isFields(member) ? member : {};
        return {
          name,
          schema: member,
          isRequired: required.includes(name),
          ...(typeof description === "string" && { description }),
        };
      });
      return members.length > MAX_MEMBERS ? JSON_FIELD : { kind: "object", members };
    }
    default:
      return JSON_FIELD;
  }
}

const JSON_FIELD: Shown = { kind: "json" };

/** Follows references and drops alternatives of `null`; undefined if a reference leads nowhere. */
function resolve(given: Json, root: Json): Fields | undefined {
  let schema = given;
  for (let hops = 0; hops < 20 && isFields(schema); hops++) {
    const { $ref: ref, anyOf } = schema;
    if (typeof ref === "string") {
      const found = at(root, ref);
      if (found === undefined) return undefined;
      schema = found;
      continue;
    }
    const others = Array.isArray(anyOf) ? anyOf.filter((one) => !isFields(one) || one["type"] !== "null") : [];
    if (others.length !== 1 || others[0] === undefined) return schema;
    schema = others[0];
  }
  return undefined;
}

function at(root: Json, ref: string): Json | undefined {
  if (ref !== "#" && !ref.startsWith("#/")) return undefined;
  let found: Json | undefined = root;
  for (const segment of ref.split("/").slice(1)) {
    const name = segment.replaceAll("~1", "/").replaceAll("~0", "~");
    found = isFields(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return found;
}

function typeOf({ type }: Fields): Json | undefined {
  const types = Array.isArray(type) ? type.filter((one) => one !== "null") : [type];
  const [only] = types;
  return types.length !== 1 ? undefined : typeof only === "string" ? only.toLowerCase() : only;
}

/** An object with a member set or removed. Works for any name. */
export function withMember(object: Json | undefined, name: string, value: Json | undefined): Fields {
  const others = Object.entries(isFields(object) ? object : {}).filter(([other]) => other !== name);
  return Object.fromEntries(value === undefined ? others : [...others, [name, value]]);
}

/** A member of an object; undefined without it. */
export function memberOf(object: Json | undefined, name: string): Json | undefined {
  return isFields(object) && Object.hasOwn(object, name) ? object[name] : undefined;
}

export function isFields(value: Json | undefined): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScalar(value: Json): boolean {
  return typeof value !== "object" || value === null;
}
