import type { JsonObject } from "../wire/content.ts";
import type { SafetySetting } from "../wire/generate-content.ts";

/** How much the model may think before it answers. Mapped to a level or a budget by model family; what the model cannot do is an error at construction. */
export type Thinking = "off" | "minimal" | "low" | "medium" | "high" | "xhigh" | { readonly budget: number };

/** What can be set for every request of an agent or of one run. Absent fields are left to the service. */
export interface ModelSettings {
  readonly thinking?: Thinking | undefined;
  /** Ask for thought summaries, which arrive as `thought-delta` events. @defaultValue false */
  readonly includeThoughts?: boolean | undefined;
  /** 0 to 2. Does nothing from Gemini 3.6 on. */
  readonly temperature?: number | undefined;
  /** 0 to 1. */
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  /** Tokens, thoughts included. */
  readonly maxOutputTokens?: number | undefined;
  /** At most five. */
  readonly stopSequences?: readonly string[] | undefined;
  /** Zero is a seed like any other. */
  readonly seed?: number | undefined;
  readonly presencePenalty?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  /** `TEXT`, `IMAGE`, `AUDIO`: what image and speech models should give back. */
  readonly responseModalities?: readonly string[] | undefined;
  readonly imageConfig?:
    | { readonly aspectRatio?: string | undefined; readonly imageSize?: string | undefined }
    | undefined;
  readonly speechConfig?: JsonObject | undefined;
  /** `MEDIA_RESOLUTION_LOW`, `MEDIA_RESOLUTION_MEDIUM` or `MEDIA_RESOLUTION_HIGH`. */
  readonly mediaResolution?: string | undefined;
  readonly safetySettings?: readonly SafetySetting[] | undefined;
  /** Where the user is, for maps and search. */
  readonly location?:
    | { readonly latitude: number; readonly longitude: number; readonly languageCode?: string | undefined }
    | undefined;
  /** `flex`, `standard` or `priority`. Developer API only. */
  readonly serviceTier?: "flex" | "standard" | "priority" | undefined;
  /** `cachedContents/{id}`; excludes instructions and tools. */
  readonly cachedContent?: string | undefined;
  readonly labels?: { readonly [key: string]: string } | undefined;
}
