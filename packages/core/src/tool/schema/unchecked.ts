import { followPointer, isObject } from "../../internal/json.ts";
import { wordsIn } from "../../internal/text.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";
import type { SchemaChange } from "../tool.ts";

/** Keywords with a schema, or a list of schemas. */
export const SCHEMAS: ReadonlySet<string> = wordsIn(
  "not if then else contains items additionalItems propertyNames additionalProperties unevaluatedItems",
  "unevaluatedProperties allOf anyOf oneOf prefixItems",
);
/** Keywords with schemas by name. */
export const MAPS: ReadonlySet<string> = wordsIn("properties patternProperties dependentSchemas dependencies");
/** Keywords that may reject a value because a schema below accepts it. */
export const NEGATIVE: ReadonlySet<string> = wordsIn(
  "not if then else maxContains unevaluatedItems unevaluatedProperties",
);

/** Maximum number of schemas read; further ones are not checked. */
const MAX_SCHEMAS = 40_000;

/** Why an expression is not checked; `undefined` when it is. */
export type JudgePattern = (pattern: string) => string | undefined;

/** What a schema shows before any value is checked. */
export interface ReadSchema {
  /** The schema and all schemas inside it, references followed, with their paths. */
  readonly schemas: ReadonlyMap<JsonSchema, readonly string[]>;
  /** Empty when all of it is checked. */
  readonly unchecked: readonly SchemaChange[];
  /** Whether it has expressions to match. */
  readonly hasPatterns: boolean;
}

/** Finds the unchecked parts. They accept anything, so keywords that would reject a value because of that are not checked either. */
export function findUnchecked(root: JsonSchema, judge: JudgePattern): ReadSchema {
  const unchecked: SchemaChange[] = [];
  const negative: (readonly string[])[] = [];
  const patternMaps: (readonly string[])[] = [];
  let hasPatterns = false;
  // Grows while it is read. Not recursive: a stranger's schema may nest without limit.
  const schemas = new Map<JsonSchema, readonly string[]>();
  const skip = (path: readonly string[], change: string): void => void unchecked.push({ path: path.join("."), change });
  const visit = (schema: unknown, path: readonly string[]): void => {
    if (typeof schema === "boolean" || schemas.has(schema as JsonSchema)) return;
    if (!isObject(schema)) return skip(path, "not checked: it is not a schema");
    if (schemas.size >= MAX_SCHEMAS) return skip(path, `not checked: it follows ${MAX_SCHEMAS} other schemas`);
    schemas.set(schema, path);
  };
  const read = (pattern: unknown, path: readonly string[]): void => {
    const problem = typeof pattern === "string" ? judge(pattern) : NO_EXPRESSION;
    if (problem === undefined) hasPatterns = true;
    else skip(path, `not checked: ${problem}`);
  };
  visit(root, []);
  for (const [schema, path] of schemas) {
    const { $ref } = schema;
    if (typeof $ref === "string") {
      const target = followPointer($ref, root);
      if (target === undefined)
        skip([...path, "$ref"], "not checked: the reference leads to nothing inside the schema");
      else visit(target, [...path, "$ref"]);
      if (hasLonelyRefs(root)) continue;
    }
    for (const [key, value] of Object.entries(schema)) {
      const at = [...path, key];
      if (value === undefined) continue;
      if (NEGATIVE.has(key)) negative.push(at);
      if (key === "pattern") read(value, at);
      else if (key === "$dynamicRef" || key === "$recursiveRef") skip(at, "not checked: use $ref");
      else if (SCHEMAS.has(key) && !Array.isArray(value)) visit(value, at);
      else if (SCHEMAS.has(key) || (MAPS.has(key) && isObject(value)))
        for (const [name, one] of Object.entries(value as object)) {
          if (key === "patternProperties") read(name, [...at, name]);
          // Older drafts have lists of names among the dependencies.
          if (key !== "dependencies" || !Array.isArray(one)) visit(one, [...at, name]);
        }
      if (key === "patternProperties") patternMaps.push(at);
    }
  }
  // The validator would not know which properties these have evaluated.
  if (negative.some((path) => path.at(-1) === "unevaluatedProperties"))
    for (const path of patternMaps) skip(path, "keeps unevaluatedProperties from being checked");
  if (unchecked.length > 0) for (const path of negative) skip(path, "not checked: another part of the schema is not");
  return { schemas, unchecked, hasPatterns };
}

/** Before draft 2019-09, nothing beside a reference counts. */
export function hasLonelyRefs(root: JsonSchema): boolean {
  return /draft-0[3-7]/.test(String(root["$schema"]));
}

/** Maximum characters of an expression, the same with its repetitions written out, and maximum repetitions (RE2's own limit). */
const MAX_PATTERN = 2_000;
const MAX_WRITTEN_OUT = 20_000;
const MAX_TIMES = 1_000;

const NO_EXPRESSION = "it is not an expression";
const TOO_LARGE = "the expression is too large";

/** Judges an expression without an engine. */
export const judgePattern: JudgePattern = (pattern) => {
  if (/\(\?<?[=!]|\\[1-9]|\\k</.test(pattern)) return "lookarounds and backreferences cannot be matched in linear time";
  if (pattern.length > MAX_PATTERN) return TOO_LARGE;
  // A repeated group multiplies what is inside it; other repetitions stand side by side.
  let groups = 1;
  let most = 1;
  for (const { 1: group, 2: from, 3: to } of pattern.matchAll(/(\)?)\{(\d+)(?:,(\d*))?\}/g)) {
    const times = Math.max(1, Number(from), Number(to ?? 0));
    if (group !== "") groups *= times;
    most = Math.max(most, times);
  }
  if (most > MAX_TIMES || pattern.length * groups * most > MAX_WRITTEN_OUT) return TOO_LARGE;
  try {
    RegExp(pattern);
    return undefined;
  } catch {
    return NO_EXPRESSION;
  }
};
