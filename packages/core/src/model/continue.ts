import { AgentError } from "../errors/agent-error.ts";
import { ApiNetworkError, ApiTimeoutError } from "../errors/api-errors.ts";
import { SILENT, type Logger } from "../logging/logger.ts";
import type { Part } from "../wire/content.ts";
import type { GenerateContentResponse } from "../wire/generate-content.ts";
import { collectResponse, ResponseFold } from "./collect-response.ts";
import { classifyFinish } from "./finish-reason.ts";
import { mergeHops } from "./merge-hops.ts";
import type { ModelResponse } from "./model.ts";

/** Most requests that one answer may take. */
const MAX_HOPS = 64;
/** Most broken streams in a row that brought nothing new. */
const MAX_IDLE_RECONNECTS = 3;

/** Sends the request, with a token to go on from; each batch holds chunks. */
export type Ask = (continuationToken: string | undefined) => AsyncIterable<readonly GenerateContentResponse[]>;

/**
 * One answer, over as many requests as it takes.
 *
 * Gemini 4 ends a long answer's request with `CONTINUATION` and a token; the same request with that token goes on. A
 * stream that breaks goes on from its last token as well, unless parts came after that token: they would come again.
 *
 * @returns The whole answer; its finish reason is `CONTINUATION` when it is longer than 64 requests.
 * @throws What the last request threw, or {@link StreamIncompleteError}.
 */
export async function* collectWithContinuation(
  ask: Ask,
  logger: Logger = SILENT,
): AsyncGenerator<readonly Part[], ModelResponse, void> {
  let answer: ModelResponse | undefined;
  let token: string | undefined;
  let idle = 0;
  for (let hop = 1; ; hop++) {
    const fold = new CheckpointFold();
    let failure: { readonly error: unknown } | undefined;
    try {
      yield* collectResponse(ask(token), fold);
    } catch (error) {
      // After its last word an answer is whole, however the connection ends.
      const isWhole = fold.finished && (error instanceof ApiNetworkError || error instanceof ApiTimeoutError);
      if (!isWhole) failure = { error };
    }
    const next = fold.token;
    if (failure !== undefined) {
      idle = next === undefined || next === token ? idle + 1 : 0;
      if (hop >= MAX_HOPS || idle > MAX_IDLE_RECONNECTS || !canResume(failure.error, fold, token)) throw failure.error;
      logger.warn({ hop, error: messageOf(failure.error) }, "the stream broke; going on from its last checkpoint");
      // A hop that brought nothing is as if it had not been.
      if (next === undefined) continue;
    }
    const response = fold.partial();
    answer = answer === undefined ? response : mergeHops(answer, response);
    token = next ?? token;
    const goesOn =
      failure !== undefined || (next !== undefined && classifyFinish(response.finishReason) === "continuation");
    if (!goesOn || hop >= MAX_HOPS) return answer;
    logger.debug({ hop, finishReason: response.finishReason }, "the answer goes on in another request");
  }
}

/** Knows whether parts came after the last token. */
class CheckpointFold extends ResponseFold {
  partsAfterToken = false;

  override add(chunk: GenerateContentResponse): readonly Part[] {
    const parts = super.add(chunk);
    const hasToken = chunk.candidates?.some(({ continuationToken }) => continuationToken !== undefined) === true;
    this.partsAfterToken =
      !hasToken && (this.partsAfterToken || (chunk.candidates?.[0]?.content?.parts?.length ?? 0) > 0);
    return parts;
  }
}

function canResume(error: unknown, fold: CheckpointFold, token: string | undefined): boolean {
  if (!(error instanceof AgentError) || !error.retryable || fold.finished || fold.partsAfterToken) return false;
  return fold.token !== undefined || token !== undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
