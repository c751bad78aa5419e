import type { Content, Part } from "../../wire/types/content.ts";

/** Signature that the service accepts in place of its own. @see https://ai.google.dev/gemini-api/docs/thought-signatures */
export const PLACEHOLDER_SIGNATURE = "skip_thought_signature_validator";

/** Index of the first content after the last user input. Signatures are checked only from there on. */
export function findCurrentTurn(contents: readonly Content[]): number {
  return (
    contents.findLastIndex(
      ({ role, parts }) => role === "user" && parts.some((part) => part.functionResponse === undefined),
    ) + 1
  );
}

/** Puts the placeholder on the first call if it has no signature; otherwise returns the content itself. */
export function signFirstCall(content: Content): Content {
  const first = content.parts.findIndex((part) => part.functionCall !== undefined);
  const call = content.parts[first];
  // An empty signature counts as none.
  if (content.role !== "model" || call === undefined || call.thoughtSignature) return content;
  return { ...content, parts: content.parts.with(first, { ...call, thoughtSignature: PLACEHOLDER_SIGNATURE }) };
}

/** A content without the IDs of its calls and responses. */
export function stripIds(content: Content): Content {
  return mapParts(content, (part) => {
    const { functionCall, functionResponse } = part;
    if (functionCall?.id !== undefined) {
      const { id: _id, ...call } = functionCall;
      return { ...part, functionCall: call };
    }
    if (functionResponse?.id === undefined) return part;
    const { id: _id, ...response } = functionResponse;
    return { ...part, functionResponse: response };
  });
}

/** A content without its responses: one content, or none. */
export function withoutResponses(content: Content): readonly Content[] {
  const rest = mapParts(content, (part) => (part.functionResponse === undefined ? part : []));
  return rest !== content && rest.parts.length === 0 ? [] : [rest];
}

/** Replaces or drops parts; returns the content itself if none changes. */
export function mapParts(content: Content, change: (part: Part) => Part | readonly []): Content {
  const parts = content.parts.flatMap(change);
  return parts.length === content.parts.length && parts.every((part, i) => part === content.parts[i])
    ? content
    : { ...content, parts };
}
