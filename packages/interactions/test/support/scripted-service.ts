import type { FetchLike } from "@pollux/core/wire";
import type { Interaction, InteractionEvent, Step } from "../../src/index.ts";

/** How one connection delivers the stream. */
export interface Connection {
  /** Characters of a text delta. */
  readonly size: number;
  /** Bytes before it breaks, of the whole body in thousandths; it does not break without. */
  readonly cut?: number | undefined;
  /** How it breaks: with an error of the network, by ending, or with garbage. */
  readonly how: "reset" | "end" | "garbage" | "error";
}

/** A service that streams an interaction over these connections, and then over whole ones; and stores it. */
export function scriptedService(
  steps: readonly Step[],
  connections: readonly Connection[],
): FetchLike & { count: number } {
  const interaction: Interaction = { id: "v1_abc", status: "completed", model: "m", steps };
  const service = async (input: string): Promise<Response> => {
    if (!input.includes("stream=true"))
      return Response.json({ ...interaction, steps: [{ type: "user_input" }, ...steps] });
    const connection = connections[fetch.count] ?? { size: 7, how: "end" };
    fetch.count += 1;
    const body = new TextEncoder().encode(bodyOf(steps, connection.size));
    const end = connection.cut === undefined ? body.length : Math.floor((body.length * connection.cut) / 1000);
    return new Response(cutOff(body.subarray(0, end), connection.cut === undefined ? "end" : connection.how), {
      headers: { "content-type": "text/event-stream" },
    });
  };
  const fetch = Object.assign(service, { count: 0 });
  return fetch;
}

function cutOff(bytes: Uint8Array, how: Connection["how"]): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < bytes.length) {
        // Also inside of characters and frames.
        controller.enqueue(bytes.slice(at, at + 37));
        at += 37;
        return;
      }
      if (how === "reset")
        return controller.error(Object.assign(new TypeError("terminated"), { cause: new Error("ECONNRESET") }));
      if (how === "garbage") controller.enqueue(new TextEncoder().encode("\n\ndata: {oops\n\n"));
      if (how === "error") {
        const error = { error: { message: "later", code: "service_unavailable" }, event_type: "error" };
        controller.enqueue(new TextEncoder().encode(`\n\nevent: error\ndata: ${JSON.stringify(error)}\n\n`));
      }
      controller.close();
    },
  });
}

function bodyOf(steps: readonly Step[], size: number): string {
  const events = [
    { event_type: "interaction.created", interaction: { id: "v1_abc" } },
    { event_type: "interaction.status_update", interaction_id: "v1_abc", status: "in_progress" },
    ...steps.flatMap((step, index) => eventsOf(step, index, size)),
    { event_type: "interaction.completed", interaction: { id: "v1_abc", status: "completed" } },
  ];
  return `${events.map((event) => `event: ${event.event_type}\ndata: ${JSON.stringify(event)}\n\n`).join("")}event: done\ndata: [DONE]\n\n`;
}

/** The events that bring a step, in the service's words. */
export function eventsOf(step: Step, index: number, size: number): readonly InteractionEvent[] {
  const { type, content, summary, signature, arguments: given, ...named } = step;
  const deltas = [
    ...(summary ?? []).map((one) => ({ type: "thought_summary", content: one })),
    ...(typeof content === "string" ? [] : (content ?? [])).flatMap((one) =>
      one.type === "text"
        ? [
            ...piecesOf(one.text ?? "", size).map((text) => ({ type: "text", text })),
            ...(one.annotations === undefined ? [] : [{ type: "text_annotation_delta", annotations: one.annotations }]),
          ]
        : [one],
    ),
    ...(given === undefined
      ? []
      : piecesOf(JSON.stringify(given), size).map((json) => ({ type: "arguments_delta", arguments: json }))),
    ...(signature === undefined ? [] : [{ type: "thought_signature", signature }]),
  ];
  return [
    { event_type: "step.start", index, step: { type, ...named } },
    ...deltas.map((delta) => ({ event_type: "step.delta" as const, index, delta })),
    { event_type: "step.stop", index },
  ];
}

function piecesOf(text: string, size: number): readonly string[] {
  const characters = Array.from(text);
  return Array.from({ length: Math.ceil(characters.length / size) }, (_, index) =>
    characters.slice(index * size, (index + 1) * size).join(""),
  );
}
