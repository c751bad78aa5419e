import { AgentError } from "../errors/agent-error.ts";
import { ApiNetworkError, ApiTimeoutError, StreamIncompleteError } from "../errors/api-errors.ts";
import { SILENT, type Logger } from "../logging/logger.ts";
import type { Part } from "../wire/types/content.ts";
import type { GenerateContentResponse } from "../wire/types/generate-content.ts";
import type { AnswerStream } from "../wire/http/read-answers.ts";
import { PartGatherer } from "./append-parts.ts";
import { candidateOf } from "./collect-response.ts";
import { classifyFinish } from "./finish-reason.ts";
import { Hop } from "./hop.ts";
import { mergeHops } from "./merge-hops.ts";
import type { ModelResponse } from "./model.ts";

/** Most requests that one answer may take. */
const MAX_HOPS = 64;
/** Most broken streams in a row that brought no new checkpoint. */
const MAX_IDLE_RECONNECTS = 3;

/** Sends the requests of one answer, and is told what comes of them. */
export interface AnswerSource {
  /** Sends the request, with a token to go on from. */
  open(continuationToken: string | undefined): Promise<AnswerStream>;
  /** Takes the parts of each batch; a promise is awaited before the next one. */
  onParts(parts: readonly Part[]): void | Promise<void>;
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
  let gatherer = new PartGatherer();
  let answer: ModelResponse | undefined;
  let token: string | undefined;
  let idle = 0;
  let isUnderestimate = false;
  for (let requests = 1; ; requests++) {
    let hop = new Hop(gatherer);
    let failure: { readonly error: unknown } | undefined;
    let stream: AnswerStream | undefined;
    try {
      stream = await source.open(token);
      for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
        const parts = hop.addAll(batch);
        const reading = parts.length > 0 ? source.onParts(parts) : undefined;
        if (reading !== undefined) await reading;
      }
      hop.checkFinished();
    } catch (error) {
      // After its last word an answer is whole, however the connection ends.
      const isWhole = hop.finished && (error instanceof ApiNetworkError || error instanceof ApiTimeoutError);
      if (!isWhole) failure = { error };
    } finally {
      stream?.close();
    }
    const next = hop.token;
    const isProgress = next !== undefined && next !== token;

    if (failure !== undefined) {
      if (!canResume(failure.error, hop, next ?? token)) throw failure.error;
      const { chunks } = hop;
      const checkpoint = isProgress ? hop.checkpoint : 0;
      // Rebuilt from what came up to the checkpoint: an open call cannot be taken back piece by piece.
      if (checkpoint < chunks.length) {
        gatherer = new PartGatherer();
        const before = kept.flatMap((parts) => gatherer.add(parts));
        const wasSeen = hop.partsAfter(checkpoint);
        hop = new Hop(gatherer);
        const since = chunks.slice(0, checkpoint).flatMap((chunk) => hop.add(chunk));
        if (wasSeen) {
          source.onRewind(messageOf(failure.error));
          if (before.length + since.length > 0) await source.onParts([...before, ...since]);
        }
      }
      idle = isProgress ? 0 : idle + 1;
      if (requests >= MAX_HOPS || idle > MAX_IDLE_RECONNECTS) {
        throw givenUp(failure.error, requests, hop);
      }
      logger.warn({ requests, error: messageOf(failure.error) }, "the stream broke; going on from its last checkpoint");
      // It is as if this request had not been, but for what it cost.
      isUnderestimate ||= !isProgress;
      if (!isProgress) continue;
    }

    const response = hop.partial();
    answer = answer === undefined ? response : mergeHops(answer, response, hop.ownParts());
    const goesOn = failure !== undefined || (isProgress && classifyFinish(response.finishReason) === "continuation");
    if (!goesOn || requests >= MAX_HOPS)
      return isUnderestimate ? { ...answer, usage: { ...answer.usage, incomplete: true } } : answer;
    for (const chunk of hop.chunks) kept.push(partsOf(chunk));
    token = next;
    if (failure === undefined) idle = 0;
    logger.debug({ requests, finishReason: response.finishReason }, "the answer goes on in another request");
  }
}

function partsOf(chunk: GenerateContentResponse): readonly Part[] {
  return candidateOf(chunk)?.content?.parts ?? [];
}

function canResume(error: unknown, hop: Hop, token: string | undefined): boolean {
  return token !== undefined && !hop.finished && error instanceof AgentError && error.retryable;
}

function givenUp(cause: unknown, requests: number, hop: Hop): StreamIncompleteError {
  const partial = hop.partial().content;
  return new StreamIncompleteError(
    `The answer broke off again and again (${requests} requests; last: ${messageOf(cause)}); what had come is in the error's partial.`,
    { cause, partial },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
