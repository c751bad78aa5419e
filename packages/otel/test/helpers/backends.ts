import type { EndedSpan } from "./sdk.ts";

/** What backends make of a span, by the rules that they publish, as far as they apply to the spans here. */

/**
 * How Jaeger shows a span in its view of generative AI.
 *
 * @see https://github.com/jaegertracing/jaeger-ui (packages/jaeger-ui/src/utils/genai)
 */
export function jaegerKind({ attributes }: EndedSpan): "LLM" | "TOOL" | "AGENT" | "RETRIEVAL" | "UNKNOWN" {
  switch (attributes["gen_ai.operation.name"]) {
    case "chat":
    case "text_completion":
    case "generate_content":
    case "embeddings":
      return "LLM";
    case "execute_tool":
      return "TOOL";
    case "invoke_agent":
    case "create_agent":
    case "invoke_workflow":
      return "AGENT";
    case "retrieval":
      return "RETRIEVAL";
    default:
      return attributes["gen_ai.tool.name"] === undefined ? "UNKNOWN" : "TOOL";
  }
}

/** What Langfuse stores of a span. */
export interface LangfuseObservation {
  readonly type: string;
  readonly session: unknown;
  readonly model: unknown;
  /** Without the tokens that are counted under another kind. */
  readonly usage: Readonly<Record<string, number>>;
  readonly cost: unknown;
  readonly input: unknown;
  readonly output: unknown;
}

/**
 * How Langfuse reads a span: it sums every kind of usage, and ignores model, usage and cost of agents, which contain their requests.
 *
 * @see https://github.com/langfuse/langfuse (packages/shared/src/server/otel)
 */
export function langfuseObservation({ attributes }: EndedSpan): LangfuseObservation {
  const operation = String(attributes["gen_ai.operation.name"]);
  const types: Readonly<Record<string, string>> = {
    chat: "GENERATION",
    text_completion: "GENERATION",
    generate_content: "GENERATION",
    embeddings: "EMBEDDING",
    invoke_agent: "AGENT",
    create_agent: "AGENT",
    execute_tool: "TOOL",
  };
  const isAgent = operation === "invoke_agent";
  const instructions = readJson(attributes["gen_ai.system_instructions"]);
  const messages = readJson(attributes["gen_ai.input.messages"]);
  const system = instructions === undefined ? [] : [{ role: "system", parts: instructions }];
  return {
    type: types[operation] ?? "SPAN",
    session: attributes["langfuse.session.id"] ?? attributes["session.id"] ?? attributes["gen_ai.conversation.id"],
    model: isAgent ? undefined : (attributes["gen_ai.response.model"] ?? attributes["gen_ai.request.model"]),
    usage: isAgent ? {} : langfuseUsage(attributes),
    cost: isAgent ? undefined : attributes["gen_ai.usage.cost"],
    input: Array.isArray(messages) ? [...system, ...messages] : readJson(attributes["gen_ai.tool.call.arguments"]),
    output: readJson(attributes["gen_ai.output.messages"]) ?? readJson(attributes["gen_ai.tool.call.result"]),
  };
}

function langfuseUsage(attributes: EndedSpan["attributes"]): Readonly<Record<string, number>> {
  const usage: Record<string, number> = {};
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith("gen_ai.usage.") && name !== "gen_ai.usage.cost")
      usage[name.slice("gen_ai.usage.".length)] = Number(value);
  const { input_tokens: input = 0, output_tokens: output = 0, ...rest } = usage;
  if (Object.keys(usage).length === 0) return {};
  const cached = rest["cache_read.input_tokens"] ?? 0;
  return { input: input - cached, output: output - (rest["reasoning.output_tokens"] ?? 0), ...rest };
}

function readJson(value: unknown): unknown {
  return typeof value === "string" ? JSON.parse(value) : undefined;
}
