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
  shared[KEY] ??= new Set();
  shared[KEY].add(entry);
  return () => void shared[KEY]?.delete(entry);
}

/** Observers of all runs, then an agent's own; each once. */
export function observersOf(own: readonly Observer[] | undefined): readonly Observer[] {
  const entries = shared[KEY];
  if (entries === undefined || entries.size === 0) return own ?? NONE;
  return [...new Set([...Array.from(entries, ({ observer }) => observer), ...(own ?? NONE)])];
}

/** Registered, so that several copies of this package in one process share it. */
const KEY: unique symbol = Symbol.for("pollux.observers");

const NONE: readonly Observer[] = [];

// The global object, and the one member that only this module gives it.
const shared = globalThis as { [KEY]?: Set<{ readonly observer: Observer }> };
