import type { OneOf } from "../types/interaction.ts";

/**
 * A report of the service. It is thin: it names what has changed; request the rest. Newer types and fields are kept.
 *
 * @see https://ai.google.dev/gemini-api/docs/webhooks
 */
export interface WebhookEvent {
  readonly type:
    | OneOf<"interaction.requires_action interaction.completed interaction.failed interaction.cancelled">
    | OneOf<"batch.succeeded batch.cancelled batch.expired batch.failed video.generated">;
  readonly version?: string | undefined;
  /** When it happened, as in ISO 8601. */
  readonly timestamp?: string | undefined;
  readonly data: {
    /** Id of the interaction, the batch or the video. */
    readonly id?: string | undefined;
    /** Code of a failure. */
    readonly error_code?: string | undefined;
    readonly error_message?: string | undefined;
    /** Output of a batch or a video. */
    readonly output_file_uri?: string | undefined;
    readonly file_name?: string | undefined;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}
