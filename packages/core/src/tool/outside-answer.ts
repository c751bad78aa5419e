import { isObject } from "../internal/json.ts";
import type { JsonObject } from "../wire/types/content.ts";
import { editedArgs } from "./edited-args.ts";
import { callDenied, callWithdrawn } from "./model-texts.ts";
import type { PendingQuestion, ToolOutcome } from "./tool.ts";

/** What an answer to a question about a call comes to. */
export type OutsideAnswer =
  | { readonly kind: "approved" | "not-executed" }
  | { readonly kind: "edited"; readonly args: JsonObject }
  | { readonly kind: "denied" | "withdrawn" | "failed"; readonly text: string }
  | { readonly kind: "output"; readonly output: unknown };

/**
 * Reads an answer from outside, which may have any shape: whoever checks, uses or shows one goes by this. It never throws, because a
 * recorded answer is read whenever its run is. Anything but `true` or arguments denies an approval.
 */
export function readOutsideAnswer(question: PendingQuestion, given: unknown): OutsideAnswer {
  const fields = isObject(given) ? given : {};
  if ("withdrawn" in fields) return { kind: "withdrawn", text: reasonIn(fields["withdrawn"]) };
  if (question === "approval") {
    if (given === true) return { kind: "approved" };
    const args = editedArgs(given);
    return args === undefined ? { kind: "denied", text: reasonIn(fields["deny"]) } : { kind: "edited", args };
  }
  if ("notExecuted" in fields) return { kind: "not-executed" };
  if ("output" in fields) return { kind: "output", output: fields["output"] };
  const error: unknown = isObject(given) ? fields["error"] : given;
  return { kind: "failed", text: typeof error === "string" ? error : JSON.stringify(error ?? null) };
}

/** The outcome that an answer gives its call; undefined when the call goes on with it. */
export function outcomeOf(question: PendingQuestion, answer: OutsideAnswer): ToolOutcome | undefined {
  switch (answer.kind) {
    case "withdrawn":
    case "denied": {
      const { kind, text } = answer;
      const message = kind === "denied" ? callDenied(text) : callWithdrawn[question](text);
      // Whether it took effect stays unknown.
      return { ok: false, kind: question === "unknown-outcome" ? question : kind, message };
    }
    case "output":
      return { ok: true, output: answer.output };
    case "failed":
      return { ok: false, kind: "failed", message: answer.text };
    case "approved":
    case "edited":
    case "not-executed":
      return undefined;
  }
}

function reasonIn(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}
