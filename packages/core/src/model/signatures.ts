import type { Content } from "../wire/types/content.ts";

/**
 * Signature that the service takes in place of one of its own, on all surfaces.
 *
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export const DUMMY_SIGNATURE = "skip_thought_signature_validator";

/** Index of the first content after the last one that a user wrote. Only there are signatures checked. */
export function currentTurn(contents: readonly Content[]): number {
  return (
    contents.findLastIndex(
      ({ role, parts }) => role === "user" && parts.some((part) => part.functionResponse === undefined),
    ) + 1
  );
}

/** With the dummy on the first call, if that has no signature; the content itself otherwise. */
export function signFirstCall(content: Content): Content {
  const first = content.parts.findIndex((part) => part.functionCall !== undefined);
  const call = content.parts[first];
  // An empty signature is none.
  if (content.role !== "model" || call === undefined || call.thoughtSignature) return content;
  return { ...content, parts: content.parts.with(first, { ...call, thoughtSignature: DUMMY_SIGNATURE }) };
}
