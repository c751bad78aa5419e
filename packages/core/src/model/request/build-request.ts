import { ConfigurationError } from "../../errors/agent-error.ts";
import { present, unlessEmpty } from "../../internal/json.ts";
import type { CountTokensRequest, CreateCachedContentRequest } from "../../wire/types/resources.ts";
import type { Content } from "../../wire/types/content.ts";
import type { ToolConfig, WireTool } from "../../wire/types/declaration.ts";
import type { EndpointKind } from "../../wire/endpoints/endpoint.ts";
import type { GenerateContentRequest, GenerationConfig } from "../../wire/types/generate-content.ts";
import type { CacheRequest, ModelRequest } from "../model.ts";
import { buildThinkingConfig, COPIED_SETTINGS, getCacheName, type RequestFacts } from "../settings.ts";

/** Everything before the contents; the same object for every request of a run, so that it is serialized once. */
export interface RequestHead extends Pick<GenerateContentRequest, "systemInstruction" | "tools"> {
  /** The instructions as a content, for models that take no system instruction. */
  readonly preamble?: Content | undefined;
}

/** System instruction and tools of a request. All functions are in one entry, before the built-in tools. */
export function buildHead(request: ModelRequest, facts: Omit<RequestFacts, "modelId">): RequestHead {
  const { instructions, functions } = request;
  const builtIns = chooseBuiltIns(request);
  const kind = facts.endpointKind;
  const names = builtIns.flatMap((tool) => Object.keys({ ...tool, ...tool.googleMaps }));
  const elsewhere = names.find((one) => ELSEWHERE[kind].includes(one));
  const place = kind === "vertex" ? "the Developer API" : "Vertex";
  if (elsewhere !== undefined) throw new ConfigurationError(`${elsewhere} works only on ${place}; remove it.`);
  const tools = [...(functions.length > 0 ? [{ functionDeclarations: functions }] : []), ...builtIns];
  const head = tools.length > 0 ? { tools } : {};
  if (instructions === undefined || instructions === "") return head;
  const parts = [{ text: instructions }];
  return facts.capabilities.systemInstruction
    ? { ...head, systemInstruction: { parts } }
    : { ...head, preamble: { role: "user", parts } };
}

/** Builds the wire request. Pure; contents keep their identity. @throws {ConfigurationError} For what this model does not accept. */
export function buildRequest(
  request: ModelRequest,
  facts: RequestFacts,
  head: RequestHead = buildHead(request, facts),
): GenerateContentRequest {
  const problem = findWrongCombination(request, facts);
  if (problem !== undefined) throw new ConfigurationError(problem);
  const { safetySettings, serviceTier, store, labels, outputConfig, cachedContent } = request.settings;
  const { systemInstruction, tools, preamble } = head;
  return present<GenerateContentRequest>({
    systemInstruction,
    tools,
    cachedContent: cachedContent && getCacheName(cachedContent),
    contents: preamble ? [preamble, ...request.contents] : request.contents,
    toolConfig: buildToolConfig(request, facts),
    safetySettings,
    generationConfig: buildGenerationConfig(request, facts),
    ...(facts.endpointKind !== "vertex" && { serviceTier, store }),
    labels,
    outputConfig,
  });
}

/** Mode `NONE` affects functions only, so built-in tools have to be omitted. */
function chooseBuiltIns({ builtIns, calling }: ModelRequest): readonly WireTool[] {
  return calling?.mode === "NONE" ? [] : builtIns;
}

/** Tools, and one tool's member, that only Google's other service supports. A gateway may front either service. */
const ELSEWHERE: { readonly [Kind in EndpointKind]: readonly string[] } = {
  developer: ["enterpriseWebSearch", "exaAiSearch", "parallelAiSearch", "retrieval", "groundingTypes"],
  vertex: ["mcpServers"],
  gateway: [],
};

function findWrongCombination(request: ModelRequest, facts: RequestFacts): string | undefined {
  const { functions, instructions, settings, contents } = request;
  const { capabilities, modelId } = facts;
  const builtIns = chooseBuiltIns(request);
  if (contents.length === 0) return "There is nothing to send: pass at least one content.";
  if (functions.length > 0 && !capabilities.functions)
    return `${modelId} cannot call functions: remove the tools, or use another model.`;
  if (functions.length > 0 && builtIns.length > 0 && !capabilities.builtInsWithFunctions)
    return `${modelId} does not accept functions and built-in tools in one request: send them in separate requests.`;
  if (settings.cachedContent !== undefined && (instructions || functions.length > 0 || builtIns.length > 0))
    return "cachedContent contains its own instructions and tools: remove one or the other; the service rejects both.";
  return undefined;
}

/** Functions alone need no config. With built-in tools, they need the flag on the Developer API; Vertex has no such flag. */
function buildToolConfig(request: ModelRequest, { endpointKind }: RequestFacts): ToolConfig | undefined {
  const { functions, settings } = request;
  const builtIns = chooseBuiltIns(request);
  const isMixed = functions.length > 0 && builtIns.length > 0;
  const { mode, allowedFunctionNames } = request.calling ?? { mode: isMixed ? "VALIDATED" : undefined };
  const takesNames = mode === "ANY" || mode === "VALIDATED";
  const location = builtIns.length > 0 ? settings.location : undefined;
  return unlessEmpty<ToolConfig>({
    functionCallingConfig:
      functions.length === 0 || !(mode || settings.streamFunctionCallArguments)
        ? undefined
        : present({
            mode,
            allowedFunctionNames: takesNames && allowedFunctionNames?.length ? allowedFunctionNames : undefined,
            streamFunctionCallArguments: settings.streamFunctionCallArguments || undefined,
          }),
    retrievalConfig:
      location &&
      present({
        latLng: { latitude: location.latitude, longitude: location.longitude },
        languageCode: location.languageCode,
      }),
    includeServerSideToolInvocations: (isMixed && endpointKind !== "vertex") || undefined,
  });
}

function buildGenerationConfig({ settings, output }: ModelRequest, facts: RequestFacts): GenerationConfig | undefined {
  const { capabilities } = facts;
  const copied: Record<string, unknown> = {};
  for (const name of COPIED_SETTINGS) copied[name] = settings[name];
  // The service rejects speech requests that name no modality.
  if (capabilities.audioOutput && capabilities.family === "speech") copied["responseModalities"] ??= ["AUDIO"];
  return unlessEmpty<GenerationConfig>({
    ...copied,
    responseMimeType: output && "application/json",
    responseJsonSchema: output?.schema,
    thinkingConfig: buildThinkingConfig(settings, facts),
  });
}

/** The body of a request that creates a cache, without its lifetime. @throws {ConfigurationError} For no support, or an empty cache. */
export function buildCacheRequest(
  { request, displayName }: CacheRequest,
  facts: RequestFacts,
): CreateCachedContentRequest {
  const { capabilities, modelId } = facts;
  if (!capabilities.explicitCaches)
    throw new ConfigurationError(
      `${modelId} does not support explicit caches: remove createCache; the service caches repeated prefixes of requests automatically.`,
    );
  const { systemInstruction, tools, preamble } = buildHead(request, facts);
  const contents = preamble ? [preamble, ...request.contents] : request.contents;
  if (contents.length === 0 && systemInstruction === undefined)
    throw new ConfigurationError("There is nothing to cache: pass contents, or use an agent with instructions.");
  return {
    model: modelId,
    displayName,
    systemInstruction,
    tools,
    ...(contents.length > 0 && { contents }),
    toolConfig: buildToolConfig(request, facts),
  };
}

/** The body that counts a request's tokens: some of its fields on Vertex, the whole request elsewhere. @see https://ai.google.dev/api/tokens */
export function buildCountTokensRequest(request: GenerateContentRequest, kind: EndpointKind): CountTokensRequest {
  if (kind !== "vertex") return { generateContentRequest: request };
  const { contents, systemInstruction, tools, generationConfig } = request;
  return { systemInstruction, tools, contents, generationConfig };
}
