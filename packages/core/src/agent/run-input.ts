import { endsOnOpenCall } from "../loop/transcript.ts";
import { checkMediaParts, type MediaModel } from "../model/request/check-media-parts.ts";
import { isMedia, type Media, mediaPart } from "../tool/media.ts";
import type { Content, Part } from "../wire/types/content.ts";

/** One piece of what a run is asked: text, a file made by `media()`, or a part as the wire has it. */
export type InputPart = string | Media | Part;

/** What a run is asked: a text, the pieces of one user content, or whole contents (a history that ends with what is asked). */
export type RunInput = string | readonly InputPart[] | readonly Content[];

/**
 * The contents of a run's input.
 *
 * @param model - Checks media against what this model takes. Absent leaves that to a later call.
 * @throws {TypeError} When there is nothing to send, or the contents end on a call that nobody answered.
 * @throws {ConfigurationError} When the model or the service would refuse the media.
 */
export function buildContents(input: RunInput, model?: MediaModel): readonly Content[] {
  const contents = toContents(input);
  if (model !== undefined) checkMediaParts(contents, model);
  return contents;
}

function toContents(input: RunInput): readonly Content[] {
  if (typeof input === "string") {
    if (input.trim() === "") throw new TypeError("the prompt is empty: say what you want of the agent");
    return [{ role: "user", parts: [{ text: input }] }];
  }
  if (!Array.isArray(input) || input.length === 0)
    throw new TypeError("the input must be a non-empty string, list of parts or list of contents");
  const contents = isContents(input)
    ? input
    : [{ role: "user" as const, parts: (input as readonly InputPart[]).map(toPart) }];
  if (endsOnOpenCall(contents))
    throw new TypeError(
      "the contents end with an unanswered function call: answer it in a user content, or remove the call",
    );
  return contents;
}

function isContents(input: readonly InputPart[] | readonly Content[]): input is readonly Content[] {
  return input.every((entry) => typeof entry === "object" && "parts" in entry);
}

function toPart(piece: InputPart): Part {
  if (typeof piece === "string") {
    if (piece === "") throw new TypeError("a text of the input is empty: leave it out");
    return { text: piece };
  }
  if (isMedia(piece)) return mediaPart(piece);
  if (piece instanceof Promise)
    throw new TypeError(
      "a part of the input is a promise: use `await media(blob)`, because a blob has to be read first",
    );
  return piece;
}
