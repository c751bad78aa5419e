import type { NextInput } from "../session/next-run.ts";
import { hasAnswers } from "../session/session-answers.ts";
import type { SessionHost } from "../session/session-host.ts";
import type { InsteadOf } from "../session/session-runs.ts";
import type { AnyRunOptions } from "./options.ts";
import type { ResumeOptions, SendOptions } from "./session-options.ts";

/**
 * What the options of a message, a resumption or both say.
 *
 * @param again - A message that is said once more.
 * @throws {TypeError} When options contradict each other.
 */
export function readNextInput(
  host: SessionHost<AnyRunOptions>,
  given: AnyRunOptions & SendOptions & ResumeOptions,
  again?: InsteadOf,
): Omit<NextInput<AnyRunOptions>, "message"> & { readonly message: undefined } {
  const {
    whileRunning = "refuse",
    unfinished = "close",
    keepInterrupted = true,
    insteadOf: replaced,
    approvals = {},
    outcomes = {},
    anyLoopVersion = false,
    ...options
  } = given;
  host.check(options);
  const answers = { approvals, outcomes };
  const insteadOf = again ?? (replaced === undefined ? undefined : { messageId: replaced });
  if (insteadOf !== undefined && whileRunning === "steer")
    throw new TypeError('whileRunning: a message cannot "steer" a run and take the place of another message');
  if (insteadOf !== undefined && hasAnswers(answers))
    throw new TypeError("insteadOf takes back the calls that wait, so they cannot be answered as well");
  return {
    message: undefined,
    insteadOf,
    answers,
    whileRunning,
    unfinished,
    keepInterrupted,
    anyLoopVersion,
    runId: options.runId ?? crypto.randomUUID(),
    metadata: options.metadata,
    options,
    signal: options.signal,
  };
}
