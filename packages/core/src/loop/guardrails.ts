import type { GuardrailAction } from "../durable/run-log.ts";
import { describeType } from "../internal/option-names.ts";
import type { Content, JsonObject } from "../wire/types/content.ts";
import type { RunContext } from "../tool/run-context.ts";

/** What a person says, before the model reads it. */
export interface InputToCheck<Context = unknown> extends RunContext<Context> {
  /** Where it is said: the message of the run, one during it, or an answer to a question about a call: a denial, arguments, an outcome. */
  readonly source: "message" | "steering" | "denial" | "arguments" | "outcome";
  /** Its text; empty if it has none. Of arguments, and of an outcome that is no text, JSON; so is what replaces it. */
  readonly text: string;
  /** With everything else, such as media. */
  readonly contents: readonly Content[];
  /** The turn whose request will have it. */
  readonly turn: number;
}

/** What the model says, before anything depends on it. */
export interface OutputToCheck<Context = unknown> extends RunContext<Context> {
  /** Visible text; of a typed answer, JSON. Empty for an answer of media alone. */
  readonly text: string;
  /** With everything else: thoughts, calls, media. */
  readonly content: Content;
  /** False for text that comes with calls, after which the run goes on, and for an answer that broke off. */
  readonly isFinal: boolean;
  /** True when the text may end anywhere: of an answer that broke off, and of one that is still coming (see `lookback`). */
  readonly isPartial: boolean;
  /** The answer of a run with an `output` schema, validated. */
  readonly output: unknown;
  readonly turn: number;
}

/** Ends the run with the stop reason `guardrail`. */
export interface GuardrailStopVerdict {
  /** Why, for the caller. The model does not read it. */
  readonly stop: string;
  /** Anything else for the caller: a category, a score. */
  readonly details?: JsonObject | undefined;
  /** What the person may read about it. Pages show this, never the reason. */
  readonly message?: string | undefined;
}

/** Answers a message in the agent's place. */
export interface GuardrailAnswerVerdict {
  /** What the agent says, in the author's words: not empty. The model is not asked. It stops a run with an `output` schema, as its `message`. */
  readonly answer: string;
  /** Why, for events and the log. */
  readonly reason?: string | undefined;
}

/** Nothing to let it pass. */
export type InputVerdict =
  | void
  | undefined
  | GuardrailStopVerdict
  | GuardrailAnswerVerdict
  /** Read, and kept in the history, instead. */
  | { readonly replace: string | readonly Content[]; readonly reason?: string | undefined };

/** Nothing to let it pass. */
export type OutputVerdict =
  | void
  | undefined
  | GuardrailStopVerdict
  /** The text instead of all text, thoughts and media of the answer; its calls stay. */
  | { readonly replace: string; readonly reason?: string | undefined };

/** Checks what a person says. */
export interface InputGuardrail<Context = unknown> {
  /** In results, events and the log. */
  readonly name: string;
  readonly check: (input: InputToCheck<Context>) => InputVerdict | Promise<InputVerdict>;
}

/** Checks what the model says. */
export interface OutputGuardrail<Context = unknown> {
  /** In results, events and the log. */
  readonly name: string;
  readonly check: (output: OutputToCheck<Context>) => OutputVerdict | Promise<OutputVerdict>;
  /**
   * Shows the text of an answer while it comes, this many characters late. It promises that what `check` makes of the text up to there
   * depends on no later character, and on nothing but the text: it is then also asked on the way, with `isPartial`, unrecorded. All
   * output guardrails of the run must have it, and their numbers add up; {@link maskText} and {@link stopText} do. What is not plain text
   * waits for the whole answer, and so does text behind it. @defaultValue none: nothing is shown before the check
   */
  readonly lookback?: number | undefined;
}

/**
 * Checks of what goes in and what comes out, one after the other; each sees what the one before it made of it. One that throws fails the
 * run with a `GuardrailError`: nothing passes unchecked. A session records verdicts, so that resuming does not ask again.
 */
export interface Guardrails<Context = unknown> {
  /** For the message of a run, messages that arrive during it, and what is said in an answer to a question about a call. */
  readonly input?: readonly InputGuardrail<Context>[] | undefined;
  /** For each answer with text or media, before its calls are run; also for one that broke off: then within five seconds. */
  readonly output?: readonly OutputGuardrail<Context>[] | undefined;
  /**
   * What a reader of the stream sees of an answer before it was checked: a `checking` event and what a `lookback` lets through
   * (`"hold"`), or everything (`"show"`; a `guardrail` event says that it is withdrawn). @defaultValue "hold"
   */
  readonly streaming?: "hold" | "show" | undefined;
}

/** Why a guardrail ended a run. */
export interface GuardrailStop {
  /** Of the guardrail. */
  readonly name: string;
  /** What it stopped: a message of the user, or an answer of the model. */
  readonly side: "input" | "output";
  /** Why, for the caller. */
  readonly reason: string;
  /** What the guardrail said beside the reason. */
  readonly details?: JsonObject | undefined;
  /** What the person may read about it. */
  readonly message?: string | undefined;
}

/** Why a turn ended without an answer to go on with. */
export type TurnStopped = { readonly guardrail: GuardrailStop } | "wall-time";

/** How an action ended the run, if it did. */
export function readStop(
  side: GuardrailStop["side"],
  actions: readonly GuardrailAction[] | undefined,
): GuardrailStop | undefined {
  const last = actions?.at(-1);
  if (last?.action !== "stop") return undefined;
  const { name, reason, details, message } = last;
  return { name, side, reason, ...(details !== undefined && { details }), ...(message !== undefined && { message }) };
}

/** True for what is shown: anything but calls and blank texts. A part may be a call and have a text. */
export function needsCheck({ parts }: Pick<Content, "parts">): boolean {
  return parts.some((part) => {
    const { functionCall, text } = part;
    if (text !== undefined && text.trim() !== "") return true;
    if (functionCall === undefined) return text === undefined;
    return part.inlineData !== undefined || part.fileData !== undefined;
  });
}

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
 * An output guardrail that stops the run when a pattern matches, and shows text `maxLength` characters late. What was shown before the
 * match is withdrawn.
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
