import { AgentError, ApiStatusError } from "@pollux/core";
import { GeminiClient, type GenerateContentResponse } from "@pollux/core/wire";
import { type Check, difference, excerpt } from "../check.ts";
import { expectedError } from "../expected-error.ts";
import { chunksBeforeError, INSIDE, NOT_WHOLE, readAnswer, wholeChunksOf } from "../plain-fold.ts";
import { asRecorded, endpointOf, recordedFetch } from "../recorded-fetch.ts";
import { type Exchange, isAnswered, isStream, type Json, modelOf, type Recording } from "../recordings.ts";

/** The client must read answers from a body, or throw the matching error. */
export const parse: Check = {
  id: "parse",
  claim: "each body becomes the answers it holds, or an error with the service's status, words and wait",
  compares: "what the client returns or throws for each body",
  against: "the body, read by JSON.parse, and a second reading of errors",
  async run(recording, tally): Promise<void> {
    for (const [index, exchange] of recording.exchanges.entries()) {
      const read = readAnswer(exchange);
      if (!("without" in read))
        tally.compare(recording.file, index, await checkAnswer(recording, exchange, read.chunks));
      else if (read.without.startsWith("another method")) tally.skip(read.without);
      else if (read.without === NOT_WHOLE) tally.compare(recording.file, index, await checkCut(recording, exchange));
      else {
        // A refusal has no framing, so it looks the same for all transports.
        const operations = isAnswered(exchange) ? [isStream(exchange)] : [false, true];
        for (const stream of operations)
          tally.compare(recording.file, index, await checkRefusal(recording, exchange, stream));
        if (read.without === INSIDE && chunksBeforeError(exchange).length > 0)
          tally.count("errors in the middle of a stream");
      }
    }
  },
};

async function checkAnswer(
  recording: Recording,
  exchange: Exchange,
  chunks: readonly Json[],
): Promise<string | undefined> {
  let answers: readonly GenerateContentResponse[];
  try {
    answers = await ask(recording, exchange, isStream(exchange));
  } catch (error) {
    return `threw ${String(error)}`;
  }
  const counted = exchange.digest?.objects ?? chunks.length;
  if (answers.length !== counted) return `${answers.length} answers, the digest counts ${counted}`;
  return difference(answers, chunks.map(withWords));
}

async function checkRefusal(recording: Recording, exchange: Exchange, stream: boolean): Promise<string | undefined> {
  let error: unknown;
  const answers: GenerateContentResponse[] = [];
  try {
    return `read as an answer: ${excerpt(await ask(recording, exchange, stream, answers))}`;
  } catch (caught) {
    error = caught;
  }
  if (!(error instanceof ApiStatusError)) return `threw ${String(error)} instead of an ApiStatusError`;
  const { status, reason, retryable, retryAfterMs, details } = error;
  const hasReset = error.resetsAt !== undefined;
  const expected = expectedError(exchange, isAnswered(exchange));
  const wrong = difference({ status, reason, retryable, retryAfterMs, hasReset, details }, expected.error);
  if (wrong !== undefined) return wrong;
  const lost = isAnswered(exchange) ? difference(answers, chunksBeforeError(exchange).map(withWords)) : undefined;
  if (lost !== undefined) return `before the error: ${lost}`;
  return error.message.includes(expected.words)
    ? undefined
    : `the message is ${excerpt(error.message)}, recorded ${excerpt(expected.words)}`;
}

/** From a cut-off or damaged body, the client must read the whole chunks, then throw its own error. */
async function checkCut(recording: Recording, exchange: Exchange): Promise<string | undefined> {
  try {
    const answers = await ask(recording, exchange, isStream(exchange));
    return isStream(exchange)
      ? difference(answers, wholeChunksOf(exchange).map(withWords))
      : `a cut body read as an answer: ${excerpt(answers)}`;
  } catch (error) {
    return error instanceof AgentError
      ? undefined
      : `threw ${String(error)}, which is not an error of the client's own`;
  }
}

async function ask(
  recording: Recording,
  exchange: Exchange,
  stream: boolean,
  answers: GenerateContentResponse[] = [],
): Promise<readonly GenerateContentResponse[]> {
  const { fetch } = recordedFetch([asRecorded(exchange)]);
  const client = new GeminiClient({ endpoint: endpointOf(recording), fetch, retry: { maxAttempts: 1 } });
  const request = { contents: [{ role: "user" as const, parts: [{ text: "hello" }] }] };
  const model = modelOf(recording, exchange);
  if (!stream) return [await client.generateContent(model, request)];
  for await (const batch of client.streamGenerateContent(model, request)) answers.push(...batch);
  return answers;
}

/** The only translations: numbers to words of finish reasons, and null fields of the envelope. */
function withWords(chunk: Json): Json {
  const words = ["FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"];
  const { candidates } = chunk;
  if (!Array.isArray(candidates)) return chunk;
  return {
    ...chunk,
    candidates: (candidates as readonly Json[]).map((candidate) => {
      const reason = candidate["finishReason"];
      const named =
        typeof reason === "number" ? { ...candidate, finishReason: words[reason] ?? String(reason) } : candidate;
      return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== null));
    }),
  };
}
