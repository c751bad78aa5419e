import { checkValue } from "../internal/option-names.ts";
import type { NextInput } from "../session/runs/next-run.ts";
import { hasAnswers } from "../session/runs/session-answers.ts";
import type { SessionHost } from "../session/runs/session-host.ts";
import type { ReplacedMessage } from "../session/runs/session-runs.ts";
import type { Content } from "../wire/types/content.ts";
import type { AnyRunOptions } from "./options.ts";
import type { ResumeOptions, SendOptions } from "./session-options.ts";

/** What a message and its options say. @param again - A message that is said once more. @throws {TypeError} For a contradiction. */
export function readNextInput(
  host: SessionHost<AnyRunOptions>,
  given: AnyRunOptions & SendOptions & ResumeOptions,
  message?: readonly Content[],
  again?: ReplacedMessage,
): NextInput<AnyRunOptions> {
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
    message,
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
