import { isObject, isTooDeep, MAX_LEVELS } from "../internal/json.ts";
import { endsOnOpenCall } from "../loop/transcript.ts";
import { type ContentInput, type PartInput, readContents } from "../model/history/import-history.ts";
import {
  checkContentsDepth,
  checkMediaParts,
  isMedia,
  type Media,
  type MediaModel,
  mediaPart,
} from "../model/request/check-contents.ts";
import { type InputReads, readInput, type ReadSource } from "../tool/reads.ts";
import type { Content, Part } from "../wire/types/content.ts";

/** One part of a run's input: text, a file made by `media()`, or a part in wire format. */
export type InputPart = string | Media | PartInput;

/** Input of a run: text, the parts of one user content, or whole contents (a history that ends with the request). */
export type RunInput = string | readonly InputPart[] | readonly ContentInput[];

/**
 * Converts a run's input to contents.
 *
 * @param model - Model whose support for the media is checked; without it, a later call checks.
 * @throws {TypeError} When there is nothing to send, or the contents end on an unanswered call.
 * @throws {ConfigurationError} When the model or the service would reject the media, or a content nests more than 500 levels.
 */
export function buildContents(input: RunInput, model?: MediaModel): readonly Content[] {
  const contents = toContents(input);
  if (isTooDeep(contents, MAX_LEVELS + 1)) checkContentsDepth(contents);
  if (model !== undefined) checkMediaParts(contents, model);
  return contents;
}

/** @throws {TypeError} When it ends on an unanswered call. */
export function readHistory(history: readonly ContentInput[]): readonly Content[] {
  const contents = readContents(history);
  checkContentsDepth(contents);
  checkAnswered(contents);
  return contents;
}

function checkAnswered(contents: readonly Content[]): void {
  if (endsOnOpenCall(contents))
    throw new TypeError(
      "the contents end with an unanswered function call: answer it in a user content, or remove the call",
    );
}

function toContents(input: RunInput): readonly Content[] {
  if (typeof input === "string") {
    if (input.trim() === "") throw new TypeError("the prompt is empty: describe what the agent should do");
    return [{ role: "user", parts: [{ text: input }] }];
  }
  if (!Array.isArray(input) || input.length === 0)
    throw new TypeError(
      "the input must be a non-empty string, list of parts or list of contents; options are the second argument",
    );
  const contents = isContents(input)
    ? readContents(input)
    : [{ role: "user" as const, parts: (input as readonly InputPart[]).map(toPart) }];
  if (contents.length === 0) throw new TypeError("the contents have no parts: describe what the agent should do");
  checkAnswered(contents);
  return contents;
}

/** What a message brings into the history, by its options and its parts; undefined for nothing. */
export function readMessage(contents: readonly Content[], about: InputReads): readonly ReadSource[] | undefined {
  let isText = (about.reads ?? about.historyReads ?? about.read) === undefined;
  for (const { parts } of contents) for (const { text } of parts) isText &&= text !== undefined;
  // Almost every message: no need to read it further.
  const read = isText ? [] : readInput(contents, about);
  return read.length > 0 ? read : undefined;
}

function isContents(input: readonly InputPart[] | readonly ContentInput[]): input is readonly ContentInput[] {
  return input.every((entry) => typeof entry === "object" && entry !== null && ("parts" in entry || "role" in entry));
}

function toPart(piece: InputPart): Part {
  if (typeof piece === "string") {
    if (piece === "") throw new TypeError("a text part of the input is empty: remove it");
    return { text: piece };
  }
  if (isMedia(piece)) return mediaPart(piece);
  if (piece instanceof Promise)
    throw new TypeError(
      "a part of the input is a promise: media() of a Blob is asynchronous, so use `await media(blob)`",
    );
  if (!isObject(piece)) throw new TypeError(`a part of the input is ${String(piece)}, not a text or an object`);
  if ("type" in piece || "parts" in piece)
    throw new TypeError(
      "a part of the input is a content, or another library's part: write a text as a string, a file as media(…), and contents in a list of their own",
    );
  // The service checks its members, because it may know parts that this library does not.
  return piece as Part;
}
