/** A word of the API that is known here, or a newer one. */
type Word<Known extends string> = Known | (string & {});

/** A kind of harm. `HARM_CATEGORY_CIVIC_INTEGRITY` is deprecated; those for images are Vertex's. */
export type HarmCategory = Word<
  | "HARM_CATEGORY_HARASSMENT"
  | "HARM_CATEGORY_HATE_SPEECH"
  | "HARM_CATEGORY_SEXUALLY_EXPLICIT"
  | "HARM_CATEGORY_DANGEROUS_CONTENT"
  | "HARM_CATEGORY_CIVIC_INTEGRITY"
  | "HARM_CATEGORY_JAILBREAK"
>;

/** From which likelihood on an answer is withheld. Neither `BLOCK_NONE` nor `OFF` lets prohibited content through. */
export type HarmBlockThreshold = Word<
  "BLOCK_LOW_AND_ABOVE" | "BLOCK_MEDIUM_AND_ABOVE" | "BLOCK_ONLY_HIGH" | "BLOCK_NONE" | "OFF"
>;

/** How many tokens an image or a page of video becomes. */
export type MediaResolution = "MEDIA_RESOLUTION_LOW" | "MEDIA_RESOLUTION_MEDIUM" | "MEDIA_RESOLUTION_HIGH";

/** What an answer may be made of. */
export type Modality = Word<"TEXT" | "IMAGE" | "AUDIO" | "VIDEO">;

/** How generated images look. */
export interface ImageConfig {
  /** Width to height, such as `16:9`. @defaultValue what the model chooses */
  readonly aspectRatio?: string | undefined;
  /** Length of the longer side. @defaultValue the model's own */
  readonly imageSize?: "512" | "1K" | "2K" | "4K" | undefined;
}

/** A voice of the service, such as `Kore`. */
export interface VoiceConfig {
  readonly prebuiltVoiceConfig: { readonly voiceName: string };
}

/**
 * How generated speech sounds.
 *
 * @see https://ai.google.dev/gemini-api/docs/speech-generation
 */
export interface SpeechConfig {
  readonly voiceConfig?: VoiceConfig | undefined;
  /** One voice for each speaker that the prompt names. */
  readonly multiSpeakerVoiceConfig?:
    | { readonly speakerVoiceConfigs: readonly { readonly speaker: string; readonly voiceConfig: VoiceConfig }[] }
    | undefined;
  /** BCP 47, such as `de-DE`. */
  readonly languageCode?: string | undefined;
}
