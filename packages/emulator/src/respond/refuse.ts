import { prettyJson } from "../internal/json.ts";
import type { Refusal } from "../validate/types.ts";

/** Whether a stream was requested, and in which format. */
export interface AskedFor {
  readonly streamed: boolean;
  readonly sse: boolean;
}

/** An error response: with an event stream's content type, or inside an array, where the service does that. */
export function refuse(
  refusal: Pick<Refusal, "status" | "headers" | "body">,
  asked: AskedFor,
  contentType?: string,
): Response {
  const { status, body } = refusal;
  const isJson = body.startsWith("{");
  const type =
    contentType ?? (isJson || body.startsWith("[") ? "application/json; charset=UTF-8" : "text/html; charset=UTF-8");
  const array = isJson && asked.streamed && !asked.sse;
  const headers = new Headers({
    "content-type": isJson && asked.streamed && asked.sse ? "text/event-stream" : type,
    ...refusal.headers,
  });
  return new Response(array ? prettyJson([JSON.parse(body)]) : body, { status, headers });
}
