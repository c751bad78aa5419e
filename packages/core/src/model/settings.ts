import { ConfigurationError } from "../errors/agent-error.ts";
import type { EndpointKind } from "../wire/endpoints/endpoint.ts";
import { isOlderFamily, type ModelCapabilities } from "../wire/known-models.ts";
import type {
  GenerateContentRequest,
  GenerationConfig,
  MediaResolution,
  Modality,
  ThinkingConfig,
} from "../wire/types/generate-content.ts";
import type { CacheRef } from "./resources/caches.ts";

/** How much the model may think before it answers. Mapped to a level or a budget by model family; throws at construction if unsupported. */
export type Thinking = "off" | "minimal" | "low" | "medium" | "high" | "xhigh" | { readonly budget: number };

/** Settings that are sent in `generationConfig` as they are. */
export const COPIED_SETTINGS = [
  "temperature",
  "topP",
  "topK",
  "maxOutputTokens",
  "stopSequences",
  "seed",
  "presencePenalty",
  "frequencyPenalty",
  "responseLogprobs",
  "logprobs",
  "responseModalities",
  "mediaResolution",
  "speechConfig",
  "imageConfig",
  "audioTranscriptionConfig",
] as const;

/** Settings for every request of an agent or a run. Absent fields are left to the service. */
export interface ModelSettings
  extends
    Pick<GenerationConfig, (typeof COPIED_SETTINGS)[number]>,
    Pick<GenerateContentRequest, "outputConfig" | "safetySettings" | "store" | "labels"> {
  /** How much it thinks before it answers. @defaultValue the model's own */
  readonly thinking?: Thinking | undefined;
  /** Request thought summaries, which arrive as `thought-delta` events. @defaultValue false */
  readonly includeThoughts?: boolean | undefined;
  /** Output of image and speech models. @defaultValue `["AUDIO"]` for speech-only models */
  readonly responseModalities?: readonly Modality[] | undefined;
  /** How many tokens an image or a video frame uses. */
  readonly mediaResolution?: MediaResolution | undefined;
  /** Where the user is, for maps and search. */
  readonly location?:
    | { readonly latitude: number; readonly longitude: number; readonly languageCode?: string | undefined }
    | undefined;
  /** `flex`, `standard` or `priority`. Developer API only. */
  readonly serviceTier?: "flex" | "standard" | "priority" | undefined;
  /**
   * An explicit cache: the result of `agent.createCache()`, or the name of another one (`cachedContents/…`). This agent's own cache holds
   * its instructions and declarations; any other excludes instructions, tools and tool choice.
   */
  readonly cachedContent?: string | CacheRef | undefined;
  /** Stream the arguments of function calls as they are written. Vertex with Gemini 3 or newer only. @defaultValue false */
  readonly streamFunctionCallArguments?: boolean | undefined;
}

/** Name of a cache. */
export function getCacheName(cache: string | CacheRef): string {
  return typeof cache === "string" ? cache : cache.name;
}

/** Rejects settings that cannot work on a model, before anything is sent. @throws {ConfigurationError} Naming the setting and valid values. */
export function checkSettings(
  settings: ModelSettings,
  capabilities: ModelCapabilities,
  modelId: string,
  endpointKind?: EndpointKind,
): void {
  const facts = { capabilities, modelId, endpointKind };
  buildThinkingConfig(settings, facts);
  for (const find of [findWrongValues, findMissingOutputs, findSafetyProblems, findMissingOnEndpoint])
    for (const problem of find(settings, facts)) throw new ConfigurationError(problem);
}

/** The model and endpoint that a request is built for. */
export interface RequestFacts {
  readonly modelId: string;
  readonly capabilities: ModelCapabilities;
  readonly endpointKind: EndpointKind;
}

type Facts = Omit<RequestFacts, "endpointKind"> & { readonly endpointKind: EndpointKind | undefined };

/** Problems, one sentence each. Callers read only the first one. */
type Problems = Generator<string, void, void>;

const RANGES = [
  ["temperature", 0, 2, "a number"],
  ["topP", 0, 1, "a number"],
  ["topK", 1, Infinity, "an integer"],
  ["maxOutputTokens", 1, Infinity, "an integer"],
  ["seed", -(2 ** 31), 2 ** 31 - 1, "an integer"],
  ["presencePenalty", -Infinity, Infinity, "a number"],
  ["frequencyPenalty", -Infinity, Infinity, "a number"],
  ["logprobs", 0, 20, "an integer"],
] as const;

const MAX_STOP_SEQUENCES = 5;
const RESOLUTIONS = ["MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH"];
const IMAGE_SIZES = ["512", "1K", "2K", "4K"];
const TIERS = ["flex", "standard", "priority"];

/** Values that no model accepts. */
function* findWrongValues(settings: ModelSettings): Problems {
  for (const [name, min, max, kind] of RANGES) {
    const value = settings[name];
    if (value === undefined) continue;
    const isKind = kind === "an integer" ? Number.isInteger(value) : Number.isFinite(value);
    if (!isKind || value < min || value > max)
      yield `${name} is ${value}: it must be ${kind} ${describeRange(min, max)}.`;
  }
  const { stopSequences = [], location, cachedContent, labels = {}, mediaResolution, serviceTier, store } = settings;
  if (stopSequences.length > MAX_STOP_SEQUENCES)
    yield `There are ${stopSequences.length} stopSequences: the service accepts at most ${MAX_STOP_SEQUENCES}.`;
  if (stopSequences.includes("")) yield "A stop sequence is empty: leave it out.";
  if (location !== undefined && !(Math.abs(location.latitude) <= 90 && Math.abs(location.longitude) <= 180))
    yield `location is ${location.latitude}, ${location.longitude}: latitude ranges from -90 to 90 and longitude from -180 to 180, in degrees.`;
  if (cachedContent !== undefined && !getCacheName(cachedContent))
    yield 'cachedContent is empty: use a name such as "cachedContents/abc123".';
  if (settings.logprobs !== undefined && settings.responseLogprobs !== true)
    yield "logprobs requires responseLogprobs: true.";
  if (mediaResolution !== undefined && !RESOLUTIONS.includes(mediaResolution))
    yield `mediaResolution is ${JSON.stringify(mediaResolution)}: use one of ${RESOLUTIONS.join(", ")}; higher resolutions can only be set per part.`;
  for (const [name, value] of Object.entries(labels))
    if (name === "" || typeof value !== "string")
      yield `labels: ${JSON.stringify(name)} must be a name with a string as its value.`;
  if (serviceTier !== undefined && !TIERS.includes(serviceTier))
    yield `serviceTier is ${JSON.stringify(serviceTier)}: use one of ${TIERS.join(", ")}.`;
  if (store !== undefined && typeof store !== "boolean") yield `store is ${JSON.stringify(store)}: use true or false.`;
}

function describeRange(min: number, max: number): string {
  if (Number.isFinite(max)) return `from ${min} to ${max}`;
  return Number.isFinite(min) ? `of at least ${min}` : "that is finite";
}

/** Settings of images and speech: wrong values, and models without such output. */
function* findMissingOutputs(settings: ModelSettings, { capabilities, modelId }: Facts): Problems {
  const { responseModalities, imageConfig, speechConfig } = settings;
  if (responseModalities?.length === 0)
    yield 'responseModalities is empty: remove it, or list some, such as ["TEXT", "IMAGE"].';
  const wrong = responseModalities?.find((modality) => modality !== modality.toUpperCase());
  if (wrong !== undefined) yield `responseModalities: write "${wrong.toUpperCase()}" instead of "${wrong}".`;
  const { aspectRatio, imageSize } = imageConfig ?? {};
  if (aspectRatio !== undefined && !/^[1-9]\d?:[1-9]\d?$/.test(aspectRatio))
    yield `imageConfig.aspectRatio is ${JSON.stringify(aspectRatio)}: write width and height like "16:9".`;
  if (imageSize !== undefined && !IMAGE_SIZES.includes(imageSize))
    yield `imageConfig.imageSize is ${JSON.stringify(imageSize)}: use one of ${IMAGE_SIZES.map((size) => `"${size}"`).join(", ")}.`;
  if (speechConfig?.voiceConfig !== undefined && speechConfig.multiSpeakerVoiceConfig !== undefined)
    yield "speechConfig contains voiceConfig and multiSpeakerVoiceConfig: keep the first for one speaker, the second for several.";
  for (const [setting, isSet, output, verb, other] of [
    ["responseModalities", responseModalities?.includes("IMAGE"), "imageOutput", "generate images", "3.1-flash-image"],
    ["responseModalities", responseModalities?.includes("AUDIO"), "audioOutput", "speak", "3.8-flash-tts"],
    ["imageConfig", imageConfig !== undefined, "imageOutput", "generate images", "3.1-flash-image"],
    ["speechConfig", speechConfig !== undefined, "audioOutput", "speak", "3.8-flash-tts"],
  ] as const)
    if (isSet === true && !capabilities[output])
      yield `${setting}: ${modelId} does not ${verb}; use a model that does, such as gemini-${other}, or pass gemini() the capabilities { ${output}: true } if this one does.`;
}

function* findSafetyProblems({ safetySettings = [] }: ModelSettings): Problems {
  const seen = new Set<string>();
  for (const { category, threshold } of safetySettings) {
    if (!category?.startsWith("HARM_CATEGORY_"))
      yield `safetySettings: ${JSON.stringify(category)} is not a category; use one like "HARM_CATEGORY_HARASSMENT".`;
    if (!/^[A-Z]+(?:_[A-Z]+)*$/.test(threshold ?? ""))
      yield `safetySettings: ${JSON.stringify(threshold)} is not a threshold; use one like "BLOCK_ONLY_HIGH" or "OFF".`;
    if (seen.has(category)) yield `safetySettings contains ${category} twice: keep one of them.`;
    seen.add(category);
  }
}

const ON_VERTEX = ["outputConfig", "personGeneration", "prominentPeople", "imageOutputOptions"] as const;

/** Gateways are assumed to support everything except what only Vertex has. */
function* findMissingOnEndpoint(settings: ModelSettings, facts: Facts): Problems {
  const { modelId, endpointKind } = facts;
  const { family } = facts.capabilities;
  const { safetySettings = [], outputConfig, imageConfig } = settings;
  if (endpointKind === "vertex")
    for (const name of ["store", "serviceTier"] as const)
      if (settings[name] !== undefined) yield `${name} works only on the Developer API: remove it on Vertex.`;
  if (endpointKind === "developer") {
    if (/^gemini-[12]$/.test(family))
      for (const penalty of ["presencePenalty", "frequencyPenalty"] as const)
        if (settings[penalty] !== undefined)
          yield `${modelId} does not accept ${penalty} on the Developer API: remove it.`;
    if (settings.responseLogprobs === true)
      yield "responseLogprobs: no model returns log probabilities on the Developer API; remove it, or use Vertex.";
    if (safetySettings.some(({ method }) => method !== undefined))
      yield "safetySettings: `method` works only on Vertex; remove it.";
    const image = safetySettings.find(({ category }) => category.startsWith("HARM_CATEGORY_IMAGE_"));
    if (image !== undefined) yield `safetySettings: ${image.category} works only on Vertex; remove it.`;
    const field = ON_VERTEX.find((name) => ({ outputConfig, ...imageConfig })[name] !== undefined);
    if (field !== undefined) yield `${field} works only on Vertex; remove it.`;
  }
  if (settings.streamFunctionCallArguments !== true) return;
  if (endpointKind === "developer" || endpointKind === "gateway")
    yield "streamFunctionCallArguments works only on Vertex: remove it; calls arrive whole here.";
  if (isOlderFamily(family))
    yield `${modelId} does not stream the arguments of calls: remove streamFunctionCallArguments, or use Gemini 3 or newer.`;
}

type Level = Exclude<Thinking, "off" | { readonly budget: number }>;

/** Token budgets for levels, on models that take a budget; clamped to the model's range. */
const LEVEL_BUDGETS: Readonly<Record<Level, number>> = {
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
};

/**
 * Builds the thinking config, as a level or a budget, whichever the model takes. "off" is a budget of 0, or the level minimal.
 * @returns `undefined` when the model's default applies.
 * @throws {ConfigurationError} When the model does not support the setting.
 * @see https://ai.google.dev/gemini-api/docs/thinking
 */
export function buildThinkingConfig(
  { thinking, includeThoughts }: ModelSettings,
  { capabilities, modelId }: Omit<RequestFacts, "endpointKind">,
): ThinkingConfig | undefined {
  const thoughts = includeThoughts === true && capabilities.thinking !== "none" ? { includeThoughts } : undefined;
  const amount = thinking === undefined ? undefined : chooseAmount(thinking, capabilities, modelId);
  return thoughts === undefined && amount === undefined ? undefined : { ...thoughts, ...amount };
}

function chooseAmount(thinking: Thinking, facts: ModelCapabilities, modelId: string): ThinkingConfig | undefined {
  if (facts.thinking === "budget") return { thinkingBudget: chooseBudget(thinking, facts, modelId) };
  if (facts.thinking === "none") {
    if (thinking === "off") return undefined;
    throw new ConfigurationError(`${modelId} does not think: leave \`thinking\` out.`);
  }
  // For an unknown model, only the service knows what it accepts.
  if (typeof thinking === "object" && facts.thinkingBudget !== undefined) return { thinkingBudget: thinking.budget };
  const level = chooseLevel(thinking, facts, modelId);
  // Every endpoint accepts upper case, but `xhigh` is documented in lower case only.
  return { thinkingLevel: level === "xhigh" ? level : level.toUpperCase() };
}

function chooseLevel(thinking: Thinking, { thinkingLevels: levels }: ModelCapabilities, modelId: string): string {
  const works = levels.map((level) => JSON.stringify(level)).join(", ");
  if (typeof thinking === "object")
    throw new ConfigurationError(`${modelId} accepts a thinking level, not a budget: use one of ${works}.`);
  const level = thinking === "off" ? "minimal" : thinking;
  if (levels.includes(level)) return level;
  throw new ConfigurationError(
    thinking === "off"
      ? `${modelId} cannot turn thinking off: use one of ${works}.`
      : `${modelId} does not accept thinking ${JSON.stringify(thinking)}: use one of ${works}.`,
  );
}

function chooseBudget(thinking: Thinking, { thinkingBudget: range }: ModelCapabilities, modelId: string): number {
  const { min, max, zero } = range ?? { min: 1, max: 24_576, zero: true };
  if (typeof thinking === "string" && thinking !== "off") return Math.min(Math.max(LEVEL_BUDGETS[thinking], min), max);
  const budget = thinking === "off" ? 0 : thinking.budget;
  if (budget === -1 || (budget === 0 && zero)) return budget;
  if (Number.isInteger(budget) && budget >= min && budget <= max) return budget;
  const works = `a budget from ${min} to ${max} tokens, -1 (the model decides)${zero ? ', "off"' : ""}, or a level such as "low"`;
  throw new ConfigurationError(
    budget === 0
      ? `${modelId} cannot turn thinking off: use ${works}.`
      : `A thinking budget of ${budget} does not work on ${modelId}: use ${works}.`,
  );
}
