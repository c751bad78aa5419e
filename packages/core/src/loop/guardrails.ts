import type { GuardrailAction } from "../durable/run-log.ts";
import type { Content, JsonObject } from "../wire/types/content.ts";
import type { RunContext } from "./run-context.ts";

/** What a person says, before the model reads it. */
export interface InputToCheck<Context = unknown> extends RunContext<Context> {
  /** Its text; empty if it has none. */
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
  /** False for text that comes with calls: the run goes on. */
  readonly isFinal: boolean;
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
}

/** Nothing to let it pass. */
export type InputVerdict =
  | void
  | undefined
  | GuardrailStopVerdict
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
}

/**
 * Checks of what goes in and what comes out, one after the other; each sees what the one before it made of it. One that throws fails the
 * run with a `GuardrailError`: nothing passes unchecked. A session records verdicts, so that resuming does not ask again.
 */
export interface Guardrails<Context = unknown> {
  /** For the message of a run, before its first request, and for messages that arrive during the run. */
  readonly input?: readonly InputGuardrail<Context>[] | undefined;
  /** For each answer with text or media, before its calls are run. */
  readonly output?: readonly OutputGuardrail<Context>[] | undefined;
  /**
   * What a reader of the stream sees of an answer before it was checked: nothing (`"hold"`; it then comes at once), or everything
   * (`"show"`; a `guardrail` event says that it is withdrawn).
   * @defaultValue "hold"
   */
  readonly streaming?: "hold" | "show" | undefined;
}

/** Why a guardrail ended a run. */
export interface GuardrailStop {
  readonly name: string;
  /** What it stopped: a message of the user, or an answer of the model. */
  readonly side: "input" | "output";
  readonly reason: string;
  readonly details?: JsonObject | undefined;
}

/** How an action ended the run, if it did. */
export function readStop(
  side: GuardrailStop["side"],
  actions: readonly GuardrailAction[] | undefined,
): GuardrailStop | undefined {
  const last = actions?.at(-1);
  if (last?.action !== "stop") return undefined;
  const { name, reason, details } = last;
  return { name, side, reason, ...(details !== undefined && { details }) };
}

/** True for what is shown: anything but calls and blank texts. */
export function needsCheck({ parts }: Content): boolean {
  return parts.some(
    ({ functionCall, text }) => functionCall === undefined && (text === undefined || text.trim() !== ""),
  );
}
