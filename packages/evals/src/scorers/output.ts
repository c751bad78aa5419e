import { distance } from "fastest-levenshtein";
import { sameJson, type Schema } from "./match-args.ts";
import { makeScorer, type NamedScorer, shorten, sourceOf } from "./scorer.ts";

/** The output is this JSON; of an agent without an output schema, this text. @defaultValue what the case expects */
export function equals(...given: readonly [value?: unknown]): NamedScorer {
  return makeScorer("equals", given, ({ output, expected }) => {
    const wanted = given.length === 0 ? expected : given[0];
    if (wanted === undefined) return { score: null, reason: "the case has no `expected`" };
    return sameJson(output, wanted) || `got ${shorten(sourceOf(output))}, not ${shorten(sourceOf(wanted))}`;
  });
}

/** The text of the last answer matches an expression, or contains a text. */
export function matches(wanted: RegExp | string): NamedScorer {
  return makeScorer("matches", [wanted], ({ text }) => {
    // search() ignores where an earlier one with the flag g ended.
    const isFound = typeof wanted === "string" ? text.includes(wanted) : text.search(wanted) !== -1;
    return isFound || `${typeof wanted === "string" ? sourceOf(wanted) : String(wanted)} is not in: ${shorten(text)}`;
  });
}

/** The output is valid by a schema of zod, Valibot, ArkType or another library of Standard Schema. */
export function validates(schema: Schema): NamedScorer {
  return makeScorer("validates", [schema], async ({ output }) => {
    const { issues } = await schema["~standard"].validate(output);
    return issues === undefined || shorten(issues.map(({ message }) => message).join("; "));
  });
}

/**
 * How similar the text of the last answer is to another: 1 minus the share of characters to change (Levenshtein's
 * distance by the longer text).
 *
 * @param text - What the case expects, if absent.
 * @param options.threshold - Lowest score that passes. @defaultValue 0.8
 * @throws {TypeError} For a threshold outside of 0 to 1.
 */
export function similar(text?: string, options: { readonly threshold?: number | undefined } = {}): NamedScorer {
  const { threshold = 0.8 } = options;
  checkShare("similar(): the threshold", threshold);
  const check = ({ text: answer, expected }: { readonly text: string; readonly expected: unknown }) => {
    const wanted = text ?? expected;
    if (typeof wanted !== "string") return { score: null, reason: "the case expects no text" };
    const longer = Math.max(answer.length, wanted.length);
    const score = longer === 0 ? 1 : 1 - distance(answer, wanted) / longer;
    return {
      score,
      ...(score < threshold && { reason: `not similar to ${sourceOf(shorten(wanted))}: ${shorten(answer)}` }),
    };
  };
  return makeScorer("similar", [text, threshold], check, { threshold });
}

/** @throws {TypeError} For a value outside of 0 to 1. */
export function checkShare(what: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new TypeError(`${what} must be from 0 to 1, got ${value}`);
}
