import { ApiStatusError } from "@pollux/core";
import { GeminiClient, type GenerateContentResponse } from "@pollux/core/wire";
import { type Check, difference, excerpt } from "../check.ts";
import { chunksOf, isError, readAnswer } from "../plain-fold.ts";
import { asRecorded, endpointOf, recordedFetch } from "../recorded-fetch.ts";
import { type Exchange, isAnswered, isJson, isStream, type Json, modelOf, type Recording } from "../recordings.ts";

/** What the client has to make of a body: answers, or an error that says this. */
export const parse: Check = {
  id: "parse",
  claim: "each body becomes the answers it holds, or an error with the service's status, words and wait",
  async run(recording, tally): Promise<void> {
    for (const [index, exchange] of recording.exchanges.entries()) {
      const read = readAnswer(exchange);
      if (!("without" in read))
        tally.compare(recording.file, index, await checkAnswer(recording, exchange, read.chunks));
      else if (isAnswered(exchange) && read.without !== "an error inside a 200") tally.skip(read.without);
      else {
        // A refusal has no framing of its own, so it comes the same however it was asked for.
        const operations = isAnswered(exchange) ? [isStream(exchange)] : [false, true];
        for (const stream of operations)
          tally.compare(recording.file, index, await checkRefusal(recording, exchange, stream));
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
  try {
    return `read as an answer: ${excerpt(await ask(recording, exchange, stream))}`;
  } catch (caught) {
    error = caught;
  }
  if (!(error instanceof ApiStatusError)) return `threw ${String(error)} instead of an ApiStatusError`;
  const said = errorIn(exchange);
  const { status, reason, retryable, retryAfterMs, details } = error;
  const hasReset = error.resetsAt !== undefined;
  const expected = expectedError(isAnswered(exchange) ? (said.code ?? 500) : exchange.status, said);
  const wrong = difference({ status, reason, retryable, retryAfterMs, hasReset, details }, expected);
  if (wrong !== undefined) return wrong;
  const words = (said.message ?? exchange.responseBody).replaceAll(/\s+/g, " ").trim().slice(0, 200);
  return error.message.includes(words)
    ? undefined
    : `the message is ${excerpt(error.message)}, recorded ${excerpt(words)}`;
}

async function ask(
  recording: Recording,
  exchange: Exchange,
  stream: boolean,
): Promise<readonly GenerateContentResponse[]> {
  const { fetch } = recordedFetch([asRecorded(exchange)]);
  const client = new GeminiClient({ endpoint: endpointOf(recording), fetch, retry: { maxAttempts: 1 } });
  const request = { contents: [{ role: "user" as const, parts: [{ text: "hello" }] }] };
  const model = modelOf(recording, exchange);
  if (!stream) return [await client.generateContent(model, request)];
  const answers: GenerateContentResponse[] = [];
  for await (const batch of client.streamGenerateContent(model, request)) answers.push(...batch);
  return answers;
}

/** All that is translated: numbers that stand for a finish reason's word, and fields of the envelope that are null. */
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

interface SaidError {
  readonly code?: number;
  readonly message?: string;
  readonly status?: string;
  readonly details?: readonly Json[];
}

/** Google's error object, wherever it stands; nothing where the body is not quite JSON. */
function errorIn(exchange: Exchange): SaidError {
  try {
    const error = chunksOf(exchange).find(isError)?.["error"];
    return isJson(error) ? error : {};
  } catch {
    return {};
  }
}

function expectedError(status: number, said: SaidError): Json {
  const details = said.details ?? [];
  const delay = /^([\d.]+)s$/.exec(String(ofType(details, "RetryInfo")?.["retryDelay"]))?.[1];
  const daily = JSON.stringify(ofType(details, "QuotaFailure") ?? {}).includes("PerDay");
  const transient = [408, 429, 499, 500, 502, 503, 504].includes(status);
  const retryable = transient && !daily && !/\blimit: 0\b/.test(said.message ?? "");
  return {
    status,
    reason: said.status,
    retryable,
    retryAfterMs: retryable && delay !== undefined ? Math.ceil(Number(delay) * 1000) : undefined,
    hasReset: daily,
    details,
  };
}

function ofType(details: readonly Json[], type: string): Json | undefined {
  return details.find((detail) => String(detail["@type"]).endsWith(`google.rpc.${type}`));
}
