import { followPointer, isObject } from "../../internal/json.ts";
import type { Content } from "../../wire/types/content.ts";
import type { FunctionDeclaration, JsonSchema, ToolConfig, WireTool } from "../../wire/types/declaration.ts";
import type { GenerateContentRequest } from "../../wire/types/generate-content.ts";
import {
  findCurrentTurn,
  mapParts,
  PLACEHOLDER_SIGNATURE,
  signFirstCall,
  stripIds,
} from "../history/import-history.ts";
import { toSchemaSubset } from "./schema-subset.ts";

/** What one heal made of contents and tools, so that the next request holds the same objects and serializes none anew. */
export type HealMemo = WeakMap<object, object>;

function remember<T extends object>(memo: HealMemo, original: T, change: (original: T) => T): T {
  // What is kept for a value is what the same change made of it.
  const known = memo.get(original) as T | undefined;
  if (known !== undefined) return known;
  const changed = change(original);
  memo.set(original, changed);
  return changed;
}

function recall(memo: HealMemo, content: Content): Content {
  return (memo.get(content) as Content | undefined) ?? content;
}

/** Without the ids of calls and responses; both sides lose theirs, so they still belong together by order. */
export function withoutIds(request: GenerateContentRequest, memo: HealMemo): GenerateContentRequest {
  return { ...request, contents: request.contents.map((content) => remember(memo, content, stripIds)) };
}

/** First calls of the current turn that have no signature get the placeholder; those that got it keep it in later turns. */
export function withSignedCalls(request: GenerateContentRequest, memo: HealMemo): GenerateContentRequest {
  const turn = findCurrentTurn(request.contents);
  const contents = request.contents.map((content, i) =>
    i >= turn ? remember(memo, content, signFirstCall) : recall(memo, content),
  );
  return { ...request, contents };
}

/** Marks the signatures of the current turn as those that {@link withReplacedSignatures} replaces. */
export function markSignatures({ contents }: GenerateContentRequest, memo: HealMemo): void {
  for (const content of contents.slice(findCurrentTurn(contents))) {
    const replaced = mapParts(content, (part) =>
      part.thoughtSignature === undefined ? part : { ...part, thoughtSignature: PLACEHOLDER_SIGNATURE },
    );
    memo.set(content, replaced);
  }
}

/** Later signatures are the service's own again, so only marked contents change. */
export function withReplacedSignatures(request: GenerateContentRequest, memo: HealMemo): GenerateContentRequest {
  return { ...request, contents: request.contents.map((content) => recall(memo, content)) };
}

/** One object for all requests, see {@link HealMemo}. */
const PLEASE_CONTINUE: Content = { role: "user", parts: [{ text: "Please continue." }] };

/** The last word is the user's. */
export function endingWithUser(request: GenerateContentRequest): GenerateContentRequest {
  if (request.contents.at(-1)?.role !== "model") return request;
  return { ...request, contents: [...request.contents, PLEASE_CONTINUE] };
}

/** Schemas in the older form. */
export function withSchemaSubset(request: GenerateContentRequest, memo: HealMemo): GenerateContentRequest {
  const { responseJsonSchema, ...config } = request.generationConfig ?? {};
  const responseSchema = responseJsonSchema && toSchemaSubset(responseJsonSchema).schema;
  return {
    ...mapDeclarations(request, memo, ({ parametersJsonSchema: _schema, ...rest }, schema) => {
      const { schema: parameters } = toSchemaSubset(schema);
      return { ...rest, ...(parameters && { parameters }) };
    }),
    ...(responseJsonSchema && { generationConfig: { ...config, ...(responseSchema && { responseSchema }) } }),
  };
}

/** Schemas with less to constrain. */
export function withSimplerSchemas(request: GenerateContentRequest, memo: HealMemo): GenerateContentRequest {
  const { generationConfig } = request;
  const { responseJsonSchema } = generationConfig ?? {};
  return {
    ...mapDeclarations(request, memo, (declaration, schema) => ({
      ...declaration,
      parametersJsonSchema: simplifySchema(schema),
    })),
    ...(responseJsonSchema && {
      generationConfig: { ...generationConfig, responseJsonSchema: simplifySchema(responseJsonSchema) },
    }),
  };
}

function mapDeclarations(
  request: GenerateContentRequest,
  memo: HealMemo,
  change: (declaration: FunctionDeclaration, schema: JsonSchema) => FunctionDeclaration,
): GenerateContentRequest {
  if (request.tools === undefined) return request;
  const mapTool = (tool: WireTool): WireTool =>
    tool.functionDeclarations === undefined
      ? tool
      : {
          ...tool,
          functionDeclarations: tool.functionDeclarations.map((declaration) => {
            const { parametersJsonSchema: schema } = declaration;
            return schema === undefined ? declaration : change(declaration, schema);
          }),
        };
  return { ...request, tools: remember(memo, request.tools, (tools) => tools.map(mapTool)) };
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

/** Deepest nesting that is kept; deeper values are only said to be an object or a list. */
const MAX_DEPTH = 6;
/** Longest enum that is kept, in members. */
const MAX_ENUM = 50;

/** What narrows a value without saying what it is. */
const NARROWING: ReadonlySet<string> = new Set(
  (
    "minItems maxItems uniqueItems minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf " +
    "minProperties maxProperties propertyNames patternProperties default examples $defs definitions"
  ).split(" "),
);

/**
 * A schema that costs the service less to hold the model to: no bounds, patterns and formats, no long enums, references
 * written out, and nothing nested deeper than six levels. Whatever the full schema takes, this one takes as well.
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
    if (depth >= MAX_DEPTH || !isObject(target)) return { ...pickType(target), ...pickDescription(node) };
    return simplify({ ...target, ...rest }, root, depth + 1);
  }
  if (depth >= MAX_DEPTH) return { ...pickType(node), ...pickDescription(node) };
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

function pickType(node: unknown): object {
  return isObject(node) && node["type"] !== undefined ? { type: node["type"] } : {};
}

function pickDescription(node: Readonly<Record<string, unknown>>): object {
  return node["description"] === undefined ? {} : { description: node["description"] };
}
