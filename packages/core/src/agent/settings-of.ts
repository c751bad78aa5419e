import type { ModelSettings } from "../model/settings.ts";

/** The names of all settings; a new one that is not listed here does not compile. */
const NAMES: { readonly [Name in keyof Required<ModelSettings>]: true } = {
  thinking: true,
  includeThoughts: true,
  temperature: true,
  topP: true,
  topK: true,
  maxOutputTokens: true,
  stopSequences: true,
  seed: true,
  presencePenalty: true,
  frequencyPenalty: true,
  responseModalities: true,
  imageConfig: true,
  speechConfig: true,
  mediaResolution: true,
  safetySettings: true,
  location: true,
  serviceTier: true,
  cachedContent: true,
  labels: true,
  candidateCount: true,
  responseLogprobs: true,
  logprobs: true,
  streamFunctionCallArguments: true,
};

/** The model settings among an agent's or a run's options; those that were not given are absent. */
export function settingsOf(options: ModelSettings): ModelSettings {
  return Object.fromEntries(Object.entries(options).filter(([name, value]) => name in NAMES && value !== undefined));
}
