import type { RunResult, Source } from "@pollux/core";
import { makeScorer, type NamedScorer, shorten } from "./scorer.ts";

/**
 * An answer cites a source, and the range of each citation holds the cited text: at the place that the service counted in bytes or, where it
 * miscounted, nearby.
 *
 * @param source - A text that the source's address, title or document name contains, ignoring case, or an expression that one of them matches.
 * @defaultValue any source
 */
export function cites(source?: string | RegExp): NamedScorer {
  return makeScorer("cites", source === undefined ? [] : [source], ({ results }) => {
    const citations = results.flatMap(readCitations);
    const wrong = citations.find(({ isTrue }) => !isTrue);
    if (wrong !== undefined)
      return `the answer does not have the cited text ${JSON.stringify(shorten(wrong.text, 80))}`;
    if (citations.length === 0) return "nothing is cited";
    const cited = citations.flatMap(({ sources }) => sources);
    if (source === undefined || cited.some((one) => isSource(one, source))) return true;
    const names = new Set(cited.map(({ title, uri, number }) => title ?? uri ?? `source ${number}`));
    return `cites ${shorten([...names].join(", "))}, not ${String(source)}`;
  });
}

function readCitations({ citations, sources, text }: RunResult<unknown>) {
  return citations.map((citation) => ({
    text: citation.text,
    isTrue: citation.text.trim() !== "" && text.slice(citation.start, citation.end) === citation.text,
    sources: sources.filter(({ number }) => citation.sources.includes(number)),
  }));
}

function isSource({ uri, title, chunk }: Source, wanted: string | RegExp): boolean {
  const names = [uri, title, documentName(chunk)].filter((name) => name !== undefined);
  if (typeof wanted !== "string") return names.some((name) => name.search(wanted) !== -1);
  return names.some((name) => name.toLowerCase().includes(wanted.toLowerCase()));
}

/** The document name in a grounding chunk of File Search. */
function documentName(chunk: unknown): string | undefined {
  // Chunks are JSON objects of the service; an unknown kind has no document name.
  const { documentName: name } = (chunk as { retrievedContext?: { documentName?: unknown } }).retrievedContext ?? {};
  return typeof name === "string" ? name : undefined;
}
