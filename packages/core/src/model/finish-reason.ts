/** What a finish reason means for the loop. */
export type FinishClass =
  /** The model was done, or calls functions. */
  | "complete"
  /** A gateway's word for a turn with calls. Without a call in the content it claims what is not there. */
  | "calls"
  /** Cut off by a token limit. */
  | "truncated"
  /** Refused by a policy. */
  | "blocked"
  /** The model wrote a call or an answer that the service could not read. */
  | "bad-call"
  /** The model called something that was not declared. */
  | "undeclared-call"
  /** The service stopped for no reason of the prompt's; asking again may help. */
  | "interrupted"
  /** Not an end: the same request goes on with a token. Joined below this point, so it is seen only when it cannot go on. */
  | "continuation"
  /** A word of a newer service. */
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
 * What gateways say where the service says `STOP` and leaves the rest to the parts: their upstream's word, in capitals or
 * as it came. aimock says the first; OpenAI's `tool_calls` and `function_call` and Anthropic's `tool_use` come through
 * gateways that translate parts but not reasons; `TOOL_CALL` is Cohere's.
 *
 * @see https://github.com/CopilotKit/aimock/blob/main/src/gemini.ts
 * @see https://github.com/theopenco/llmgateway/pull/2218
 * @see https://github.com/ferro-labs/ai-gateway/issues/142
 */
const CALL_WORDS: ReadonlySet<string> = new Set(["FUNCTION_CALL", "TOOL_CALLS", "TOOL_CALL", "TOOL_USE"]);

/**
 * A reason we have not met is "unknown", never "complete": a new kind of refusal must not read as success.
 *
 * `STOP` says nothing about calls: whether a turn calls functions is decided by its parts. Google's words count as Google
 * spells them; only the gateways' words for calls come in either case.
 *
 * @see https://ai.google.dev/api/generate-content#FinishReason
 */
export function classifyFinish(reason: string): FinishClass {
  return CLASS_OF.get(reason) ?? (CALL_WORDS.has(reason.toUpperCase()) ? "calls" : "unknown");
}
