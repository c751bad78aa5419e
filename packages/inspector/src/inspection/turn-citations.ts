import type { Citation, Source } from "@pollux/core";
import { collectSources, resolveCitations } from "@pollux/core/conversation";
import type { CitationView, LostCitation, SourceView } from "./turn-details.ts";
import { fieldsOf, listOf, numberOf, textOf } from "./read-values.ts";

/** An answer as core reads it. */
type Answer = Parameters<typeof resolveCitations>[0];

/** The sources of answers, oldest first; none if the answers can't be read. */
export function sourcesOf(responses: readonly unknown[]): readonly Source[] {
  return attempt(() => collectSources(responses.map(readable)).sources) ?? [];
}

export function sourceViews(sources: readonly Source[]): readonly SourceView[] {
  return sources.map(({ number, kind, uri, title, pageNumber }) => {
    return { number, kind, uri, title: pageNumber === undefined ? title : `${title ?? kind}, page ${pageNumber}` };
  });
}

/** The citations of an answer, and the supports from the service that match no text or source. */
export function citationsOf(
  response: unknown,
  sources: readonly Source[],
): { readonly citations: readonly CitationView[]; readonly lost: readonly LostCitation[] } {
  const { groundingMetadata } = fieldsOf(fieldsOf(response)["candidate"]);
  const { groundingSupports, groundingChunks } = fieldsOf(groundingMetadata);
  if (listOf(groundingSupports).length === 0) return { citations: [], lost: [] };
  const found = attempt(() => resolveCitations(readable(response), sources)) ?? [];
  const chunks = listOf(groundingChunks).length;
  const lost = listOf(groundingSupports).flatMap((support) => lostSupport(support, chunks, found));
  return {
    citations: found
      .filter(({ match }) => match !== "unverified")
      .map(({ start, end, sources: numbers }) => ({ start, end, sources: numbers })),
    lost,
  };
}

function lostSupport(support: unknown, chunks: number, found: readonly Citation[]): readonly LostCitation[] {
  const { segment, groundingChunkIndices } = fieldsOf(support);
  const { text: stored, startIndex, endIndex } = fieldsOf(segment);
  const text = textOf(stored) ?? "";
  const lost = (why: string): readonly LostCitation[] => [
    { text, startIndex: numberOf(startIndex), endIndex: numberOf(endIndex), why },
  ];
  const indices = listOf(groundingChunkIndices);
  if (segment === undefined) return lost("The service named no range of the text.");
  if (indices.length === 0) return lost("The service named no source for it.");
  const isKnown = (index: unknown): boolean => typeof index === "number" && index >= 0 && index < chunks;
  if (!indices.some(isKnown))
    return lost(`Its sources (${indices.join(", ")}) are not among the ${chunks} that came with the answer.`);
  const isUnverified = found.some((one) => one.text === text && one.match === "unverified");
  return isUnverified ? lost("Its text is not in the answer.") : [];
}

/** A stored answer with the members that core reads; missing members are empty. */
function readable(response: unknown): Answer {
  const { content, candidate } = fieldsOf(response);
  const parts = listOf(fieldsOf(content)["parts"]).map((part) => fieldsOf(part));

  return { content: { role: "model", parts }, candidate: fieldsOf(candidate) };
}

/** Core expects checked values, but a log may hold anything. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
