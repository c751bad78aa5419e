import type { Content, Part } from "../wire/types/content.ts";
import type { ToolConfig, WireTool } from "../wire/types/declaration.ts";
import type { GenerateContentRequest } from "../wire/types/generate-content.ts";
import { toSchemaSubset } from "../wire/types/schema-subset.ts";
import { currentTurn, DUMMY_SIGNATURE, signFirstCall } from "./signatures.ts";
import { simplifySchema } from "./simplify-schema.ts";

/** What a content became, so that it becomes the same object again in the next request and is not serialised anew. */
export type ContentMemo = WeakMap<Content, readonly Content[]>;

/** One object for all requests, see {@link ContentMemo}. */
const PLEASE_CONTINUE: Content = { role: "user", parts: [{ text: "Please continue." }] };

/** Without the ids of calls and responses; both sides lose theirs, so they still belong together by order. */
export function withoutIds(request: GenerateContentRequest, memo: ContentMemo): GenerateContentRequest {
  return mapContents(request, memo, (content) => mapParts(content, withoutId));
}

function withoutId(part: Part): Part {
  const { functionCall, functionResponse } = part;
  if (functionCall?.id !== undefined) {
    const { id: _id, ...call } = functionCall;
    return { ...part, functionCall: call };
  }
  if (functionResponse?.id === undefined) return part;
  const { id: _id, ...response } = functionResponse;
  return { ...part, functionResponse: response };
}

/** First calls of the current turn that have no signature get the dummy; those that got it keep it in later turns. */
export function withSignedCalls(request: GenerateContentRequest, memo: ContentMemo): GenerateContentRequest {
  const turn = currentTurn(request.contents);
  const contents = request.contents.map(
    (content, i) => memo.get(content)?.[0] ?? (i >= turn ? signed(content, memo) : content),
  );
  return { ...request, contents };
}

function signed(content: Content, memo: ContentMemo): Content {
  const changed = signFirstCall(content);
  if (changed !== content) memo.set(content, [changed]);
  return changed;
}

/** Marks the signatures of the current turn as those that {@link withReplacedSignatures} replaces. */
export function markSignatures({ contents }: GenerateContentRequest, memo: ContentMemo): void {
  for (const content of contents.slice(currentTurn(contents))) {
    const [replaced] = mapParts(content, (part) =>
      part.thoughtSignature === undefined ? part : { ...part, thoughtSignature: DUMMY_SIGNATURE },
    );
    if (replaced !== undefined && replaced !== content) memo.set(content, [replaced]);
  }
}

/** Later signatures are the service's own again, so only marked contents change. */
export function withReplacedSignatures(request: GenerateContentRequest, memo: ContentMemo): GenerateContentRequest {
  return { ...request, contents: request.contents.map((content) => memo.get(content)?.[0] ?? content) };
}

/** The last word is the user's. */
export function endingWithUser(request: GenerateContentRequest): GenerateContentRequest {
  if (request.contents.at(-1)?.role !== "model") return request;
  return { ...request, contents: [...request.contents, PLEASE_CONTINUE] };
}

/** Schemas in the older form. */
export function withSchemaSubset(
  request: GenerateContentRequest,
  memo: WeakMap<object, unknown>,
): GenerateContentRequest {
  const { tools, generationConfig } = request;
  const { responseJsonSchema, ...config } = generationConfig ?? {};
  const responseSchema = responseJsonSchema && toSchemaSubset(responseJsonSchema).schema;
  return {
    ...request,
    ...(tools && { tools: remembered(memo, tools, () => tools.map(withParameters)) }),
    ...(responseJsonSchema && { generationConfig: { ...config, ...(responseSchema && { responseSchema }) } }),
  };
}

function withParameters(tool: WireTool): WireTool {
  if (tool.functionDeclarations === undefined) return tool;
  const functionDeclarations = tool.functionDeclarations.map((declaration) => {
    const { parametersJsonSchema, ...rest } = declaration;
    if (parametersJsonSchema === undefined) return declaration;
    const { schema: parameters } = toSchemaSubset(parametersJsonSchema);
    return { ...rest, ...(parameters && { parameters }) };
  });
  return { ...tool, functionDeclarations };
}

function remembered(
  memo: WeakMap<object, unknown>,
  tools: readonly WireTool[],
  make: () => readonly WireTool[],
): readonly WireTool[] {
  const known = memo.get(tools) as readonly WireTool[] | undefined;
  if (known !== undefined) return known;
  const made = make();
  memo.set(tools, made);
  return made;
}

/** Schemas with less to constrain. */
export function withSimplerSchemas(
  request: GenerateContentRequest,
  memo: WeakMap<object, unknown>,
): GenerateContentRequest {
  const { tools, generationConfig } = request;
  const { responseJsonSchema } = generationConfig ?? {};
  return {
    ...request,
    ...(tools && { tools: remembered(memo, tools, () => tools.map(withSimplerParameters)) }),
    ...(responseJsonSchema && {
      generationConfig: { ...generationConfig, responseJsonSchema: simplifySchema(responseJsonSchema) },
    }),
  };
}

function withSimplerParameters(tool: WireTool): WireTool {
  if (tool.functionDeclarations === undefined) return tool;
  const functionDeclarations = tool.functionDeclarations.map((declaration) => {
    const { parametersJsonSchema } = declaration;
    if (parametersJsonSchema === undefined) return declaration;
    return { ...declaration, parametersJsonSchema: simplifySchema(parametersJsonSchema) };
  });
  return { ...tool, functionDeclarations };
}

/** With or without the flag for built-in tools beside functions. */
export function withFlag(request: GenerateContentRequest, flag: boolean): GenerateContentRequest {
  const { includeServerSideToolInvocations: _flag, ...config } = request.toolConfig ?? {};
  const isMixed =
    request.tools?.some((tool) => tool.functionDeclarations !== undefined) === true && request.tools.length > 1;
  return withToolConfig(request, flag && isMixed ? { ...config, includeServerSideToolInvocations: true } : config);
}

/** The model may call functions, but need not. */
export function withoutForcedCalls(request: GenerateContentRequest): GenerateContentRequest {
  return withToolConfig(request, { ...request.toolConfig, functionCallingConfig: { mode: "AUTO" } });
}

function withToolConfig(request: GenerateContentRequest, config: ToolConfig): GenerateContentRequest {
  const { toolConfig: _config, ...rest } = request;
  return Object.keys(config).length > 0 ? { ...rest, toolConfig: config } : rest;
}

/** Thinking is left to the model. */
export function withoutThinking(request: GenerateContentRequest): GenerateContentRequest {
  const { generationConfig: given, ...rest } = request;
  const { thinkingConfig: _thinking, ...config } = given ?? {};
  return Object.keys(config).length > 0 ? { ...rest, generationConfig: config } : rest;
}

function mapContents(
  request: GenerateContentRequest,
  memo: ContentMemo,
  change: (content: Content) => readonly Content[],
): GenerateContentRequest {
  const contents = request.contents.flatMap((content) => {
    const known = memo.get(content);
    if (known !== undefined) return known;
    const changed = change(content);
    memo.set(content, changed);
    return changed;
  });
  return { ...request, contents };
}

/** The content itself when no part changes. */
function mapParts(content: Content, change: (part: Part) => Part): readonly Content[] {
  const parts = content.parts.map(change);
  return parts.every((part, i) => part === content.parts[i]) ? [content] : [{ ...content, parts }];
}
