/** One of the known words, or one that the service has added since. */
export type OpenWord<Known extends string> = Known | (string & {});

/**
 * How far an interaction is. `in_progress` and `queued` go on; `requires_action` waits for function results, or for the approval of
 * a plan; all others are over.
 */
export type InteractionStatus = OpenWord<
  "in_progress" | "queued" | "requires_action" | "completed" | "incomplete" | "failed" | "cancelled"
>;

/** A source or a speaker of a range of a text. Offsets are UTF-8 bytes of that text, the end exclusive. */
export interface Annotation {
  readonly type: OpenWord<"url_citation" | "file_citation" | "place_citation" | "speech_metadata" | "word_info">;
  readonly start_index?: number | undefined;
  readonly end_index?: number | undefined;
  readonly url?: string | undefined;
  readonly title?: string | undefined;
  readonly [field: string]: unknown;
}

/** A text, an image, or whatever else the service sends; unknown types and fields are kept. */
export interface Content {
  readonly type: OpenWord<"text" | "image" | "audio" | "document" | "video">;
  readonly text?: string | undefined;
  readonly annotations?: readonly Annotation[] | undefined;
  /** Base64. */
  readonly data?: string | undefined;
  readonly uri?: string | undefined;
  readonly mime_type?: string | undefined;
  readonly [field: string]: unknown;
}

/** What a step is. Calls and results of built-in tools are steps too, such as `google_search_call`. */
export type StepType = OpenWord<
  "user_input" | "model_output" | "thought" | "function_call" | "function_result" | "google_search_call"
>;

/** A step of an interaction, exactly as the service sent it. Send it back unchanged when you keep the history yourself. */
export interface Step {
  readonly type: StepType;
  /** Of a call. */
  readonly id?: string | undefined;
  /** Of a function call. */
  readonly name?: string | undefined;
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
  /** Of a result: the id of its call. */
  readonly call_id?: string | undefined;
  readonly result?: unknown;
  readonly is_error?: boolean | undefined;
  /** Of an input or an output. The service also takes a text. */
  readonly content?: readonly Content[] | string | undefined;
  /** Of a thought. */
  readonly summary?: readonly Content[] | undefined;
  readonly signature?: string | undefined;
  readonly [field: string]: unknown;
}

/** A tool, in the words of this API. */
export interface InteractionTool {
  readonly type: OpenWord<
    "function" | "google_search" | "url_context" | "code_execution" | "file_search" | "mcp_server"
  >;
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

/**
 * An interaction as the service sent it, unknown fields included.
 *
 * @see https://ai.google.dev/api/interactions-api
 */
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
  /** What was asked, on request of `includeInput` of `get()`. */
  readonly input?: readonly Step[] | undefined;
  readonly usage?: InteractionUsage | undefined;
  /** Of a failed one. */
  readonly errors?:
    | readonly { readonly code?: string | undefined; readonly message?: string | undefined }[]
    | undefined;
  readonly service_tier?: string | undefined;
  readonly environment_id?: string | undefined;
  readonly [field: string]: unknown;
}
