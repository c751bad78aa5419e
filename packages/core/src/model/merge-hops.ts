import type { Part } from "../wire/content.ts";
import type { GroundingMetadata, GroundingSupport } from "../wire/generate-content.ts";
import { PartGatherer } from "./append-parts.ts";
import type { ModelResponse } from "./model.ts";
import { addUsage } from "./usage.ts";

/**
 * One response out of the hops of one answer.
 *
 * Usage is summed, for every hop is billed; how full the context is, is what the first hop says. Grounding of later hops
 * is counted from the start of the whole answer. Everything else is the last hop's, or that of the last which had it.
 */
export function mergeHops(first: ModelResponse, next: ModelResponse): ModelResponse {
  const { continuationToken: _token, finishReason: _reason, finishMessage: _message, ...earlier } = first.candidate;
  const grounding = mergeGrounding(first, next);
  const { finishMessage } = next;
  return {
    content: { ...first.content, ...next.content, parts: joinParts(first.content.parts, next.content.parts) },
    finishReason: next.finishReason,
    ...(finishMessage !== undefined && { finishMessage }),
    usage: { ...addUsage(first.usage, next.usage), contextTokens: first.usage.contextTokens },
    candidate: { ...earlier, ...next.candidate, ...(grounding && { groundingMetadata: grounding }) },
    envelope: { ...first.envelope, ...next.envelope },
  };
}

function joinParts(first: readonly Part[], next: readonly Part[]): Part[] {
  const gatherer = new PartGatherer();
  gatherer.add(first);
  gatherer.add(next);
  return gatherer.parts();
}

function mergeGrounding(first: ModelResponse, next: ModelResponse): GroundingMetadata | undefined {
  const { groundingMetadata: before } = first.candidate;
  const { groundingMetadata: after } = next.candidate;
  if (after === undefined) return before;
  const chunks = before?.groundingChunks ?? [];
  const shift = { chunks: chunks.length, ...textBefore(first, next) };
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

function textBefore({ content }: ModelResponse, next: ModelResponse): Pick<Shift, "bytes" | "parts"> {
  const text = content.parts.map((part) => (part.thought === true ? "" : (part.text ?? ""))).join("");
  const joined = joinParts(content.parts, next.content.parts).length;
  return { bytes: new TextEncoder().encode(text).length, parts: joined - next.content.parts.length };
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
