import type { GuardrailAction, PrefixField } from "../durable/run-log.ts";
import type { ModelNotice, ModelRequest, ModelResponse } from "../model/model.ts";
import type { Cost } from "../model/prices.ts";
import type { Usage } from "../model/usage.ts";
import type { CompletedToolCall, PendingCall, ToolOutcome } from "../tool/tool.ts";
import type { ToolRetryNotice } from "../tool/call-tool.ts";
import type { ToolCall } from "../tool/tool-call.ts";
import type { EndpointKind } from "../wire/endpoints/endpoint.ts";
import type { Content, FunctionCall, Part, PartialArg } from "../wire/types/content.ts";
import type { TurnProblem } from "../durable/closed-turn.ts";
import type { OutputDelta } from "./output/json-growth.ts";
import type { RunInfo, StepInfo } from "./observers/run-info.ts";
import type { RunResult } from "./result.ts";
import type { RunIdentity } from "../tool/run-context.ts";

/** A run's result as its last event has it: without the conversation, which grows, and without media. */
export type RunEnd = WithoutContents<RunResult<unknown>>;

type WithoutContents<Result> = Result extends unknown ? Omit<Result, (typeof NOT_IN_EVENTS)[number]> : never;

const NOT_IN_EVENTS = [
  "contents",
  "added",
  "toolCalls",
  "interrupted",
  "response",
  "responses",
  "images",
  "audio",
  "code",
  "thoughts",
  "urls",
  "safetyRatings",
  "citationSources",
] as const;

/** The result of a run, fit for its last event. */
export function runEnd(result: RunResult<unknown>): RunEnd {
  const leftOut = new Set<string>(NOT_IN_EVENTS);
  const entries = Object.entries(result).filter(([name]) => !leftOut.has(name));
  // Just these are left out.
  return Object.fromEntries(entries) as unknown as RunEnd;
}

/**
 * An event as the reader of a run's stream gets it, in order. JSON-safe plain objects; a delta has only what is new.
 *
 * Grammar, where `answer` is what one request streams:
 *
 * ```text
 * run    = run-start turn* run-end
 * turn   = turn-start compact* answer (recover answer)* (guardrail | tool-pending | tool-start | tool-progress | tool-retry | tool-end)* handoff? turn-end
 * answer = (steer | prefix-break | guardrail | checking | text-delta | output-delta | thought-delta | call-args-delta | part | notice | discard)* response
 * ```
 *
 * Guardrails of the input come before an answer, or among the calls that were answered from outside. Those of the output come before `response` if the answer is held back, otherwise after
 * it, and what replaces it follows with a `response` of its own; after a stop there is only `turn-end`. An answer that breaks off is
 * checked when the run ends: its `guardrail` events, and what passes and was not shown, are the last of their turn.
 *
 * `discard` voids everything streamed since the last `turn-start`, `recover` or `discard`; it is streamed again. A limit may end
 * a run before its first turn, and the wall time in the middle of an answer. Every `tool-start` has one `tool-end` with its
 * `callId`; a call that was never run, because it was refused or a hook gave its output, has only a `tool-end`. A run that fails
 * throws instead of reporting `run-end`.
 *
 * Observers get some of these events, and more: see {@link ObservedEvent}.
 */
export type RunEvent<Calls extends ToolCall = ToolCall> = (
  | EventOfRun
  | EventOfStep
  | ReaderEvent<Calls>
  | { readonly type: "run-end"; readonly result: RunEnd }
) & {
  /** It was reported before: a resumed run, or one that is read again, repeats what its log holds. */
  readonly replayed?: true | undefined;
};

/**
 * An event as observers get it: as its reader does, with the run, a time and a number, and the step if it is in one. They do
 * not get the pieces of an answer, nor {@link RunEvent}s about calls: `step-end` has the response, or the call's outcome.
 *
 * JSON-safe plain objects, except for errors, which are the thrown values. Do not change contents, requests and responses: they are
 * the run's own.
 *
 * Grammar; the steps of a turn's calls interleave:
 *
 * ```text
 * run  = run-start turn* run-end
 * turn = turn-start (step | compact | recover | guardrail | tool-pending)* handoff? turn-end
 * step = step-start (prefix-break | request | first-part | notice | discard | tool-retry)* step-end
 * ```
 *
 * Only what is executed in this process is observed. A run that continues in another process has a `run-start` and a `run-end` in
 * each; recorded steps, and turns in which every step is recorded, are left out. A step that its engine abandons may end after
 * `run-end`. Each turn and each run has an end, even if it fails.
 *
 * Within a model step, `request` is what is sent; a second one follows a `discard` when a broken stream is restarted.
 *
 * @typeParam Type - To name one kind: `ObservedEvent<"step-end">`.
 */
export type ObservedEvent<Type extends ObserverEvent["type"] = ObserverEvent["type"]> = Extract<
  ObserverEvent & {
    readonly run: RunInfo;
    /** Milliseconds since the epoch. */
    readonly at: number;
    /** Position among the run's observed events in this process, from 0. */
    readonly seq: number;
  },
  { readonly type: Type }
>;

/** What observers get, before the run, the time and the number are added. */
export type ObserverEvent =
  | EventOfRun
  | ({ readonly type: "run-end" } & RunEnding)
  | ((EventOfStep | StepEvent) & { readonly turn: number; readonly step: StepInfo });

/** Events of a run and its turns, for readers and observers. */
type EventOfRun =
  | ({ readonly type: "run-start"; readonly model: string } & RunIdentity)
  | { readonly type: "turn-start"; readonly turn: number }
  /** A summary replaces the oldest messages in what is sent; the history keeps them. The service's implicit cache starts over. */
  | {
      readonly type: "compact";
      readonly turn: number;
      /** Number of contents that the summary replaces. */
      readonly replaced: number;
      readonly summary: string;
      /** Prompt tokens before and after, estimated. */
      readonly tokensBefore: number;
      readonly tokensAfter: number;
    }
  /**
   * A guardrail replaced, stopped or answered a message, or replaced or stopped an answer. What an answer of this turn had shown is
   * withdrawn, except for the first `keeps` characters of its text; what replaces it follows. A stop ends the run.
   */
  | ({
      readonly type: "guardrail";
      readonly turn: number;
      readonly side: "input" | "output";
      /** Absent for none. Several actions on one answer have the same. */
      readonly keeps?: number | undefined;
    } & GuardrailAction)
  /** The answer is unusable; the model is asked again. */
  | {
      readonly type: "recover";
      readonly turn: number;
      readonly problem: TurnProblem;
      readonly attempt: number;
      readonly action: string;
    }
  /** The call waits for an answer from outside. */
  | ({ readonly type: "tool-pending" } & PendingCall)
  /**
   * Another agent takes over with the next turn, or, if the run ends here, with the next message. Its requests have other instructions
   * and tools, so the service's implicit cache starts over.
   */
  | { readonly type: "handoff"; readonly turn: number; readonly from: string; readonly to: string }
  | { readonly type: "turn-end"; readonly turn: number };

/** Events of a step, for readers and observers. */
type EventOfStep =
  /** `prepareTurn` changed what the service's implicit cache depends on, compared with the request before: that cache starts over. */
  | { readonly type: "prefix-break"; readonly turn: number; readonly fields: readonly PrefixField[] }
  /** A request is retried, delayed, or was changed once to suit the endpoint. */
  | {
      readonly type: "notice";
      readonly turn: number;
      readonly notice: Exclude<ModelNotice, { readonly type: "rewind" }>;
    }
  /** What the answer has streamed is void, and is streamed again. */
  | { readonly type: "discard"; readonly turn: number; readonly reason: string }
  /** The tool failed and is run again after a wait. */
  | ({
      readonly type: "tool-retry";
      readonly turn: number;
      readonly callId: string;
      readonly name: string;
    } & ToolRetryNotice);

/** For readers only: the pieces of an answer, and calls. */
type ReaderEvent<Calls extends ToolCall> =
  /** Messages that arrived while the run was in progress, sent with this request. */
  | { readonly type: "steer"; readonly turn: number; readonly contents: readonly Content[] }
  /** The model answers, and guardrails hold the answer, from here on, until they have checked it. */
  | { readonly type: "checking"; readonly turn: number }
  | { readonly type: "text-delta"; readonly turn: number; readonly delta: string }
  | { readonly type: "thought-delta"; readonly turn: number; readonly delta: string }
  /**
   * What the text before adds to the typed output: JSON, not validated, in the order of `changes`. Only with an `output`. A later answer
   * of the run starts over. `partialOutputs()` puts the value together.
   */
  | ({ readonly type: "output-delta"; readonly turn: number } & OutputDelta)
  /**
   * Arguments of a call that is being written, on endpoints that stream them. The first one has an empty `delta`; a
   * `stringValue` continues that of the same `jsonPath`. The whole call follows as a `part`.
   */
  | {
      readonly type: "call-args-delta";
      readonly turn: number;
      readonly name: string;
      readonly id?: string | undefined;
      readonly delta: readonly PartialArg[];
    }
  /** A part that is not text: a call, an image, a piece of a sound, code and its result, a tool call of the service. */
  | { readonly type: "part"; readonly turn: number; readonly part: Part }
  | { readonly type: "response"; readonly turn: number; readonly response: ModelResponse }
  | {
      readonly type: "tool-start";
      readonly turn: number;
      readonly callId: string;
      /** As the model wrote it: there may be no such tool. */
      readonly name: string;
      /** With the arguments it runs with. */
      readonly call: FunctionCall;
      /** A person changed its arguments when approving it. */
      readonly edited?: true | undefined;
    }
  | { readonly type: "tool-progress"; readonly turn: number; readonly callId: string; readonly progress: unknown }
  | ToolEndEvent<Calls>;

/** For observers only: the steps that are executed here. */
type StepEvent =
  | { readonly type: "step-start" }
  /** What a model step sends, after `prepareTurn` and steering. */
  | {
      readonly type: "request";
      readonly request: ModelRequest;
      /** Id of the model that is asked; `prepareTurn` may choose another than the run's. */
      readonly model: string;
      /** Where it is sent, if known: a URL without a trailing slash. */
      readonly endpoint?: string | undefined;
      /** What kind of service that is, if known. */
      readonly endpointKind?: EndpointKind | undefined;
      /** Whether the answer is streamed, if known. */
      readonly streams?: boolean | undefined;
    }
  /** The first part of the answer. */
  | { readonly type: "first-part" }
  | ({ readonly type: "step-end" } & StepEnding);

/** How a step ended. */
export interface StepEnding extends Cost {
  /** `false` when it threw. A failed tool is data, so its step is `ok`. */
  readonly ok: boolean;
  /** What it threw, if not `ok`. */
  readonly error?: unknown;
  /** Of a model step: the answer, with finish reason, usage, model version and response id. Absent when the prompt was too long. */
  readonly response?: ModelResponse | undefined;
  /**
   * Of a model step: when each chunk of the answer with content arrived, in milliseconds since the epoch. Those of the last request,
   * if it took several. Absent when there were none.
   */
  readonly chunksAt?: readonly number[] | undefined;
  /** Of a model step: milliseconds that its requests waited in the queue of `traffic`. Absent when they did not wait. */
  readonly queuedMs?: number | undefined;
  /** Of a call: the outcome that the model reads. */
  readonly outcome?: ToolOutcome | undefined;
}

/** How a run ended in this process: a reader gets its result, or what it threw. */
export interface RunEnding extends Cost {
  /** `stopped`: its engine ended it here and continues it later or elsewhere. */
  readonly ended: "result" | "failed" | "aborted" | "stopped";
  /** Present when `ended` is `result`; otherwise there is an `error`. Whole, with the conversation. */
  readonly result?: RunResult<unknown> | undefined;
  /** What it threw; after an abort, the signal's reason. */
  readonly error?: unknown;
  /** Turns, tokens and cost are those of the whole run, including nested runs and what was done before a resume. */
  readonly turns: number;
  readonly usage: Usage;
}

/** A call has ended. With static tools, its name tells the type of the output. */
type ToolEndEvent<Calls extends ToolCall> =
  | CompletedEndOf<Calls>
  | ToolEnd<
      string,
      | Extract<ToolOutcome, { readonly ok: false }>
      /** The text that the model read instead of an output that was too long. */
      | { readonly ok: true; readonly output: string; readonly shortened: true }
    >;

type CompletedEndOf<Calls> = Calls extends CompletedToolCall
  ? ToolEnd<Calls["name"], { readonly ok: true; readonly output: Calls["output"]; readonly shortened?: undefined }>
  : never;

interface ToolEnd<Name extends string, Outcome> {
  readonly type: "tool-end";
  readonly turn: number;
  readonly callId: string;
  readonly name: Name;
  readonly call: FunctionCall;
  readonly outcome: Outcome;
  readonly durationMs: number;
  readonly edited?: true | undefined;
}

/**
 * Passes one event to the reader. A promise means that the run has to wait for the reader. Never rejects; events for a reader
 * that has left are dropped.
 */
export type Emit = (event: RunEvent) => void | Promise<void>;

/** Where events go: to the reader of a run, or through the step in which they happen. */
export interface EventSink {
  emit(event: RunEvent): void | Promise<void>;
}
