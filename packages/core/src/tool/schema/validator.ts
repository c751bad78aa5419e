/*
 * Loaded with the first value to check. Core is published with the part of typebox that this file uses: the package also has functions
 * that generate code, hundreds of files, and more than a megabyte.
 */

import { Check, Errors } from "typebox/schema";
import { asObject, followPointer, isObject, schemaType } from "../../internal/json.ts";
import { wordsIn } from "../../internal/text.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";
import { describeMismatch, MISMATCH, TOO_MUCH_TO_CHECK } from "../model-texts.ts";
import { findUnchecked, hasLonelyRefs, type JudgePattern, judgePattern, MAPS, NEGATIVE, SCHEMAS } from "./unchecked.ts";
import type { StandardIssue } from "./standard-schema.ts";

/** Maximum steps of one check, each of a few microseconds. */
const MAX_STEPS = 250_000;

/**
 * Loads the packages that the check needs. The validator gets a copy of the schema (draft 2020-12, draft-07, or OpenAPI's variant):
 * references become the schemas themselves; expressions, uniqueness and multiples become code; `format` is left out; and each evaluation
 * is counted.
 */
export async function loadCheck(
  root: JsonSchema,
  hasPatterns: boolean,
): Promise<(value: unknown) => readonly StandardIssue[]> {
  const matcher = hasPatterns ? await loadMatcher() : NO_PATTERNS;
  const { schemas, unchecked } = findUnchecked(root, matcher.judge);
  /** Something is not checked: drops keywords that could then reject a valid value. */
  const isLenient = unchecked.length > 0;
  const copies = new Map<unknown, { [keyword: string]: unknown }>([...schemas.keys()].map((schema) => [schema, {}]));
  let left = MAX_STEPS;
  for (const schema of schemas.keys()) Object.assign(copyOf(schema), fill(schema));
  return issuesOf;

  function issuesOf(given: unknown): readonly StandardIssue[] {
    left = MAX_STEPS;
    const schema = copyOf(root);
    try {
      const value = withoutPrototypes(given);
      // Interprets the schema: `Compile` would generate code.
      if (Check(schema, value)) return [];
      const issues = Errors(schema, value)[1].flatMap(({ keyword, instancePath, params, message }) =>
        describeMismatch(keyword, params, message).map(([member, problem]) => ({
          message: problem,
          path: [...stepsOf(instancePath), ...member],
        })),
      );
      return issues.length > 0 ? issues : [{ message: MISMATCH }];
    } catch {
      // Too many steps, or a stack that was too small.
      return [{ message: TOO_MUCH_TO_CHECK }];
    }
  }

  function spend(steps: number): void {
    left -= steps;
    if (left < 0) throw new RangeError("too many steps");
  }

  function matches(pattern: string, text: string): boolean {
    spend(1 + matcher.stepsOf(pattern, text));
    return matcher.test(pattern, text);
  }

  /** An unchecked schema accepts anything. */
  function copyOf(schema: unknown): Checkable {
    return copies.get(schema) ?? schema !== false;
  }

  /** Puts a check that counts the evaluation before the schema itself. */
  function fill(schema: JsonSchema): Checkable {
    const keywords = convert(schema);
    const size = sizeOf(keywords);
    const names = isObject(keywords["properties"]) ? Object.keys(keywords["properties"]).length : 0;
    const count = (value: unknown): boolean => {
      const members = typeof value === "object" && value !== null ? Object.keys(value).length : 0;
      const length = typeof value === "string" ? value.length : 0;
      spend(1 + size + members * (1 + (names >> 3)) + (length >> 6));
      return true;
    };
    const allOf = [refined(count, ""), keywords];
    return schema["nullable"] === true ? { anyOf: [{ type: "null" }, { allOf }] } : { allOf };
  }

  function convert(schema: JsonSchema): { [keyword: string]: unknown } {
    const { $ref, patternProperties } = schema;
    const target = typeof $ref === "string" ? [copyOf(followPointer($ref, root))] : [];
    if (target.length > 0 && hasLonelyRefs(root)) return { allOf: target };
    const copy: { [keyword: string]: unknown } = {};
    const more: Checkable[] = [...target];
    for (const [key, value] of Object.entries(schema)) {
      if (value === undefined || key === "patternProperties" || (isLenient && NEGATIVE.has(key))) continue;
      if (VALUES.has(key)) copy[key] = value;
      else if (SCHEMAS.has(key))
        copy[key] = Array.isArray(value) ? value.map((one: unknown) => copyOf(one)) : copyOf(value);
      else if (MAPS.has(key) && isObject(value)) copy[key] = copyMap(value);
      else if (key === "type") copy[key] = Array.isArray(value) ? value.map(schemaType) : schemaType(value);
      else if (key === "uniqueItems" && value === true) more.push(refined((list) => isUnique(list), "has duplicates"));
      else if (key === "multipleOf" && typeof value === "number" && value > 0)
        more.push(refined((number) => isMultiple(number, value), `must be a multiple of ${value}`));
      else if (key === "pattern" && canMatch(value))
        more.push(
          refined(
            (text) => typeof text !== "string" || matches(value, text),
            `does not match /${value.slice(0, 200)}/`,
          ),
        );
    }
    for (const key of ["Minimum", "Maximum"]) {
      // Older drafts have `minimum: 0, exclusiveMinimum: true`.
      const flag = copy[`exclusive${key}`];
      if (flag === true) [copy[`exclusive${key}`], copy[key.toLowerCase()]] = [copy[key.toLowerCase()], undefined];
      if (typeof flag === "boolean" && typeof copy[`exclusive${key}`] !== "number") delete copy[`exclusive${key}`];
      if (copy[key.toLowerCase()] === undefined) delete copy[key.toLowerCase()];
    }
    if (isObject(patternProperties)) addPatterns(patternProperties, copy, more);
    // Alternatives that accept too much may match at the same time.
    if (isLenient && "oneOf" in copy) {
      more.push({ anyOf: copy["oneOf"] });
      delete copy["oneOf"];
    }
    if (more.length > 0) copy["allOf"] = [...(Array.isArray(copy["allOf"]) ? copy["allOf"] : []), ...more];
    return copy;
  }

  function copyMap(map: JsonSchema): Record<string, unknown> {
    return Object.fromEntries(Object.entries(map).map(([name, one]) => [name, Array.isArray(one) ? one : copyOf(one)]));
  }

  function canMatch(pattern: unknown): pattern is string {
    return typeof pattern === "string" && matcher.judge(pattern) === undefined;
  }

  /** `patternProperties`, and with them `additionalProperties`, which depends on them. */
  function addPatterns(patterns: JsonSchema, copy: { [keyword: string]: unknown }, more: Checkable[]): void {
    const found = Object.entries(copyMap(patterns)).filter(([pattern]) => canMatch(pattern));
    const { additionalProperties: rest = true, ...others } = copy;
    delete copy["additionalProperties"];
    const known = asObject(others["properties"]);
    const isComplete = found.length === Object.keys(patterns).length;
    const fits = (name: string, member: unknown): boolean => {
      const own = found.filter(([pattern]) => matches(pattern, name)).map(([, one]) => one as Checkable);
      if (own.length === 0 && isComplete && !Object.hasOwn(known, name)) own.push(rest as Checkable);
      return own.every((one) => Check(one, member));
    };
    const misfit = (value: object): string | undefined => Object.entries(value).find((one) => !fits(...one))?.[0];
    more.push(
      refined(
        (value) => !isObject(value) || misfit(value) === undefined,
        (value) => `the property ${JSON.stringify(misfit(value as object))} does not fit`,
      ),
    );
  }

  function isUnique(list: unknown): boolean {
    if (!Array.isArray(list)) return true;
    const texts = list.map((item: unknown) => JSON.stringify(item, sortKeys) ?? "");
    spend(texts.reduce((sum, text) => sum + (text.length >> 4), 0));
    return new Set(texts).size === texts.length;
  }
}

/** A schema as the validator reads it. It may contain itself. */
type Checkable = boolean | { [keyword: string]: unknown };

const VALUES = wordsIn(
  "const enum required minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength minItems maxItems",
  "minProperties maxProperties minContains maxContains dependentRequired",
);

/** The validator's own extension point: a check in code. */
function refined(check: (value: unknown) => boolean, problem: string | ((value: unknown) => string)): Checkable {
  return { "~refine": [{ check, error: typeof problem === "string" ? () => problem : problem }] };
}

/** The work of the keywords alone, without the schemas below them. */
function sizeOf(keywords: JsonSchema): number {
  let size = 0;
  for (const [key, value] of Object.entries(keywords)) {
    const length = typeof value === "object" && value !== null ? Object.keys(value).length : 0;
    // Values are compared much faster than schemas are evaluated; the results of alternatives are joined pairwise.
    if (key === "enum" || key === "const") size += JSON.stringify(value).length >> 8;
    else size += /^(all|any|one)Of$/.test(key) ? length + ((length * length) >> 6) : length;
  }
  return size;
}

/** Whether a quotient is whole, as far as doubles can tell: `19.99 / 0.01` is not quite. */
function isMultiple(value: unknown, of: number): boolean {
  if (typeof value !== "number") return true;
  const quotient = value / of;
  return Math.abs(quotient - Math.round(quotient)) <= 4 * Number.EPSILON * Math.abs(quotient);
}

function sortKeys(_key: string, value: unknown): unknown {
  return isObject(value) ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value;
}

/** The validator looks up members with `in`: an object without a prototype has only its own. */
function withoutPrototypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => withoutPrototypes(item));
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [name, member] of Object.entries(value)) copy[name] = withoutPrototypes(member);
  return copy;
}

/** `/days/0` is `["days", "0"]`. */
function stepsOf(pointer: string): readonly string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

interface Matcher {
  readonly judge: JudgePattern;
  readonly stepsOf: (pattern: string, text: string) => number;
  readonly test: (pattern: string, text: string) => boolean;
}

const NO_PATTERNS: Matcher = { judge: judgePattern, stepsOf: () => 0, test: () => true };

/** Matches expressions in linear time. */
async function loadMatcher(): Promise<Matcher> {
  const { RE2JS } = await import("re2js");
  const compiled = new Map<string, InstanceType<typeof RE2JS> | undefined>();
  const compile = (pattern: string): InstanceType<typeof RE2JS> | undefined => {
    if (!compiled.has(pattern)) {
      try {
        compiled.set(pattern, RE2JS.compile(RE2JS.translateRegExp(pattern)));
      } catch {
        compiled.set(pattern, undefined);
      }
    }
    return compiled.get(pattern);
  };
  return {
    judge: (pattern) => judgePattern(pattern) ?? (compile(pattern) ? undefined : "the expression is not supported"),
    stepsOf: (pattern, text) => (text.length * (compile(pattern)?.programSize() ?? 0)) >> 6,
    test: (pattern, text) => compile(pattern)?.test(text) ?? true,
  };
}
