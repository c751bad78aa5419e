import type {
  ImageConfig,
  MediaResolution,
  Modality,
  SafetySetting,
  SpeechConfig,
} from "../wire/types/generate-content.ts";
import type { CacheRef } from "./resources/caches.ts";

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
  /** Against words that were said already. Gemini 2.5 takes it on Vertex only. */
  readonly presencePenalty?: number | undefined;
  /** Against words by how often they were said. Gemini 2.5 takes it on Vertex only. */
  readonly frequencyPenalty?: number | undefined;
  /** Always one: a run follows a single conversation. Run again for another answer. */
  readonly candidateCount?: 1 | undefined;
  /** Ask for log probabilities, found in `response.candidate.logprobsResult`. Not on the Developer API. @defaultValue false */
  readonly responseLogprobs?: boolean | undefined;
  /** Alternatives to show for each token, 0 to 20; with `responseLogprobs`. */
  readonly logprobs?: number | undefined;
  /** What image and speech models should give back. */
  readonly responseModalities?: readonly Modality[] | undefined;
  /** For models that make images. */
  readonly imageConfig?: ImageConfig | undefined;
  /** For models that speak. */
  readonly speechConfig?: SpeechConfig | undefined;
  /** How many tokens media becomes. */
  readonly mediaResolution?: MediaResolution | undefined;
  /** At most one for each category; the rest is left to the service. */
  readonly safetySettings?: readonly SafetySetting[] | undefined;
  /** Where the user is, for maps and search. */
  readonly location?:
    | { readonly latitude: number; readonly longitude: number; readonly languageCode?: string | undefined }
    | undefined;
  /** `flex`, `standard` or `priority`. Developer API only. */
  readonly serviceTier?: "flex" | "standard" | "priority" | undefined;
  /**
   * An explicit cache: what `agent.createCache()` gave, or the name of one made elsewhere (`cachedContents/…`). A cache made
   * by this agent holds its instructions and declarations, so they are left out of the requests; one made elsewhere
   * excludes instructions, tools and tool choice.
   */
  readonly cachedContent?: string | CacheRef | undefined;
  /** Names and values for billing reports. */
  readonly labels?: { readonly [key: string]: string } | undefined;
  /**
   * Stream the arguments of function calls as they are written. Vertex, Gemini 3 and newer, only.
   *
   * @defaultValue false
   */
  readonly streamFunctionCallArguments?: boolean | undefined;
}
