import { callsOf, fieldsOf, listOf } from "./describe-answer.ts";
import type { JsonFields } from "./recording-format.ts";

/** What {@link featuresOf} looks at. */
export interface FeatureSource {
  readonly request: unknown;
  /** Parts of candidate 0. */
  readonly parts: readonly JsonFields[];
  readonly finishReasons: readonly (string | number)[];
  readonly usage: JsonFields | null;
  readonly framing: string;
  readonly isVertex: boolean;
  /** False for an answer whose end did not arrive. */
  readonly isWhole: boolean;
}

/** Names for what occurs in an exchange, sorted. */
export function featuresOf(source: FeatureSource): readonly string[] {
  const { parts, finishReasons, usage, framing } = source;
  const request = fieldsOf(source.request) ?? {};
  const config = fieldsOf(request["generationConfig"]) ?? {};
  const tools = listOf(request["tools"]);
  const sent = listOf(request["contents"]).flatMap((content) => listOf(content["parts"]));
  const calls = callsOf(parts);
  const mode = fieldsOf(fieldsOf(request["toolConfig"])?.["functionCallingConfig"])?.["mode"];
  const signed = parts.filter((part) => part["thoughtSignature"] !== undefined);
  const occurs: Readonly<Record<string, boolean>> = {
    call_id: calls.some((call) => call["id"] !== undefined),
    cached_tokens: usage?.["cachedContentTokenCount"] !== undefined,
    code_execution: parts.some((part) => part["executableCode"] !== undefined),
    cut: !source.isWhole,
    function_call: calls.length > 0,
    function_response_in: sent.some((part) => part["functionResponse"] !== undefined),
    json_array_stream: framing === "json-array",
    max_tokens: finishReasons.includes("MAX_TOKENS"),
    mixed_tools: tools.some((tool) => tool["functionDeclarations"] !== undefined) && tools.some(isServerSide),
    multi_turn: listOf(request["contents"]).some((content) => content["role"] === "model"),
    no_finish_reason: finishReasons.length === 0,
    parallel_calls: calls.length > 1,
    server_side_tool: tools.some(isServerSide),
    signature_in: sent.some((part) => part["thoughtSignature"] !== undefined),
    signature_on_call: signed.some((part) => part["functionCall"] !== undefined),
    signature_on_text: signed.some((part) => typeof part["text"] === "string" && part["text"] !== ""),
    structured_output: (config["responseSchema"] ?? config["responseJsonSchema"]) !== undefined,
    thinking: parts.some((part) => part["thought"] === true),
    thinking_config: config["thinkingConfig"] !== undefined,
    thinking_tokens: usage?.["thoughtsTokenCount"] !== undefined,
    thought_signature: signed.length > 0,
    tool_mode_any: mode === "ANY",
    tool_mode_none: mode === "NONE",
    tool_mode_validated: mode === "VALIDATED",
    tools_declared: tools.some((tool) => tool["functionDeclarations"] !== undefined),
    vertex: source.isVertex,
  };
  return Object.entries(occurs).flatMap(([name, is]) => (is ? [name] : []));
}

function isServerSide(tool: JsonFields): boolean {
  return Object.keys(tool).some((name) => name !== "functionDeclarations");
}
