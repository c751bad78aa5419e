import type { Annotation, Content, Interaction, InteractionStatus, OneOf, Step } from "./interaction.ts";

/** An addition to a step. Unknown kinds are kept. */
export interface StepDelta {
  readonly type: OneOf<"text text_annotation_delta thought_summary thought_signature arguments_delta image">;
  readonly text?: string | undefined;
  readonly annotations?: readonly Annotation[] | undefined;
  /** A piece of a thought's summary. */
  readonly content?: Content | undefined;
  readonly signature?: string | undefined;
  /** A piece of JSON for `arguments_delta`; of a built-in tool's call an object. */
  readonly arguments?: unknown;
  readonly [field: string]: unknown;
}

/** Members of all events. */
interface EventBase {
  readonly event_id?: string | undefined;
  readonly [field: string]: unknown;
}

/**
 * An event of a stream, as the service sent it; one that this type does not know has another `event_type`.
 *
 * @see https://ai.google.dev/gemini-api/docs/interactions/streaming
 */
export type InteractionEvent =
  | (EventBase & {
      readonly event_type: "interaction.created" | "interaction.completed";
      readonly interaction: Partial<Interaction>;
    })
  | (EventBase & {
      readonly event_type: "interaction.status_update";
      readonly interaction_id?: string | undefined;
      readonly status: InteractionStatus;
    })
  | (EventBase & { readonly event_type: "step.start"; readonly index: number; readonly step: Step })
  | (EventBase & { readonly event_type: "step.delta"; readonly index: number; readonly delta: StepDelta })
  | (EventBase & { readonly event_type: "step.stop"; readonly index: number })
  | UnknownEvent;

/** An event that was added since. Its type is no literal, so a `switch` reaches it by `default`. */
export interface UnknownEvent extends EventBase {
  readonly event_type: "unknown";
  /** The event as it came, its own `event_type` included. */
  readonly event: Readonly<Record<string, unknown>>;
}
