import type { Step } from "../../durable/steps.ts";
import type { Model, ModelRequest } from "../../model/model.ts";
import type { ExchangeTap, HttpExchange } from "../../wire/http/exchange-tap.ts";
import type { ObservedEvent, RunEvent } from "../events.ts";

import type { RunInfo, StepInfo } from "./run-info.ts";

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
   * Called synchronously with each {@link ObservedEvent} of each run, in order; defer slow work. Its return value is ignored, and a
   * promise is not awaited.
   */
  observe?(event: ObservedEvent): unknown;
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
