import { wait } from "../internal/wait.ts";
import type { Answer, RecordedAnswer } from "./answer.ts";
import type { Brain } from "./brain.ts";
import { type Fit, fitExchange, type ReplayRequest } from "./fit-exchange.ts";
import { loadRecording, type ReplayExchange, type Recording } from "./recording.ts";
import { ReplayedFailure } from "./replayed-failure.ts";

/**
 * Answers with recorded traffic of any kind: streams in their framing, errors, uploads, broken connections.
 * Requests are not validated: the service has already answered them.
 *
 * A request gets the answer of the exchange recorded for it, at any position in the recording; the same request again gets the
 * next such answer, and after the last one the first again. An exchange recorded without its request answers the next request.
 * Anything else is rejected with a 400 that names the closest recorded request and the difference. Requests are compared by
 * method, model, operation and the whole body, after normalizing spelling: snake_case and camelCase, missing roles, empty and
 * null fields. Signatures match in either alphabet, ids must be the same. Redacted values match anything.
 *
 * @param source A recording, or the path of a file or folder with recordings.
 */
export function replay(source: string | Recording): Brain {
  const uses = new Map<number, number>();
  const loading = typeof source === "string" ? loadRecording(source) : Promise.resolve(source);
  // A missing file is reported to the request that needs it, not as an unhandled rejection.
  loading.catch(() => {});

  async function find(request: ReplayRequest): Promise<ReplayExchange | NotFound> {
    const { exchanges } = await loading;
    const all = exchanges.map((exchange, index) => ({ exchange, index, fit: fitExchange(exchange, request) }));
    const fitting = all.filter(({ fit }) => fit.count === 0);
    const least = Math.min(...fitting.map(({ index }) => uses.get(index) ?? 0));
    const found = fitting.find(({ index }) => (uses.get(index) ?? 0) === least);
    if (found !== undefined) {
      uses.set(found.index, least + 1);
      return found.exchange;
    }
    // The most informative one: the same call, not replayed yet, with the fewest differences.
    const distance = ({ index, fit }: Candidate): readonly number[] => [
      fit.sameCall ? 0 : 1,
      uses.has(index) ? 1 : 0,
      fit.count,
    ];
    const [closest] = all.toSorted((a, b) => compareLists(distance(a), distance(b)));
    return { closest, count: exchanges.length, isUsed: closest !== undefined && uses.has(closest.index) };
  }

  return {
    // Signatures are compared with the recorded ones like everything else.
    anySignature: true,
    async answer({ path, raw, signal }) {
      const found = await find({ method: "POST", path, body: raw });
      if (!("status" in found)) throw new Error(describeMiss(found));
      return await recordedAnswer(found, signal);
    },
    async replay(request, signal) {
      const found = await find(request);
      if ("status" in found) return await recordedAnswer(found, signal);
      const isContent = /:(?:generateContent|streamGenerateContent)(?:\?|$)/.test(request.path);
      if (!isContent && found.closest?.fit.sameCall !== true) return undefined;
      throw new Error(describeMiss(found));
    },
  };
}

/** A recorded exchange and how well it fits a request. */
interface Candidate {
  readonly exchange: ReplayExchange;
  readonly index: number;
  readonly fit: Fit;
}

/** Why no exchange was found. */
interface NotFound {
  readonly closest: Candidate | undefined;
  readonly count: number;
  /** True if every exchange of that call has been replayed. */
  readonly isUsed: boolean;
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at === -1 ? 0 : (a[at] ?? 0) < (b[at] ?? 0) ? -1 : 1;
}

function describeMiss({ closest, count, isUsed }: NotFound): string {
  if (closest === undefined) return "The recording contains no exchanges.";
  const { exchange, index, fit } = closest;
  const where = exchange.file === undefined ? "" : ` (${exchange.file})`;
  const more = fit.count > fit.differences.length && Number.isFinite(fit.count) ? "; and more" : "";
  const used = isUsed ? ", which has already been replayed" : "";
  return `The request differs from recorded exchange ${index + 1} of ${count}${where}${used}: ${fit.differences.join("; ")}${more}.`;
}

async function recordedAnswer(exchange: ReplayExchange, signal: AbortSignal): Promise<Answer> {
  const { status, responseHeaders, responseBody, responseEncoding, ended } = exchange;
  if (status === 0) {
    // The recorded client left before there was an answer, so none is sent now.
    if (ended === "cancelled") await wait(Number.POSITIVE_INFINITY, signal);
    throw new ReplayedFailure();
  }
  if (exchange.responseNote?.startsWith("left out") === true && responseBody === "")
    throw new Error(`The recorded body was ${exchange.responseNote}. Record it with keepUnsearchable: true.`);
  const isStream = /:streamGenerateContent/.test(exchange.path ?? "") || responseBody.startsWith("data:");
  const recorded: RecordedAnswer = {
    status,
    contentType:
      responseHeaders?.["content-type"] ?? (isStream ? "text/event-stream" : "application/json; charset=UTF-8"),
    body: responseBody,
    encoding: responseEncoding,
    headers: replayedHeaders(responseHeaders ?? {}),
  };
  return { parts: [], recorded, ...(ended !== undefined && { fault: faultOf(ended, responseBody) }) };
}

/** The headers that clients act on. */
function replayedHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => /^(?:retry-after|x-goog-upload-.*)$/i.test(name)),
  );
}

function faultOf(ended: "cancelled" | "failed", body: string): NonNullable<Answer["fault"]> {
  if (ended === "failed") return { kind: "cut", rule: "recorded", atByte: Buffer.byteLength(body), reset: true };
  // The recorded client left before the end; one that stays now waits, as it would have then.
  const afterChunks = framesOf(body).length;
  return { kind: "slow", rule: "recorded", firstByteMs: 0, stallMs: Number.POSITIVE_INFINITY, afterChunks };
}

/** The pieces in which a recorded body is sent: one per event of a stream. */
export function framesOf(body: string): readonly string[] {
  return body.split(/(?<=\r?\n\r?\n)/);
}
