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
