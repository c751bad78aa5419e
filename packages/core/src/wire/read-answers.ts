import { ApiShapeError } from "../errors/api-errors.ts";
import type { GenerateContentResponse } from "./generate-content.ts";
import { parseAnswers } from "./parse.ts";
import type { Sent } from "./send.ts";
import { SseDecoder } from "./sse.ts";
import { embeddedError } from "./status-error.ts";

/**
 * Body of a stream → chunks, one list per read from the network. Takes event streams and bare JSON, whatever the
 * content type says. What came before an error is yielded before the error is thrown.
 *
 * @throws {ApiStatusError} For an error object among the chunks.
 * @throws {ApiShapeError} For a chunk that is not as documented, and for a web page.
 */
export async function* readAnswers(
  sent: Sent,
  maxBufferBytes: number,
): AsyncGenerator<readonly GenerateContentResponse[], void, void> {
  const { exchange } = sent;
  const decoder = new SseDecoder({ maxBufferBytes });
  let events = 0;
  try {
    for (;;) {
      const bytes = await exchange.read();
      const texts = bytes ? decoder.push(bytes) : decoder.end();
      if (texts.length > 0) {
        events += texts.length;
        const answers: GenerateContentResponse[] = [];
        try {
          readBatch(texts, sent, answers);
        } finally {
          if (answers.length > 0) yield answers;
        }
      }
      if (bytes === undefined) break;
    }
    if (events === 0 && decoder.leftover.startsWith("<")) {
      throw new ApiShapeError(
        "The answer is a web page, not a stream; check that the base URL is a Gemini API.",
        "$",
        decoder.leftover,
      );
    }
  } catch (error) {
    throw sent.clean(error);
  } finally {
    sent.finish();
  }
}

/** Adds to `answers` until one is an error, and throws that. */
function readBatch(texts: readonly string[], sent: Sent, answers: GenerateContentResponse[]): void {
  for (const text of texts) {
    sent.trace(text);
    for (const { response, error } of parseAnswers(text)) {
      if (response === undefined) throw embeddedError(error, sent.failure);
      answers.push(response);
    }
  }
}
