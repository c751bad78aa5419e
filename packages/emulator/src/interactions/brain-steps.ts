import type { Content, GenerateContentRequest, JsonObject, Part, WireTool } from "@pollux/core/wire";
import type { Answer } from "../brain/answer.ts";
import { type Fields, isFields } from "../internal/json.ts";
import { groundingMetadata } from "../respond/grounding.ts";
import type { InteractionRequest } from "./check-interaction.ts";

/** What a brain is asked: the same conversation in the words of `generateContent`. @param before - Steps of the turns before. */
export function toBrainRequest(
  { raw, input, tools }: InteractionRequest,
  before: readonly Fields[],
): GenerateContentRequest {
  const { system_instruction: instructions, generation_config: generation, response_format: format } = raw;
  const config = isFields(generation) ? generation : {};
  const functions = tools.filter(({ type }) => type === "function");
  const declarations = functions.map(({ name, description, parameters }) => ({
    name,
    description,
    ...(parameters !== undefined && { parametersJsonSchema: parameters }),
  }));
  const builtIns = tools.flatMap(({ type }) => BUILT_INS[String(type)] ?? []);
  const { tool_choice: choice } = config;
  // Checked by the rules of this API, which has the same types.
  return {
    contents: contentsOf([...before, ...input]),
    ...(typeof instructions === "string" && { systemInstruction: { parts: [{ text: instructions }] } }),
    tools: [...(functions.length > 0 ? [{ functionDeclarations: declarations }] : []), ...builtIns] as WireTool[],
    ...(typeof choice === "string" && { toolConfig: { functionCallingConfig: { mode: choice.toUpperCase() } } }),
    generationConfig: {
      ...(isFields(format) && isFields(format["schema"])
        ? { responseMimeType: "application/json", responseJsonSchema: format["schema"] }
        : {}),
      ...(config["thinking_summaries"] === "auto" && { thinkingConfig: { includeThoughts: true } }),
    },
  } as GenerateContentRequest;
}

const BUILT_INS: Readonly<Record<string, WireTool>> = {
  google_search: { googleSearch: {} },
  url_context: { urlContext: {} },
  code_execution: { codeExecution: {} },
  google_maps: { googleMaps: {} },
};

/** Steps as contents; a role goes on as long as its steps do. */
function contentsOf(steps: readonly Fields[]): Content[] {
  const contents: { role: "user" | "model"; parts: Part[] }[] = [];
  for (const step of steps) {
    const role = step["type"] === "user_input" || step["type"] === "function_result" ? "user" : "model";
    const parts = partsOf(step);
    if (parts.length === 0) continue;
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else contents.push({ role, parts: [...parts] });
  }
  return contents;
}

function partsOf(step: Fields): readonly Part[] {
  const { type, content, id, name, arguments: given, call_id: callId, result } = step;
  // Checked by the rules of this API.
  if (type === "function_call")
    return [{ functionCall: { id: String(id), name: String(name), args: given as JsonObject } }];
  if (type === "function_result") {
    const response = { result: Array.isArray(result) ? textsIn(result) : result } as JsonObject;
    return [{ functionResponse: { id: String(callId), name: String(name), response } }];
  }
  if (type !== "user_input" && type !== "model_output") return [];
  if (typeof content === "string") return [{ text: content }];
  return (Array.isArray(content) ? content.filter(isFields) : []).flatMap((one): readonly Part[] => {
    const { text, data, uri, mime_type: mimeType } = one;
    if (one["type"] === "function_result") return partsOf(one);
    if (typeof text === "string") return [{ text }];
    if (typeof data === "string") return [{ inlineData: { mimeType: String(mimeType), data } }];
    return typeof uri === "string" ? [{ fileData: { mimeType: String(mimeType), fileUri: uri } }] : [];
  });
}

function textsIn(result: readonly unknown[]): string {
  return result.flatMap((one) => (isFields(one) && typeof one["text"] === "string" ? one["text"] : [])).join("\n");
}

/** What a brain says as steps, without ids and signatures: every answer begins with a thought. */
export function toSteps({ parts, search }: Answer): readonly Fields[] {
  const plain = parts.map(({ part }) => part);
  const summary = plain.flatMap((part) => (part.thought === true ? { type: "text", text: part.text ?? "" } : []));
  const text = plain.flatMap((part) => (part.thought === true ? [] : (part.text ?? []))).join("");
  const annotations = search === undefined ? [] : citationsOf(groundingMetadata(search, text, "developer"));
  const said = { type: "text", text, ...(annotations.length > 0 && { annotations }) };
  const calls = plain.flatMap(({ functionCall: call }) =>
    call === undefined
      ? []
      : [
          {
            type: "function_call",
            ...(call.id !== undefined && { id: call.id }),
            name: call.name,
            arguments: call.args ?? {},
          },
        ],
  );
  const queries = search?.queries ?? [];
  const searched = queries.flatMap((query) => [
    { type: "google_search_call", arguments: { queries: [query] } },
    { type: "google_search_result", result: [{ search_suggestions: query }] },
  ]);
  return [
    { type: "thought", ...(summary.length > 0 && { summary }) },
    ...searched,
    ...(text === "" ? [] : [{ type: "model_output", content: [said] }]),
    ...calls,
  ];
}

function citationsOf({
  groundingSupports = [],
  groundingChunks = [],
}: ReturnType<typeof groundingMetadata>): readonly object[] {
  return groundingSupports.flatMap(({ segment, groundingChunkIndices = [] }) =>
    groundingChunkIndices.flatMap((chunk) => {
      const web = groundingChunks[chunk]?.web;
      const range = { start_index: segment?.startIndex ?? 0, end_index: segment?.endIndex ?? 0 };
      return web === undefined ? [] : [{ type: "url_citation", url: web.uri, title: web.title, ...range }];
    }),
  );
}
