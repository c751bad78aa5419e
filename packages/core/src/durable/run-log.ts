import type { ModelResponse } from "../model/model.ts";
import type { NestedRun, PendingQuestion, ToolOutcome } from "../tool/tool.ts";
import type { Part } from "../wire/types/content.ts";
import type { Steered } from "./steps.ts";

/**
 * What the log of a run holds: the names of its steps, and what each of them leaves. Nothing else builds or reads such a name.
 *
 * A change of a name or of a value raises {@link LOOP_VERSION}.
 */

/**
 * Version of what a run asks of its steps: their names, their order and what they leave. A run goes on only with the version that
 * began it.
 */
export const LOOP_VERSION = 2;

/** Name of the step that keeps {@link LOOP_VERSION} in a run on an engine. */
export const VERSION_STEP = "loop-version";

/** The work of a run, or putting its answer into a schema. */
export type PhaseKind = "work" | "output";

/** Name of a request of a turn: `model:3`, `model:3.1` when it is asked again, `output/model:4` for the schema. */
export function modelStepName(phase: PhaseKind, turn: number, attempt: number): string {
  return `${phase === "output" ? "output/" : ""}model:${turn}${attempt === 0 ? "" : `.${attempt}`}`;
}

/** Id of a call, which is also the name of the step that runs it: turn and position, `call:3.0`. */
export function callIdOf(turn: number, index: number): string {
  return `call:${turn}.${index}`;
}

/** Name of the step that runs a call: at first, or for the nth time after somebody said that it never happened. */
export function callStepName(callId: string, attempt: number): string {
  return attempt === 0 ? callId : `${callId}/again${numbered(attempt)}`;
}

/**
 * Name of the wait for an answer from outside: what `resume` addresses by call id and question.
 *
 * @param time - From 1: how often that is asked. More only when the process died again while the call was run again.
 */
export function waitName(callId: string, question: PendingQuestion, time: number = 1): string {
  return question === "outcome" ? callId : `${callId}/${question}${numbered(time)}`;
}

/** Name of the step of a hook before or after a call that is a run of its own. The run has the name of the call. */
export function hookStepName(callId: string, hook: "before" | "after"): string {
  return `${callId}/${hook}`;
}

/** Name of the step that finds out which calls of a turn need somebody's word. */
export function routeStepName(turn: number): string {
  return `route:${turn}`;
}

/** Name of a summary of the oldest messages: before a turn's request, or because the nth prompt was refused as too long. */
export function compactStepName(turn: number, overflow: number | undefined): string {
  return `compact:${turn}${overflow === undefined ? "" : `.${overflow}`}`;
}

function numbered(time: number): string {
  return time === 1 ? "" : `.${time}`;
}

/** What the name of a step says. Names that no version of ours made are `other`. */
export type StepName =
  | { readonly kind: "model"; readonly phase: PhaseKind; readonly turn: number; readonly attempt: number }
  | { readonly kind: "call"; readonly turn: number; readonly callId: string; readonly attempt: number }
  | { readonly kind: "wait"; readonly turn: number; readonly callId: string; readonly question: PendingQuestion }
  | { readonly kind: "hook"; readonly turn: number; readonly callId: string }
  | { readonly kind: "route"; readonly turn: number }
  | { readonly kind: "compact"; readonly turn: number }
  | { readonly kind: "other" };

const STEP_NAME =
  /^(?<output>output\/)?(?<kind>model|call|route|compact):(?<turn>\d+)(?:\.(?<index>\d+))?(?:\/(?<rest>[a-z-]+)(?:\.(?<time>\d+))?)?$/;

/** Reads the name of a step. */
export function parseStepName(name: string): StepName {
  const { output, kind, turn: digits = "", index, rest, time = "1" } = STEP_NAME.exec(name)?.groups ?? {};
  const turn = Number(digits);
  if (kind === "model" && rest === undefined)
    return { kind, phase: output === undefined ? "work" : "output", turn, attempt: Number(index ?? 0) };
  if (output !== undefined) return { kind: "other" };
  if ((kind === "route" || kind === "compact") && rest === undefined) return { kind, turn };
  if (kind !== "call" || index === undefined) return { kind: "other" };
  const callId = callIdOf(turn, Number(index));
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

/** When a step's work began and ended, in milliseconds since the epoch. */
export interface StepTimes {
  readonly startedAt: number;
  readonly endedAt: number;
}

/** What a `model` step leaves. */
export interface ModelStepValue extends StepTimes {
  readonly response: ModelResponse;
  /** What was said to the run and went along with this request. */
  readonly steered?: Steered | undefined;
  /** More was said while the model gave an answer without calls. */
  readonly steeringWaits?: true | undefined;
}

/** What a `model` step leaves when the prompt was too long and the history can be cut. */
export interface PromptTooLong {
  readonly tooLong: true;
}

/** What a `call` step leaves. */
export interface CallStepValue extends StepTimes {
  /** The function response that answers the call. */
  readonly part: Part;
  /** Media that has to follow in a content of its own. */
  readonly after: readonly Part[];
  /** Why the call failed; absent when it did not. */
  readonly failure?: Extract<ToolOutcome, { ok: false }> | undefined;
  /** Nobody knows whether it happened: somebody outside has to say. The part is not the answer then. */
  readonly unknown?: true | undefined;
  /** Runs made inside the call. */
  readonly nested: readonly NestedRun[];
  readonly durationMs: number;
}

/** What a `route` step leaves for each call: run it, ask for approval first, let somebody outside carry it out, or refuse it. */
export type CallRoute =
  | { readonly do: "run" }
  | { readonly do: "ask-approval" }
  | { readonly do: "ask-outcome" }
  | { readonly do: "deny"; readonly why: string };

/** What a `compact` step leaves. */
export interface CompactStepValue extends StepTimes {
  readonly summary: string;
  /** Runs made for the summary. */
  readonly nested: readonly NestedRun[];
}
