import { describeType } from "../internal/option-names.ts";
import type { OutputGuardrail } from "./guardrails.ts";

/** Options of {@link maskText} and {@link stopText}. */
export interface TextGuardrailOptions {
  /**
   * Most characters that a match can have, with what the pattern looks ahead at: so late is the text of an answer shown. A longer match
   * is found all the same, but its beginning may have been seen by then.
   * @defaultValue the length of a pattern that is a text; required for a regular expression
   */
  readonly maxLength?: number | undefined;
  /** In results, events and the log. @defaultValue `mask-text` or `stop-text` */
  readonly name?: string | undefined;
  /** Why, for the caller. @defaultValue none of `maskText`; `the answer has a forbidden text` of `stopText` */
  readonly reason?: string | undefined;
}

/** Options of {@link maskText}. */
export interface MaskTextOptions extends TextGuardrailOptions {
  /** What stands in place of a match. A text may name groups, as that of `replaceAll`: `"**** $1"`. @defaultValue "***" */
  readonly by?: string | ((match: string) => string) | undefined;
}

/** Options of {@link stopText}. */
export interface StopTextOptions extends TextGuardrailOptions {
  /** What the person may read about it. */
  readonly message?: string | undefined;
}

/**
 * An output guardrail that replaces each match of a pattern, and shows the text of an answer while it comes, `maxLength` characters late.
 *
 * @param pattern - A text to find as it is, or a regular expression; it finds all matches, with the flag `g` or without.
 * @throws {TypeError} Without a `maxLength` for a regular expression, or for one that matches the empty text.
 * @example maskText(/\b\d{12}(\d{4})\b/, { maxLength: 16, by: "**** $1" })
 */
export function maskText(pattern: string | RegExp, options: MaskTextOptions = {}): OutputGuardrail {
  const { by = "***", name = "mask-text", reason } = options;
  const { regex, lookback } = readPattern("maskText", pattern, options);
  const check: OutputGuardrail["check"] = ({ text }) => {
    const replace = typeof by === "string" ? text.replace(regex, by) : text.replace(regex, (match) => by(match));
    return replace === text ? undefined : { replace, ...(reason !== undefined && { reason }) };
  };
  return { name, check, lookback };
}

/**
 * An output guardrail that stops the run when a pattern matches, and shows the text of an answer while it comes, `maxLength` characters
 * late. What was shown before the match is withdrawn then.
 *
 * @param pattern - As that of {@link maskText}.
 * @throws {TypeError} As {@link maskText}.
 * @example stopText("Project Falcon", { message: "I can't talk about that." })
 */
export function stopText(pattern: string | RegExp, options: StopTextOptions = {}): OutputGuardrail {
  const { name = "stop-text", reason = "the answer has a forbidden text", message } = options;
  const { regex, lookback } = readPattern("stopText", pattern, options);
  const stop = { stop: reason, ...(message !== undefined && { message }) };
  return { name, check: ({ text }) => (text.search(regex) === -1 ? undefined : stop), lookback };
}

function readPattern(
  by: string,
  pattern: unknown,
  { maxLength }: TextGuardrailOptions,
): { readonly regex: RegExp; readonly lookback: number } {
  if (typeof pattern !== "string" && !(pattern instanceof RegExp))
    throw new TypeError(`${by}() takes a text or a regular expression, got ${describeType(pattern)}`);
  const [shown, length] = typeof pattern === "string" ? [JSON.stringify(pattern), pattern.length] : [String(pattern)];
  const regex =
    typeof pattern === "string"
      ? new RegExp(pattern.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "g")
      : new RegExp(pattern.source, `${pattern.flags.replaceAll(/[gy]/g, "")}g`);
  if ("".search(regex) === 0)
    throw new TypeError(`${by}(): ${shown} matches the empty text, so it is found everywhere`);
  const lookback = maxLength ?? length ?? 0;
  if (Number.isSafeInteger(lookback) && lookback > 0) return { regex, lookback };
  throw new TypeError(
    `${by}(): say how many characters a match can have at most, which text is held back for: ${by}(${shown}, { maxLength: 32 })`,
  );
}
