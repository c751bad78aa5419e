import type { Step } from "../../durable/steps.ts";
import { tryOr } from "../../internal/json.ts";
import type { Logger } from "../../logging/logger.ts";
import type { Model, ModelRequest } from "../../model/model.ts";
import type { ExchangeTap, HttpExchange } from "../../wire/http/exchange-tap.ts";
import type { ObservedEvent, RunEvent, RunInfo, StepInfo } from "../events.ts";

/** Observes runs without affecting them: a failure of its functions is logged, once per run. Serves concurrent runs; replays are not observed. */
export interface Observer {
  /**
   * Called when a run is requested and when it starts. `false` means that this observer has no use for the run: it is not called for
   * it, and a run without any other observer costs nothing more than one that has none. @defaultValue it observes every run
   */
  isEnabled?(): boolean;
  /** Called synchronously with each {@link ObservedEvent}, in order; defer slow work. What it returns is ignored, and a promise not awaited. */
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
  /** Called synchronously with what a tool threw, each time, before the outcome is known. It may hold what a model and a log must not. */
  threw?(thrown: ObservedThrow): unknown;
  /**
   * The W3C `traceparent` of a run or a step in the observer's trace. Called synchronously, once, right after the `run-start` or
   * `step-start`; the first well-formed one wins. It is in the lines of the log, in {@link ToolContext.traceparent} and {@link
   * ParentStep.traceparent}.
   * @see https://www.w3.org/TR/trace-context/#traceparent-header
   */
  traceparent?(of: RunInfo | StepInfo): string | undefined;
  /** Called synchronously when a run is requested: gives what calls `work` in the caller's context; `undefined` if there is none to keep. */
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
  /** Hands what a tool threw to observers; absent when none wants it. */
  readonly threw?: ((error: unknown, attempt: number) => void) | undefined;
}

/** Adds an observer to the runs of all agents in this process from now on, before the agent's own. @returns Ends this for later runs. */
export function observeAllRuns(observer: Observer): () => void {
  // An object per call, so that an observer that was added twice stays until both calls are ended.
  const entry = { observer };
  ALL_RUNS[OBSERVERS] ??= new Set();
  ALL_RUNS[OBSERVERS].add(entry);
  return () => void ALL_RUNS[OBSERVERS]?.delete(entry);
}

/** Enabled observers: process-wide first, then the agent's own; each once. One that fails to say whether it is enabled is called. */
export function findEnabled(own: readonly Observer[]): readonly Observer[] | undefined {
  const all = Array.from(ALL_RUNS[OBSERVERS] ?? [], ({ observer }) => observer);
  const enabled = [...new Set([...all, ...own])].filter((observer) =>
    tryOr(() => observer.isEnabled?.() !== false, true),
  );
  return enabled.length === 0 ? undefined : enabled;
}

/** Registered, so that several copies of this package in one process share the observers. */
export const OBSERVERS: unique symbol = Symbol.for("pollux.observers");

/** The global object, which has one member of ours once there was an observer of all runs. Read directly by each run. */
export const ALL_RUNS: { [OBSERVERS]?: Set<{ readonly observer: Observer }> } =
  // Set above, and nowhere else.
  globalThis as typeof ALL_RUNS;

/** Executes something in the context that a caller had, and returns what it returns. */
export type Within = <T>(work: () => T) => T;

/** The contexts of the present caller as observers captured them: a stream runs in the one in which it was made. `undefined` for none. */
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

/** Whatever an observer does, the work is executed exactly once, and its failure is its own. */
function isolate<T>(context: (work: () => void) => void, work: () => T, logger: Logger): T {
  let outcome: (() => T) | undefined;
  try {
    context(() => void (outcome ??= attempt(work)));
  } catch (error) {
    logger.warn({ err: error }, FAILED);
  }
  return (outcome ?? attempt(work))();
}

/** Returns or throws again what the work did. */
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
