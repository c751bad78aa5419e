import { ConfigurationError } from "../errors/agent-error.ts";
import type { EndpointKind } from "../wire/endpoints/endpoint.ts";
import { cacheName } from "./cache-ref.ts";
import type { ModelCapabilities } from "./capabilities.ts";
import { checkForEndpoint } from "./check-endpoint-settings.ts";
import { checkMediaSettings } from "./check-media-settings.ts";
import type { ModelSettings } from "./settings.ts";
import { thinkingConfig } from "./thinking.ts";

/**
 * Refuses settings that cannot work on a model, before anything is sent.
 *
 * @param endpointKind - Absent checks only what holds everywhere.
 * @throws {ConfigurationError} Naming the setting, its value and what works.
 */
export function checkSettings(
  settings: ModelSettings,
  capabilities: ModelCapabilities,
  modelId: string,
  endpointKind?: EndpointKind,
): void {
  thinkingConfig(settings.thinking, settings.includeThoughts, capabilities, modelId);
  for (const [name, { min, max, whole }] of Object.entries(RANGES)) {
    const value = settings[name as keyof typeof RANGES];
    if (value === undefined) continue;
    const fits = whole ? Number.isInteger(value) : Number.isFinite(value);
    if (fits && value >= min && value <= max) continue;
    throw new ConfigurationError(
      `${name} is ${value}: it must be ${whole ? "a whole number" : "a number"} ${rangeText(min, max)}.`,
    );
  }
  checkStopSequences(settings.stopSequences);
  checkLocation(settings.location);
  if (settings.cachedContent !== undefined && !cacheName(settings.cachedContent))
    throw new ConfigurationError('cachedContent is empty: give a name such as "cachedContents/abc123".');
  const candidates: number | undefined = settings.candidateCount;
  if (candidates !== undefined && candidates !== 1) {
    throw new ConfigurationError(
      `candidateCount is ${candidates}: a run follows one conversation, and current models refuse more than one candidate. Leave it out, and run again for another answer.`,
    );
  }
  if (settings.logprobs !== undefined && settings.responseLogprobs !== true)
    throw new ConfigurationError("logprobs needs responseLogprobs: true beside it.");
  checkMediaSettings(settings, capabilities, modelId);
  checkSafetySettings(settings.safetySettings);
  checkLabels(settings.labels);
  checkForEndpoint(settings, capabilities, modelId, endpointKind);
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}

const RANGES: Readonly<
  Record<
    "temperature" | "topP" | "topK" | "maxOutputTokens" | "seed" | "presencePenalty" | "frequencyPenalty" | "logprobs",
    Range
  >
> = {
  temperature: { min: 0, max: 2, whole: false },
  topP: { min: 0, max: 1, whole: false },
  topK: { min: 1, max: Infinity, whole: true },
  maxOutputTokens: { min: 1, max: Infinity, whole: true },
  seed: { min: -(2 ** 31), max: 2 ** 31 - 1, whole: true },
  presencePenalty: { min: -Infinity, max: Infinity, whole: false },
  frequencyPenalty: { min: -Infinity, max: Infinity, whole: false },
  logprobs: { min: 0, max: 20, whole: true },
};

function rangeText(min: number, max: number): string {
  if (Number.isFinite(max)) return `from ${min} to ${max}`;
  return Number.isFinite(min) ? `of at least ${min}` : "that is finite";
}

const MAX_STOP_SEQUENCES = 5;

function checkStopSequences(stopSequences: ModelSettings["stopSequences"]): void {
  if (stopSequences === undefined) return;
  if (stopSequences.length > MAX_STOP_SEQUENCES)
    throw new ConfigurationError(
      `There are ${stopSequences.length} stopSequences: the service takes at most ${MAX_STOP_SEQUENCES}.`,
    );
  if (stopSequences.includes("")) throw new ConfigurationError("A stop sequence is empty: leave it out.");
}

function checkLocation(location: ModelSettings["location"]): void {
  if (location === undefined) return;
  const { latitude, longitude } = location;
  if (Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) return;
  throw new ConfigurationError(
    `location is ${latitude}, ${longitude}: latitude goes from -90 to 90 and longitude from -180 to 180, in degrees.`,
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
    if (seen.has(category)) throw new ConfigurationError(`safetySettings holds ${category} twice: keep one of them.`);
    seen.add(category);
  }
}

function checkLabels(labels: ModelSettings["labels"]): void {
  for (const [name, value] of Object.entries(labels ?? {})) {
    if (name !== "" && typeof value === "string") continue;
    throw new ConfigurationError(`labels: ${JSON.stringify(name)} must be a name with a text as its value.`);
  }
}
