import type { GuardrailAction, PhaseKind, PrefixField, StepPlace } from "../durable/run-log.ts";
import { namesIn } from "../internal/option-names.ts";
import type { ModelNotice, ModelRequest, ModelResponse } from "../model/model.ts";
import type { Cost, Usage } from "../model/usage.ts";
import type { ReadsMark, UntrustedReason } from "../tool/reads.ts";
import type { CompletedToolCall, ParentStep, PendingCall, ToolOutcome } from "../tool/tool.ts";
import type { ToolRetryNotice } from "../tool/call-tool.ts";
import type { ToolCall } from "../tool/tool-call.ts";
import type { EndpointKind } from "../wire/endpoints/endpoint.ts";
import type { Content, FunctionCall, Part, PartialArg } from "../wire/types/content.ts";
import type { TurnProblem } from "../durable/closed-turn.ts";
import type { OutputDelta } from "./output/json-growth.ts";
import type { RunOutputs, RunResult } from "./result.ts";
import type { RunIdentity } from "../tool/run-context.ts";

/** A run's result as its last event has it: without the conversation, which grows, and without media. */
export type RunEnd = WithoutContents<RunResult<unknown>>;

type WithoutContents<Result> = Result extends unknown ? Omit<Result, NotInEvents> : never;

type NotInEvents = "contents" | "added" | "toolCalls" | "interrupted" | "response" | "responses" | keyof RunOutputs;

const NOT_IN_EVENTS: { readonly [Name in NotInEvents]: true } = namesIn(
  "contents added toolCalls interrupted response responses",
  "images audio code thoughts urls safetyRatings citationSources",
);

/** The result of a run, fit for its last event. */
export function runEnd(result: RunResult<unknown>): RunEnd {
  const entries = Object.entries(result).filter(([name]) => !Object.hasOwn(NOT_IN_EVENTS, name));
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
 * turn   = turn-start compact* answer (recover answer)* (guardrail | untrusted | tool-pending | tool-start | tool-progress | tool-retry | tool-end)* handoff? turn-end
 * answer = (steer | prefix-break | guardrail | checking | text-delta | output-delta | thought-delta | call-args-delta | part | notice | discard)* response
 * ```
 *
 * Input guardrails report before an answer, or among calls that were answered from outside. Output guardrails report before `response` if
 * they hold the answer back, otherwise after it; a replacement follows with its own `response`, a stop only with `turn-end`. An answer that
 * breaks off is checked when the run ends: its `guardrail` events, and the parts that pass and were not shown, are the last of their turn.
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
  /** It was reported before: a run that is resumed or replayed repeats the events of its log. */
  readonly replayed?: true | undefined;
};

/**
 * An event as observers get it: a reader's event with the run, a time, a number and, inside a step, the step. Observers get neither the
 * pieces of an answer nor {@link RunEvent}s about calls: `step-end` has the response, or the call's outcome. JSON-safe plain objects, except
 * for errors, which are the thrown values; contents, requests and responses are the run's own: do not change them.
 *
 * Grammar; the steps of a turn's calls interleave:
 *
 * ```text
 * run  = run-start turn* run-end
 * turn = turn-start (step | compact | recover | guardrail | untrusted | tool-pending)* handoff? turn-end
 * step = step-start (prefix-break | request | first-part | notice | discard | tool-retry)* step-end
 * ```
 *
 * Observers see only what this process executes: a run that continues in another process has a `run-start` and a `run-end` in each, and
 * recorded steps and turns are left out. A step that its engine abandons may end after `run-end`. Each turn and each run has an end, even
 * if it fails. A second `request` of a model step follows a `discard`.
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

/** A run as observers see it. The same object in all events of a run in one process, so it can be the key of a `WeakMap`. */
export interface RunInfo extends RunIdentity {
  /** Id of the agent's model. */
  readonly model: string;
  /** Where its requests are sent, if known: a URL without a trailing slash. */
  readonly endpoint?: string | undefined;
  /** What kind of service that is, if known. */
  readonly endpointKind?: EndpointKind | undefined;
  /** The step of another run that contains it. That run may be in another process. */
  readonly parent?: ParentStep | undefined;
  /** When it started in this process, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** The run began earlier, in this process or another. */
  readonly resumed?: true | undefined;
  /** Of a run that began earlier: the `traceparent` under which it was last executed, in this process or another, if it is known. */
  readonly resumedFrom?: string | undefined;
}

/** A step executed in this process. The same object in all events of the step. */
export interface StepInfo {
  readonly run: RunInfo;
  /** Name of the agent that leads: the run's, or the one that took over. */
  readonly agent: string;
  /** Name in the run, such as `model:3`, `model:3.1` for a retry, `call:3.0`. {@link ParentStep.step} refers to it. */
  readonly name: string;
  /** Its place in the run. */
  readonly place: StepPlace;
  /** A request to the model; a call; which calls need approval; a summary of the oldest messages; a hook around a call; guardrails' checks. */
  readonly kind: "model" | "call" | "route" | "compact" | "hook" | "guard";
  readonly turn: number;
  /** Idempotency key: the same across retries, crashes and resumes. */
  readonly key: string;
  /** From 1; higher when its journal or engine knows of an earlier attempt. */
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Of a model step: the work of the run, or converting its answer to a schema. */
  readonly phase?: PhaseKind | undefined;
  /** Of a call or a hook around it: the call's id, the same for each attempt. */
  readonly callId?: string | undefined;
  /** Of a call: the call as the model made it, or as a person changed it. */
  readonly call?: FunctionCall | undefined;
  /** Of a call: the tool's description. Absent when no tool has the name. */
  readonly toolDescription?: string | undefined;
}

/** What observers get, before the run, the time and the number are added. */
export type ObserverEvent =
  | EventOfRun
  | ({ readonly type: "run-end" } & RunEnding)
  | ((EventOfStep | StepEvent) & { readonly turn: number; readonly step: StepInfo });

/** Events of a run and its turns, for readers and observers. */
type EventOfRun =
  | ({ readonly type: "run-start"; readonly model: string } & RunIdentity)
  | { readonly type: "turn-start"; readonly turn: number }
  /** A summary replaces the oldest messages in later requests; the history keeps them. The service's implicit cache starts over. */
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
   * A guardrail replaced, stopped or answered a message, or replaced or stopped an answer. The part of this turn's answer that was shown is
   * withdrawn, except for the first `keeps` characters of its text; its replacement follows. A stop ends the run.
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
  /** An outside call needs approval, or is denied, after the model has read untrusted content; also if `approve` answers at once. */
  | {
      readonly type: "untrusted";
      readonly turn: number;
      readonly callId: string;
      readonly name: string;
      readonly because: UntrustedReason;
    }
  /** The call waits for an answer from outside. */
  | ({ readonly type: "tool-pending" } & PendingCall)
  /** Another agent takes over with the next turn or message, with other instructions and tools: the service's implicit cache starts over. */
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
  /** The streamed part of the answer is void; the answer is streamed again. */
  | { readonly type: "discard"; readonly turn: number; readonly reason: string }
  /** The tool failed and is run again after a wait. */
  | ({ readonly type: "tool-retry" } & Pick<CallEvent, "turn" | "callId" | "name"> & ToolRetryNotice);

/** For readers only: the pieces of an answer, and calls. */
type ReaderEvent<Calls extends ToolCall> =
  /** Messages that arrived while the run was in progress, sent with this request. */
  | { readonly type: "steer"; readonly turn: number; readonly contents: readonly Content[] }
  /** The model answers; from here on, guardrails hold the answer until they have checked it. */
  | { readonly type: "checking"; readonly turn: number }
  | { readonly type: "text-delta"; readonly turn: number; readonly delta: string }
  | { readonly type: "thought-delta"; readonly turn: number; readonly delta: string }
  /**
   * What the preceding text adds to the typed output: JSON, not validated, in the order of `changes`. Only with an `output`. A later answer
   * of the run starts over. `partialOutputs()` builds the value.
   */
  | ({ readonly type: "output-delta"; readonly turn: number } & OutputDelta)
  /**
   * Arguments of a call that is being written, on endpoints that stream them. The first one has an empty `delta`; a
   * `stringValue` continues the one of the same `jsonPath`. The whole call follows as a `part`.
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
  | ({ readonly type: "tool-start" } & CallEvent)
  | { readonly type: "tool-progress"; readonly turn: number; readonly callId: string; readonly progress: unknown }
  | ToolEndEvent<Calls>;

/** For observers only: the steps that are executed here. */
type StepEvent =
  | { readonly type: "step-start" }
  /** What a model step sends, after `prepareTurn` and steering. */
  | ({
      readonly type: "request";
      readonly request: ModelRequest;
      /** Id of the model that gets the request; `prepareTurn` may choose another than the run's. */
      readonly model: string;
      /** Whether the answer is streamed, if known. */
      readonly streams?: boolean | undefined;
    } & Pick<RunInfo, "endpoint" | "endpointKind">)
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
  /** Of a model step: when each chunk with content arrived, in milliseconds since the epoch; of the last request, if it took several. */
  readonly chunksAt?: readonly number[] | undefined;
  /** Of a model step: milliseconds that its requests waited in the queue of `traffic`. Absent when they did not wait. */
  readonly queuedMs?: number | undefined;
  /** Of a call: the outcome that the model reads. Absent when the call has started a job, which is answered later. */
  readonly outcome?: ToolOutcome | undefined;
  /** What the result of a call brings into the history; absent for nothing. */
  readonly reads?: ReadsMark | undefined;
  /** Of a call that reads: its tool's origin. */
  readonly origin?: string | undefined;
}

/** How a run ended in this process: a reader gets its result, or what it threw. */
export interface RunEnding extends Cost {
  /** `stopped`: its engine ended it here and continues it later or elsewhere. */
  readonly ended: "result" | "failed" | "aborted" | "stopped";
  /** Present when `ended` is `result`; otherwise there is an `error`. Whole, with the conversation. */
  readonly result?: RunResult<unknown> | undefined;
  /** What it threw; after an abort, the signal's reason. */
  readonly error?: unknown;
  /** Turns, tokens and cost are those of the whole run, including nested runs and the work before a resume. */
  readonly turns: number;
  readonly usage: Usage;
}

/** A call has ended. With static tools, its name determines the type of the output. */
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

interface ToolEnd<Name extends string, Outcome> extends CallEvent {
  readonly type: "tool-end";
  readonly name: Name;
  readonly outcome: Outcome;
  readonly durationMs: number;
}

interface CallEvent {
  readonly turn: number;
  readonly callId: string;
  /** As the model wrote it: there may be no such tool. */
  readonly name: string;
  /** With the arguments it runs with. */
  readonly call: FunctionCall;
  /** A person changed its arguments when approving it. */
  readonly edited?: true | undefined;
  /** What the result brings into the history; absent for nothing. */
  readonly reads?: ReadsMark | undefined;
  /** The tool's origin, for a result that brings something. */
  readonly origin?: string | undefined;
}

/** Passes one event to the reader. A promise: the run has to wait for the reader. Never rejects; events for a reader that has left are dropped. */
export type Emit = (event: RunEvent) => void | Promise<void>;
