import type { Logger } from "../../logging/logger.ts";
import type { Observer } from "./observer.ts";

/**
 * Adds an observer to the runs of all agents in this process that start or resume from now on. It sees each of them before the
 * agent's own observers, and its `around` encloses theirs. An observer that is added twice, or to the agent as well, is called once.
 *
 * @returns A function that ends this. Runs in progress are observed to their end.
 */
export function observeAllRuns(observer: Observer): () => void {
  // An object per call, so that an observer that was added twice stays until both calls are ended.
  const entry = { observer };
  ALL_RUNS[OBSERVERS] ??= new Set();
  ALL_RUNS[OBSERVERS].add(entry);
  return () => void ALL_RUNS[OBSERVERS]?.delete(entry);
}

/**
 * Enabled observers: process-wide first, then the agent's own; each once. Absent when there are none. One that fails to say whether it
 * is enabled is called: what it throws then is logged.
 */
export function findEnabled(own: readonly Observer[]): readonly Observer[] | undefined {
  const all = Array.from(ALL_RUNS[OBSERVERS] ?? [], ({ observer }) => observer);
  const enabled = [...new Set([...all, ...own])].filter((observer) => {
    try {
      return observer.isEnabled?.() !== false;
    } catch {
      return true;
    }
  });
  return enabled.length === 0 ? undefined : enabled;
}

/** Registered, so that several copies of this package in one process share the observers. */
export const OBSERVERS: unique symbol = Symbol.for("pollux.observers");

/** The global object, which has one member of ours once there was an observer of all runs. Read directly by each run. */
export const ALL_RUNS: { [OBSERVERS]?: Set<{ readonly observer: Observer }> } = globalThis as {
  // Set above, and nowhere else.
  [OBSERVERS]?: Set<{ readonly observer: Observer }>;
};

/** Executes something in the context that a caller had, and returns what it returns. */
export type Within = <T>(work: () => T) => T;

/**
 * The contexts of the present caller as observers captured them, so that a stream runs in the context in which it was made and not in
 * that of its reader.
 *
 * @returns `undefined` if there is nothing to restore.
 */
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
