import { classifyFinish } from "../model/finish-reason.ts";
import type { ModelResponse } from "../model/model.ts";
import { visibleText } from "../model/response/parts.ts";
import type { PendingCall } from "../tool/tool.ts";
import type { FunctionCall } from "../wire/types/content.ts";
import { problemOf, type TurnProblem } from "./turn/classify-answer.ts";
import type { RunOutcome, RunResult } from "./result.ts";
import { callsIn } from "./transcript.ts";

/** How a stretch of turns ended: a result without what all results have. */
export type Ending = {
  readonly [Reason in RunResult<unknown>["stopReason"]]: Omit<
    Extract<RunResult<unknown>, { stopReason: Reason }>,
    keyof RunOutcome
  >;
}[RunResult<unknown>["stopReason"]];

/** How a usable answer ends the run; `undefined` goes on to its calls. */
export function endingOf(response: ModelResponse, calls: readonly FunctionCall[], output: unknown): Ending | undefined {
  const { finishReason, finishMessage } = response;
  const finish = classifyFinish(finishReason);
  switch (finish) {
    case "complete":
      return calls.length > 0 ? undefined : { stopReason: "finished", output };
    case "truncated":
      return calls.length > 0 ? undefined : { stopReason: "truncated" };
    case "calls":
    case "undeclared-call":
      return undefined;
    case "blocked":
      return { stopReason: "blocked", finishReason, finishMessage };
    case "bad-call":
      return { stopReason: "bad-call", finishReason, finishMessage };
    case "continuation":
    case "interrupted":
    case "unknown":
      return { stopReason: "unknown-finish", finishReason, finishMessage };
  }
}

/** How an answer that stayed unusable ends the run. */
export function endingOfProblem(
  problem: TurnProblem,
  { finishReason, finishMessage }: ModelResponse,
  detail: string | undefined,
): Ending {
  switch (problem) {
    case "empty":
      return { stopReason: "empty" };
    case "malformed-call":
    case "undeclared-call":
      return { stopReason: "bad-call", finishReason, finishMessage };
    case "truncated-call":
      return { stopReason: "truncated" };
    case "interrupted":
      return { stopReason: "unknown-finish", finishReason, finishMessage };
    case "invalid-output":
      return { stopReason: "invalid-output", problem: detail ?? "" };
  }
}

/** History keeps answers that can be sent again: not withheld, unreadable or empty ones. */
export function keeps(ending: Ending | undefined, response: ModelResponse): boolean {
  if (response.content.parts.length === 0) return false;
  if (ending === undefined) return true;
  if (ending.stopReason === "truncated") return visibleText(response.content) !== "";
  return ending.stopReason === "finished" || ending.stopReason === "invalid-output";
}

/** {@link keeps} for an answer of which nothing else is known: that of a run which is put together from its steps. */
export function isKept(response: ModelResponse): boolean {
  const problem = problemOf(response);
  const calls = callsIn(response.content);
  const ending =
    problem === undefined ? endingOf(response, calls, undefined) : endingOfProblem(problem, response, undefined);
  return keeps(ending, response);
}

/** How calls without an answer end the run. */
export function endingOfPending(pending: readonly PendingCall[]): Ending {
  return pending.some(({ question }) => question === "approval")
    ? { stopReason: "needs-approval", pending }
    : { stopReason: "needs-outcome", pending };
}
