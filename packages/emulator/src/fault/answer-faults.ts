import { type Answer, calls, finishes, join, empty, say, think } from "../brain/answer.ts";
import type { BrainTurn } from "../brain/brain.ts";
import type { AnswerFault } from "./fault.ts";

/** S-8: `STOP` without content. `shape` selects one of the recorded forms. */
export function emptyStop(
  options: { readonly shape?: "empty-text" | "no-parts" | "no-content" | "empty-content" | undefined } = {},
): AnswerFault {
  const { shape = "no-parts" } = options;
  const without = {
    "empty-text": undefined,
    "no-parts": "parts",
    "no-content": "content",
    "empty-content": "content-fields",
  } as const;
  return replaced("S-8", () => (shape === "empty-text" ? say("") : empty()), without[shape]);
}

/** S-8: `STOP` after thinking, without an answer. */
export function onlyThoughts(summary = "I should answer this."): AnswerFault {
  return replaced("S-8", () => ({ ...think(summary), thoughtTokens: 64 }));
}

/** S-8: a 200 with usage and no candidates. */
export function noCandidates(): AnswerFault {
  return replaced("S-8", empty, "candidates");
}

/** S-9: the model wrote a call that cannot be parsed. */
export function malformedCall(
  finishMessage = "Malformed function call: print(default_api.get_weather(city='Oslo'",
): AnswerFault {
  return replaced("S-9", () => finishes("MALFORMED_FUNCTION_CALL", finishMessage), "parts");
}

/** S-9: the model called an undeclared function. On Vertex, the call is in the answer; on the Developer API, it is not. */
export function unexpectedToolCall(
  options: { readonly name?: string | undefined; readonly withPart?: boolean | undefined } = {},
): AnswerFault {
  const { name = "list_files" } = options;
  const message = `Unexpected tool call: Model tried to call an undeclared function: ${name}`;
  return replaced("S-9", (turn) => {
    const withPart = options.withPart ?? (turn.profile === "vertex" || turn.profile === "comet");
    return join(withPart ? calls(name) : empty(), finishes("UNEXPECTED_TOOL_CALL", message));
  });
}

/** S-9: out of tokens in the middle of a call, so its arguments are incomplete. */
export function maxTokensMidCall(
  options: { readonly name?: string | undefined; readonly args?: { readonly [key: string]: unknown } | undefined } = {},
): AnswerFault {
  return replaced("S-9", (turn) => {
    const name = options.name ?? turn.functions[0]?.name ?? "get_weather";
    return join(calls({ name, args: options.args ?? {} }), finishes("MAX_TOKENS"));
  });
}

/** S-9: out of tokens in the middle of a sentence, or before any text if `text` is empty. */
export function maxTokens(text = "The answer begins with"): AnswerFault {
  return replaced(
    "S-9",
    () => join(text === "" ? empty() : say(text), finishes("MAX_TOKENS")),
    text === "" ? "parts" : undefined,
  );
}

/** S-9: the answer was blocked: `content` is `{}`. */
export function safety(reason = "SAFETY"): AnswerFault {
  return replaced("S-9", () => finishes(reason), "content-fields");
}

/** Ends with any other finish reason and no content. */
export function finishReason(reason: string, message?: string): AnswerFault {
  return replaced("S-9", () => finishes(reason, message), "parts");
}

/** S-10: the prompt was blocked; there are no candidates. */
export function promptBlocked(blockReason = "SAFETY"): AnswerFault {
  return { ...replaced("S-10", empty, "candidates"), promptFeedback: { blockReason } };
}

function replaced(rule: string, replace: (turn: BrainTurn) => Answer, without?: AnswerFault["without"]): AnswerFault {
  return { kind: "answer", rule, replace, without };
}
