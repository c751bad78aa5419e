import { HttpError } from "@pollux/core/serving";

/** An error of the library, recognized by its members: an agent's file may import another copy of the library. */
export type LibraryError = Error & { readonly code: string; readonly differences?: readonly string[] | undefined };

/** @param name - Of its class; any of the library without one. */
export function isLibraryError(error: unknown, name?: string): error is LibraryError {
  if (!(error instanceof Error)) return false;
  const { code, retryable }: Error & { readonly code?: unknown; readonly retryable?: unknown } = error;
  return typeof code === "string" && typeof retryable === "boolean" && (name === undefined || error.name === name);
}

/** The library's message names options of its functions. */
const RUNNING = "The session is running: wait until its run is over, or stop the run.";

/** Answers errors of the library with their own message: they are no failures of the server. */
export function refusing<Arguments extends readonly unknown[]>(
  handler: (...given: Arguments) => Promise<object>,
): (...given: Arguments) => Promise<object> {
  return async (...given) => {
    try {
      return await handler(...given);
    } catch (error) {
      if (isLibraryError(error))
        throw new HttpError(409, error.code, error.code === "session_running" ? RUNNING : error.message);
      if (error instanceof TypeError) throw new HttpError(400, "invalid", error.message);
      throw error;
    }
  };
}
