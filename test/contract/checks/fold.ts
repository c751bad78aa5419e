import type { AnswerDigest, DigestText } from "@pollux/emulator";
import { createHash } from "node:crypto";
import { AgentError, ApiStatusError, gemini } from "@pollux/core";
import { ResponseBlockedError, StreamIncompleteError } from "@pollux/core/errors";
import type { ModelResponse } from "@pollux/core/model";
import { type Check, difference, excerpt } from "../check.ts";
import { byteCutter, type Cutter, SEED } from "../cut-bytes.ts";
import {
  callsOf,
  chunksBeforeError,
  INSIDE,
  joinText,
  NOT_WHOLE,
  type PlainAnswer,
  plainFold,
  readAnswer,
  textOf,
  wholeChunksOf,
} from "../plain-fold.ts";
import { asRecorded, modelOptions, recordedFetch } from "../recorded-fetch.ts";
import { type Exchange, isJson, isStream, type Json, modelOf, type Recording } from "../recordings.ts";

/** The model must read the whole answer. */
export const fold: Check = {
  id: "fold",
  claim: "each answer folds into one response with all of its parts, however its bytes are cut",
  compares: "the parts of the response, and the response of the same bytes cut anywhere",
  against:
    "a fold without any of the library's code, the recording's digest, and the response of the body in one piece",
  async run(recording, tally): Promise<void> {
    tally.note(`bytes cut with POLLUX_SEED=${SEED}`);
    for (const [index, exchange] of recording.exchanges.entries()) {
      const read = readAnswer(exchange);
      if ("without" in read) {
        if (read.without === NOT_WHOLE) tally.compare(recording.file, index, await compareCut(recording, exchange));
        else if (read.without === INSIDE && chunksBeforeError(exchange).length > 0)
          tally.compare(recording.file, index, await compareBroken(recording, exchange));
        else tally.skip(read.without);
        continue;
      }
      tally.compare(recording.file, index, await compareFold(recording, exchange, read.answer));
      if (isStream(exchange)) tally.compare(recording.file, index, await comparePieces(recording, exchange));
    }
  },
};

async function compareFold(
  recording: Recording,
  exchange: Exchange,
  expected: PlainAnswer,
): Promise<string | undefined> {
  let folded: Folded;
  try {
    folded = await respond(recording, exchange, undefined);
  } catch (error) {
    return rightfullyThrown(error, expected) ? undefined : `threw ${String(error)}`;
  }
  if (expected.finishReason === undefined)
    return `an answer without a finish reason came through: ${excerpt(folded.response.finishReason)}`;
  const { response, streamed } = folded;
  const { role, parts, ...content } = response.content;
  return (
    difference(
      { role, parts: joinText(parts as unknown as readonly Json[]) },
      { role: "model", parts: expected.parts },
    ) ??
    difference(sorted(content), sorted(expected.content), "content") ??
    difference(joinText(streamed), expected.parts, "streamed parts") ??
    difference(response.finishReason, expected.finishReason, "finish reason") ??
    (exchange.digest === null ? undefined : againstDigest(response, exchange.digest))
  );
}

/** Wherever the network cuts the bytes, the result is the same response or error. */
async function comparePieces(recording: Recording, exchange: Exchange): Promise<string | undefined> {
  const outcome = async (cutter: Cutter | undefined): Promise<unknown> => {
    try {
      const { response, streamed } = await respond(recording, exchange, cutter);
      return { response, parts: joinText(streamed) };
    } catch (error) {
      return String(error);
    }
  };
  const inPieces = await outcome(byteCutter(`${recording.file} ${exchange.responseBody.length}`));
  const found = difference(inPieces, await outcome(undefined));
  return found && `with its bytes cut: ${found}`;
}

/** An answer that is cut off before its finish reason is a failure, never a shorter answer. */
async function compareCut(recording: Recording, exchange: Exchange): Promise<string | undefined> {
  const { finishReason, blockReason } = plainFold(wholeChunksOf(exchange));
  try {
    const { response } = await respond(recording, exchange, undefined);
    return finishReason === undefined ? `a cut answer came through: ${excerpt(response.content)}` : undefined;
  } catch (error) {
    const ownError = error instanceof AgentError && (blockReason === undefined || finishReason === undefined);
    return ownError ? undefined : `threw ${String(error)}`;
  }
}

/** An error after chunks ends the answer, regardless of their finish reasons. */
async function compareBroken(recording: Recording, exchange: Exchange): Promise<string | undefined> {
  try {
    const { response } = await respond(recording, exchange, undefined);
    return `an answer with an error in the middle came through: ${excerpt(response.content)}`;
  } catch (error) {
    return error instanceof ApiStatusError ? undefined : `threw ${String(error)}`;
  }
}

interface Folded {
  readonly response: ModelResponse;
  /** Parts in the order of delivery. */
  readonly streamed: readonly Json[];
}

async function respond(recording: Recording, exchange: Exchange, cut: Cutter | undefined): Promise<Folded> {
  const { fetch } = recordedFetch([asRecorded(exchange)], cut);
  const model = gemini(
    modelOf(recording, exchange),
    modelOptions(recording, isStream(exchange) ? "stream" : "unary", fetch),
  );
  const streamed: Json[] = [];
  const response = await model.respond(
    { contents: [{ role: "user", parts: [{ text: "hello" }] }], functions: [], builtIns: [], settings: {} },
    {
      signal: new AbortController().signal,
      onParts: (parts) => {
        // Pieces of a call come before the whole call.
        const whole = parts.filter(({ functionCall }) => functionCall?.willContinue !== true);
        streamed.push(...(whole as unknown as readonly Json[]));
      },
    },
  );
  return { response, streamed };
}

/** The two kinds of empty answers. */
function rightfullyThrown(error: unknown, { blockReason, finishReason }: PlainAnswer): boolean {
  if (finishReason !== undefined) return false;
  return blockReason === undefined
    ? error instanceof StreamIncompleteError
    : error instanceof ResponseBlockedError && error.blockReason === blockReason;
}

/** The recording's own answer key, made without either fold. */
function againstDigest(response: ModelResponse, digest: AnswerDigest): string | undefined {
  const parts = response.content.parts as unknown as readonly Json[];
  const calls = callsOf(parts);
  const streamedArgs = digest.calls.some((call) => "willContinue" in call || "partialArgs" in call);
  return (
    againstText(textOf(parts), digest.text, "text") ??
    againstText(textOf(parts, true), digest.thoughts, "thoughts") ??
    (streamedArgs ? undefined : difference(calls.map(sorted), digest.calls.map(sorted), "digest.calls")) ??
    difference(
      parts.filter((part) => part["thoughtSignature"] !== undefined).length,
      digest.signatures,
      "digest.signatures",
    ) ??
    difference(counters(response.envelope.usageMetadata), counters(digest.usage), "digest.usage")
  );
}

/** The counters of a usage object; its other members may come in other chunks. */
function counters(usage: unknown): unknown {
  const entries = Object.entries(isJson(usage) ? usage : {}).filter(([name]) => /Token(?:Count|sDetails)$/.test(name));
  return sorted(Object.fromEntries(entries));
}

function againstText(text: string, digest: DigestText, what: string): string | undefined {
  if (typeof digest === "string") return difference(text, digest, `digest.${what}`);
  const sha256 = createHash("sha256").update(text).digest("hex");
  return sha256 === digest.sha256
    ? undefined
    : `the ${what} has ${text.length} characters, the digest ${digest.chars}, or others`;
}

/** The value with sorted top-level keys: it doesn't matter which chunk had a field first. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
