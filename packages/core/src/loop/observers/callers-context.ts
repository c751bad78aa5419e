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
  let outer: Within | undefined;
  for (const observer of observers) {
    try {
      const captured = observer.capture?.();
      if (typeof captured === "function") outer = nest(outer, isolate(captured, logger));
    } catch (error) {
      logger.warn({ err: error }, FAILED);
    }
  }
  return outer;
}

const FAILED = "an observer failed to capture a context; the run continues";

function nest(outer: Within | undefined, inner: Within): Within {
  return outer === undefined ? inner : (work) => outer(() => inner(work));
}

/** Whatever an observer does, the work is executed exactly once, and its failure is its own. */
function isolate(captured: (work: () => void) => void, logger: Logger): Within {
  return <T>(work: () => T): T => {
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    const once = (): void => {
      outcome ??= attempt(work);
    };
    try {
      captured(once);
    } catch (error) {
      logger.warn({ err: error }, FAILED);
    }
    const done = outcome ?? attempt(work);
    if ("error" in done) throw done.error;
    return done.value;
  };
}

function attempt<T>(work: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}
