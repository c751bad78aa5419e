import type { PhaseKind, PrefixField } from "../../durable/run-log.ts";
import type { Step } from "../../durable/steps.ts";
import type { Model, ModelNotice, ModelRequest, ModelResponse } from "../../model/model.ts";
import type { Usage } from "../../model/usage.ts";
import type { ToolRetryNotice } from "../../tool/retry-call.ts";
import type { ParentStep, Tool, ToolOutcome } from "../../tool/tool.ts";
import type { EndpointKind } from "../../wire/endpoints/endpoint.ts";
import type { ExchangeTap, HttpExchange } from "../../wire/http/exchange-tap.ts";
import type { FunctionCall, JsonObject } from "../../wire/types/content.ts";
import type { RunEvent } from "../events.ts";
import type { RunResult } from "../result.ts";

/**
 * Observes an agent's runs without affecting them: a failure of its functions is logged, once per run.
 *
 * One observer serves any number of concurrent runs. Replays are not observed.
 */
export interface Observer {
  /**
   * Called when a run is requested and when it starts. `false` means that this observer has no use for the run: it is not called for
   * it, and a run without any other observer costs nothing more than one that has none. @defaultValue it observes every run
   */
  isEnabled?(): boolean;
  /**
   * Called synchronously with each {@link Observation} of each run, in order; defer slow work. Its return value is ignored, and a
   * promise is not awaited.
   */
  observe?(observation: Observation): unknown;
  /**
   * Wraps the execution of a step, so that a context such as that of an `AsyncLocalStorage` is active in it. Called after the
   * step's `step-start`; the first observer is the outermost. Its return value is ignored.
   *
   * @param next - Begins the step. Call it once, before `around` returns or awaits anything: a step that has not begun by then
   * begins without it, and further calls do nothing. Its promise resolves when the step is over and never rejects; `step-end`
   * has the outcome.
   */
  around?(step: StepInfo, next: () => Promise<void>): unknown;
  /**
   * Called synchronously after each HTTP request of a model step, once its answer was read or it failed: also for retries, changed
   * requests, and those that continue an answer. What crossed the wire is kept in memory until then, but only if an observer has this
   * function. Its return value is ignored. `keepExchanges` writes them to a store.
   */
  exchange?(exchange: ObservedExchange): unknown;
  /**
   * The W3C `traceparent` of a run or a step in the observer's trace, such as
   * `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`. Called synchronously, once, right after the `run-start` or
   * `step-start`; the first observer that returns a well-formed one wins. It is in the lines of the log, in
   * {@link ToolContext.traceparent} and {@link ParentStep.traceparent}, and what a run records links to it.
   *
   * @see https://www.w3.org/TR/trace-context/#traceparent-header
   */
  traceparent?(of: RunInfo | StepInfo): string | undefined;
  /**
   * Called synchronously when a run is requested, such as by `agent.stream()`: a stream may be read much later, elsewhere. Returns a
   * function that calls `work` in the caller's context, such as that of an `AsyncLocalStorage`; the run is executed in it.
   *
   * @returns `undefined` if there is no context to keep.
   */
  capture?(): ((work: () => void) => void) | undefined;
}

/** An HTTP request of a step, and its answer. Not JSON: its body is bytes. */
export interface ObservedExchange extends HttpExchange {
  readonly run: RunInfo;
  readonly step: StepInfo;
}

/** A run as observers see it. The same object in all observations of a run in one process, so it can be the key of a `WeakMap`. */
export interface RunInfo {
  readonly runId: string;
  /** Name of the agent. */
  readonly agent: string;
  /** Id of the agent's model. */
  readonly model: string;
  /** Where its requests are sent, if known: a URL without a trailing slash. */
  readonly endpoint?: string | undefined;
  /** What kind of service that is, if known. */
  readonly endpointKind?: EndpointKind | undefined;
  readonly sessionId?: string | undefined;
  /** What the caller said about the run. */
  readonly metadata?: JsonObject | undefined;
  /** The step of another run that contains it. That run may be in another process. */
  readonly parent?: ParentStep | undefined;
  /** Of a run that began earlier: the `traceparent` under which it was last executed, in this process or another, if it is known. */
  readonly resumedFrom?: string | undefined;
}

/** A step executed in this process. The same object in all observations of the step. */
export interface StepInfo {
  readonly run: RunInfo;
  /** Name in the run, such as `model:3`, `model:3.1` for a retry, `call:3.0`. {@link ParentStep.step} refers to it. */
  readonly name: string;
  /**
   * A request to the model; a call; the decision which calls of a turn need approval; a summary of the oldest messages; a hook
   * around a call that is a separate run; guardrails, which check the message of the run or an answer.
   */
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
  /** Of a call: what the tool says it does. Absent when no tool has the name. */
  readonly toolDescription?: string | undefined;
}

/** What every observation has. */
export interface ObservationBase {
  readonly run: RunInfo;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Position among the run's observations in this process, from 0. */
  readonly seq: number;
}

/**
 * Something that happened in a run. JSON-safe plain objects, except for errors, which are the thrown values. Do not change
 * contents, requests and responses: they are the run's own.
 *
 * Grammar; the steps of a turn's calls interleave:
 *
 * ```text
 * run  = run-start turn* run-end
 * turn = turn-start (step | compact | recover | guardrail | tool-pending)* turn-end
 * step = step-start (prefix-break | request | first-part | notice | discard | tool-retry)* step-end
 * ```
 *
 * Only what is executed in this process is observed. A run that continues in another process has a `run-start` and a `run-end` in
 * each; recorded steps, and turns in which every step is recorded, are left out. A step that its engine abandons may end after
 * `run-end`.
 *
 * Within a model step, `request` is what is sent; a second one follows a `discard` when a broken stream is restarted.
 */
export type Observation =
  | RunStartObservation
  | RunEndObservation
  | (ObservationBase & Extract<RunEvent, { readonly type: "turn-start" | "turn-end" }>)
  /** A summary has replaced the oldest messages; its step has just ended. */
  | (ObservationBase & Extract<RunEvent, { readonly type: "compact" }>)
  /** The answer is unusable; the next step asks the model again. */
  | (ObservationBase & Extract<RunEvent, { readonly type: "recover" }>)
  /** A guardrail replaced or stopped a message or an answer. */
  | (ObservationBase & Extract<RunEvent, { readonly type: "guardrail" }>)
  /** A call waits for an answer from outside. */
  | (ObservationBase & Extract<RunEvent, { readonly type: "tool-pending" }>)
  | StepStartObservation
  | StepEndObservation
  /** `prepareTurn` changed what the service's implicit cache depends on, compared with the request before. */
  | (ObservationBase & {
      readonly type: "prefix-break";
      readonly step: StepInfo;
      readonly fields: readonly PrefixField[];
    })
  /** What a model step sends, after `prepareTurn` and steering. */
  | RequestObservation
  /** The first part of the answer. */
  | (ObservationBase & { readonly type: "first-part"; readonly step: StepInfo })
  /** A request is retried, delayed, or was changed once to suit the endpoint. */
  | (ObservationBase & {
      readonly type: "notice";
      readonly step: StepInfo;
      readonly notice: Exclude<ModelNotice, { readonly type: "rewind" }>;
    })
  /** The tool of a call failed and is run again after a wait. */
  | (ObservationBase & { readonly type: "tool-retry"; readonly step: StepInfo } & ToolRetryNotice)
  /** What the step has streamed is void, and is streamed again. */
  | (ObservationBase & { readonly type: "discard"; readonly step: StepInfo; readonly reason: string });

/** A model step sends a request. */
export interface RequestObservation extends ObservationBase {
  readonly type: "request";
  readonly step: StepInfo;
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

/** A run begins or continues in this process. */
export interface RunStartObservation extends ObservationBase {
  readonly type: "run-start";
  /** It began earlier, in this process or another. */
  readonly resumed: boolean;
}

/** A run has ended in this process. */
export interface RunEndObservation extends ObservationBase {
  readonly type: "run-end";
  readonly startedAt: number;
  /** `stopped`: its engine ended it here and continues it later or elsewhere. */
  readonly ended: "result" | "failed" | "aborted" | "stopped";
  /** Present when `ended` is `result`; otherwise there is an `error`. */
  readonly result?: RunResult<unknown> | undefined;
  /** What it threw; after an abort, the signal's reason. */
  readonly error?: unknown;
  /** Turns, tokens and cost are those of the whole run, including nested runs and what was done before a resume. */
  readonly turns: number;
  readonly usage: Usage;
  /** In the unit of the price table; absent without one. */
  readonly cost?: number | undefined;
}

/** A step begins. */
export interface StepStartObservation extends ObservationBase {
  readonly type: "step-start";
  readonly step: StepInfo;
}

/** A step is over. */
export interface StepEndObservation extends ObservationBase {
  readonly type: "step-end";
  readonly step: StepInfo;
  /** `false` when it threw. A failed tool is data, so its step is `ok`. */
  readonly ok: boolean;
  /** What it threw, if not `ok`. */
  readonly error?: unknown;
  /** Of a model step: the answer, with finish reason, usage, model version and response id. Absent when the prompt was too long. */
  readonly response?: ModelResponse | undefined;
  /** Cost of the answer, in the unit of the price table; absent without one. */
  readonly cost?: number | undefined;
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

/** A step as the loop executes it. */
export interface LoopStep extends Step<RunEvent> {
  /** Reports a request to observers; absent when there are none. */
  readonly asks?: ((request: ModelRequest, model: Model) => void) | undefined;
  /** Notes for observers that a chunk with content arrived. */
  readonly chunk?: (() => void) | undefined;
  /** Notes for observers that a request waited in the queue, in milliseconds. */
  readonly queued?: ((ms: number) => void) | undefined;
  /** Of this step, in the trace of an observer. */
  readonly traceparent?: string | undefined;
  /** Reports HTTP exchanges to observers; absent when none wants them. */
  readonly tap?: ExchangeTap | undefined;
}

/** Executes the steps of a run that has observers. */
export interface StepExecutor {
  /**
   * Executes a step. Whatever observers do, `work` is called exactly once, synchronously.
   *
   * @param call - The call that the step runs, if any.
   */
  execute<T>(
    name: string,
    step: Step<RunEvent>,
    work: (step: LoopStep) => Promise<T>,
    call: ObservedCall | undefined,
  ): Promise<T>;
}

/** The call that a step runs. */
export interface ObservedCall {
  readonly call: FunctionCall;
  /** Absent when no tool has its name. */
  readonly tool: Pick<Tool, "description"> | undefined;
}
