import { ApiShapeError } from "@pollux/core/wire";
import type { InteractionEvent, StepDelta } from "./types/events.ts";
import type { Step } from "./types/interaction.ts";

/** A step while it is received. */
interface OpenStep {
  readonly step: Record<string, unknown>;
  /** JSON of a function call's arguments, in pieces. */
  json: string;
}

/**
 * Builds the steps of an interaction from the events of its stream. The steps can be sent back as they are.
 *
 * @example
 * ```ts
 * const builder = new StepsBuilder();
 * for await (const event of client.stream({ model: "gemini-3.8-flash", input: "Hello", store: false })) builder.add(event);
 * console.log(builder.steps);
 * ```
 */
export class StepsBuilder {
  readonly #open = new Map<number, OpenStep>();

  /** The steps so far, in order. */
  get steps(): readonly Step[] {
    // A step has had its type since it began.
    return [...this.#open].toSorted(([a], [b]) => a - b).map(([, { step }]) => step as Step);
  }

  /** Adds an event; one that is not about a step changes nothing. @throws {ApiShapeError} For arguments that are not JSON. */
  add(event: InteractionEvent): void {
    if (event.event_type === "step.start") {
      if (!this.#open.has(event.index)) this.#open.set(event.index, { step: structuredClone(event.step), json: "" });
    } else if (event.event_type === "step.delta") {
      const open = this.#open.get(event.index);
      if (open !== undefined) applyDelta(open, event.delta);
    } else if (event.event_type === "step.stop") {
      const open = this.#open.get(event.index);
      if (open !== undefined && open.json !== "") open.step["arguments"] = parseArguments(open.json);
    }
  }
}

/** @see https://ai.google.dev/gemini-api/docs/interactions/streaming */
function applyDelta(open: OpenStep, delta: StepDelta): void {
  const { step } = open;
  const { type, ...fields } = delta;
  switch (type) {
    case "text":
    case "text_annotation_delta":
    case "text_annotation": {
      const content = listIn(step, "content");
      let text = content.at(-1);
      if (text?.["type"] !== "text") content.push((text = { type: "text", text: "" }));
      if (type === "text") text["text"] = [text["text"], delta.text].join("");
      else listIn(text, "annotations").push(...structuredClone([...(delta.annotations ?? [])]));
      break;
    }
    case "image":
    case "audio":
    case "video":
    case "document":
      listIn(step, "content").push(structuredClone({ ...delta }));
      break;
    case "thought_summary":
      if (delta.content !== undefined) listIn(step, "summary").push(structuredClone({ ...delta.content }));
      break;
    case "thought_signature":
      // It may come several times, empty at first.
      if (delta.signature) step["signature"] = delta.signature;
      break;
    case "arguments_delta":
      open.json += typeof delta.arguments === "string" ? delta.arguments : "";
      break;
    default:
      // Calls and results of built-in tools come whole. Unknown kinds have no place in a step.
      if (type === step["type"])
        for (const [name, value] of Object.entries(structuredClone(fields)))
          if (value !== "" || step[name] === undefined) step[name] = value;
  }
}

function listIn(holder: Record<string, unknown>, name: string): Record<string, unknown>[] {
  if (!Array.isArray(holder[name])) holder[name] = [];
  // Contents, summaries and annotations are lists of objects.
  return holder[name] as Record<string, unknown>[];
}

function parseArguments(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new ApiShapeError("The arguments of a function call are not JSON.", "$.arguments", json);
  }
}
