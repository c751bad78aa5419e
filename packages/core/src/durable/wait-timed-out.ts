import type { Outcome } from "./steps.ts";

const NAME = "WaitTimeoutError";

/** The outcome of a wait that nobody answered in time. */
export function waitTimedOut(name: string, timeoutMs: number): Outcome {
  const message = `no answer to ${name} came within ${timeoutMs} ms`;
  return { ok: false, error: { name: NAME, code: "wait-timeout", message } };
}

/** True for the outcome that {@link waitTimedOut} makes. */
export function isWaitTimedOut(outcome: Outcome | undefined): boolean {
  return outcome?.ok === false && outcome.error.name === NAME;
}
