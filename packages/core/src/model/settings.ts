import type {
  GenerateContentRequest,
  GenerationConfig,
  MediaResolution,
  Modality,
} from "../wire/types/generate-content.ts";
import type { CacheRef } from "./resources/caches.ts";

/** How much the model may think before it answers. Mapped to a level or a budget by model family; throws at construction if unsupported. */
export type Thinking = "off" | "minimal" | "low" | "medium" | "high" | "xhigh" | { readonly budget: number };

/** Settings that are sent in `generationConfig` as they are. */
export const COPIED = [
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
    Pick<GenerationConfig, (typeof COPIED)[number]>,
    Pick<GenerateContentRequest, "outputConfig" | "safetySettings" | "store" | "labels"> {
  /** How much it thinks before it answers. @defaultValue the model's own */
  readonly thinking?: Thinking | undefined;
  /** Request thought summaries, which arrive as `thought-delta` events. @defaultValue false */
  readonly includeThoughts?: boolean | undefined;
  /** Output of image and speech models. @defaultValue `["AUDIO"]` for models that do nothing but speak */
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
   * An explicit cache: the result of `agent.createCache()`, or the name of another one (`cachedContents/…`). A cache made
   * by this agent holds its instructions and declarations, so requests omit them; any other excludes instructions, tools
   * and tool choice.
   */
  readonly cachedContent?: string | CacheRef | undefined;
  /** Stream the arguments of function calls as they are written. Vertex with Gemini 3 or newer only. @defaultValue false */
  readonly streamFunctionCallArguments?: boolean | undefined;
}

/** Name of a cache. */
export function getCacheName(cache: string | CacheRef): string {
  return typeof cache === "string" ? cache : cache.name;
}
