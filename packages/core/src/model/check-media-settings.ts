import { ConfigurationError } from "../errors/agent-error.ts";
import type { ModelCapabilities } from "./capabilities.ts";
import type { ModelSettings } from "./settings.ts";

const IMAGE_SIZES = ["512", "1K", "2K", "4K"];
const RESOLUTIONS = ["MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH"];

/**
 * Refuses settings about media that the model cannot follow.
 *
 * @throws {ConfigurationError} Naming the setting and what works.
 */
export function checkMediaSettings(settings: ModelSettings, capabilities: ModelCapabilities, modelId: string): void {
  const { responseModalities, imageConfig, mediaResolution, speechConfig } = settings;
  if (responseModalities !== undefined) checkModalities(responseModalities, capabilities, modelId);
  if (imageConfig !== undefined) checkImageConfig(imageConfig, capabilities, modelId);
  if (mediaResolution !== undefined && !RESOLUTIONS.includes(mediaResolution)) {
    throw new ConfigurationError(
      `mediaResolution is ${JSON.stringify(mediaResolution)}: use one of ${RESOLUTIONS.join(", ")}; anything higher can only be asked for part by part.`,
    );
  }
  if (speechConfig?.voiceConfig !== undefined && speechConfig.multiSpeakerVoiceConfig !== undefined)
    throw new ConfigurationError(
      "speechConfig holds voiceConfig and multiSpeakerVoiceConfig: keep the first for one speaker, the second for several.",
    );
}

function checkModalities(modalities: readonly string[], capabilities: ModelCapabilities, modelId: string): void {
  if (modalities.length === 0)
    throw new ConfigurationError('responseModalities is empty: leave it out, or name some, such as ["TEXT", "IMAGE"].');
  const wrong = modalities.find((modality) => modality !== modality.toUpperCase());
  if (wrong !== undefined)
    throw new ConfigurationError(`responseModalities: write "${wrong.toUpperCase()}" instead of "${wrong}".`);
  if (modalities.includes("IMAGE") && makesNoImages(capabilities, modelId))
    throw noImages("responseModalities", modelId);
}

function checkImageConfig(
  { aspectRatio, imageSize }: NonNullable<ModelSettings["imageConfig"]>,
  capabilities: ModelCapabilities,
  modelId: string,
): void {
  if (makesNoImages(capabilities, modelId)) throw noImages("imageConfig", modelId);
  if (aspectRatio !== undefined && !/^[1-9]\d?:[1-9]\d?$/.test(aspectRatio))
    throw new ConfigurationError(
      `imageConfig.aspectRatio is ${JSON.stringify(aspectRatio)}: write width and height like "16:9".`,
    );
  if (imageSize !== undefined && !IMAGE_SIZES.includes(imageSize))
    throw new ConfigurationError(
      `imageConfig.imageSize is ${JSON.stringify(imageSize)}: use one of ${IMAGE_SIZES.map((size) => `"${size}"`).join(", ")}.`,
    );
}

/** Of newer families, and of names that are not the service's own, nothing is known. */
function makesNoImages({ imageOutput, family }: ModelCapabilities, modelId: string): boolean {
  return !imageOutput && /^(?:gemini-[123]|gemma|speech)$/.test(family) && !/omni/.test(modelId);
}

function noImages(setting: string, modelId: string): ConfigurationError {
  return new ConfigurationError(
    `${setting}: ${modelId} makes no images; take a model that does, such as gemini-3.1-flash-image, or give gemini() the capabilities { imageOutput: true } if this one does.`,
  );
}
