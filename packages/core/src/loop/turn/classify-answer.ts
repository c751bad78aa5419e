import type { TurnProblem } from "../../durable/closed-turn.ts";
import { classifyFinish } from "../../model/response/fold.ts";
import { openCallsIn } from "../../model/history/open-calls.ts";
import type { ModelResponse } from "../../model/model.ts";
import { visibleText } from "../../model/response/parts.ts";
import { nudges } from "../../tool/model-texts.ts";
import type { Content, FunctionCall } from "../../wire/types/content.ts";
import type { RunResultBase, RunResult, StopReason } from "../result.ts";

/** Retries per turn for each problem, before it ends the run. */
export const MAX_RECOVERIES: Readonly<Record<TurnProblem, number>> = {
  empty: 3,
  "malformed-call": 3,
  "undeclared-call": 2,
  "truncated-call": 2,
  interrupted: 1,
  "invalid-output": 2,
};

/** The answer of a turn, after all retries. */
export interface TurnAnswer {
  readonly response: ModelResponse;
  /** The open calls in it, in order. */
  readonly calls: readonly FunctionCall[];
  /** What is still wrong with it. */
  readonly problem?: TurnProblem | undefined;
  /** Of an `invalid-output`: what does not match. */
  readonly detail?: string | undefined;
  /** The checked output, when there is a schema and this is the final answer. */
  readonly output?: unknown;
  /** A message arrived after its request: the run does not finish with this answer. */
  readonly steeringWaits?: boolean | undefined;
  /** The input guardrail that gave it. */
  readonly answeredBy?: string | undefined;
}

/** What is wrong with an answer, if anything. `invalid-output` and `truncated-call` are detected where the schema and the calls are known. */
export function findProblem(
  { content, finishReason }: ModelResponse,
  calls: readonly FunctionCall[],
): TurnProblem | undefined {
  const finish = classifyFinish(finishReason);
  switch (finish) {
    case "bad-call":
      return "malformed-call";
    case "interrupted":
      return "interrupted";
    case "blocked":
    case "continuation":
    case "unknown":
      return undefined;
    default:
  }
  // A call without a name cannot be answered: its response needs one.
  if (calls.some(({ name }) => !name)) return "malformed-call";
  if (calls.length > 0 || finish === "truncated") return undefined;
  if (finish === "undeclared-call") return "undeclared-call";
  // If it contains calls, the service has answered all of them.
  if (finish === "calls" && content.parts.every((part) => part.functionCall === undefined)) return "malformed-call";
  return isEmpty(content) ? "empty" : undefined;
}

/** No text, no media, no code: only thoughts, signatures, the service's own calls, or nothing. */
function isEmpty({ parts }: Content): boolean {
  for (const part of parts) {
    if (part.inlineData ?? part.fileData ?? part.executableCode ?? part.codeExecutionResult) return false;
    if (part.thought !== true && part.text !== undefined && part.text.trim() !== "") return false;
  }
  return true;
}

/** The text that asks the model again; `undefined` repeats the request, as after a first empty or unreadable answer. */
export function nudgeFor(
  problem: TurnProblem,
  attempt: number,
  toolNames: Iterable<string>,
  detail: string | undefined,
): string | undefined {
  if (problem === "invalid-output") return nudges.invalidOutput(detail);
  if (attempt === 1) return undefined;
  if (problem === "undeclared-call") return nudges.undeclaredCall([...toolNames]);
  if (problem === "malformed-call") return nudges.malformedCall;
  return problem === "empty" ? nudges.empty : undefined;
}

/** How a run ended: a result without the fields of every result. */
export type Ending = {
  readonly [Reason in StopReason]: Omit<Extract<RunResult<unknown>, { stopReason: Reason }>, keyof RunResultBase>;
}[StopReason];

/** How an answer ends the run; `undefined` when its calls come next. */
export function classifyEnding(answer: TurnAnswer): Ending | undefined {
  const { response, calls, problem, detail, output, answeredBy } = answer;
  const { finishReason, finishMessage } = response;
  // A problem takes precedence over the finish reason.
  switch (problem ?? classifyFinish(finishReason)) {
    case "complete":
    case "calls":
      if (calls.length > 0) return undefined;
      return { stopReason: "finished", output, ...(answeredBy !== undefined && { answeredBy }) };
    case "truncated":
      return calls.length > 0 ? undefined : { stopReason: "truncated" };
    case "undeclared-call":
      return calls.length > 0 ? undefined : { stopReason: "bad-call", finishReason, finishMessage };
    case "malformed-call":
    case "bad-call":
      return { stopReason: "bad-call", finishReason, finishMessage };
    case "empty":
      return { stopReason: "empty" };
    case "truncated-call":
      return { stopReason: "truncated" };
    case "invalid-output":
      return { stopReason: "invalid-output", problem: detail ?? "" };
    case "blocked":
      return { stopReason: "blocked", finishReason, finishMessage };
    case "continuation":
    case "interrupted":
    case "unknown":
      return { stopReason: "unknown-finish", finishReason, finishMessage };
  }
}

/** History keeps answers that can be sent again: not blocked, unreadable or empty ones. */
export function keeps(ending: Ending | undefined, response: ModelResponse): boolean {
  if (response.content.parts.length === 0) return false;
  if (ending === undefined) return true;
  if (ending.stopReason === "truncated") return visibleText(response.content) !== "";
  return ending.stopReason === "finished" || ending.stopReason === "invalid-output";
}

/** {@link keeps} for an answer of which only the step is known. */
export function isKept(response: ModelResponse): boolean {
  const calls = openCallsIn([response.content]);
  return keeps(classifyEnding({ response, calls, problem: findProblem(response, calls) }), response);
}
