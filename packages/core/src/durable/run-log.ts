import type { HistoryOrigin } from "../model/history/import-history.ts";
import type { Json } from "../internal/json.ts";
import { openCallsIn } from "../model/history/open-calls.ts";
import type { ModelResponse } from "../model/model.ts";
import type { Cost } from "../model/usage.ts";
import type { ResponseParts } from "../tool/function-response.ts";
import type { AskedOf } from "../tool/pending-call.ts";
import { type MeantCall, readStandIn } from "../tool/stand-in.ts";
import type { ReadByCall, ReadSource, UntrustedReason } from "../tool/reads.ts";
import type { StartedJob } from "../tool/job.ts";
import type { NestedRun, PendingQuestion, ToolOutcome } from "../tool/tool.ts";
import type { Content, JsonObject } from "../wire/types/content.ts";

/**
 * The contents of a run's log: the places of its steps, their names, and the values they record. No other file builds names.
 *
 * A change to a name or a value raises {@link LOOP_VERSION}.
 */

/** Version of a run's steps: their names, their order and their values. A run can be resumed only with the version that began it. */
export const LOOP_VERSION = 7;

/** From this version on, steps record everything untrusted or private that was read; before, it is unknown. */
export const READS_SINCE = 7;

/** Name of the step that records {@link LOOP_VERSION} in a run on an engine. */
export const VERSION_STEP = "loop-version";

/** The work of a run, or the conversion of its answer to a schema. */
export type PhaseKind = "work" | "output";

/** Id of a call, which is also the name of the step that first runs it: turn and position, `call:3.0`. */
export function buildCallId(turn: number, index: number): string {
  return `call:${turn}.${index}`;
}

/** A call of an answer, by its id in the run. */
export interface NumberedCall extends MeantCall {
  readonly turn: number;
  readonly callId: string;
}

/** The open calls of a turn's answer, in order. */
export function numberCalls(
  turn: number,
  answer: Pick<ModelResponse, "content" | "standIns"> | undefined,
): readonly NumberedCall[] {
  const { content, standIns } = answer ?? {};
  const calls = content === undefined ? [] : openCallsIn([content]);
  return calls.map((call, index) => {
    const callId = buildCallId(turn, index);
    return standIns === undefined ? { turn, callId, call } : { turn, callId, ...readStandIn(call, standIns) };
  });
}

/** The place of an operation in its run, which also tells the type of its outcome. Stored beside the outcome. */
export type StepPlace =
  /** A request of a turn or, in the output phase, for the schema. */
  | { readonly kind: "model"; readonly phase: PhaseKind; readonly turn: number; readonly attempt: number }
  /** Runs a call: the first time, or for the nth time after an answer said that it was not executed. */
  | { readonly kind: "call"; readonly turn: number; readonly callId: string; readonly attempt: number }
  /** Waits for an answer from outside. */
  | {
      readonly kind: "wait";
      readonly turn: number;
      readonly callId: string;
      readonly question: PendingQuestion;
      /** Counts the questions, from 1; more when the process died again during a repeated call, or when edited arguments need approval. */
      readonly time: number;
    }
  /** A hook around a call that is a separate run, which has the name of the call; or the cancellation of a call's job. */
  | {
      readonly kind: "hook";
      readonly turn: number;
      readonly callId: string;
      readonly hook: "before" | "after" | "cancel";
    }
  /** Decides which calls of a turn need an answer from outside. */
  | { readonly kind: "route"; readonly turn: number }
  /** Decides again about a call whose arguments an approval changed. `time`: of the question that was answered with the change. */
  | { readonly kind: "reroute"; readonly turn: number; readonly callId: string; readonly time: number }
  /**
   * Summarizes the oldest messages: before a turn's first request, or after its nth one, which was too long. `handoff`: the filter of a
   * handoff chooses what is sent to the agent that takes over.
   */
  | {
      readonly kind: "compact";
      readonly turn: number;
      readonly overflow?: number | undefined;
      readonly handoff?: true | undefined;
    }
  /** Checks the message of the run, in the turn that first sends it, or an answer. */
  | {
      readonly kind: "guard";
      readonly turn: number;
      readonly side: "input" | "output";
      /** The attempt whose answer is checked. */
      readonly attempt: number;
      /** Name of the wait whose answer is checked. */
      readonly wait?: string | undefined;
    }
  /** A value that a tool recorded inside its call, under its own name. */
  | { readonly kind: "inner"; readonly turn: number; readonly callId: string; readonly name: string };

/** The place of a request. */
export type ModelPlace = Extract<StepPlace, { readonly kind: "model" }>;

/** Name of the operation at a place: an opaque key, unique in its run. The place tells what it means. */
export function stepName(place: StepPlace): string {
  switch (place.kind) {
    case "model": {
      const { phase, turn, attempt } = place;
      return `${phase === "output" ? "output/" : ""}model:${turn}${attempt === 0 ? "" : `.${attempt}`}`;
    }
    case "call":
      return place.attempt === 0 ? place.callId : `${place.callId}/again${numbered(place.attempt)}`;
    case "wait":
      return waitName(place.callId, place.question, place.time);
    case "hook":
      return `${place.callId}/${place.hook}`;
    case "route":
      return `route:${place.turn}`;
    case "reroute":
      return `${place.callId}/reroute${numbered(place.time)}`;
    case "compact":
      if (place.handoff === true) return `handoff:${place.turn}`;
      return `compact:${place.turn}${place.overflow === undefined ? "" : `.${place.overflow}`}`;
    case "guard":
      if (place.wait !== undefined) return `${place.wait}/guard`;
      return `guard:${place.turn}${place.attempt === 0 ? "" : `.${place.attempt}`}/${place.side}`;
    case "inner":
      return `${place.callId}/step:${place.name}`;
  }
}

/** {@link stepName} of a wait, by the id of its call. */
export function waitName(callId: string, question: PendingQuestion, time: number = 1): string {
  return `${callId}/${question}${numbered(time)}`;
}

function numbered(time: number): string {
  return time === 1 ? "" : `.${time}`;
}

/** When a step began and ended, in milliseconds since the epoch, and in which trace. */
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
  /** What the messages bring into the history; absent for nothing. */
  readonly read?: readonly ReadSource[] | undefined;
}

/** The parts of a request on which the service's implicit cache depends. */
export type PrefixField = "model" | "instructions" | "tools" | "toolChoice" | "contents";

/** What `prepareTurn` changed, as far as the rest of the run depends on it. */
export interface PreparedTurn {
  /** The model that was asked instead of the run's. */
  readonly model?: { readonly id: string; readonly origin: HistoryOrigin } | undefined;
  /** Names of the functions that the answer may call, if they differ from the run's. */
  readonly tools?: readonly string[] | undefined;
  /** Where the request differs from the one before it. */
  readonly breaks?: readonly PrefixField[] | undefined;
}

/** What a `model` step records. */
export interface ModelStepValue extends StepTimes, Pick<Cost, "cost" | "unpriced"> {
  /** Absent for a request as the run would send it. */
  readonly prepared?: PreparedTurn | undefined;
  readonly response: ModelResponse;
  /** Steering messages that were sent with this request. */
  readonly steered?: Steered | undefined;
  /** Tools with a third party's description that were offered for the first time. */
  readonly described?: readonly ReadSource[] | undefined;
  /** What guardrails did with the steering messages; if one of them answered, the response is its own. */
  readonly checked?: readonly GuardrailAction[] | undefined;
  /** A separate step checks the answer; `held`: it is hidden until then. */
  readonly guarded?: "held" | "shown" | undefined;
  /** More messages arrived before the model gave an answer without calls. */
  readonly steeringWaits?: true | undefined;
}

/** What a `model` step records; `tooLong` when the prompt was too long and the history can be compacted. */
export type ModelStepRecord = ModelStepValue | { readonly tooLong: true } | SteeringStopped;

/** What a `model` step records when a guardrail stopped the run for a message that arrived during it: no request was sent. */
export interface SteeringStopped extends StepTimes {
  /** The messages without their contents. */
  readonly steered: Steered;
  readonly checked: readonly GuardrailAction[];
  readonly stopped: true;
}

/** What a guardrail did. Passing a text is no action. */
export type GuardrailAction =
  | { readonly name: string; readonly action: "replace"; readonly reason?: string | undefined }
  | {
      readonly name: string;
      readonly action: "stop";
      readonly reason: string;
      readonly details?: JsonObject | undefined;
      /** What the person may read about it. */
      readonly message?: string | undefined;
    }
  /** The guardrail answered a message in the agent's place. */
  | { readonly name: string; readonly action: "answer"; readonly reason?: string | undefined };

/** What a `guard` step records for the message of a run. */
export interface InputCheckValue extends StepTimes {
  /** In order; only the last one can be a stop. */
  readonly actions: readonly GuardrailAction[];
  /** What is sent instead of the message. */
  readonly contents?: readonly Content[] | undefined;
  /** A guardrail's answer to the message. */
  readonly response?: ModelResponse | undefined;
}

/** What a `guard` step records for an answer from outside. */
export interface GivenCheckValue extends Omit<InputCheckValue, "contents" | "response"> {
  /** The replacement of the answer. */
  readonly given?: unknown;
}

/** What a `guard` step records for an answer of the model; `response` is its replacement. */
export type OutputCheckValue = Omit<InputCheckValue, "contents">;

/** What a `call` step records. */
export interface CallStepValue extends StepTimes, ReadByCall, Omit<ResponseParts, "refused"> {
  /** Name of the tool, if the response has the name of its stand-in. */
  readonly name?: string | undefined;
  /** Why the call failed; absent if it succeeded. */
  readonly failure?: Extract<ToolOutcome, { ok: false }> | undefined;
  /** The whole output of a tool that ends the run. */
  readonly ending?: { readonly output: Json } | undefined;
  /** Name of the agent that takes over with the next turn. */
  readonly handoff?: string | undefined;
  /** It is unknown whether the call happened: an answer from outside decides, and `part` is not the answer. */
  readonly unknown?: true | undefined;
  /** With {@link unknown}: the call has started a job, whose outcome is the answer. */
  readonly job?: StartedJob | undefined;
  /** The tool was not run: the call was refused, or a hook gave its output. */
  readonly notRun?: true | undefined;
  /** Runs made inside the call. */
  readonly nested: readonly NestedRun[];
  readonly durationMs: number;
}

/**
 * What a `route` step records for each call, and a `reroute` step for its one call: run it, ask for approval first, get its output from
 * outside, or refuse it. `args`: a person changed them. `invalid`: no approval was asked, because the tool could not read its arguments.
 */
export type CallRoute = {
  /** What guardrails did with the answer of `approve`. */
  readonly checked?: readonly GuardrailAction[] | undefined;
  /** Why it needs approval, or was denied, because of what the model has read. */
  readonly because?: UntrustedReason | undefined;
} & (
  | { readonly do: "run"; readonly args?: JsonObject | undefined; readonly invalid?: true | undefined }
  | ({ readonly do: "ask-approval" | "ask-outcome"; readonly args?: JsonObject | undefined } & AskedOf)
  | { readonly do: "deny"; readonly why: string; readonly withdrawn?: true | undefined }
);

/** What a `compact` step records. */
export interface CompactStepValue extends StepTimes {
  readonly summary: string;
  /** What is sent instead of the summary: what a filter has kept. */
  readonly contents?: readonly Content[] | undefined;
  /** Number of sent contents that the summary replaces. */
  readonly replaced: number;
  /** Prompt tokens before and after, estimated. */
  readonly tokensBefore: number;
  readonly tokensAfter: number;
  /** Runs made for the summary. */
  readonly nested: readonly NestedRun[];
}
