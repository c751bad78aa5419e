import { MAX_REQUEST_BYTES } from "../../wire/http/encode-request.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import type { Model } from "../model.ts";

/** Bytes that the text and inline media of a conversation may take: the rest is for instructions, tools and results as JSON. */
export function maxContentsBytes({ maxRequestBytes = MAX_REQUEST_BYTES }: Pick<Model, "maxRequestBytes">): number {
  return Math.floor(0.75 * maxRequestBytes);
}

/** Bytes of media that one result may add: half a request at most, and no more than there is room for beside what is sent. */
export function maxMediaBytes(model: Pick<Model, "maxRequestBytes">, sentBytes: number): number {
  const { maxRequestBytes = MAX_REQUEST_BYTES } = model;
  return Math.min(0.5 * Math.min(maxRequestBytes, MAX_REQUEST_BYTES), maxContentsBytes(model) - sentBytes);
}

/** Bytes of the text and inline media of some contents. */
export function contentsBytes(contents: readonly Content[]): number {
  return contents.reduce((bytes, { parts }) => bytes + partsBytes(parts), 0);
}

/** No fewer than {@link contentsBytes}, without a look at each character: a UTF-16 unit takes three bytes at most. */
export function mostContentsBytes(contents: readonly Content[]): number {
  return contents.reduce((bytes, { parts }) => bytes + partsBytes(parts, (text) => text.length * 3), 0);
}

/** Bytes of the text and inline media of some parts, those inside function responses included. */
export function partsBytes(parts: readonly Part[], lengthOfText: typeof utf8Length = utf8Length): number {
  let bytes = 0;
  for (const { text, inlineData, functionResponse } of parts) {
    if (typeof text === "string") bytes += lengthOfText(text);
    bytes += lengthOf(inlineData?.data);
    for (const part of functionResponse?.parts ?? []) bytes += lengthOf(part.inlineData?.data);
  }
  return bytes;
}

/** Histories from elsewhere may hold anything. */
function lengthOf(data: unknown): number {
  return typeof data === "string" ? data.length : 0;
}

function utf8Length(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Half of a surrogate pair is two of its four bytes.
    if (unit > 0x7f) length += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return length;
}
