import type { Content, GenerateContentRequest, JsonObject, Part } from "@pollux/core/wire";
import type { Answer } from "../brain/answer.ts";
import { type Fields, isFields } from "../internal/json.ts";
import { groundingMetadata } from "../respond/grounding.ts";
import type { InteractionRequest } from "./check-interaction.ts";

const BUILT_INS: Readonly<Record<string, object>> = {
  google_search: { googleSearch: {} },
  url_context: { urlContext: {} },
};

/** The request to a brain: the same conversation in the format of `generateContent`. @param before - Steps of earlier turns. */
export function toBrainRequest(
  { raw, input, tools }: InteractionRequest,
  before: readonly Fields[],
): GenerateContentRequest {
  const { system_instruction: instructions, generation_config: generation, response_format: format } = raw;
  const { tool_choice: choice, thinking_summaries: summaries } = isFields(generation) ? generation : {};
  const declarations = tools.flatMap(({ type, name, description, parameters: parametersJsonSchema }) =>
    type === "function" ? [{ name, description, parametersJsonSchema }] : [],
  );
  const builtIns = tools.flatMap(({ type }) => BUILT_INS[String(type)] ?? []);
  const schema = isFields(format) ? format["schema"] : undefined;
  // Checked by the rules of this API, whose fields have the same types.
  return {
    contents: contentsOf([...before, ...input]),
    ...(typeof instructions === "string" && { systemInstruction: { parts: [{ text: instructions }] } }),
    tools: [...(declarations.length > 0 ? [{ functionDeclarations: declarations }] : []), ...builtIns],
    ...(typeof choice === "string" && { toolConfig: { functionCallingConfig: { mode: choice.toUpperCase() } } }),
    generationConfig: {
      ...(isFields(schema) && { responseMimeType: "application/json", responseJsonSchema: schema }),
      thinkingConfig: { includeThoughts: summaries === "auto" },
    },
  } as GenerateContentRequest;
}

/** Steps as contents; consecutive steps of one role become one content. */
function contentsOf(steps: readonly Fields[]): Content[] {
  const contents: { role: "user" | "model"; parts: Part[] }[] = [];
  for (const step of steps) {
    const role = step["type"] === "user_input" || step["type"] === "function_result" ? "user" : "model";
    const parts = partsOf(step);
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else if (parts.length > 0) contents.push({ role, parts: [...parts] });
  }
  return contents;
}

function partsOf(step: Fields): readonly Part[] {
  const { type, content, id, name, arguments: given, call_id: callId, result, text, uri, data } = step;
  // Checked by the rules of this API.
  if (type === "function_call")
    return [{ functionCall: { id: String(id), name: String(name), args: given as JsonObject } }];
  if (type === "function_result") {
    const output = Array.isArray(result)
      ? result.map((one: unknown) => (isFields(one) ? one["text"] : one)).join("\n")
      : result;
    return [{ functionResponse: { id: String(callId), name: String(name), response: { result: output } } }];
  }
  if (typeof text === "string") return [{ text }];
  const mimeType = String(step["mime_type"]);
  if (typeof data === "string") return [{ inlineData: { mimeType, data } }];
  if (typeof uri === "string") return [{ fileData: { mimeType, fileUri: uri } }];
  if (typeof content === "string") return [{ text: content }];
  return Array.isArray(content) ? content.filter(isFields).flatMap(partsOf) : [];
}

/** A brain's answer as steps, without ids and signatures. Every answer begins with a thought. */
export function toSteps({ parts, search }: Answer, hasSummaries: boolean): readonly Fields[] {
  const plain = parts.map(({ part }) => part);
  const summary = plain.flatMap((part) => (part.thought === true ? { type: "text", text: part.text ?? "" } : []));
  const text = plain.flatMap((part) => (part.thought === true ? [] : (part.text ?? []))).join("");
  const annotations = search === undefined ? [] : citationsOf(groundingMetadata(search, text, "developer"));
  const content = { type: "text", text, ...(annotations.length > 0 && { annotations }) };
  return [
    { type: "thought", ...(hasSummaries && summary.length > 0 && { summary }) },
    ...(search?.queries ?? []).flatMap((query) => [
      { type: "google_search_call", arguments: { queries: [query] } },
      { type: "google_search_result", result: [{ search_suggestions: query }] },
    ]),
    ...(text === "" ? [] : [{ type: "model_output", content: [content] }]),
    ...plain.flatMap(({ functionCall: call }) =>
      call === undefined
        ? []
        : [
            {
              ...(call.id !== undefined && { id: call.id }),
              type: "function_call",
              name: call.name,
              arguments: call.args ?? {},
            },
          ],
    ),
  ];
}

function citationsOf(found: ReturnType<typeof groundingMetadata>): readonly object[] {
  return (found.groundingSupports ?? []).flatMap(({ segment, groundingChunkIndices = [] }) =>
    groundingChunkIndices.map((chunk) => {
      const { uri: url, title } = found.groundingChunks?.[chunk]?.web ?? {};
      const range = { start_index: segment?.startIndex ?? 0, end_index: segment?.endIndex ?? 0 };
      return { type: "url_citation", url, title, ...range };
    }),
  );
}
