/** What a finish reason means for the loop. */
export type FinishClass =
  /** The model was done, or calls functions. */
  | "complete"
  /** A gateway's word for a turn with calls; without a call in the content, the answer is unusable. */
  | "calls"
  /** Cut off by a token limit. */
  | "truncated"
  /** Refused by a policy. */
  | "blocked"
  /** The model wrote a call or an answer that the service could not parse. */
  | "bad-call"
  /** The model called something that was not declared. */
  | "undeclared-call"
  /** The service stopped for a reason unrelated to the prompt; a retry may help. */
  | "interrupted"
  /** The same request continues with a token. The model layer joins such answers, so callers see it only when that failed. */
  | "continuation"
  /** Added by a newer service. */
  | "unknown";

const CLASS_OF: ReadonlyMap<string, FinishClass> = new Map<string, FinishClass>([
  ["STOP", "complete"],
  ["MAX_TOKENS", "truncated"],
  ["SAFETY", "blocked"],
  ["RECITATION", "blocked"],
  ["LANGUAGE", "blocked"],
  ["BLOCKLIST", "blocked"],
  ["PROHIBITED_CONTENT", "blocked"],
  ["SPII", "blocked"],
  ["MODEL_ARMOR", "blocked"],
  ["IMAGE_SAFETY", "blocked"],
  ["IMAGE_PROHIBITED_CONTENT", "blocked"],
  ["IMAGE_RECITATION", "blocked"],
  ["MALFORMED_FUNCTION_CALL", "bad-call"],
  ["MALFORMED_RESPONSE", "bad-call"],
  ["UNEXPECTED_TOOL_CALL", "undeclared-call"],
  ["OTHER", "interrupted"],
  ["IMAGE_OTHER", "interrupted"],
  ["NO_IMAGE", "interrupted"],
  ["TOO_MANY_TOOL_CALLS", "interrupted"],
  ["CONTINUATION", "continuation"],
]);

/**
 * Finish reasons that gateways send for turns with calls, where the service sends `STOP`. aimock sends the first. The others come
 * from upstream APIs whose parts are translated but not their reasons: OpenAI's `tool_calls` and `function_call`, Anthropic's
 * `tool_use`, Cohere's `TOOL_CALL`.
 *
 * @see https://github.com/CopilotKit/aimock/blob/main/src/gemini.ts
 * @see https://github.com/theopenco/llmgateway/pull/2218
 * @see https://github.com/ferro-labs/ai-gateway/issues/142
 */
const CALL_WORDS: ReadonlySet<string> = new Set(["FUNCTION_CALL", "TOOL_CALLS", "TOOL_CALL", "TOOL_USE"]);

/**
 * Classifies a finish reason. An unfamiliar one is "unknown", never "complete": a new kind of refusal must not pass for success.
 *
 * `STOP` does not rule out calls: only the parts tell. Google's words are case-sensitive; gateways' words for calls are not.
 *
 * @see https://ai.google.dev/api/generate-content#FinishReason
 */
export function classifyFinish(reason: string): FinishClass {
  return CLASS_OF.get(reason) ?? (CALL_WORDS.has(reason.toUpperCase()) ? "calls" : "unknown");
}
