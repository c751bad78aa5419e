import type {
  GenerateContentRequest,
  GenerationConfig,
  ImageConfig,
  MediaResolution,
  Modality,
  SafetySetting,
  SpeechConfig,
} from "../wire/types/generate-content.ts";
import type { CacheRef } from "./resources/caches.ts";

/** How much the model may think before it answers. Mapped to a level or a budget by model family; throws at construction if unsupported. */
export type Thinking = "off" | "minimal" | "low" | "medium" | "high" | "xhigh" | { readonly budget: number };

/** Settings for every request of an agent or a run. Absent fields are left to the service. */
export interface ModelSettings {
  /** How much it thinks before it answers. @defaultValue the model's own */
  readonly thinking?: Thinking | undefined;
  /** Request thought summaries, which arrive as `thought-delta` events. @defaultValue false */
  readonly includeThoughts?: boolean | undefined;
  /** 0 to 2. No effect from Gemini 3.6 on. */
  readonly temperature?: number | undefined;
  /** 0 to 1. */
  readonly topP?: number | undefined;
  /** From how many of the likeliest tokens the next one is drawn. No effect on models that don't take it. */
  readonly topK?: number | undefined;
  /** Tokens, thoughts included. */
  readonly maxOutputTokens?: number | undefined;
  /** At most five. */
  readonly stopSequences?: readonly string[] | undefined;
  /** Any 32-bit integer; 0 is valid. */
  readonly seed?: number | undefined;
  /** Penalizes tokens that already appeared. On Gemini 2.5, Vertex only. */
  readonly presencePenalty?: number | undefined;
  /** Penalizes tokens by how often they appeared. On Gemini 2.5, Vertex only. */
  readonly frequencyPenalty?: number | undefined;
  /** Request log probabilities, returned in `response.candidate.logprobsResult`. Not on the Developer API. @defaultValue false */
  readonly responseLogprobs?: boolean | undefined;
  /** Alternatives for each token, 0 to 20; requires `responseLogprobs`. */
  readonly logprobs?: number | undefined;
  /** Output of image and speech models. @defaultValue `["AUDIO"]` for models that do nothing but speak */
  readonly responseModalities?: readonly Modality[] | undefined;
  /** For models that generate images. */
  readonly imageConfig?: ImageConfig | undefined;
  /** For models that generate speech. */
  readonly speechConfig?: SpeechConfig | undefined;
  /** For models that transcribe. */
  readonly audioTranscriptionConfig?: GenerationConfig["audioTranscriptionConfig"];
  /** Where generated media are put: `{ outputUriPrefix: "gs://bucket/folder/" }`. They come as `fileData`. Vertex only. */
  readonly outputConfig?: GenerateContentRequest["outputConfig"];
  /** How many tokens an image or a video frame uses. */
  readonly mediaResolution?: MediaResolution | undefined;
  /** At most one per category; other categories are left to the service. */
  readonly safetySettings?: readonly SafetySetting[] | undefined;
  /** Where the user is, for maps and search. */
  readonly location?:
    | { readonly latitude: number; readonly longitude: number; readonly languageCode?: string | undefined }
    | undefined;
  /** `flex`, `standard` or `priority`. Developer API only. */
  readonly serviceTier?: "flex" | "standard" | "priority" | undefined;
  /** `false` asks the service not to keep the request and its answer. Developer API only. @defaultValue as the project is set */
  readonly store?: boolean | undefined;
  /**
   * An explicit cache: the result of `agent.createCache()`, or the name of another one (`cachedContents/…`). A cache made
   * by this agent holds its instructions and declarations, so requests omit them; any other excludes instructions, tools
   * and tool choice.
   */
  readonly cachedContent?: string | CacheRef | undefined;
  /** Names and values for billing reports. */
  readonly labels?: { readonly [key: string]: string } | undefined;
  /** Stream the arguments of function calls as they are written. Vertex with Gemini 3 or newer only. @defaultValue false */
  readonly streamFunctionCallArguments?: boolean | undefined;
}

/** Name of a cache. */
export function getCacheName(cache: string | CacheRef): string {
  return typeof cache === "string" ? cache : cache.name;
}
