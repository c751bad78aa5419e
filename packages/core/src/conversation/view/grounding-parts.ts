import { findQuotedCitations, resolveCitations } from "../../grounding/citations.ts";
import { type Citation, collectSources, type Source } from "../../grounding/sources.ts";
import type { ModelResponse } from "../../model/model.ts";
import { visibleText } from "../../model/response/parts.ts";
import type { MessagePart, MessageSource, PartCitation } from "../conversation.ts";

/** What the answers of a run are based on. */
export interface RunGrounding {
  readonly sources: readonly Source[];
  readonly searchSuggestions: readonly string[];
}

/** Of a run that searched for nothing. */
export const NO_GROUNDING: RunGrounding = { sources: [], searchSuggestions: [] };

/** What some answers are based on, in the order in which the run got them. */
export function collectGrounding(responses: readonly ModelResponse[]): RunGrounding {
  if (!responses.some(mayHaveSources)) return NO_GROUNDING;
  const { sources, searchEntryPoints } = collectSources(responses);
  return { sources, searchSuggestions: searchEntryPoints };
}

/** False for an answer that is based on nothing but what the model knows. */
export function mayHaveSources({ candidate, content }: ModelResponse): boolean {
  return (
    candidate.groundingMetadata !== undefined ||
    candidate.urlContextMetadata !== undefined ||
    content.parts.some((part) => part.toolResponse !== undefined)
  );
}

/** A source as it is shown. */
export function showSource({ chunk: _chunk, ...source }: Source): MessageSource {
  return source;
}

/** The citations of an answer: its own, or for the last answer of a run those of earlier ones that it quotes. */
export function collectCitations(
  response: ModelResponse,
  sources: readonly Source[],
  earlier: readonly ModelResponse[] | undefined,
): readonly Citation[] {
  if (sources.length === 0) return [];
  const own = resolveCitations(response, sources);
  if (own.length > 0 || earlier === undefined) return own;
  return findQuotedCitations(visibleText(response.content), earlier, sources);
}

/** An answer's parts with its citations, whose ranges count through all of its texts. */
export function citeParts(parts: readonly MessagePart[], citations: readonly Citation[]): readonly MessagePart[] {
  // What could not be found in the text would mark the wrong words.
  const found = citations.filter(({ match }) => match !== "unverified");
  if (found.length === 0) return parts;
  let from = 0;
  return parts.map((part) => {
    if (part.type !== "text") return part;
    const to = from + part.text.length;
    const own = found
      .filter(({ start, end }) => start < to && end > from)
      .map(({ start, end, sources }): PartCitation => {
        return { start: Math.max(start, from) - from, end: Math.min(end, to) - from, sources };
      });
    from = to;
    return own.length === 0 ? part : { ...part, citations: own };
  });
}
