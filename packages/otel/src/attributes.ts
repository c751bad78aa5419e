import type { Attributes } from "@opentelemetry/api";
import type { Cost, UntrustedReason, Usage } from "@pollux/core";
import type { ModelRequest, ModelResponse } from "@pollux/core/model";
import type { RunInfo } from "@pollux/core/observers";

/** Attributes of runs and requests, under the names of OpenTelemetry's conventions for generative AI. */

/** Where a request goes. */
export interface Service {
  readonly endpoint?: string | undefined;
  readonly endpointKind?: RunInfo["endpointKind"];
}

/**
 * Attributes of every span of a run, known when it starts. A run inside another one has its own conversation, in the other's
 * session.
 *
 * @param outerSession - Session of the run that contains it.
 */
export function identityOf({ agent, sessionId }: RunInfo, outerSession: string | undefined): Attributes {
  const session = sessionId ?? outerSession;
  return {
    "gen_ai.agent.name": agent,
    ...(sessionId !== undefined && { "gen_ai.conversation.id": sessionId }),
    ...(session !== undefined && { "session.id": session }),
  };
}

/** Name of the service as the conventions know it. A gateway passes requests on to Gemini. */
export function providerOf({ endpointKind }: Service): string {
  if (endpointKind === undefined) return "gcp.gen_ai";
  return endpointKind === "vertex" ? "gcp.vertex_ai" : "gcp.gemini";
}

/** Host and port of the service; the usual port is left out. */
export function serverOf({ endpoint }: Service): Attributes {
  if (endpoint === undefined || !URL.canParse(endpoint)) return {};
  const { hostname, port, protocol } = new URL(endpoint);
  const number = port === "" ? (protocol === "http:" ? 80 : 443) : Number(port);
  // A URL has an IPv6 address in brackets.
  return { "server.address": hostname.replace(/^\[|\]$/g, ""), ...(number !== 443 && { "server.port": number }) };
}

/** What a request asks for. */
export function requestAttributes({ settings, output }: ModelRequest, streams: boolean | undefined): Attributes {
  const { thinking, stopSequences, responseModalities } = settings;
  return defined({
    "gen_ai.output.type": outputType(output !== undefined, responseModalities),
    "gen_ai.request.stream": streams === true ? true : undefined,
    "gen_ai.request.max_tokens": settings.maxOutputTokens,
    "gen_ai.request.temperature": settings.temperature,
    "gen_ai.request.top_p": settings.topP,
    "gen_ai.request.top_k": settings.topK,
    "gen_ai.request.seed": settings.seed,
    "gen_ai.request.frequency_penalty": settings.frequencyPenalty,
    "gen_ai.request.presence_penalty": settings.presencePenalty,
    "gen_ai.request.stop_sequences": stopSequences === undefined ? undefined : [...stopSequences],
    "gen_ai.request.reasoning.level": typeof thinking === "object" ? `budget:${thinking.budget}` : thinking,
  });
}

function outputType(isJson: boolean, modalities: readonly string[] | undefined): string | undefined {
  if (isJson) return "json";
  if (modalities?.includes("IMAGE") === true) return "image";
  if (modalities?.includes("AUDIO") === true) return "speech";
  return modalities?.includes("TEXT") === true ? "text" : undefined;
}

/** Attributes of an answer and its cost. */
export function responseAttributes(response: ModelResponse, { cost, pricesAsOf }: Cost): Attributes {
  const { envelope, usage } = response;
  return {
    ...defined({
      "gen_ai.response.id": envelope.responseId,
      "gen_ai.response.model": envelope.modelVersion,
      "gen_ai.usage.cache_read.input_tokens": usage.cachedTokens === 0 ? undefined : usage.cachedTokens,
      "gen_ai.usage.reasoning.output_tokens": usage.thoughtTokens === 0 ? undefined : usage.thoughtTokens,
      "gen_ai.usage.cost": cost,
      "pollux.cost": cost,
      "pollux.prices_as_of": pricesAsOf,
      "pollux.search_queries": usage.searchQueries === 0 ? undefined : usage.searchQueries,
      "pollux.usage.incomplete": usage.incomplete ? true : undefined,
    }),
    "gen_ai.response.finish_reasons": [finishReasonOf(response)],
    ...tokensOf(usage),
  };
}

/** Cached tokens and what built-in tools add are part of the input, thoughts part of the output. */
export function tokensOf(usage: Tokens): Attributes {
  return { "gen_ai.usage.input_tokens": inputOf(usage), "gen_ai.usage.output_tokens": outputOf(usage) };
}

/** The counts of {@link Usage} that are billed. */
export type Tokens = Pick<Usage, "inputTokens" | "outputTokens" | "thoughtTokens" | "toolUseTokens">;

export function inputOf({ inputTokens, toolUseTokens }: Tokens): number {
  return inputTokens + toolUseTokens;
}

export function outputOf({ outputTokens, thoughtTokens }: Tokens): number {
  return outputTokens + thoughtTokens;
}

/** Finish reason in the words of the conventions; one that they don't have is passed on unchanged. */
export function finishReasonOf({ finishReason, content }: ModelResponse): string {
  const reason = FINISH_REASONS.get(finishReason.toUpperCase()) ?? finishReason;
  const hasCalls = content.parts.some(({ functionCall }) => functionCall !== undefined);
  return reason === "stop" && hasCalls ? "tool_call" : reason;
}

/** Also the words that gateways pass on from other services. */
const FINISH_REASONS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    stop: ["STOP", "END_TURN"],
    length: ["MAX_TOKENS", "LENGTH"],
    tool_call: ["TOOL_CALLS", "TOOL_CALL", "TOOL_USE", "FUNCTION_CALL"],
    content_filter: [
      "SAFETY",
      "RECITATION",
      "LANGUAGE",
      "BLOCKLIST",
      "PROHIBITED_CONTENT",
      "SPII",
      "MODEL_ARMOR",
      "IMAGE_SAFETY",
      "IMAGE_PROHIBITED_CONTENT",
      "IMAGE_RECITATION",
      "CONTENT_FILTER",
    ],
    error: [
      "MALFORMED_FUNCTION_CALL",
      "MALFORMED_RESPONSE",
      "UNEXPECTED_TOOL_CALL",
      "TOO_MANY_TOOL_CALLS",
      "OTHER",
      "IMAGE_OTHER",
      "NO_IMAGE",
    ],
  }).flatMap(([reason, words]) => words.map((word) => [word, reason])),
);

/** Why a call was held: its reach, and the tools that brought untrusted content. Hosts and paths, which the model wrote, are content: left out. */
export function untrustedAttributes({ reach, untrusted }: UntrustedReason): Attributes {
  const tools = untrusted.map((source) => /^[\w.:-]+( > [\w.:-]+)*(?= |$)/.exec(source)?.[0] ?? "unknown");
  return { "pollux.untrusted.reach": reach, "pollux.untrusted.sources": [...new Set(tools)] };
}

/** Whether the service has read untrusted content for an answer. */
export function readsOf(response: ModelResponse | undefined): "untrusted" | undefined {
  const { groundingMetadata, urlContextMetadata } = response?.candidate ?? {};
  return (groundingMetadata ?? urlContextMetadata) === undefined ? undefined : "untrusted";
}

/** `error.type`: the status of an answer, the code of a failure, or the class of anything else that was thrown. */
export function errorTypeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "_OTHER";
  const { code, status, name } = error as { code?: unknown; status?: unknown; name?: unknown };
  if (code === "api_status" && typeof status === "number") return String(status);
  return [code, name].find(isIdentifier) ?? "_OTHER";
}

/** Whether a code or the name of a class is an identifier, and not a sentence. */
export function isIdentifier(value: unknown): value is string {
  return typeof value === "string" && /^[\w.:$-]{1,80}$/.test(value);
}

/** Without the attributes that have no value. */
export function defined(attributes: { readonly [name: string]: Value | undefined }): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

/** A value that spans of any version of the API accept. */
type Value = string | number | boolean | string[];
