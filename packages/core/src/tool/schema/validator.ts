/*
 * Loaded with the first value to check. Core is published with the part of typebox that this file uses: the package also has functions
 * that generate code, hundreds of files, and more than a megabyte.
 */

import { Check, Errors } from "typebox/schema";
import { isObject } from "../../internal/json.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";
import { describeMismatch, MISMATCH, TOO_MUCH_TO_CHECK } from "../model-texts.ts";
import { type CheckHooks, copyForCheck } from "./checkable-schema.ts";
import type { StandardIssue } from "./standard-schema.ts";
import { type JudgePattern, judgePattern } from "./json-check.ts";

/** Most steps of one check, of a few microseconds each. */
const MAX_STEPS = 250_000;

/** Loads what the check needs besides this file. */
export async function loadCheck(
  schema: JsonSchema,
  hasPatterns: boolean,
): Promise<(value: unknown) => readonly StandardIssue[]> {
  const matcher = hasPatterns ? await loadMatcher() : { judge: judgePattern, stepsOf: () => 0, test: () => true };
  // Interprets it: `Compile` would generate code.
  const fits: CheckHooks["fits"] = (part, value) => Check(part, value);
  let left = MAX_STEPS;
  const spend = (steps: number): void => {
    left -= steps;
    if (left < 0) throw new TooManyStepsError();
  };
  const copy = copyForCheck(schema, {
    spend,
    judge: matcher.judge,
    matches: (pattern, text) => {
      spend(1 + matcher.stepsOf(pattern, text));
      return matcher.test(pattern, text);
    },
    fits,
  });
  return (given) => {
    left = MAX_STEPS;
    try {
      const value = withoutPrototypes(given);
      if (fits(copy, value)) return [];
      const issues = Errors(copy, value)[1].flatMap(({ keyword, instancePath, params, message }) =>
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
  };
}

/** The validator looks members up with `in`: an object without a prototype has none that it was not given. */
function withoutPrototypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => withoutPrototypes(item));
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [name, member] of Object.entries(value)) copy[name] = withoutPrototypes(member);
  return copy;
}

class TooManyStepsError extends Error {}

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

/** Expressions in linear time. */
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
