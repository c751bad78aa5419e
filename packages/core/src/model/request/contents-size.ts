import { ConfigurationError } from "../../errors/agent-error.ts";
import { isTooDeep, MAX_LEVELS } from "../../internal/json.ts";
import { utf8Length } from "../../internal/text.ts";
import { MAX_REQUEST_BYTES } from "../../wire/http/encode-request.ts";
import type { Content, Part } from "../../wire/types/content.ts";

/** Part of a model. */
interface RequestLimit {
  readonly maxRequestBytes?: number | undefined;
}

/** Bytes that the text and inline media of a conversation may take: the rest is for instructions, tools and results as JSON. */
export function maxContentsBytes({ maxRequestBytes = MAX_REQUEST_BYTES }: RequestLimit): number {
  return Math.floor(0.75 * maxRequestBytes);
}

/** Bytes of media that one result may add: half a request at most, and no more than there is room for beside what is sent. */
export function maxMediaBytes(model: RequestLimit, sentBytes: number): number {
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

/**
 * Checks contents from outside before anything walks through them.
 *
 * @throws {ConfigurationError} For a content that nests too deep to be serialized; names its place.
 */
export function checkContentsDepth(contents: readonly Content[]): void {
  const at = contents.findIndex((content) => isTooDeep(content));
  if (at !== -1) throw depthError(`contents[${at}] nests`, "it cannot be sent: flatten it, or send it as text");
}

/** @param what - With its verb. */
export function depthError(what: string, so: string): ConfigurationError {
  return new ConfigurationError(`${what} more than ${MAX_LEVELS} levels of lists and objects, so ${so}.`);
}
