import { type Fields, isFields } from "../internal/json.ts";
import { textDeltas } from "../respond/text-deltas.ts";
import type { FramedBody } from "../respond/framing.ts";

/** An interaction as the service shows it. */
export interface ShownInteraction {
  /** Everything but its steps, in the order of the wire. */
  readonly about: Fields;
  readonly steps: readonly Fields[];
}

/** The layout of an interaction's stream. */
export interface StreamLayout {
  /** Characters of a text delta. */
  readonly size: number;
  /** Text deltas have ids to resume after, as in streams of background work. */
  readonly hasIds: boolean;
  /** False omits the end: the interaction is still running. */
  readonly hasEnd: boolean;
}

/** The events of an interaction. Members are in the service's order: payload, then `event_id` and `event_type`. */
export function eventsOf({ about, steps }: ShownInteraction, layout: StreamLayout): readonly Fields[] {
  const { id = "", status, usage, created, updated, service_tier: tier, ...named } = about;
  const times = { created, updated, ...(tier !== undefined && { service_tier: tier }) };
  const ended = { id, status, ...(usage !== undefined && { usage }), ...times, ...named };
  return [
    { interaction: { id, ...named }, event_type: "interaction.created" },
    { interaction_id: id, status: "in_progress", event_type: "interaction.status_update" },
    ...steps.flatMap((step, index) => stepEvents(step, index, layout)),
    ...(layout.hasEnd ? [{ interaction: ended, event_type: "interaction.completed" }] : []),
  ];
}

/** The events after `lastEventId`; undefined for an id that was never sent. @param isReplay - Repeats the answer under new indexes, as the service has been seen to do. */
export function resumeAfter(
  shown: ShownInteraction,
  layout: StreamLayout,
  lastEventId: string,
  isReplay: boolean,
): readonly Fields[] | undefined {
  const events = eventsOf(shown, layout);
  const at = events.findIndex((event) => event["event_id"] === lastEventId);
  if (at < 0) return undefined;
  if (!isReplay) return events.slice(at + 1);
  const index = Number(events[at]?.["index"]);
  const again = shown.steps.flatMap((step, place) => stepEvents(step, index + 1 + place, layout));
  return [{ index, event_type: "step.stop" }, ...again, ...events.slice(-1)];
}

/** Server-sent events of this API. An error ends a stream without `done`. */
export function frameInteraction(events: readonly Fields[]): FramedBody {
  const frame = (value: unknown): string => {
    const event = isFields(value) ? value : {};
    return `event: ${String(event["event_type"])}\ndata: ${JSON.stringify(event)}\n\n`;
  };
  const isWhole = events.at(-1)?.["event_type"] === "interaction.completed";
  const frames = [...events.map(frame), ...(isWhole ? ["event: done\ndata: [DONE]\n\n"] : [])];
  return { frames, frame: (value) => frame(asInteractionError(value)), end: "\n\n" };
}

/** True for the frame that reports the end of an interaction. */
export function isEnd(frame: string): boolean {
  return frame.startsWith("event: interaction.completed\n");
}

const WORDS: Readonly<Record<string, string>> = {
  UNAVAILABLE: "service_unavailable",
  RESOURCE_EXHAUSTED: "too_many_requests",
  INVALID_ARGUMENT: "invalid_request",
  INTERNAL: "api_error",
};

/** Converts an error of `generateContent`, such as a fault's, to the shape of this API. */
export function asInteractionError(value: unknown): Fields {
  const root: unknown = Array.isArray(value) ? value[0] : value;
  const error = isFields(root) && isFields(root["error"]) ? root["error"] : {};
  const status = typeof error["status"] === "string" ? error["status"] : "INTERNAL";
  const code = WORDS[status] ?? status.toLowerCase();
  return { error: { message: error["message"], code }, event_type: "error" };
}

function stepEvents(step: Fields, index: number, { size, hasIds }: StreamLayout): readonly Fields[] {
  const { type, summary, content, signature, arguments: given, ...named } = step;
  const deltas: Fields[] = [];
  const lists = (list: unknown): readonly Fields[] => (Array.isArray(list) ? list.filter(isFields) : []);
  let start: Fields = { type };
  if (type === "function_call") {
    // Streams send the signature without its envelope.
    const bare = typeof signature === "string" && Buffer.from(signature, "base64").subarray(4).toString("base64");
    const { id, ...others } = named;
    start = { id, ...(bare !== false && { signature: bare }), type, ...others, arguments: {} };
    deltas.push({ type: "arguments_delta", arguments: JSON.stringify(given) });
  } else if (type === "thought") {
    for (const one of lists(summary)) deltas.push({ content: one, type: "thought_summary" });
    deltas.push({ signature, type: "thought_signature" });
  } else if (type === "model_output") {
    let count = 0;
    for (const one of lists(content)) {
      if (one["type"] !== "text") {
        deltas.push(one);
        continue;
      }
      for (const text of textDeltas(String(one["text"]), size)) {
        count += 1;
        deltas.push({ text, type: "text", ...(hasIds && { "": idOf(index, count) }) });
      }
      if (one["annotations"] !== undefined)
        deltas.push({ annotations: one["annotations"], type: "text_annotation_delta" });
    }
  } else {
    const { id, call_id: callId, ...others } = named;
    start = { ...(callId === undefined ? { id } : { call_id: callId }), signature: "", type };
    deltas.push({ type, ...(given !== undefined && { arguments: given }), ...others, signature });
  }
  return [
    { index, step: start, event_type: "step.start" },
    ...deltas.map(({ "": eventId, ...delta }) => ({
      index,
      delta,
      ...(eventId !== undefined && { event_id: eventId }),
      event_type: "step.delta",
    })),
    { index, event_type: "step.stop" },
  ];
}

function idOf(index: number, count: number): string {
  return `v1_${Buffer.from(`${index}_text_${count}`).toString("base64").replaceAll("=", "")}`;
}
