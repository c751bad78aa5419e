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

/** By class, the words for it, separated by spaces. */
const WORDS: { readonly [Class in FinishClass]?: string } = {
  complete: "STOP",
  truncated: "MAX_TOKENS",
  blocked:
    "SAFETY RECITATION LANGUAGE BLOCKLIST PROHIBITED_CONTENT SPII MODEL_ARMOR " +
    "IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION",
  "bad-call": "MALFORMED_FUNCTION_CALL MALFORMED_RESPONSE",
  "undeclared-call": "UNEXPECTED_TOOL_CALL",
  interrupted: "OTHER IMAGE_OTHER NO_IMAGE TOO_MANY_TOOL_CALLS",
  continuation: "CONTINUATION",
};

/**
 * What gateways send in place of the service's words, in any case. Most come from upstream APIs whose parts are translated but not
 * their reasons: those of OpenAI, Anthropic (`end_turn`, `tool_use`) and Cohere (`TOOL_CALL`). aimock sends `FUNCTION_CALL`. Where
 * the service sends `STOP` for a turn with calls, these have a word of their own.
 *
 * @see https://github.com/CopilotKit/aimock/blob/main/src/gemini.ts
 * @see https://github.com/theopenco/llmgateway/pull/2218
 * @see https://github.com/ferro-labs/ai-gateway/issues/142
 */
const GATEWAY_WORDS: typeof WORDS = {
  complete: "STOP END_TURN",
  truncated: "LENGTH MAX_TOKENS",
  blocked: "CONTENT_FILTER",
  calls: "FUNCTION_CALL TOOL_CALLS TOOL_CALL TOOL_USE",
};

/**
 * Classifies a finish reason. An unfamiliar one is "unknown", never "complete": a new kind of refusal must not pass for success.
 * The response keeps the word as it came.
 *
 * `STOP` does not rule out calls: only the parts tell. Google's words are case-sensitive; gateways' words are not.
 *
 * @see https://ai.google.dev/api/generate-content#FinishReason
 */
export function classifyFinish(reason: string): FinishClass {
  const tables = [
    [WORDS, reason],
    [GATEWAY_WORDS, reason.toUpperCase()],
  ] as const;
  for (const [words, word] of tables)
    for (const [name, list] of Object.entries(words))
      // The keys are classes.
      if (list.split(" ").includes(word)) return name as FinishClass;
  return "unknown";
}
