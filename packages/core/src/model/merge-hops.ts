import type { CitationMetadata, GroundingMetadata, GroundingSupport } from "../wire/types/generate-content.ts";
import type { ModelResponse } from "./model.ts";
import { addUsage } from "./usage.ts";

/**
 * One response out of the hops of one answer.
 *
 * Usage is summed, for every hop is billed; how full the context is, is what the first hop says. Grounding of later hops
 * and citations of later hops are counted from the start of the whole answer. Everything else is the last hop's, or that
 * of the last which had it.
 *
 * @param next - Of the last hop, with the parts of the whole answer.
 * @param ownParts - How many parts the last hop alone has.
 */
export function mergeHops(first: ModelResponse, next: ModelResponse, ownParts: number): ModelResponse {
  const { continuationToken: _token, finishReason: _reason, finishMessage: _message, ...earlier } = first.candidate;
  const shift: Shift = {
    chunks: first.candidate.groundingMetadata?.groundingChunks?.length ?? 0,
    bytes: new TextEncoder().encode(visibleText(first)).length,
    parts: next.content.parts.length - ownParts,
  };
  const grounding = mergeGrounding(first.candidate.groundingMetadata, next.candidate.groundingMetadata, shift);
  const citations = mergeCitations(first.candidate.citationMetadata, next.candidate.citationMetadata, shift);
  const pages = [first, next].flatMap(({ candidate }) => candidate.urlContextMetadata?.urlMetadata ?? []);
  const { finishMessage } = next;
  return {
    content: { ...first.content, ...next.content },
    finishReason: next.finishReason,
    ...(finishMessage !== undefined && { finishMessage }),
    usage: { ...addUsage(first.usage, next.usage), contextTokens: first.usage.contextTokens },
    candidate: {
      ...earlier,
      ...next.candidate,
      ...(grounding && { groundingMetadata: grounding }),
      ...(citations && { citationMetadata: citations }),
      ...(pages.length > 0 && {
        urlContextMetadata: { ...next.candidate.urlContextMetadata, urlMetadata: pages },
      }),
    },
    envelope: { ...first.envelope, ...next.envelope },
  };
}

function visibleText({ content }: ModelResponse): string {
  return content.parts.map((part) => (part.thought === true ? "" : (part.text ?? ""))).join("");
}

function mergeGrounding(
  before: GroundingMetadata | undefined,
  after: GroundingMetadata | undefined,
  shift: Shift,
): GroundingMetadata | undefined {
  if (after === undefined) return before;
  return {
    ...before,
    ...after,
    ...both("webSearchQueries", before, after),
    ...both("imageSearchQueries", before, after),
    ...both("retrievalQueries", before, after),
    ...both("groundingChunks", before, after),
    ...(after.groundingSupports && {
      groundingSupports: [
        ...(before?.groundingSupports ?? []),
        ...after.groundingSupports.map((support) => moved(support, shift)),
      ],
    }),
  };
}

type ListName = "webSearchQueries" | "imageSearchQueries" | "retrievalQueries" | "groundingChunks";

function both(name: ListName, before: GroundingMetadata | undefined, after: GroundingMetadata): GroundingMetadata {
  const values = [...(before?.[name] ?? []), ...(after[name] ?? [])];
  return values.length > 0 ? { [name]: values } : {};
}

interface Shift {
  readonly chunks: number;
  readonly bytes: number;
  readonly parts: number;
}

function mergeCitations(
  before: CitationMetadata | undefined,
  after: CitationMetadata | undefined,
  { bytes }: Shift,
): CitationMetadata | undefined {
  if (before === undefined && after === undefined) return undefined;
  const list = (name: "citationSources" | "citations"): CitationMetadata => {
    const later = after?.[name]?.map((source) => ({
      ...source,
      startIndex: (source.startIndex ?? 0) + bytes,
      endIndex: (source.endIndex ?? 0) + bytes,
    }));
    const values = [...(before?.[name] ?? []), ...(later ?? [])];
    return values.length > 0 ? { [name]: values } : {};
  };
  return { ...before, ...after, ...list("citationSources"), ...list("citations") };
}

/** Offsets count over the visible text, unless they name a later part, from whose start they count then. */
function moved(support: GroundingSupport, shift: Shift): GroundingSupport {
  const { segment, groundingChunkIndices } = support;
  const inPart = segment?.partIndex !== undefined && segment.partIndex > 0;
  return {
    ...support,
    ...(groundingChunkIndices && { groundingChunkIndices: groundingChunkIndices.map((index) => index + shift.chunks) }),
    ...(segment && {
      segment: inPart
        ? { ...segment, partIndex: (segment.partIndex ?? 0) + shift.parts }
        : {
            ...segment,
            startIndex: (segment.startIndex ?? 0) + shift.bytes,
            endIndex: (segment.endIndex ?? 0) + shift.bytes,
          },
    }),
  };
}
