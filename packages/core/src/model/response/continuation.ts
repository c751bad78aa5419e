import { type AgentError, messageOf } from "../../errors/agent-error.ts";
import { StreamIncompleteError } from "../../errors/api-errors.ts";
import { present } from "../../internal/json.ts";
import { utf8Length } from "../../internal/text.ts";
import { SILENT } from "../../logging/logger.ts";
import type { Part } from "../../wire/types/content.ts";
import type { CitationMetadata, GroundingMetadata, GroundingSupport } from "../../wire/types/generate-content.ts";
import { type AnswerSource, classifyFinish, listParts, mergeFields, ResponseFold } from "./fold.ts";
import type { ModelResponse } from "../model.ts";
import { addUsage, foldUsage } from "../usage.ts";
import { PartCollector, visibleText } from "./parts.ts";

/** Most requests that one answer may take. */
export const MAX_REQUESTS = 64;
/** Most broken streams in a row without a new checkpoint. */
const MAX_IDLE_RECONNECTS = 3;

/**
 * Completes an answer whose first request ended with a continuation token, over as many requests as it takes. Gemini 4 ends a request of a
 * long answer with `CONTINUATION` and a token, or with `MAX_TOKENS` unless the request sets `maxOutputTokens`; the same request with that
 * token continues it. A broken stream resumes from its last token, too: the parts received after it are dropped.
 * @returns The whole answer; its finish reason is `CONTINUATION` when it takes more than 64 requests, or has no new token.
 * @throws What the last request threw; {@link StreamIncompleteError} with the partial answer after four broken streams without a new token.
 */
export async function continueAnswer(
  source: AnswerSource,
  segment: ResponseFold,
  failure: AgentError | undefined,
): Promise<ModelResponse> {
  const { logger = SILENT } = source;
  /** Parts of every valid chunk, in order, to rebuild the collector from. */
  const kept: (readonly Part[])[] = [];
  let { collector } = segment;
  let answer: ModelResponse | undefined;
  let token: string | undefined;
  let idle = 0;
  let isUnderestimate = false;
  for (let requests = 1; ; requests++) {
    if (requests > 1) {
      segment = new ResponseFold(collector);
      failure = await segment.read(source, token);
    }
    const { chunks } = segment;
    const isProgress = segment.token !== undefined && segment.token !== token;

    if (failure !== undefined) {
      const reason = messageOf(failure);
      const checkpoint = isProgress ? segment.checkpoint : 0;
      // Parts after the checkpoint cannot be removed one by one: an open call may already contain pieces of them.
      if (checkpoint < chunks.length) {
        collector = new PartCollector();
        const before = kept.flatMap((parts) => collector.add(parts));
        segment = new ResponseFold(collector);
        const since = segment.addAll(chunks.slice(0, checkpoint));
        if (chunks.slice(checkpoint).some((chunk) => listParts(chunk).length > 0)) {
          source.onRewind(reason);
          if (before.length + since.length > 0) await source.onParts?.([...before, ...since]);
        }
      }
      idle = isProgress ? 0 : idle + 1;
      if (requests >= MAX_REQUESTS || idle > MAX_IDLE_RECONNECTS)
        throw new StreamIncompleteError(
          `The answer kept being interrupted (${requests} requests; last: ${reason}); what arrived is in the error's partial.`,
          { cause: failure, partial: segment.partial().content },
        );
      logger.warn({ requests, error: reason }, "the stream broke; resuming from its last checkpoint");
      // Without a new checkpoint the request added nothing, but it was billed.
      isUnderestimate ||= !isProgress;
      if (!isProgress) continue;
    }

    const response = segment.partial();
    answer = answer === undefined ? response : mergeSegments(answer, response, segment);
    const finish = classifyFinish(response.finishReason);
    // The service's own limit cut it off.
    const isCutOff = finish === "truncated" && source.maxOutputTokens === undefined;
    const goesOn = isCutOff && segment.chunks.some((chunk) => listParts(chunk).length > 0);
    const hasMore = failure !== undefined || (isProgress && (finish === "continuation" || goesOn));
    if (!hasMore || requests >= MAX_REQUESTS)
      return isUnderestimate ? { ...answer, usage: { ...answer.usage, incomplete: true } } : answer;
    // One by one: as arguments of one call, the chunks of a long answer would overflow the stack.
    for (const chunk of segment.chunks) kept.push(listParts(chunk));
    ({ token } = segment);
    if (failure === undefined) idle = 0;
    logger.debug({ requests, finishReason: response.finishReason }, "the answer continues in another request");
  }
}

/** Offsets that make a later segment's grounding and citations count from the start of the whole answer. */
interface Shift {
  readonly chunks: number;
  readonly rendered: number;
  readonly bytes: number;
  readonly parts: number;
}

/** Merges another segment into an answer: usage is summed except for the context's size; grounding and citations are joined and shifted. */
function mergeSegments(first: ModelResponse, next: ModelResponse, segment: ResponseFold): ModelResponse {
  const { continuationToken: _token, finishReason: _reason, finishMessage: _message, ...earlier } = first.candidate;
  // The parts of the last segment alone.
  const own = new PartCollector();
  for (const chunk of segment.chunks) own.add(listParts(chunk));
  const shift: Shift = {
    chunks: first.candidate.groundingMetadata?.groundingChunks?.length ?? 0,
    rendered: first.candidate.groundingMetadata?.renderedParts?.length ?? 0,
    bytes: utf8Length(visibleText(first.content)),
    parts: next.content.parts.length - own.parts().length,
  };
  const grounding = mergeGrounding(first.candidate.groundingMetadata, next.candidate.groundingMetadata, shift);
  const citations = mergeCitations(first.candidate.citationMetadata, next.candidate.citationMetadata, shift);
  const [used, added] = [first.envelope.usageMetadata, next.envelope.usageMetadata];
  const usageMetadata = used && added ? foldUsage(used, added) : (added ?? used);
  const pages = [first, next].flatMap(({ candidate }) => candidate.urlContextMetadata?.urlMetadata ?? []);
  return {
    ...next,
    content: { ...first.content, ...next.content },
    usage: { ...addUsage(first.usage, next.usage), contextTokens: first.usage.contextTokens },
    candidate: {
      ...mergeFields(earlier, next.candidate),
      ...present({ groundingMetadata: grounding, citationMetadata: citations }),
      ...(pages.length > 0 && { urlContextMetadata: { ...next.candidate.urlContextMetadata, urlMetadata: pages } }),
    },
    envelope: { ...mergeFields(first.envelope, next.envelope), ...(usageMetadata && { usageMetadata }) },
  };
}

const JOINED = [
  "webSearchQueries",
  "imageSearchQueries",
  "retrievalQueries",
  "groundingChunks",
  "renderedParts",
  "groundingSupports",
] as const;

function mergeGrounding(
  before: GroundingMetadata | undefined,
  after: GroundingMetadata | undefined,
  shift: Shift,
): GroundingMetadata | undefined {
  if (after === undefined) return before;
  const groundingSupports = after.groundingSupports?.map((support) => shiftSupport(support, shift));
  const lists = joinLists(before ?? {}, { ...after, groundingSupports }, JOINED);
  return { ...mergeFields(before ?? {}, after), ...lists };
}

function mergeCitations(
  before: CitationMetadata | undefined,
  after: CitationMetadata | undefined,
  { bytes }: Shift,
): CitationMetadata | undefined {
  if (before === undefined && after === undefined) return undefined;
  const shifted = {
    citationSources: after?.citationSources?.map((source) => shiftRange(source, bytes)),
    citations: after?.citations?.map((source) => shiftRange(source, bytes)),
  };
  return { ...before, ...after, ...joinLists(before ?? {}, shifted, ["citationSources", "citations"]) };
}

/** The lists with these names, concatenated; empty ones are left out. */
function joinLists<Lists extends object>(before: Lists, after: Lists, names: readonly (keyof Lists)[]): Partial<Lists> {
  const joined = names.map((name) => [name, [before[name] ?? [], after[name] ?? []].flat()] as const);
  // Each list has the elements of both, so its type is theirs.
  return Object.fromEntries(joined.filter(([, entries]) => entries.length > 0)) as Partial<Lists>;
}

/** Offsets count from the start of the visible text, or of the part if a later one is named. */
function shiftSupport(support: GroundingSupport, shift: Shift): GroundingSupport {
  const { segment, groundingChunkIndices, renderedParts } = support;
  const inPart = segment?.partIndex !== undefined && segment.partIndex > 0;
  return present({
    ...support,
    groundingChunkIndices: groundingChunkIndices?.map((index) => index + shift.chunks),
    renderedParts: renderedParts?.map((index) => index + shift.rendered),
    segment: inPart
      ? { ...segment, partIndex: segment.partIndex + shift.parts }
      : segment && shiftRange(segment, shift.bytes),
  });
}

type ByteRange = { readonly startIndex?: number | undefined; readonly endIndex?: number | undefined };

function shiftRange<Range extends ByteRange>(range: Range, bytes: number): Range {
  return { ...range, startIndex: (range.startIndex ?? 0) + bytes, endIndex: (range.endIndex ?? 0) + bytes };
}
