import type { GuardrailAction } from "../durable/run-log.ts";
import { describeType } from "../internal/option-names.ts";
import type { Content, JsonObject } from "../wire/types/content.ts";
import type { RunContext } from "../tool/run-context.ts";

/** The user's input, before the model reads it. */
export interface InputToCheck<Context = unknown> extends RunContext<Context> {
  /** Its kind: the run's message, a message during the run, or an answer to a question about a call: a denial, arguments, an outcome. */
  readonly source: "message" | "steering" | "denial" | "arguments" | "outcome";
  /** Its text; empty if it has none. JSON for arguments and for an outcome that is not a text; so is its replacement. */
  readonly text: string;
  /** All of it, including media. */
  readonly contents: readonly Content[];
  /** The turn whose request will contain it. */
  readonly turn: number;
}

/** The model's output, before anything depends on it. */
export interface OutputToCheck<Context = unknown> extends RunContext<Context> {
  /** Visible text; JSON for a typed answer. Empty for an answer with only media. */
  readonly text: string;
  /** All of it, including thoughts, calls and media. */
  readonly content: Content;
  /** False for text that comes with calls, after which the run continues, and for an answer that broke off. */
  readonly isFinal: boolean;
  /** True when the text may end anywhere: in an answer that broke off, and in one that is still streaming (see `lookback`). */
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
  /** What the user may read about it. Pages show this, never the reason. */
  readonly message?: string | undefined;
}

/** Answers a message in place of the agent. */
export interface GuardrailAnswerVerdict {
  /** The agent's answer, by its author; not empty. No request is sent. A run with an `output` schema stops instead; the text is its `message`. */
  readonly answer: string;
  /** Why, for events and the log. */
  readonly reason?: string | undefined;
}

/** Return nothing to let the input pass. */
export type InputVerdict =
  | void
  | undefined
  | GuardrailStopVerdict
  | GuardrailAnswerVerdict
  /** Replaces it, for the model and in the history. */
  | { readonly replace: string | readonly Content[]; readonly reason?: string | undefined };

/** Return nothing to let the answer pass. */
export type OutputVerdict =
  | void
  | undefined
  | GuardrailStopVerdict
  /** Replaces all text, thoughts and media of the answer; its calls stay. */
  | { readonly replace: string; readonly reason?: string | undefined };

/** Checks the user's input. */
export interface InputGuardrail<Context = unknown> {
  /** In results, events and the log. */
  readonly name: string;
  readonly check: (input: InputToCheck<Context>) => InputVerdict | Promise<InputVerdict>;
}

/** Checks the model's output. */
export interface OutputGuardrail<Context = unknown> {
  /** In results, events and the log. */
  readonly name: string;
  readonly check: (output: OutputToCheck<Context>) => OutputVerdict | Promise<OutputVerdict>;
  /**
   * Streams the text of an answer, this many characters late. You promise that `check` decides about the text up to there by that text
   * alone, whatever follows: it is then also called while the answer streams, with `isPartial`, unrecorded. All output guardrails of the
   * run must have it, and their numbers add up; {@link maskText} and {@link stopText} do. Anything but plain text waits for the whole
   * answer, and so does text after it. @defaultValue none: nothing is shown before the check
   */
  readonly lookback?: number | undefined;
}

/**
 * Checks of input and output, in order; each gets the result of the one before it. If one throws, the run fails with a `GuardrailError`:
 * nothing passes unchecked. A session records verdicts, so that resuming does not check again.
 */
export interface Guardrails<Context = unknown> {
  /** For the message of a run, messages that arrive during it, and answers to questions about calls. */
  readonly input?: readonly InputGuardrail<Context>[] | undefined;
  /** For each answer with text or media, before its calls run; also for one that broke off, then within five seconds. */
  readonly output?: readonly OutputGuardrail<Context>[] | undefined;
  /**
   * What the stream's reader sees of an answer before the check: a `checking` event and the text that a `lookback` lets through
   * (`"hold"`), or everything (`"show"`; a `guardrail` event withdraws it). @defaultValue "hold"
   */
  readonly streaming?: "hold" | "show" | undefined;
}

/** Why a guardrail ended a run. */
export interface GuardrailStop {
  /** Name of the guardrail. */
  readonly name: string;
  /** What it stopped: a message of the user, or an answer of the model. */
  readonly side: "input" | "output";
  /** Why, for the caller. */
  readonly reason: string;
  /** Anything else for the caller: a category, a score. */
  readonly details?: JsonObject | undefined;
  /** What the user may read about it. */
  readonly message?: string | undefined;
}

/** Why a turn ended without an answer to continue from. */
export type TurnStopped = { readonly guardrail: GuardrailStop } | "wall-time";

/** The stop with which a guardrail ended the run, if one did. */
export function readStop(
  side: GuardrailStop["side"],
  actions: readonly GuardrailAction[] | undefined,
): GuardrailStop | undefined {
  const last = actions?.at(-1);
  if (last?.action !== "stop") return undefined;
  const { name, reason, details, message } = last;
  return { name, side, reason, ...(details !== undefined && { details }), ...(message !== undefined && { message }) };
}

/** True for content that is shown: anything but calls and blank texts. A part may be a call and have a text. */
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
   * Maximum characters of a match, including what the pattern looks ahead at: the text of an answer is shown this much later. A longer match
   * is still found, but its beginning may have been shown by then.
   * @defaultValue the length of a pattern that is a text; required for a regular expression
   */
  readonly maxLength?: number | undefined;
  /** In results, events and the log. @defaultValue `mask-text` or `stop-text` */
  readonly name?: string | undefined;
  /** Why, for the caller. @defaultValue none for `maskText`; `the answer has a forbidden text` for `stopText` */
  readonly reason?: string | undefined;
}

/** Options of {@link maskText}. */
export interface MaskTextOptions extends TextGuardrailOptions {
  /** Replaces a match. A text may name groups, as with `replaceAll`: `"**** $1"`. @defaultValue "***" */
  readonly by?: string | ((match: string) => string) | undefined;
}

/** Options of {@link stopText}. */
export interface StopTextOptions extends TextGuardrailOptions {
  /** What the user may read about it. */
  readonly message?: string | undefined;
}

/**
 * An output guardrail that replaces each match of a pattern, and streams the text of an answer `maxLength` characters late.
 *
 * @param pattern - A text to find literally, or a regular expression; all matches are found, with or without the flag `g`.
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
 * An output guardrail that stops the run when a pattern matches, and streams text `maxLength` characters late. Text that was shown before
 * the match is withdrawn.
 * @param pattern - As for {@link maskText}.
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
    `${by}(): set the maximum length of a match in characters; text is held back that long: ${by}(${shown}, { maxLength: 32 })`,
  );
}
