import type { GroundingMetadata } from "../wire/generate-content.ts";

/** A page that a scripted answer rests on. */
export interface GroundedSource {
  readonly uri: string;
  readonly title?: string | undefined;
  /** Texts of the answer that the page supports, word for word. @defaultValue the whole answer */
  readonly supports?: readonly string[] | undefined;
}

/**
 * Grounding metadata as the service would send it for this text: byte offsets, zero left out, one support for each text.
 *
 * @throws {TypeError} When a source supports something that the text does not hold.
 */
export function groundingOf(
  text: string,
  sources: readonly GroundedSource[],
  queries: readonly string[],
): GroundingMetadata {
  const chunksOf = new Map<string, number[]>();
  for (const [chunk, { supports = [text] }] of sources.entries()) {
    for (const segment of supports) chunksOf.set(segment, [...(chunksOf.get(segment) ?? []), chunk]);
  }
  return {
    webSearchQueries: queries,
    searchEntryPoint: { renderedContent: `<p>${queries.join(", ")}</p>` },
    groundingChunks: sources.map(({ uri, title }) => ({ web: { uri, title: title ?? new URL(uri).hostname } })),
    groundingSupports: [...chunksOf].map(([segment, groundingChunkIndices]) => ({
      segment: segmentOf(text, segment),
      groundingChunkIndices,
    })),
  };
}

function segmentOf(
  whole: string,
  text: string,
): { readonly startIndex?: number; readonly endIndex: number; readonly text: string } {
  const index = whole.indexOf(text);
  if (index === -1) throw new TypeError(`a source supports ${JSON.stringify(text)}, which the answer does not say`);
  const encoder = new TextEncoder();
  const startIndex = encoder.encode(whole.slice(0, index)).length;
  const endIndex = startIndex + encoder.encode(text).length;
  return startIndex === 0 ? { endIndex, text } : { startIndex, endIndex, text };
}
