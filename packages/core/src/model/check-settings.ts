import { ConfigurationError } from "../errors/configuration-error.ts";
import type { EndpointKind } from "../wire/endpoint.ts";
import type { ModelCapabilities } from "./capabilities.ts";
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
  if (settings.cachedContent === "")
    throw new ConfigurationError('cachedContent is empty: give a name such as "cachedContents/abc123".');
  if (endpointKind === "vertex" && settings.serviceTier !== undefined)
    throw new ConfigurationError("serviceTier works on the Developer API only: leave it out on Vertex.");
  if (endpointKind === "developer" && /^gemini-[12]$/.test(capabilities.family)) {
    const penalty = settings.presencePenalty === undefined ? "frequencyPenalty" : "presencePenalty";
    if (settings[penalty] !== undefined)
      throw new ConfigurationError(`${modelId} does not take ${penalty} on the Developer API: leave it out.`);
  }
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}

const RANGES: Readonly<
  Record<"temperature" | "topP" | "topK" | "maxOutputTokens" | "seed" | "presencePenalty" | "frequencyPenalty", Range>
> = {
  temperature: { min: 0, max: 2, whole: false },
  topP: { min: 0, max: 1, whole: false },
  topK: { min: 1, max: Infinity, whole: true },
  maxOutputTokens: { min: 1, max: Infinity, whole: true },
  seed: { min: -(2 ** 31), max: 2 ** 31 - 1, whole: true },
  presencePenalty: { min: -Infinity, max: Infinity, whole: false },
  frequencyPenalty: { min: -Infinity, max: Infinity, whole: false },
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
