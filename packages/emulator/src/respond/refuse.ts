import { prettyJson } from "../internal/json.ts";
import type { Refusal } from "../validate/types.ts";

/** The format that a request asks for: a stream or not, as server-sent events or not. */
export interface RequestedFormat {
  readonly streamed: boolean;
  readonly sse: boolean;
}

/** An error response: with an event stream's content type, or inside an array, where the service does that. */
export function refuse(
  refusal: Pick<Refusal, "status" | "headers" | "body">,
  format: RequestedFormat,
  contentType?: string,
): Response {
  const { status, body } = refusal;
  const isJson = body.startsWith("{");
  const type =
    contentType ?? (isJson || body.startsWith("[") ? "application/json; charset=UTF-8" : "text/html; charset=UTF-8");
  const array = isJson && format.streamed && !format.sse;
  const headers = new Headers({
    "content-type": isJson && format.streamed && format.sse ? "text/event-stream" : type,
    ...refusal.headers,
  });
  return new Response(array ? prettyJson([JSON.parse(body)]) : body, { status, headers });
}
