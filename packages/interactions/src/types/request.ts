import type { Content, InteractionTool, OneOf, Step } from "./interaction.ts";

/** Where the service reports on this one interaction, signed with Google's keys. Only with `background: true`. */
export interface WebhookConfig {
  readonly uris?: readonly string[] | undefined;
  /** Comes back with each report. */
  readonly user_metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Fields of requests to models and to agents. */
interface RequestBase {
  /** A text, a content, contents, or a history of steps. */
  readonly input: string | Content | readonly Content[] | readonly Step[];
  /**
   * Whether Google keeps the interaction: 55 days on a paid project, unless set otherwise, and 1 day on a free one. `true` is required
   * for `background`, for `previous_interaction_id`, and to resume a stream.
   */
  readonly store: boolean;
  /** Answers at once, with an interaction that is `in_progress`. */
  readonly background?: boolean | undefined;
  readonly previous_interaction_id?: string | undefined;
  readonly system_instruction?: string | undefined;
  readonly tools?: readonly InteractionTool[] | undefined;
  readonly response_format?: object | readonly object[] | undefined;
  readonly service_tier?: OneOf<"flex standard priority deferred"> | undefined;
  readonly webhook_config?: WebhookConfig | undefined;
  /** The sandbox of an agent: `remote`, an id, or its description. */
  readonly environment?: string | object | undefined;
  readonly [field: string]: unknown;
}

/** A request to a model. */
export interface ModelRequest extends RequestBase {
  readonly model: string;
  readonly agent?: undefined;
  readonly agent_config?: undefined;
  readonly generation_config?: Readonly<Record<string, unknown>> | undefined;
}

/** A request to an agent of Google's, such as `deep-research-preview-04-2026`. */
export interface AgentRequest extends RequestBase {
  readonly agent: string;
  readonly model?: undefined;
  readonly generation_config?: undefined;
  readonly agent_config?:
    | {
        readonly type: OneOf<"deep-research antigravity dynamic">;
        readonly thinking_summaries?: OneOf<"auto none"> | undefined;
        readonly visualization?: OneOf<"off auto"> | undefined;
        readonly collaborative_planning?: boolean | undefined;
        readonly [field: string]: unknown;
      }
    | undefined;
}

/** What to ask, in the fields of the API. Unknown fields are sent as they are. `stream` is not a field: call the method `stream()`. */
export type CreateRequest = (ModelRequest | AgentRequest) & { readonly stream?: undefined };
