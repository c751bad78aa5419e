import type { HistoryOrigin } from "../model/history/import-history.ts";
import type { Json } from "../internal/json.ts";
import type { ModelResponse } from "../model/model.ts";
import type { NestedRun, PendingQuestion, ToolOutcome } from "../tool/tool.ts";
import type { Content, JsonObject, Part } from "../wire/types/content.ts";

/**
 * What the log of a run holds: the names of its steps and the values they record. No other file builds or parses these names.
 *
 * A change to a name or a value raises {@link LOOP_VERSION}.
 */

/** Version of a run's steps: their names, their order and their values. A run can be resumed only with the version that began it. */
export const LOOP_VERSION = 4;

/** Name of the step that records {@link LOOP_VERSION} in a run on an engine. */
export const VERSION_STEP = "loop-version";

/** The work of a run, or converting its answer to a schema. */
export type PhaseKind = "work" | "output";

/** Name of a request of a turn: `model:3`, `model:3.1` for a retry, `output/model:4` for the schema. */
export function modelStepName(phase: PhaseKind, turn: number, attempt: number): string {
  return `${phase === "output" ? "output/" : ""}model:${turn}${attempt === 0 ? "" : `.${attempt}`}`;
}

/** Id of a call, which is also the name of the step that runs it: turn and position, `call:3.0`. */
export function buildCallId(turn: number, index: number): string {
  return `call:${turn}.${index}`;
}

/** Name of the step that runs a call: the first time, or for the nth time after an answer said that it was not executed. */
export function callStepName(callId: string, attempt: number): string {
  return attempt === 0 ? callId : `${callId}/again${numbered(attempt)}`;
}

/**
 * Name of the wait for an answer from outside, which `resume` addresses by call id and question.
 *
 * @param time - Counts the questions, from 1; more than one only when the process died again during a repeated call.
 */
export function waitName(callId: string, question: PendingQuestion, time: number = 1): string {
  return question === "outcome" ? callId : `${callId}/${question}${numbered(time)}`;
}

/** Name of the step of a hook around a call that is a separate run; the run has the name of the call. */
export function hookStepName(callId: string, hook: "before" | "after"): string {
  return `${callId}/${hook}`;
}

/** Name of the step that decides which calls of a turn need an answer from outside. */
export function routeStepName(turn: number): string {
  return `route:${turn}`;
}

/** Name of the step that summarizes the oldest messages: before a turn's request, or after the nth prompt that was too long. */
export function compactStepName(turn: number, overflow: number | undefined): string {
  return `compact:${turn}${overflow === undefined ? "" : `.${overflow}`}`;
}

/**
 * Name of the step that checks something: the message of the run, in the turn that first sends it, or an answer.
 *
 * @param attempt - Of the request whose answer it is.
 */
export function guardStepName(side: "input" | "output", turn: number, attempt: number = 0): string {
  return `guard:${turn}${attempt === 0 ? "" : `.${attempt}`}/${side}`;
}

function numbered(time: number): string {
  return time === 1 ? "" : `.${time}`;
}

/** A parsed step name. Names that the loop does not make are `other`. */
export type StepName =
  | { readonly kind: "model"; readonly phase: PhaseKind; readonly turn: number; readonly attempt: number }
  | { readonly kind: "call"; readonly turn: number; readonly callId: string; readonly attempt: number }
  | { readonly kind: "wait"; readonly turn: number; readonly callId: string; readonly question: PendingQuestion }
  | { readonly kind: "hook"; readonly turn: number; readonly callId: string }
  | { readonly kind: "route"; readonly turn: number }
  | { readonly kind: "compact"; readonly turn: number }
  | { readonly kind: "guard"; readonly turn: number; readonly side: "input" | "output"; readonly attempt: number }
  | { readonly kind: "other" };

const STEP_NAME =
  /^(?<output>output\/)?(?<kind>model|call|route|compact|guard):(?<turn>\d+)(?:\.(?<index>\d+))?(?:\/(?<rest>[a-z-]+)(?:\.(?<time>\d+))?)?$/;

/** Parses the name of a step. */
export function parseStepName(name: string): StepName {
  const { output, kind, turn: digits = "", index, rest, time = "1" } = STEP_NAME.exec(name)?.groups ?? {};
  const turn = Number(digits);
  if (kind === "model" && rest === undefined)
    return { kind, phase: output === undefined ? "work" : "output", turn, attempt: Number(index ?? 0) };
  if (output !== undefined) return { kind: "other" };
  if ((kind === "route" || kind === "compact") && rest === undefined) return { kind, turn };
  if (kind === "guard" && (rest === "input" || rest === "output"))
    return { kind, turn, side: rest, attempt: Number(index ?? 0) };
  if (kind !== "call" || index === undefined) return { kind: "other" };
  const callId = buildCallId(turn, Number(index));
  switch (rest) {
    case undefined:
      return { kind, turn, callId, attempt: 0 };
    case "again":
      return { kind, turn, callId, attempt: Number(time) };
    case "approval":
    case "unknown-outcome":
      return { kind: "wait", turn, callId, question: rest };
    case "before":
    case "after":
      return { kind: "hook", turn, callId };
    default:
      return { kind: "other" };
  }
}

/** When a step began and ended, in milliseconds since the epoch, and in what trace. */
export interface StepTimes {
  readonly startedAt: number;
  readonly endedAt: number;
  /** W3C `traceparent` of the run when the step was executed; absent without an observer that traces. The loop does not depend on it. */
  readonly traceparent?: string | undefined;
}

/** Messages to a run, and the position up to which they were read. */
export interface Steered {
  readonly contents: readonly Content[];
  readonly upTo: number;
}

/** What of a request the service's implicit cache depends on. */
export type PrefixField = "model" | "instructions" | "tools" | "toolChoice" | "contents";

/** What `prepareTurn` changed, as far as the rest of the run depends on it. */
export interface PreparedTurn {
  /** The model that was asked instead of the run's. */
  readonly model?: { readonly id: string; readonly origin: HistoryOrigin } | undefined;
  /** Names of the functions that the answer may call, if they are not those of the run. */
  readonly tools?: readonly string[] | undefined;
  /** Where the request differs from the one before it. */
  readonly breaks?: readonly PrefixField[] | undefined;
}

/** What a `model` step records. */
export interface ModelStepValue extends StepTimes {
  /** Absent for a request as the run would send it. */
  readonly prepared?: PreparedTurn | undefined;
  readonly response: ModelResponse;
  /** Steering messages that were sent with this request. */
  readonly steered?: Steered | undefined;
  /** What guardrails did about these messages. */
  readonly checked?: readonly GuardrailAction[] | undefined;
  /** The answer is checked in a step of its own; `held`: nobody has seen it before. */
  readonly guarded?: "held" | "shown" | undefined;
  /** More messages arrived before the model gave an answer without calls. */
  readonly steeringWaits?: true | undefined;
}

/** What a `model` step records when the prompt was too long and the history can be compacted. */
export interface PromptTooLong {
  readonly tooLong: true;
}

/** What a `model` step records when a guardrail stopped the run for a message that arrived during it: no request was sent. */
export interface SteeringStopped extends StepTimes {
  /** Without the contents. */
  readonly steered: Steered;
  readonly checked: readonly GuardrailAction[];
  readonly stopped: true;
}

/** What a guardrail did; one that let something pass did nothing. */
export type GuardrailAction =
  | { readonly name: string; readonly action: "replace"; readonly reason?: string | undefined }
  | {
      readonly name: string;
      readonly action: "stop";
      readonly reason: string;
      readonly details?: JsonObject | undefined;
    };

/** What a `guard` step records for the message of a run. */
export interface InputCheckValue extends StepTimes {
  /** In order; only the last one can be a stop. */
  readonly actions: readonly GuardrailAction[];
  /** What is sent instead. */
  readonly contents?: readonly Content[] | undefined;
}

/** What a `guard` step records for an answer. */
export interface OutputCheckValue extends StepTimes {
  /** In order; only the last one can be a stop. */
  readonly actions: readonly GuardrailAction[];
  /** The answer instead. */
  readonly response?: ModelResponse | undefined;
}

/** What a `call` step records. */
export interface CallStepValue extends StepTimes {
  /** The function response that answers the call. */
  readonly part: Part;
  /** Media that must follow in a separate content. */
  readonly after: readonly Part[];
  /** Why the call failed; absent when it did not. */
  readonly failure?: Extract<ToolOutcome, { ok: false }> | undefined;
  /** The output in `part` is a text in place of what the tool returned. */
  readonly shortened?: true | undefined;
  /** The whole output of a tool that ends the run. */
  readonly ending?: { readonly output: Json } | undefined;
  /** It is unknown whether the call happened: an answer from outside decides, and `part` is not the answer. */
  readonly unknown?: true | undefined;
  /** The tool was not run: the call was refused, or a hook gave its output. */
  readonly notRun?: true | undefined;
  /** Runs made inside the call. */
  readonly nested: readonly NestedRun[];
  readonly durationMs: number;
}

/**
 * What a `route` step records for each call: run it, ask for approval first, get its output from outside, or deny it. `args` are those
 * that a person gave it.
 */
export type CallRoute =
  | { readonly do: "run"; readonly args?: JsonObject | undefined }
  | { readonly do: "ask-approval" }
  | { readonly do: "ask-outcome"; readonly args?: JsonObject | undefined }
  | { readonly do: "deny"; readonly why: string };

/** What a `compact` step records. */
export interface CompactStepValue extends StepTimes {
  readonly summary: string;
  /** Runs made for the summary. */
  readonly nested: readonly NestedRun[];
}
