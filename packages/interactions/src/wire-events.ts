import {
  ApiShapeError,
  embeddedError,
  type Exchange,
  type FailureContext,
  parseJson,
  SseDecoder,
} from "@pollux/core/wire";
import type { InteractionEvent } from "./types/events.ts";

/** Most bytes of one event, and of all events of a connection. */
export interface StreamLimits {
  readonly maxBufferBytes: number;
  readonly maxAnswerBytes: number;
}

/**
 * The events of one connection, up to its end, which says nothing about whether the interaction is over. Closes the exchange.
 *
 * @throws {ApiStatusError} For an error among the events.
 * @throws {ApiShapeError} For an event that is not a JSON object, and for an answer over a limit.
 */
export async function* readEvents(exchange: Exchange, limits: StreamLimits): AsyncGenerator<InteractionEvent, void> {
  const decoder = new SseDecoder(limits);
  try {
    for (;;) {
      const bytes = await exchange.read();
      if (exchange.bytes > limits.maxAnswerBytes)
        throw new ApiShapeError(
          `The stream has more than ${limits.maxAnswerBytes} bytes; raise maxAnswerBytes if answers can be that long.`,
          "$",
          "",
        );
      for (const text of bytes === undefined ? decoder.end() : decoder.push(bytes)) {
        exchange.trace(text);
        const value = parseJson(text);
        if (!isObject(value)) throw new ApiShapeError("An event of the stream is not a JSON object.", "$", text);
        if (value["error"] !== undefined) throw readFailure(value, exchange.failure);
        yield asEvent(value);
      }
      if (bytes === undefined) return;
    }
  } catch (error) {
    throw exchange.clean(error);
  } finally {
    exchange.close();
  }
}

/** An event with the members that its type promises; anything else is an unknown event. */
function asEvent(value: Readonly<Record<string, unknown>>): InteractionEvent {
  const { event_type: type, index, step, delta, interaction, status } = value;
  const isStep = Number.isSafeInteger(index);
  const isKnown =
    ((type === "interaction.created" || type === "interaction.completed") && isObject(interaction)) ||
    (type === "interaction.status_update" && typeof status === "string") ||
    (type === "step.start" && isStep && isObject(step) && typeof step["type"] === "string") ||
    (type === "step.delta" && isStep && isObject(delta) && typeof delta["type"] === "string") ||
    (type === "step.stop" && isStep);
  // It has the members that were checked.
  return isKnown ? (value as InteractionEvent) : { event_type: "unknown", event: value };
}

/** HTTP statuses of the service's error codes. @see https://ai.google.dev/gemini-api/docs/interactions/errors */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  authentication: 401,
  payment_required: 402,
  permission_denied: 403,
  not_found: 404,
  model_not_found: 404,
  already_exists: 409,
  aborted: 409,
  out_of_range: 416,
  too_many_requests: 429,
  rate_limit_exceeded: 429,
  quota_exceeded: 429,
  cancelled: 499,
  api_error: 500,
  internal_error: 500,
  internal_server_error: 500,
  unimplemented: 501,
  not_implemented: 501,
  service_unavailable: 503,
  deadline_exceeded: 504,
  gateway_timeout: 504,
};

/** An error object of this API, whose code is a word. Words that are not listed are blocks and faults of the request, as final as a 400. */
export function readFailure(value: Readonly<Record<string, unknown>>, context: FailureContext): Error {
  const error = isObject(value["error"]) ? value["error"] : {};
  const word = error["code"];
  if (typeof word !== "string" || /^\d+$/.test(word)) return embeddedError(value, context);
  return embeddedError({ error: { ...error, code: STATUS_OF_CODE[word] ?? 400, status: word } }, context);
}

/** True for a JSON object (not null, not a list). */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
