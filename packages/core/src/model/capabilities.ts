import { findKnownModel, type ModelFacts, UNKNOWN_MODEL } from "../wire/known-models.ts";

/** Capabilities of a model. */
export type ModelCapabilities = ModelFacts;

/**
 * Infers a model's capabilities from its ID. A resource prefix such as `models/` is ignored.
 *
 * An unknown ID (a new model, a tuned model, a gateway's own name) gets the capabilities of the newest generation, and nothing that
 * you set is refused: the service knows.
 *
 * @see https://ai.google.dev/gemini-api/docs/models
 */
export function inferCapabilities(modelId: string): ModelCapabilities {
  const known = findKnownModel(modelId);
  if (known !== undefined) return known;
  if (/-(?:tts|transcribe)/.test(modelId))
    return { ...UNKNOWN_MODEL, family: "speech", systemInstruction: false, audioOutput: /-tts/.test(modelId) };
  const generation = /(?:^|\/)gemini-(\d+)[^/]*$/i.exec(modelId)?.[1];
  return generation === undefined ? UNKNOWN_MODEL : { ...UNKNOWN_MODEL, family: `gemini-${generation}` };
}

/** True for families before Gemini 3, Gemma and speech: they check signatures and pairing less strictly than newer ones. */
export function isOlderFamily(family: string): boolean {
  return /^(?:gemini-[12]$|gemma|speech)/.test(family);
}
