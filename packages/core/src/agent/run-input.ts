import { endsOnOpenCall } from "../loop/transcript.ts";
import type { Content, Part } from "../wire/content.ts";

/** What a run is asked: a text, the parts of one user content, or whole contents (a history that ends with what is asked). */
export type RunInput = string | readonly Part[] | readonly Content[];

/**
 * The contents of a run's input.
 *
 * @throws {TypeError} When there is nothing to send, or the contents end on a call that nobody answered.
 */
export function contentsOf(input: RunInput): readonly Content[] {
  if (typeof input === "string") {
    if (input.trim() === "") throw new TypeError("the prompt is empty: say what you want of the agent");
    return [{ role: "user", parts: [{ text: input }] }];
  }
  if (!Array.isArray(input) || input.length === 0)
    throw new TypeError("the input must be a text, a list of parts, or a list of contents, and not empty");
  const contents = isContents(input) ? input : [{ role: "user" as const, parts: input as readonly Part[] }];
  if (endsOnOpenCall(contents)) {
    throw new TypeError(
      "the contents end on a function call without its response: answer it in a user content, or leave the call out",
    );
  }
  return contents;
}

function isContents(input: readonly Part[] | readonly Content[]): input is readonly Content[] {
  return input.every((entry) => "parts" in entry);
}
