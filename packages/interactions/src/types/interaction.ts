/** One of these words, which spaces separate, or one that the service has added since. */
export type OneOf<Words extends string> = Split<Words> | (string & {});
type Split<Words extends string> = Words extends `${infer First} ${infer Rest}` ? First | Split<Rest> : Words;

/**
 * How far an interaction is. `in_progress` and `queued` continue by themselves; `requires_action` waits for function
 * results, or for the approval of a plan; all others are over.
 */
export type InteractionStatus =
  OneOf<"in_progress queued requires_action completed incomplete failed cancelled budget_exceeded requires_continuation">;

/** A source or a speaker of a range of a text. Offsets are UTF-8 bytes of that text, the end exclusive. */
export interface Annotation {
  readonly type: OneOf<"url_citation file_citation place_citation speech_metadata word_info">;
  readonly start_index?: number | undefined;
  readonly end_index?: number | undefined;
  readonly url?: string | undefined;
  readonly title?: string | undefined;
  readonly [field: string]: unknown;
}

/** A text, an image, or whatever else the service sends; unknown types and fields are kept. */
export interface Content {
  readonly type: OneOf<"text image audio document video">;
  readonly text?: string | undefined;
  readonly annotations?: readonly Annotation[] | undefined;
  /** Base64. */
  readonly data?: string | undefined;
  readonly uri?: string | undefined;
  readonly mime_type?: string | undefined;
  readonly [field: string]: unknown;
}

/** A step of an interaction, exactly as the service sent it. Send it back unchanged when you keep the history yourself. */
export interface Step {
  /** Calls and results of built-in tools are steps too: `google_search_call`, `google_search_result`. */
  readonly type: OneOf<"user_input model_output thought function_call function_result google_search_call google_search_result">;
  /** Id of a call. */
  readonly id?: string | undefined;
  /** Name of the function, in a call or a result. */
  readonly name?: string | undefined;
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
  /** In a result: the id of its call. */
  readonly call_id?: string | undefined;
  readonly result?: unknown;
  readonly is_error?: boolean | undefined;
  /** Contents of an input or an output. The service also takes a text. */
  readonly content?: readonly Content[] | string | undefined;
  /** Summary of a thought. */
  readonly summary?: readonly Content[] | undefined;
  readonly signature?: string | undefined;
  readonly [field: string]: unknown;
}

/** A tool, in the words of this API. */
export interface InteractionTool {
  readonly type: OneOf<"function google_search google_maps url_context code_execution file_search computer_use mcp_server">;
  readonly [field: string]: unknown;
}

/** Tokens of an interaction. Fields that this type does not name are kept. */
export interface InteractionUsage {
  readonly total_input_tokens?: number | undefined;
  readonly total_output_tokens?: number | undefined;
  readonly total_thought_tokens?: number | undefined;
  readonly total_tool_use_tokens?: number | undefined;
  readonly total_cached_tokens?: number | undefined;
  readonly total_tokens?: number | undefined;
  readonly [field: string]: unknown;
}

/** An interaction as the service sent it, unknown fields included. @see https://ai.google.dev/api/interactions-api */
export interface Interaction {
  /** Absent when it is not stored: then nothing can be asked about it later. */
  readonly id?: string | undefined;
  readonly status: InteractionStatus;
  readonly model?: string | undefined;
  readonly agent?: string | undefined;
  readonly created?: string | undefined;
  readonly updated?: string | undefined;
  /** What the model or the agent did. Absent when there is nothing yet, and in the last event of a stream. */
  readonly steps?: readonly Step[] | undefined;
  /** The input, if `get()` has `includeInput`. */
  readonly input?: readonly Step[] | undefined;
  readonly usage?: InteractionUsage | undefined;
  /** Errors of a failed interaction. */
  readonly errors?:
    | readonly { readonly code?: string | undefined; readonly message?: string | undefined }[]
    | undefined;
  readonly [field: string]: unknown;
}
