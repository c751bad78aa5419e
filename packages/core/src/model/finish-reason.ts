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
 * Finish reasons that gateways send in place of the service's, in any case. Most come from upstream APIs whose parts are translated
 * but not their reasons: OpenAI's `stop`, `length`, `content_filter`, `tool_calls` and `function_call`; Anthropic's `end_turn`,
 * `max_tokens` and `tool_use`; Cohere's `TOOL_CALL`. aimock sends `FUNCTION_CALL`. Where the service sends `STOP` for a turn with
 * calls, these have a word of their own.
 *
 * @see https://github.com/CopilotKit/aimock/blob/main/src/gemini.ts
 * @see https://github.com/theopenco/llmgateway/pull/2218
 * @see https://github.com/ferro-labs/ai-gateway/issues/142
 */
const GATEWAY_WORDS: ReadonlyMap<string, FinishClass> = new Map<string, FinishClass>([
  ["STOP", "complete"],
  ["END_TURN", "complete"],
  ["LENGTH", "truncated"],
  ["MAX_TOKENS", "truncated"],
  ["CONTENT_FILTER", "blocked"],
  ["FUNCTION_CALL", "calls"],
  ["TOOL_CALLS", "calls"],
  ["TOOL_CALL", "calls"],
  ["TOOL_USE", "calls"],
]);

/**
 * Classifies a finish reason. An unfamiliar one is "unknown", never "complete": a new kind of refusal must not pass for success.
 * The response keeps the word as it came.
 *
 * `STOP` does not rule out calls: only the parts tell. Google's words are case-sensitive; gateways' words are not.
 *
 * @see https://ai.google.dev/api/generate-content#FinishReason
 */
export function classifyFinish(reason: string): FinishClass {
  return CLASS_OF.get(reason) ?? GATEWAY_WORDS.get(reason.toUpperCase()) ?? "unknown";
}
