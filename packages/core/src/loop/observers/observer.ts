import type { Step } from "../../durable/steps.ts";
import { tryOr } from "../../internal/json.ts";
import type { Logger } from "../../logging/logger.ts";
import type { Model, ModelRequest } from "../../model/model.ts";
import type { ExchangeTap, HttpExchange } from "../../wire/http/exchange-tap.ts";
import type { ObservedEvent, RunEvent, RunInfo, StepInfo } from "../events.ts";

/** Observes runs without affecting them: a failure of its functions is logged, once per run. Serves concurrent runs; replays are not observed. */
export interface Observer {
  /**
   * Called when a run is requested and when it starts. `false`: this observer ignores the run and is not called for it; a run that all
   * observers ignore costs no more than one without observers. @defaultValue it observes every run
   */
  isEnabled?(): boolean;
  /** Called synchronously with each {@link ObservedEvent}, in order; defer slow work. Its return value is ignored, and a promise is not awaited. */
  observe?(event: ObservedEvent): unknown;
  /**
   * Wraps the execution of a step, so that a context such as that of an `AsyncLocalStorage` is active in it. Called after its
   * `step-start`; the first observer is the outermost. Its return value is ignored.
   * @param next - Begins the step. Call it once, before `around` returns or awaits anything: a step that has not begun by then begins
   * without it. Its promise resolves when the step is over and never rejects.
   */
  around?(step: StepInfo, next: () => Promise<void>): unknown;
  /** Called synchronously after each HTTP request of a model step, retries included; bodies are kept in memory for it. See `keepExchanges`. */
  exchange?(exchange: ObservedExchange): unknown;
  /** Called synchronously with what a tool threw, each time, before the outcome is known. It may contain data that must not reach a model or a log. */
  threw?(thrown: ObservedThrow): unknown;
  /**
   * The W3C `traceparent` of a run or a step in the observer's trace. Called synchronously, once, right after the `run-start` or
   * `step-start`; the first well-formed one wins. It is in log lines, in {@link ToolContext.traceparent} and {@link
   * ParentStep.traceparent}.
   * @see https://www.w3.org/TR/trace-context/#traceparent-header
   */
  traceparent?(of: RunInfo | StepInfo): string | undefined;
  /** Called synchronously when a run is requested: returns a function that calls `work` in the caller's context; `undefined` for none. */
  capture?(): ((work: () => void) => void) | undefined;
}

/** An HTTP request of a step, and its answer. Not JSON: its body is bytes. */
export interface ObservedExchange extends HttpExchange {
  readonly run: RunInfo;
  readonly step: StepInfo;
}

/** What a tool threw. Not JSON: the value is the thrown one. */
export interface ObservedThrow {
  readonly run: RunInfo;
  /** Of the call. */
  readonly step: StepInfo;
  readonly error: unknown;
  /** Number of the tool's attempt, from 1. */
  readonly attempt: number;
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
  /** Reports what a tool threw to observers; absent when none wants it. */
  readonly threw?: ((error: unknown, attempt: number) => void) | undefined;
}

/** Adds an observer to the runs of all agents in this process from now on, before the agent's own. @returns Removes it for later runs. */
export function observeAllRuns(observer: Observer): () => void {
  // An object per call, so that an observer that was added twice stays until both are removed.
  const entry = { observer };
  ALL_RUNS[OBSERVERS] ??= new Set();
  ALL_RUNS[OBSERVERS].add(entry);
  return () => void ALL_RUNS[OBSERVERS]?.delete(entry);
}

/** Enabled observers: process-wide first, then the agent's own; each once. One whose `isEnabled` throws is called. */
export function findEnabled(own: readonly Observer[]): readonly Observer[] | undefined {
  const all = Array.from(ALL_RUNS[OBSERVERS] ?? [], ({ observer }) => observer);
  const enabled = [...new Set([...all, ...own])].filter((observer) =>
    tryOr(() => observer.isEnabled?.() !== false, true),
  );
  return enabled.length === 0 ? undefined : enabled;
}

/** A registered symbol, so that several copies of this package in one process share the observers. */
export const OBSERVERS: unique symbol = Symbol.for("pollux.observers");

/** The global object, with one member of ours after an observer of all runs was added. Each run reads it directly. */
export const ALL_RUNS: { [OBSERVERS]?: Set<{ readonly observer: Observer }> } =
  // Set above, and nowhere else.
  globalThis as typeof ALL_RUNS;

/** Executes work in a caller's context, and returns its result. */
export type Within = <T>(work: () => T) => T;

/** The current caller's contexts, as observers captured them: a stream runs in the one that created it. `undefined` for none. */
export function callersContext(observers: readonly Observer[], logger: Logger): Within | undefined {
  const captured = observers.flatMap((observer) => {
    try {
      const context = observer.capture?.();
      return typeof context === "function" ? [context] : [];
    } catch (error) {
      logger.warn({ err: error }, FAILED);
      return [];
    }
  });
  if (captured.length === 0) return undefined;
  return <T>(work: () => T): T =>
    captured.reduceRight<() => T>((inner, context) => () => isolate(context, inner, logger), work)();
}

const FAILED = "an observer failed to capture a context; the run continues";

/** Executes the work exactly once, whatever an observer does; only the work's own error is thrown. */
function isolate<T>(context: (work: () => void) => void, work: () => T, logger: Logger): T {
  let outcome: (() => T) | undefined;
  try {
    context(() => void (outcome ??= attempt(work)));
  } catch (error) {
    logger.warn({ err: error }, FAILED);
  }
  return (outcome ?? attempt(work))();
}

/** A function that returns or rethrows what the work did. */
function attempt<T>(work: () => T): () => T {
  try {
    const value = work();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
