import { checkValue } from "../internal/option-names.ts";
import type { NextInput, ReplacedMessage } from "../session/runs/run-request.ts";
import { hasAnswers } from "../session/runs/session-answers.ts";
import type { SessionHost } from "../session/runs/session-host.ts";
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
  again?: ReplacedMessage,
): Omit<NextInput<AnyRunOptions>, "message"> & { readonly message: undefined } {
  const {
    whileRunning = "refuse",
    unfinished = "close",
    keepInterrupted = true,
    replaces: replaced,
    approvals = {},
    outcomes = {},
    by,
    anyLoopVersion = false,
    ...options
  } = given;
  host.check(options);
  checkValue("whileRunning", whileRunning, ["refuse", "steer", "wait", "replace"]);
  checkValue("unfinished", unfinished, ["close", "refuse", "steer"]);
  const answers = { approvals, outcomes, by };
  const replaces = again ?? (replaced === undefined ? undefined : { messageId: replaced });
  if (replaces !== undefined && whileRunning === "steer")
    throw new TypeError('whileRunning: a message cannot "steer" a run and take the place of another message');
  if (replaces !== undefined && hasAnswers(answers))
    throw new TypeError("replaces takes back the calls that wait, so they cannot be answered as well");
  return {
    message: undefined,
    replaces,
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
