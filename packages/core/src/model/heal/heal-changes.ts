import { asObject, followPointer, isObject, present, unlessEmpty } from "../../internal/json.ts";
import type { Content } from "../../wire/types/content.ts";
import type { FunctionDeclaration, JsonSchema, ToolConfig, WireTool } from "../../wire/types/declaration.ts";
import type { GenerateContentRequest } from "../../wire/types/generate-content.ts";
import { findCurrentTurn, mapParts, PLACEHOLDER_SIGNATURE, signFirstCall, stripIds } from "../history/change-calls.ts";
import { toSchemaSubset } from "./schema-subset.ts";

/** What one heal made of contents and tools, so that later requests reuse the same objects and serialize none again. */
export type HealMemo = WeakMap<object, object>;

function remember<T extends object>(memo: HealMemo, original: T, change: (original: T) => T): T {
  // A memo holds the results of a single change.
  const known = memo.get(original) as T | undefined;
  if (known !== undefined) return known;
  const changed = change(original);
  memo.set(original, changed);
  return changed;
}

function recall(memo: HealMemo, content: Content): Content {
  return (memo.get(content) as Content | undefined) ?? content;
}

/** Removes the IDs of calls and responses alike, so that their order still matches them. */
export function withoutIds(request: GenerateContentRequest, memo: HealMemo): GenerateContentRequest {
  return { ...request, contents: request.contents.map((content) => remember(memo, content, stripIds)) };
}

/** Puts the placeholder on unsigned first calls of the current turn; in later turns they keep it. */
export function withSignedCalls(request: GenerateContentRequest, memo: HealMemo): GenerateContentRequest {
  const turn = findCurrentTurn(request.contents);
  const contents = request.contents.map((content, i) =>
    i >= turn ? remember(memo, content, signFirstCall) : recall(memo, content),
  );
  return { ...request, contents };
}

/** Selects the signatures that {@link withReplacedSignatures} replaces: those of the current turn. */
export function markSignatures({ contents }: GenerateContentRequest, memo: HealMemo): void {
  for (const content of contents.slice(findCurrentTurn(contents))) {
    const replaced = mapParts(content, (part) =>
      part.thoughtSignature === undefined ? part : { ...part, thoughtSignature: PLACEHOLDER_SIGNATURE },
    );
    memo.set(content, replaced);
  }
}

/** Replaces the selected signatures only, because later ones are valid. */
export function withReplacedSignatures(request: GenerateContentRequest, memo: HealMemo): GenerateContentRequest {
  return { ...request, contents: request.contents.map((content) => recall(memo, content)) };
}

/** One object for all requests, see {@link HealMemo}. */
const PLEASE_CONTINUE: Content = { role: "user", parts: [{ text: "Please continue." }] };

/** Ends the history with a user content. */
export function endingWithUser(request: GenerateContentRequest): GenerateContentRequest {
  if (request.contents.at(-1)?.role !== "model") return request;
  return { ...request, contents: [...request.contents, PLEASE_CONTINUE] };
}

/** Converts schemas to the older form. */
export function withSchemaSubset(request: GenerateContentRequest, memo: HealMemo): GenerateContentRequest {
  return mapSchemas(request, memo, { parameters: "parameters", response: "responseSchema" }, toSchemaSubset);
}

/** Removes constraints from schemas. */
export function withSimplerSchemas(request: GenerateContentRequest, memo: HealMemo): GenerateContentRequest {
  const names = { parameters: "parametersJsonSchema", response: "responseJsonSchema" };
  return mapSchemas(request, memo, names, simplifySchema);
}

/** @param names - Of the fields that take the changed schemas. */
function mapSchemas(
  request: GenerateContentRequest,
  memo: HealMemo,
  names: { readonly parameters: string; readonly response: string },
  change: (schema: JsonSchema) => JsonSchema | undefined,
): GenerateContentRequest {
  const mapOne = (declaration: FunctionDeclaration): FunctionDeclaration => {
    const { parametersJsonSchema: schema, ...rest } = declaration;
    return schema === undefined ? declaration : present({ ...rest, [names.parameters]: change(schema) });
  };
  const mapTool = (tool: WireTool): WireTool =>
    tool.functionDeclarations ? { ...tool, functionDeclarations: tool.functionDeclarations.map(mapOne) } : tool;
  const { tools, generationConfig } = request;
  const { responseJsonSchema: schema, ...config } = generationConfig ?? {};
  return {
    ...request,
    ...(tools && { tools: remember(memo, tools, (all) => all.map(mapTool)) }),
    ...(schema && { generationConfig: present({ ...config, [names.response]: change(schema) }) }),
  };
}

/** Sets or removes the flag for built-in tools with functions. */
export function withFlag(request: GenerateContentRequest, flag: boolean): GenerateContentRequest {
  const { includeServerSideToolInvocations: _flag, ...config } = request.toolConfig ?? {};
  const isMixed =
    request.tools?.some((tool) => tool.functionDeclarations !== undefined) === true && request.tools.length > 1;
  return withToolConfig(request, flag && isMixed ? { ...config, includeServerSideToolInvocations: true } : config);
}

/** Lets the model decide whether to call functions. */
export function withoutForcedCalls(request: GenerateContentRequest): GenerateContentRequest {
  return withToolConfig(request, { ...request.toolConfig, functionCallingConfig: { mode: "AUTO" } });
}

function withToolConfig(request: GenerateContentRequest, config: ToolConfig): GenerateContentRequest {
  return { ...request, toolConfig: unlessEmpty(config) };
}

/** Leaves thinking to the model. */
export function withoutThinking(request: GenerateContentRequest): GenerateContentRequest {
  return { ...request, generationConfig: unlessEmpty({ ...request.generationConfig, thinkingConfig: undefined }) };
}

/** Deepest nesting that is kept; deeper values keep only their type and description. */
const MAX_DEPTH = 6;
/** Longest enum that is kept, in members. */
const MAX_ENUM = 50;

/** Keywords that constrain a value without describing it. */
const NARROWING: ReadonlySet<string> = new Set(
  (
    "minItems maxItems uniqueItems minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf " +
    "minProperties maxProperties propertyNames patternProperties default examples $defs definitions"
  ).split(" "),
);

/**
 * Makes a schema cheaper to enforce: no bounds, patterns, formats or long enums, references inlined, and nothing nested deeper
 * than six levels. It accepts every value that the full schema accepts.
 */
export function simplifySchema(schema: JsonSchema): JsonSchema {
  return simplify(schema, schema, 0) as JsonSchema;
}

function simplify(node: unknown, root: JsonSchema, depth: number): unknown {
  if (Array.isArray(node)) return node.map((item: unknown) => simplify(item, root, depth));
  if (!isObject(node)) return node;
  const { $ref: reference, ...rest } = node;
  if (typeof reference === "string") {
    const target = followPointer(reference, root);
    if (depth >= MAX_DEPTH || !isObject(target)) return outline(target, node);
    return simplify({ ...target, ...rest }, root, depth + 1);
  }
  if (depth >= MAX_DEPTH) return outline(node, node);
  const simple: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(rest)) {
    if (NARROWING.has(key) || (key === "enum" && Array.isArray(value) && value.length > MAX_ENUM)) continue;
    if (key === "properties" && isObject(value))
      simple[key] = Object.fromEntries(
        Object.entries(value).map(([name, child]) => [name, simplify(child, root, depth + 1)]),
      );
    else if (key === "items" || key === "additionalProperties" || key === "prefixItems")
      simple[key] = simplify(value, root, depth + 1);
    else if (key === "anyOf" || key === "oneOf" || key === "allOf") simple[key] = simplify(value, root, depth);
    else simple[key] = value;
  }
  return simple;
}

function outline(typed: unknown, { description }: Readonly<Record<string, unknown>>): object {
  return present({ type: asObject(typed)["type"], description });
}
