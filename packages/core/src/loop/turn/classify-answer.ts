import type { ModelResponse } from "../../model/model.ts";
import { classifyFinish, type FinishClass } from "../../model/finish-reason.ts";
import { nudges } from "../../tool/model-texts.ts";
import { callsIn } from "../transcript.ts";

/** Why an answer cannot be used as it is. */
export type TurnProblem =
  /** Nothing to read and nothing to do: no text, no call, no media. */
  | "empty"
  /** The model wrote a call that the service could not read, one without a name, or one that got lost on the way. */
  | "malformed-call"
  /** The model called something that was not declared, and the call did not come through. */
  | "undeclared-call"
  /** The answer was cut off by the token limit in the middle of its calls. */
  | "truncated-call"
  /** The service stopped for an unspecified reason. */
  | "interrupted"
  /** The answer does not fit the output schema. */
  | "invalid-output";

/** How often each problem is tried again in one turn, before the run ends with it. */
export const MAX_RECOVERIES: Readonly<Record<TurnProblem, number>> = {
  empty: 3,
  "malformed-call": 3,
  "undeclared-call": 2,
  "truncated-call": 2,
  interrupted: 1,
  "invalid-output": 2,
};

/** Kinds of ending whose calls are answered. A call without a name cannot be: its response needs one. */
const KEPT: ReadonlySet<FinishClass> = new Set<FinishClass>(["complete", "calls", "truncated", "undeclared-call"]);

/** What is wrong with an answer, if anything. `invalid-output` and `truncated-call` are found elsewhere, where the schema and the calls are. */
export function problemOf(response: ModelResponse): TurnProblem | undefined {
  const finish = classifyFinish(response.finishReason);
  const { content } = response;
  if (KEPT.has(finish) && callsIn(content).some(({ name }) => !name)) return "malformed-call";
  switch (finish) {
    case "complete":
      return isEmpty(response) ? "empty" : undefined;
    case "calls":
      return callsIn(content).length > 0 ? undefined : "malformed-call";
    case "bad-call":
      return "malformed-call";
    case "undeclared-call":
      return callsIn(content).length > 0 ? undefined : "undeclared-call";
    case "interrupted":
      return "interrupted";
    default:
      return undefined;
  }
}

/**
 * What to say to the model before it is asked again; `undefined` asks the same again. The first retry of an empty or
 * unreadable answer changes nothing, since the same request often succeeds; later ones say what was wrong.
 */
export function nudgeFor(problem: TurnProblem, attempt: number, names: readonly string[]): string | undefined {
  switch (problem) {
    case "empty":
      return attempt === 1 ? undefined : nudges.empty;
    case "malformed-call":
      return attempt === 1 ? undefined : nudges.malformedCall;
    case "undeclared-call":
      return attempt === 1 ? undefined : nudges.undeclaredCall(names);
    case "truncated-call":
    case "interrupted":
    case "invalid-output":
      return undefined;
  }
}

/** No text, no call, no media, no code: only thoughts, signatures or nothing. */
function isEmpty({ content }: ModelResponse): boolean {
  for (const part of content.parts) {
    if (part.functionCall ?? part.inlineData ?? part.fileData ?? part.executableCode ?? part.codeExecutionResult)
      return false;
    if (part.thought !== true && part.text !== undefined && part.text.trim() !== "") return false;
  }
  return true;
}
