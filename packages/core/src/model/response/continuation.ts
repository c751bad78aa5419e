import { AgentError, messageOf } from "../../errors/agent-error.ts";
import { ApiNetworkError, ApiTimeoutError, StreamIncompleteError } from "../../errors/api-errors.ts";
import { type Logger, SILENT } from "../../logging/logger.ts";
import type { AnswerStream } from "../../wire/http/read-answers.ts";
import type { Part } from "../../wire/types/content.ts";
import type { CitationMetadata, GroundingMetadata, GroundingSupport } from "../../wire/types/generate-content.ts";
import { classifyFinish } from "../finish-reason.ts";
import type { ModelResponse } from "../model.ts";
import { addUsage } from "../usage.ts";
import { listParts, ResponseFold } from "./fold.ts";
import { PartCollector, visibleText } from "./parts.ts";

/** Most requests that one answer may take. */
export const MAX_REQUESTS = 64;
/** Most broken streams in a row that brought no new checkpoint. */
const MAX_IDLE_RECONNECTS = 3;

/** Sends the requests of one answer, and is told what comes of them. */
export interface AnswerSource {
  /** Sends the request, with a token to go on from. */
  open(continuationToken: string | undefined): Promise<AnswerStream>;
  /** Takes the parts of each batch; a promise is awaited before the next one. */
  readonly onParts?: ((parts: readonly Part[]) => void | Promise<void>) | undefined;
  /** Set once there were parts. */
  isBegun?: boolean;
  /** All that was handed on so far is void: what is left of it comes again, and the answer goes on from there. */
  onRewind(reason: string): void;
  readonly logger?: Logger | undefined;
}

/**
 * One answer, over as many requests as it takes.
 *
 * Gemini 4 ends a long answer's request with `CONTINUATION` and a token; the same request with that token goes on. A
 * stream that breaks goes on from its last token as well. Parts that came after that token come again, so they are
 * dropped.
 *
 * @returns The whole answer; its finish reason is `CONTINUATION` when it is longer than 64 requests, or when the service
 *   gave no new token to go on with. A token beside `MAX_TOKENS` is left in the candidate: that limit is the caller's.
 * @throws What the last request threw; {@link StreamIncompleteError} with what had come, when the answer had a token and
 *   four streams in a row brought no new one.
 */
export async function collectWithContinuation(source: AnswerSource): Promise<ModelResponse> {
  const { logger = SILENT } = source;
  /** Parts of every chunk that counts, in order, to begin anew from. */
  const kept: (readonly Part[])[] = [];
  let collector = new PartCollector();
  let answer: ModelResponse | undefined;
  let token: string | undefined;
  let idle = 0;
  let isUnderestimate = false;
  for (let requests = 1; ; requests++) {
    let segment = new ResponseFold(collector);
    let failure: { readonly error: unknown } | undefined;
    let stream: AnswerStream | undefined;
    try {
      stream = await source.open(token);
      for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
        const parts = segment.addAll(batch);
        if (parts.length === 0) continue;
        source.isBegun = true;
        const reading = source.onParts?.(parts);
        if (reading !== undefined) await reading;
      }
      segment.checkFinished();
    } catch (error) {
      // After its last word an answer is whole, however the connection ends.
      const isWhole = segment.finished && (error instanceof ApiNetworkError || error instanceof ApiTimeoutError);
      if (!isWhole) failure = { error };
    } finally {
      stream?.close();
    }
    const next = segment.token;
    const isProgress = next !== undefined && next !== token;

    if (failure !== undefined) {
      if (!canResume(failure.error, segment, next ?? token)) throw failure.error;
      const { chunks } = segment;
      const checkpoint = isProgress ? segment.checkpoint : 0;
      // Rebuilt from what came up to the checkpoint: an open call cannot be taken back piece by piece.
      if (checkpoint < chunks.length) {
        collector = new PartCollector();
        const before = kept.flatMap((parts) => collector.add(parts));
        const wasSeen = segment.partsAfter(checkpoint);
        segment = new ResponseFold(collector);
        const since = segment.addAll(chunks.slice(0, checkpoint));
        if (wasSeen) {
          source.onRewind(messageOf(failure.error));
          if (before.length + since.length > 0) await source.onParts?.([...before, ...since]);
        }
      }
      idle = isProgress ? 0 : idle + 1;
      if (requests >= MAX_REQUESTS || idle > MAX_IDLE_RECONNECTS)
        throw incompleteError(failure.error, requests, segment);
      logger.warn({ requests, error: messageOf(failure.error) }, "the stream broke; resuming from its last checkpoint");
      // It is as if this request had not been, but for what it cost.
      isUnderestimate ||= !isProgress;
      if (!isProgress) continue;
    }

    const response = segment.partial();
    answer = answer === undefined ? response : mergeSegments(answer, response, segment.countOwnParts());
    const goesOn = failure !== undefined || (isProgress && classifyFinish(response.finishReason) === "continuation");
    if (!goesOn || requests >= MAX_REQUESTS)
      return isUnderestimate ? { ...answer, usage: { ...answer.usage, incomplete: true } } : answer;
    for (const chunk of segment.chunks) kept.push(listParts(chunk));
    token = next;
    if (failure === undefined) idle = 0;
    logger.debug({ requests, finishReason: response.finishReason }, "the answer continues in another request");
  }
}

function canResume(error: unknown, segment: ResponseFold, token: string | undefined): boolean {
  return token !== undefined && !segment.finished && error instanceof AgentError && error.retryable;
}

function incompleteError(cause: unknown, requests: number, segment: ResponseFold): StreamIncompleteError {
  const partial = segment.partial().content;
  return new StreamIncompleteError(
    `The answer kept being interrupted (${requests} requests; last: ${messageOf(cause)}); what arrived is in the error's partial.`,
    { cause, partial },
  );
}

/**
 * One response out of the segments of one answer.
 *
 * Usage is summed, for every segment is billed; how full the context is, is what the first segment says. Grounding of later segments
 * and citations of later segments are counted from the start of the whole answer. Everything else is the last segment's, or that
 * of the last which had it.
 *
 * @param next - Of the last segment, with the parts of the whole answer.
 * @param ownParts - How many parts the last segment alone has.
 */
function mergeSegments(first: ModelResponse, next: ModelResponse, ownParts: number): ModelResponse {
  const { continuationToken: _token, finishReason: _reason, finishMessage: _message, ...earlier } = first.candidate;
  const shift: Shift = {
    chunks: first.candidate.groundingMetadata?.groundingChunks?.length ?? 0,
    bytes: new TextEncoder().encode(visibleText(first.content)).length,
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
      ...(pages.length > 0 && { urlContextMetadata: { ...next.candidate.urlContextMetadata, urlMetadata: pages } }),
    },
    envelope: { ...first.envelope, ...next.envelope },
  };
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
    ...concatenate("webSearchQueries", before, after),
    ...concatenate("imageSearchQueries", before, after),
    ...concatenate("retrievalQueries", before, after),
    ...concatenate("groundingChunks", before, after),
    ...(after.groundingSupports && {
      groundingSupports: [
        ...(before?.groundingSupports ?? []),
        ...after.groundingSupports.map((support) => shiftSupport(support, shift)),
      ],
    }),
  };
}

type ListName = "webSearchQueries" | "imageSearchQueries" | "retrievalQueries" | "groundingChunks";

function concatenate(
  name: ListName,
  before: GroundingMetadata | undefined,
  after: GroundingMetadata,
): GroundingMetadata {
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
function shiftSupport(support: GroundingSupport, shift: Shift): GroundingSupport {
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
