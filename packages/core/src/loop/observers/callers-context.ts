import type { Logger } from "../../logging/logger.ts";
import type { Observer } from "./observer.ts";

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
