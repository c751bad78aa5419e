import { isJson, type Json, listOf } from "./recordings.ts";

/** Fields of contents and tools that clients write in either casing. Payloads of calls and responses stay unchanged. */
const CAMEL: { readonly [snake: string]: string } = {
  function_call: "functionCall",
  function_response: "functionResponse",
  function_declarations: "functionDeclarations",
  inline_data: "inlineData",
  file_data: "fileData",
  mime_type: "mimeType",
  file_uri: "fileUri",
  display_name: "displayName",
  thought_signature: "thoughtSignature",
  executable_code: "executableCode",
  code_execution_result: "codeExecutionResult",
  video_metadata: "videoMetadata",
  tool_call: "toolCall",
  tool_response: "toolResponse",
  parameters_json_schema: "parametersJsonSchema",
  google_search: "googleSearch",
  code_execution: "codeExecution",
  url_context: "urlContext",
};

/** A normalized content: `parts` a list, `role` `model` or `user`, field names in camel case. */
export interface PlainContent {
  readonly role: "user" | "model";
  readonly parts: readonly Json[];
}

/** The normalized contents of a recorded request. Joins consecutive model contents, which clients send that store each chunk. */
export function contentsOf(request: Json): readonly PlainContent[] {
  const contents: PlainContent[] = [];
  for (const content of listOf(request["contents"])) {
    const { role, parts } = isJson(content) ? content : {};
    const plain = listOf(parts).filter(isJson).map(partOf);
    const last = contents.at(-1);
    if (role === "model" && last?.role === "model") {
      contents[contents.length - 1] = { role, parts: [...last.parts, ...plain] };
    } else contents.push({ role: role === "model" ? "model" : "user", parts: plain });
  }
  return contents;
}

/**
 * Contents whose responses have the names of their calls. Some older clients wrote their own id there, which models accepted at the
 * time.
 */
export function withNames(contents: readonly PlainContent[]): readonly PlainContent[] {
  let calls: readonly Json[] = [];
  return contents.map((content) => {
    if (content.role === "model") {
      calls = content.parts.map((part) => part["functionCall"]).filter(isJson);
      return content;
    }
    const known = new Set(calls.map(({ name }) => name));
    let position = 0;
    const parts = content.parts.map((part) => {
      const response = part["functionResponse"];
      if (!isJson(response)) return part;
      const call = calls[position++];
      if (call === undefined || known.has(response["name"])) return part;
      return { ...part, functionResponse: { ...response, name: call["name"] } };
    });
    return { ...content, parts };
  });
}

/** The entries of a recorded request's `tools`. */
export function toolsOf(request: Json): readonly Json[] {
  return listOf(request["tools"]).filter(isJson).map(camel);
}

/** The function declarations of all entries of a recorded request's `tools`. */
export function declarationsOf(request: Json): readonly Json[] {
  return toolsOf(request).flatMap((tool) => listOf(tool["functionDeclarations"]).filter(isJson).map(camel));
}

/** Text of a recorded request's system instruction. */
export function instructionsOf(request: Json): string | undefined {
  const given = request["systemInstruction"] ?? request["system_instruction"];
  if (!isJson(given)) return undefined;
  const text = listOf(given["parts"]).map((part) =>
    isJson(part) && typeof part["text"] === "string" ? part["text"] : "",
  );
  return text.join("\n");
}

/** Keys under which clients wrap a tool's result. */
const WRAPPERS: ReadonlySet<string> = new Set(["output", "result", "return_value", "content"]);

/** True for a response with an error text. */
export function isErrorText(response: Json): boolean {
  return Object.keys(response).length === 1 && typeof response["error"] === "string";
}

/** A tool's result without the client's wrapper. */
export function resultIn(response: unknown): unknown {
  if (!isJson(response)) return response;
  const [key, ...others] = Object.keys(response);
  return key !== undefined && others.length === 0 && WRAPPERS.has(key) ? response[key] : response;
}

function partOf(part: Json): Json {
  return Object.fromEntries(
    Object.entries(camel(part)).map(([key, value]) => {
      if (key === "inlineData" || key === "fileData") return [key, isJson(value) ? camel(value) : value];
      if (key !== "functionResponse" || !isJson(value)) return [key, value];
      const media = listOf(value["parts"]).filter(isJson).map(partOf);
      const { parts: _parts, ...rest } = value;
      return [key, media.length > 0 ? { ...rest, parts: media } : rest];
    }),
  );
}

function camel(value: Json): Json {
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [CAMEL[key] ?? key, member]));
}
