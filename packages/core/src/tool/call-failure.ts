import { nearestName } from "../internal/option-names.ts";
import { tryOr } from "../internal/json.ts";
import { NO_MESSAGE, OUTCOME_UNKNOWN, toolFailed, toolThrew, unknownTool } from "./model-texts.ts";
import type { Tool, ToolErrorKind, ToolOutcome } from "./tool.ts";

/** Converts a tool's error into the outcome the model reads. Only the author's own errors, and tools that expose theirs, give details. */
export function describeFailure(
  { name, exposeErrors }: Pick<Tool, "name" | "exposeErrors">,
  error: unknown,
): ToolOutcome {
  if (isNamed(error, "ModelRetry")) return failure("bad-input", messageIn(error));
  if (isNamed(error, "ToolError"))
    return failure("kind" in error && error.kind === "timeout" ? "timeout" : "failed", messageIn(error));
  if (isNamed(error, "OutcomeUnknownError"))
    return failure("unknown-outcome", `${toolThrew(name)}; ${OUTCOME_UNKNOWN}`);
  return failure("failed", exposeErrors === true ? toolFailed(name, unplannedText(error)) : toolThrew(name));
}

/** The outcome of a call that failed. */
export function failure(kind: ToolErrorKind, message: string): Extract<ToolOutcome, { ok: false }> {
  return { ok: false, kind, message };
}

/** True for an error of this name, also from another copy of this library. */
export function isNamed(error: unknown, name: "ToolError" | "ModelRetry" | "OutcomeUnknownError"): error is Error {
  return tryOr(() => error instanceof Error && error.name === name, false);
}

function messageIn(error: Error): string {
  return tryOr(() => error.message, NO_MESSAGE);
}

/** Longest text of an unplanned error that a model reads, in characters. */
const MAX_ERROR_LENGTH = 500;

/** The message of a thrown value, shortened and without a stack. */
function unplannedText(error: unknown): string {
  const message = tryOr(() => {
    if (error instanceof Error) return error.message || error.name;
    return typeof error === "string" ? error : (JSON.stringify(error) ?? String(error));
  }, "");
  const text = tryOr(() => (message.split(/\n[ \t]+at /, 1)[0] ?? "").trim(), "");
  if (text === "") return NO_MESSAGE;
  return text.length > MAX_ERROR_LENGTH ? `${text.slice(0, MAX_ERROR_LENGTH - 1)}…` : text;
}

/** Lists the available names, and suggests a similar one if there is any. */
export function describeUnknownTool(name: string, names: readonly string[]): string {
  const bareName = name.replace(/^default_api[.:]/, "").slice(0, 64);
  return unknownTool(name, nearestName(bareName, names), names);
}
