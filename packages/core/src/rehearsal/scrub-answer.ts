import { isObject, tryOr } from "../internal/json.ts";
import { type BodyReading, readResponseBody } from "../model/response/fold.ts";
import type { TextScrubber } from "./scrub-texts.ts";

/**
 * The body of an answer, scrubbed; the same text when there was nothing to change. A stream becomes one event, since a text may be spread
 * over many.
 */
export function scrubAnswer(texts: TextScrubber, body: string, where: string, operation: string): string {
  if (body === "") return body;
  const isAnswer = /generateContent$/i.test(operation);
  const read = isAnswer ? tryOr<BodyReading | undefined>(() => readResponseBody(body), undefined) : undefined;
  if (read === undefined) {
    const value = tryOr<unknown>(() => JSON.parse(body), undefined);
    if (value === undefined) return texts.text(body, where);
    const scrubbed = texts.value(value, "body", where);
    return scrubbed === value ? body : JSON.stringify(scrubbed);
  }
  const response = texts.value(read.response, "response", where) as BodyReading["response"]; // texts became texts
  const error = texts.value(read.error, "error", where);
  // Neither what was cut off nor what a later chunk has replaced is in the response.
  if (response === read.response && error === read.error && !texts.changes(body)) return body;
  const { content, candidate, envelope } = response;
  const hasCandidate = content.parts.length > 0 || Object.keys(candidate).length > 0;
  const answer = { ...(hasCandidate && { candidates: [{ content, ...candidate }] }), ...envelope };
  const values = [...(Object.keys(answer).length > 0 ? [answer] : []), ...(error === undefined ? [] : [error])];
  const events = values.map((value) => JSON.stringify(value));
  if (/^\s*\[/.test(body)) return `[${events.join(",\r\n")}]`;
  return isObject(tryOr<unknown>(() => JSON.parse(body), undefined))
    ? events.join("")
    : events.map((one) => `data: ${one}\r\n\r\n`).join("");
}
