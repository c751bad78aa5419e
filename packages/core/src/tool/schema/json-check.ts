import { asObject, copyJson, followPointer, isObject } from "../../internal/json.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";
import type { SchemaChange } from "../tool.ts";
import type { StandardIssue } from "./standard-schema.ts";
import { findUnchecked, judgePattern } from "./unchecked.ts";

/** Checks values against a plain JSON Schema. */
export interface JsonCheck {
  /** The parts of the schema that are not checked. */
  readonly unchecked: readonly SchemaChange[];
  /** Empty when the value fits. A value that takes too many steps does not. */
  issuesOf(value: unknown): Promise<readonly StandardIssue[]>;
}

/** Loads the validator with the first value: programs without such a schema never do. After a load that failed, the next value tries again. */
export function jsonCheck(schema: JsonSchema): JsonCheck {
  let check: ((value: unknown) => readonly StandardIssue[]) | undefined;
  const { unchecked, hasPatterns } = findUnchecked(schema, judgePattern);
  return {
    unchecked,
    issuesOf: async (value) => {
      if (check === undefined) {
        const { loadCheck } = await import("./validator.ts");
        check = await loadCheck(schema, hasPatterns);
      }
      return check(value);
    },
  };
}

/** Adds missing required properties that have a default, also nested ones, but not in unions. Returns the value itself if none is missing. */
export function withDefaults(value: unknown, schema: unknown, root: JsonSchema): unknown {
  const target = resolve(schema, root);
  if (target === undefined) return value;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => withDefaults(item, target["items"], root));
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  if (!isObject(value)) return value;
  const { properties, required } = target;
  const changed: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(asObject(properties))) {
    // Assigning to this one would change the prototype.
    if (name === "__proto__") continue;
    if (Object.hasOwn(value, name)) {
      const member = withDefaults(value[name], property, root);
      if (member !== value[name]) changed[name] = member;
    } else if (Array.isArray(required) && required.includes(name)) {
      const own = [property, resolve(property, root)].find((one) => isObject(one) && Object.hasOwn(one, "default"));
      if (isObject(own)) changed[name] = copyJson(own["default"]);
    }
  }
  const filled = Object.keys(changed).length === 0 ? value : { ...value, ...changed };
  const { allOf } = target;
  return Array.isArray(allOf) ? allOf.reduce((all: unknown, one) => withDefaults(all, one, root), filled) : filled;
}

/** Longest chain of references that is followed. */
const MAX_REFERENCES = 32;

/** The schema behind references and `nullable` wrappers; undefined for none, or for a choice. */
function resolve(schema: unknown, root: JsonSchema): JsonSchema | undefined {
  let target = schema;
  for (let times = 0; times < MAX_REFERENCES && isObject(target); times++) {
    const choices = target["anyOf"] ?? target["oneOf"];
    if (typeof target["$ref"] === "string") target = followPointer(target["$ref"], root);
    else if (!Array.isArray(choices)) return target;
    else {
      const others: readonly unknown[] = choices.filter((one) => !isObject(one) || one["type"] !== "null");
      if (others.length !== 1) return undefined;
      [target] = others;
    }
  }
  return undefined;
}

/** True when {@link withDefaults} may change a value of this schema. */
export function hasDefaults(schema: JsonSchema): boolean {
  return JSON.stringify(schema).includes('"default":');
}
