import type { GenerateContentResponse } from "@pollux/core/wire";
import type { AnswerFault } from "../fault/fault.ts";

/** Removes the fields that the fault omits from a finished response. */
export function applyAnswerFault(
  chunks: readonly GenerateContentResponse[],
  { without, promptFeedback }: AnswerFault,
): GenerateContentResponse[] {
  return chunks.map((chunk) => {
    if (without === "candidates") {
      const { candidates: _candidates, usageMetadata, ...rest } = chunk;
      return { ...(promptFeedback && { promptFeedback }), usageMetadata, ...rest };
    }
    if (without === undefined) return chunk;
    const candidates = chunk.candidates?.map(({ content, ...rest }) => {
      if (without === "content") return rest;
      return { content: without === "content-fields" ? {} : { role: content?.role }, ...rest };
    });
    return { ...chunk, candidates };
  });
}
