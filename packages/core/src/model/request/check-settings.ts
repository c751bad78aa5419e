import { ConfigurationError } from "../../errors/agent-error.ts";
import type { EndpointKind } from "../../wire/endpoints/endpoint.ts";
import { getCacheName } from "../resources/caches.ts";
import { isOlderFamily, type ModelCapabilities } from "../capabilities.ts";
import type { ModelSettings } from "../settings.ts";
import { buildThinkingConfig } from "./thinking.ts";

/**
 * Rejects settings that cannot work on a model, before anything is sent.
 *
 * @param endpointKind - If absent, only rules of all endpoints are checked.
 * @throws {ConfigurationError} Naming the setting, its value and valid values.
 */
export function checkSettings(
  settings: ModelSettings,
  capabilities: ModelCapabilities,
  modelId: string,
  endpointKind?: EndpointKind,
): void {
  buildThinkingConfig(settings.thinking, settings.includeThoughts, capabilities, modelId);
  for (const [name, min, max, kind] of RANGES) {
    const value = settings[name];
    if (value === undefined) continue;
    const isKind = kind === "an integer" ? Number.isInteger(value) : Number.isFinite(value);
    if (!isKind || value < min || value > max)
      throw new ConfigurationError(`${name} is ${value}: it must be ${kind} ${describeRange(min, max)}.`);
  }
  checkStopSequences(settings.stopSequences);
  checkLocation(settings.location);
  if (settings.cachedContent !== undefined && !getCacheName(settings.cachedContent))
    throw new ConfigurationError('cachedContent is empty: use a name such as "cachedContents/abc123".');
  const candidates: number | undefined = settings.candidateCount;
  if (candidates !== undefined && candidates !== 1)
    throw new ConfigurationError(
      `candidateCount is ${candidates}: a run follows one conversation, and current models reject more than one candidate. Remove it, and run again for another answer.`,
    );
  if (settings.logprobs !== undefined && settings.responseLogprobs !== true)
    throw new ConfigurationError("logprobs requires responseLogprobs: true.");
  checkMediaSettings(settings, capabilities, modelId);
  checkSafetySettings(settings.safetySettings);
  checkLabels(settings.labels);
  checkEndpointSettings(settings, capabilities, modelId, endpointKind);
}

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

function describeRange(min: number, max: number): string {
  if (Number.isFinite(max)) return `from ${min} to ${max}`;
  return Number.isFinite(min) ? `of at least ${min}` : "that is finite";
}

const MAX_STOP_SEQUENCES = 5;

function checkStopSequences(stopSequences: ModelSettings["stopSequences"]): void {
  if (stopSequences === undefined) return;
  if (stopSequences.length > MAX_STOP_SEQUENCES)
    throw new ConfigurationError(
      `There are ${stopSequences.length} stopSequences: the service accepts at most ${MAX_STOP_SEQUENCES}.`,
    );
  if (stopSequences.includes("")) throw new ConfigurationError("A stop sequence is empty: leave it out.");
}

function checkLocation(location: ModelSettings["location"]): void {
  if (location === undefined) return;
  const { latitude, longitude } = location;
  if (Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) return;
  throw new ConfigurationError(
    `location is ${latitude}, ${longitude}: latitude ranges from -90 to 90 and longitude from -180 to 180, in degrees.`,
  );
}

function checkSafetySettings(safetySettings: ModelSettings["safetySettings"]): void {
  const seen = new Set<string>();
  for (const { category, threshold } of safetySettings ?? []) {
    if (!category?.startsWith("HARM_CATEGORY_"))
      throw new ConfigurationError(
        `safetySettings: ${JSON.stringify(category)} is not a category; use one like "HARM_CATEGORY_HARASSMENT".`,
      );
    if (!/^[A-Z]+(?:_[A-Z]+)*$/.test(threshold ?? ""))
      throw new ConfigurationError(
        `safetySettings: ${JSON.stringify(threshold)} is not a threshold; use one like "BLOCK_ONLY_HIGH" or "OFF".`,
      );
    if (seen.has(category))
      throw new ConfigurationError(`safetySettings contains ${category} twice: keep one of them.`);
    seen.add(category);
  }
}

function checkLabels(labels: ModelSettings["labels"]): void {
  for (const [name, value] of Object.entries(labels ?? {})) {
    if (name !== "" && typeof value === "string") continue;
    throw new ConfigurationError(`labels: ${JSON.stringify(name)} must be a name with a string as its value.`);
  }
}

const ON_VERTEX = ["outputConfig", "personGeneration", "prominentPeople", "imageOutputOptions"] as const;
const TIERS = ["flex", "standard", "priority"];

/** Gateways are assumed to support everything except what only Vertex has. */
function checkEndpointSettings(
  settings: ModelSettings,
  capabilities: ModelCapabilities,
  modelId: string,
  kind: EndpointKind | undefined,
): void {
  const { serviceTier, store, safetySettings = [] } = settings;
  if (serviceTier !== undefined && !TIERS.includes(serviceTier))
    throw new ConfigurationError(`serviceTier is ${JSON.stringify(serviceTier)}: use one of ${TIERS.join(", ")}.`);
  if (store !== undefined && typeof store !== "boolean")
    throw new ConfigurationError(`store is ${JSON.stringify(store)}: use true or false.`);
  const elsewhere = store === undefined ? "serviceTier" : "store";
  if (kind === "vertex" && settings[elsewhere] !== undefined)
    throw new ConfigurationError(`${elsewhere} works only on the Developer API: remove it on Vertex.`);
  if (kind === "developer") {
    if (/^gemini-[12]$/.test(capabilities.family)) {
      const penalty = settings.presencePenalty === undefined ? "frequencyPenalty" : "presencePenalty";
      if (settings[penalty] !== undefined)
        throw new ConfigurationError(`${modelId} does not accept ${penalty} on the Developer API: remove it.`);
    }
    if (settings.responseLogprobs === true)
      throw new ConfigurationError(
        "responseLogprobs: no model returns log probabilities on the Developer API; remove it, or use Vertex.",
      );
    if (safetySettings.some(({ method }) => method !== undefined))
      throw new ConfigurationError("safetySettings: `method` works only on Vertex; remove it.");
    const image = safetySettings.find(({ category }) => category.startsWith("HARM_CATEGORY_IMAGE_"));
    if (image !== undefined)
      throw new ConfigurationError(`safetySettings: ${image.category} works only on Vertex; remove it.`);
    const { outputConfig, imageConfig } = settings;
    const field = ON_VERTEX.find((name) => ({ outputConfig, ...imageConfig })[name] !== undefined);
    if (field !== undefined) throw new ConfigurationError(`${field} works only on Vertex; remove it.`);
  }
  if (settings.streamFunctionCallArguments !== true) return;
  if (kind === "developer" || kind === "gateway")
    throw new ConfigurationError(
      "streamFunctionCallArguments works only on Vertex: remove it; calls arrive whole here.",
    );
  if (isOlderFamily(capabilities.family))
    throw new ConfigurationError(
      `${modelId} does not stream the arguments of calls: remove streamFunctionCallArguments, or use Gemini 3 or newer.`,
    );
}

const IMAGE_SIZES = ["512", "1K", "2K", "4K"];
const RESOLUTIONS = ["MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH"];

function checkMediaSettings(settings: ModelSettings, capabilities: ModelCapabilities, modelId: string): void {
  const { responseModalities, imageConfig, mediaResolution, speechConfig } = settings;
  if (responseModalities !== undefined) checkModalities(responseModalities, capabilities, modelId);
  if (imageConfig !== undefined) checkImageConfig(imageConfig, capabilities, modelId);
  if (mediaResolution !== undefined && !RESOLUTIONS.includes(mediaResolution))
    throw new ConfigurationError(
      `mediaResolution is ${JSON.stringify(mediaResolution)}: use one of ${RESOLUTIONS.join(", ")}; higher resolutions can only be set per part.`,
    );
  if (speechConfig?.voiceConfig !== undefined && speechConfig.multiSpeakerVoiceConfig !== undefined)
    throw new ConfigurationError(
      "speechConfig contains voiceConfig and multiSpeakerVoiceConfig: keep the first for one speaker, the second for several.",
    );
  if (speechConfig !== undefined) checkOutput("audioOutput", "speechConfig", capabilities, modelId);
}

function checkModalities(modalities: readonly string[], capabilities: ModelCapabilities, modelId: string): void {
  if (modalities.length === 0)
    throw new ConfigurationError('responseModalities is empty: remove it, or list some, such as ["TEXT", "IMAGE"].');
  const wrong = modalities.find((modality) => modality !== modality.toUpperCase());
  if (wrong !== undefined)
    throw new ConfigurationError(`responseModalities: write "${wrong.toUpperCase()}" instead of "${wrong}".`);
  if (modalities.includes("IMAGE")) checkOutput("imageOutput", "responseModalities", capabilities, modelId);
  if (modalities.includes("AUDIO")) checkOutput("audioOutput", "responseModalities", capabilities, modelId);
}

function checkImageConfig(
  { aspectRatio, imageSize }: NonNullable<ModelSettings["imageConfig"]>,
  capabilities: ModelCapabilities,
  modelId: string,
): void {
  checkOutput("imageOutput", "imageConfig", capabilities, modelId);
  if (aspectRatio !== undefined && !/^[1-9]\d?:[1-9]\d?$/.test(aspectRatio))
    throw new ConfigurationError(
      `imageConfig.aspectRatio is ${JSON.stringify(aspectRatio)}: write width and height like "16:9".`,
    );
  if (imageSize !== undefined && !IMAGE_SIZES.includes(imageSize))
    throw new ConfigurationError(
      `imageConfig.imageSize is ${JSON.stringify(imageSize)}: use one of ${IMAGE_SIZES.map((size) => `"${size}"`).join(", ")}.`,
    );
}

function checkOutput(kind: "imageOutput" | "audioOutput", setting: string, can: ModelCapabilities, id: string): void {
  if (can[kind]) return;
  const [verb, other] = kind === "imageOutput" ? ["generate images", "3.1-flash-image"] : ["speak", "3.8-flash-tts"];
  throw new ConfigurationError(
    `${setting}: ${id} does not ${verb}; use a model that does, such as gemini-${other}, or pass gemini() the capabilities { ${kind}: true } if this one does.`,
  );
}
