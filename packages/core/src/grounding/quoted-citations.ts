import type { ModelResponse } from "../model/model.ts";
import { citationsOf } from "./citations.ts";
import type { Citation, Source } from "./sources.ts";

/**
 * Citations of earlier answers, moved to where the final text says the same.
 *
 * When search was a request of its own, or an earlier step of the run, the ranges the service gave are of that answer's
 * text. What the final text repeats word for word keeps its sources; what it says in other words has none.
 *
 * @param earlier - Answers before the final one, oldest first.
 */
export function quotedCitations(
  text: string,
  earlier: readonly Pick<ModelResponse, "content" | "candidate">[],
  sources: readonly Source[],
): Citation[] {
  const found = new Map<string, Citation>();
  for (const response of earlier) {
    let from = 0;
    for (const citation of citationsOf(response, sources)) {
      if (citation.text.trim() === "") continue;
      const later = text.indexOf(citation.text, from);
      const start = later === -1 ? text.indexOf(citation.text) : later;
      if (start === -1) continue;
      const end = start + citation.text.length;
      from = end;
      const key = `${start}-${end}`;
      const numbers = new Set([...(found.get(key)?.sources ?? []), ...citation.sources]);
      found.set(key, {
        start,
        end,
        text: citation.text,
        sources: [...numbers].toSorted((a, b) => a - b),
        match: "moved",
      });
    }
  }
  return [...found.values()].toSorted((a, b) => a.start - b.start || a.end - b.end);
}
