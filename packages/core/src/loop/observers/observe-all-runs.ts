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

/** Observers of all runs, then an agent's own; each once. */
export function addOwn(all: AllRunsObservers, own: readonly Observer[] = []): readonly Observer[] {
  return [...new Set([...Array.from(all, ({ observer }) => observer), ...own])];
}

/** Those that have a use for a run now; absent when there are none. One that fails to say so is called: what it throws then is logged. */
export function filterEnabled(observers: readonly Observer[]): readonly Observer[] | undefined {
  const enabled = observers.filter((observer) => {
    try {
      return observer.isEnabled?.() !== false;
    } catch {
      return true;
    }
  });
  return enabled.length === 0 ? undefined : enabled;
}

/** Of all runs in this process, one for each addition. */
type AllRunsObservers = ReadonlySet<{ readonly observer: Observer }>;

/** Registered, so that several copies of this package in one process share the observers. */
export const OBSERVERS: unique symbol = Symbol.for("pollux.observers");

/** The global object, which has one member of ours once there was an observer of all runs. Read directly by each run. */
export const ALL_RUNS: { [OBSERVERS]?: Set<{ readonly observer: Observer }> } = globalThis as {
  // Set above, and nowhere else.
  [OBSERVERS]?: Set<{ readonly observer: Observer }>;
};
