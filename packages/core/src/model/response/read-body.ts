import { parseAnswers } from "../../wire/http/read-answers.ts";
import { SseDecoder } from "../../wire/http/sse.ts";
import type { ModelResponse } from "../model.ts";
import { ResponseFold } from "./fold.ts";

/** What was in the body of an answer. */
export interface BodyReading {
  /** The answer so far; its finish reason is empty when it was cut off. */
  readonly response: ModelResponse;
  /** The error that the service sent instead of the answer, or in the middle of it, as received. */
  readonly error?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The answer in a whole body of `generateContent` or `streamGenerateContent`: an event stream, JSON, or a list of JSON objects, also
 * one that was cut off. For bodies that were kept; an agent reads answers as they arrive.
 *
 * @throws {ApiShapeError} When it is not a body of this API.
 */
export function readResponseBody(body: string): BodyReading {
  const decoder = new SseDecoder();
  const events = [...decoder.push(new TextEncoder().encode(body)), ...decoder.end()];
  const fold = new ResponseFold();
  let error: BodyReading["error"];
  for (const event of events.length === 0 ? [body] : events)
    for (const answer of parseAnswers(event)) {
      if (answer.error !== undefined) error = answer.error;
      else fold.addAll([answer.response]);
    }
  return { response: fold.partial(), ...(error !== undefined && { error }) };
}
