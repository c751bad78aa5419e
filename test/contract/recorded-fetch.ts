import { endpoint, type Endpoint, type FetchLike, type GeminiOptions } from "@pollux/core";
import { type PlainAnswer, plainFold } from "./plain-fold.ts";
import { type Exchange, isStream, type Json, type Recording } from "./recordings.ts";

/** How to request an answer. */
export type Transport = "stream" | "unary";
export const TRANSPORTS: readonly Transport[] = ["stream", "unary"];

/** An answer to serve. */
export interface Served {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Requests that went out, with a `fetch` that answers them from a list. */
export interface RecordedFetch {
  readonly fetch: FetchLike;
  /** Bodies sent, as text, oldest first. */
  readonly sent: readonly string[];
}

/** Thrown when the library sends more requests than the recording has answers. */
export class RecordingSpentError extends Error {
  override readonly name = "RecordingSpentError";
}

/**
 * A `fetch` that returns one answer per request.
 *
 * @param cut - Cuts a body into network chunks. Default: one chunk.
 */
export function recordedFetch(
  answers: readonly Served[],
  cut: (body: Uint8Array) => readonly Uint8Array[] = (body) => [body],
): RecordedFetch {
  const sent: string[] = [];
  const fetch: FetchLike = async (_url, init) => {
    sent.push(await new Response(init.body).text());
    const answer = answers[sent.length - 1];
    if (answer === undefined) throw new RecordingSpentError(`the recording has no answer to request ${sent.length}`);
    const pieces = cut(new TextEncoder().encode(answer.body));
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    return new Response(body, { status: answer.status, headers: answer.headers });
  };
  return { fetch, sent };
}

/** The recorded answer. */
export function asRecorded({ status, responseHeaders, responseBody }: Exchange): Served {
  const headers = new Headers();
  for (const [name, value] of Object.entries(responseHeaders ?? {})) {
    try {
      headers.set(name, value);
    } catch {
      // A scrubbed value may no longer be legal.
    }
  }
  return { status, headers, body: responseBody };
}

/** The answer as the service would have sent it over this transport; joins a stream's chunks into one answer. */
export function servedOver(transport: Transport, exchange: Exchange, chunks: readonly Json[]): Served {
  if (chunks.length === 0 || (transport === "stream") === isStream(exchange)) return asRecorded(exchange);
  const whole = chunks.length === 1 ? chunks[0] : wholeAnswer(chunks);
  const json = JSON.stringify(whole);
  return transport === "unary"
    ? { status: exchange.status, headers: new Headers({ "content-type": "application/json" }), body: json }
    : {
        status: exchange.status,
        headers: new Headers({ "content-type": "text/event-stream" }),
        body: `data: ${json}\r\n\r\n`,
      };
}

/** Options of a model that only uses `fetch`, without retries. */
export function modelOptions(recording: Recording, transport: Transport, fetch: FetchLike): GeminiOptions {
  return { endpoint: endpointOf(recording), fetch, transport, retry: { maxAttempts: 1 } };
}

/** An endpoint of the recording's kind. */
export function endpointOf(recording: Recording): Endpoint {
  const kind = recording.api === "vertex" ? "vertex" : "developer";
  return endpoint({ baseUrl: "http://recorded.invalid", apiKey: "k", kind });
}

function wholeAnswer(chunks: readonly Json[]): Json {
  const { parts, candidate, envelope }: PlainAnswer = plainFold(chunks);
  if (Object.keys(candidate).length === 0 && parts.length === 0) return envelope;
  return { candidates: [{ content: { role: "model", parts }, ...candidate }], ...envelope };
}
