import { AgentError } from "../errors/agent-error.ts";
import type { StepError } from "./steps.ts";

/** An error as data: its name and message, and, where it has them, its `code` and the HTTP `status`. */
export function describeError(error: unknown): StepError {
  if (error instanceof AgentError)
    return { name: error.name, message: error.message, code: error.code, ...statusOf(error) };
  if (error instanceof Error) return { name: textOf(error.name), message: textOf(error.message), ...codeOf(error) };
  return { name: "Error", message: textOf(error) };
}

/** Anything can be thrown, also what has no text. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "no message";
  }
}

function codeOf(error: object): { readonly code?: string } {
  return "code" in error && typeof error.code === "string" ? { code: error.code } : {};
}

function statusOf(error: object): { readonly status?: number } {
  return "status" in error && typeof error.status === "number" ? { status: error.status } : {};
}
