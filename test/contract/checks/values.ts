import { Agent, type Content, gemini } from "@pollux/core";
import type { ModelResponse } from "@pollux/core/model";
import { type Check, type Tally } from "../check.ts";
import { asRecorded, modelOptions, recordedFetch, type Served } from "../recorded-fetch.ts";
import { type Exchange, isAnswered, isStream, modelOf, type Recording } from "../recordings.ts";
import { accountFor } from "../values/account.ts";
import { pieceLost, piecesOf } from "../values/content-pieces.ts";
import { wrongUsage } from "../values/counters.ts";
import { countParts, PARTS_MAY_VANISH } from "../values/part-account.ts";
import { MAY_VANISH, REPEATED } from "../values/may-vanish.ts";
import { type Chunk, chunksIn } from "../values/read-body.ts";

/** No received value may get lost. */
export const values: Check = {
  id: "values",
  claim:
    "each value of each chunk is kept, in the response and in the next request, or is gone by a rule that says why",
  compares: "content, candidate, envelope and usage of the response, and the content in the next request",
  against: "every value of the recorded body, read by JSON.parse and nothing else",
  mayVanish: [
    REPEATED,
    ...PARTS_MAY_VANISH.filter(({ rule }) => MAY_VANISH.every((one) => one.rule !== rule)),
    ...MAY_VANISH,
  ],
  async run(recording, tally): Promise<void> {
    for (const [index, exchange] of recording.exchanges.entries()) {
      const chunks = isAnswered(exchange) ? chunksIn(exchange.responseBody) : undefined;
      const without = whyNothingToKeep(exchange, chunks);
      if (chunks === undefined || without !== undefined) {
        tally.skip(without ?? "");
        continue;
      }
      const answer = read(chunks);
      tally.measure("chunks", chunks.length);
      for (const difference of await compareKept(recording, exchange, answer, tally))
        tally.compare(recording.file, index, difference);
      if (!isWorthASecondTurn(answer)) continue;
      tally.measure("requests", 1);
      tally.compare(recording.file, index, await compareSent(recording, exchange, answer));
    }
  },
};

/** The members of an answer that this check needs. */
interface Answer {
  readonly chunks: readonly Chunk[];
  /** The first candidate of each chunk that has one. */
  readonly candidates: readonly Chunk[];
  readonly parts: readonly Chunk[];
}

function read(chunks: readonly Chunk[]): Answer {
  const candidates = chunks.map(mainCandidate).filter((one) => one !== undefined);
  const parts = candidates.flatMap(({ content }) => ((content as Chunk | null)?.["parts"] ?? []) as readonly Chunk[]);
  return { chunks, candidates, parts };
}

function mainCandidate({ candidates }: Chunk): Chunk | undefined {
  return ((candidates ?? []) as readonly Chunk[]).find(({ index }) => Number(index ?? 0) === 0);
}

function whyNothingToKeep(exchange: Exchange, chunks: readonly Chunk[] | undefined): string | undefined {
  if (!isAnswered(exchange)) return "an error";
  if (chunks === undefined) return "a body that is not whole JSON";
  if (chunks.some((chunk) => "error" in chunk)) return "an error inside a 200";
  const method = /:(\w+)(?:$|[?#])/.exec(exchange.path ?? "")?.[1] ?? "generateContent";
  if (!/^(?:streamG|g)enerateContent$/.test(method)) return `another method: ${method}`;
  const isFinished = chunks.some((chunk) => (mainCandidate(chunk)?.["finishReason"] ?? "") !== "");
  return isFinished ? undefined : "no answer: without a finish reason";
}

/** True for an answer that a conversation can continue from: it is finished and not empty. */
function isWorthASecondTurn({ candidates, parts }: Answer): boolean {
  const reason = candidates.findLast(({ finishReason }) => (finishReason ?? "") !== "")?.["finishReason"];
  const says = parts.some((part) => {
    const hasText = part["thought"] !== true && typeof part["text"] === "string" && part["text"].trim() !== "";
    return hasText || Object.entries(part).some(([key, value]) => DATA.has(key) && value !== null);
  });
  return (reason === "STOP" || reason === 1) && says;
}

const DATA = new Set(["functionCall", "inlineData", "fileData", "executableCode", "codeExecutionResult"]);

async function compareKept(
  recording: Recording,
  exchange: Exchange,
  { chunks, candidates, parts }: Answer,
  tally: Tally,
): Promise<readonly (string | undefined)[]> {
  const { fetch } = recordedFetch([asRecorded(exchange)]);
  const options = modelOptions(recording, isStream(exchange) ? "stream" : "unary", fetch);
  let response: ModelResponse;
  try {
    response = await gemini(modelOf(recording, exchange), options).respond(
      { contents: [{ role: "user", parts: [{ text: "hello" }] }], functions: [], builtIns: [], settings: {} },
      { signal: new AbortController().signal },
    );
  } catch (error) {
    return [`threw ${String(error)}`];
  }
  // As JSON, so that values without JSON don't count as kept.
  const { envelope, candidate, content } = JSON.parse(JSON.stringify(response)) as Readonly<Record<string, Chunk>>;
  const { parts: keptParts, ...besides } = content as { readonly parts: readonly Chunk[] };
  const account = accountFor(chunks, { ...envelope, candidates: [{ content: besides, ...candidate }] });
  const lostPiece = pieceLost(piecesOf(parts), piecesOf(keptParts));
  const counted = countParts(parts, keptParts);
  tally.measure("values", account.values + counted.values);
  tally.measure("values kept", account.kept + counted.kept);
  for (const [rule, count] of [...account.vanished, ...counted.vanished]) tally.vanish(rule, count);
  return [
    ...account.lost,
    ...(lostPiece === undefined ? [] : [`content: ${lostPiece}`]),
    wrongUsage(response.usage, [chunks]) ?? wrongReason(response, candidates),
  ];
}

function wrongReason({ finishReason }: ModelResponse, candidates: readonly Chunk[]): string | undefined {
  const last = candidates.findLast((candidate) => (candidate["finishReason"] ?? "") !== "")?.["finishReason"];
  const isWord = typeof last !== "string" || last === finishReason;
  return isWord ? undefined : `the finish reason is ${finishReason}, recorded ${last}`;
}

const LATER: Served = {
  status: 200,
  headers: new Headers(),
  body: '{"candidates": [{"content": {"role": "model", "parts": [{"text": "ok"}]}, "finishReason": "STOP"}]}',
};

/** The model's contents in the next request. */
async function compareSent(recording: Recording, exchange: Exchange, { parts }: Answer): Promise<string | undefined> {
  const { fetch, sent } = recordedFetch([asRecorded(exchange), LATER]);
  const options = modelOptions(recording, isStream(exchange) ? "stream" : "unary", fetch);
  const agent = new Agent({ model: gemini(modelOf(recording, exchange), options), limits: { restarts: 0 } });
  try {
    const { contents } = await agent.run("hello");
    // After calls, the agent has already sent the next request.
    if (sent.length === 1)
      await agent.run([...contents, { role: "user", parts: [{ text: "go on" }] }] satisfies Content[]);
  } catch (error) {
    return `threw ${String(error)}`;
  }
  const { contents } = JSON.parse(sent[1] ?? "{}") as { readonly contents?: readonly Chunk[] };
  const [, said] = contents ?? [];
  if (said?.["role"] !== "model") return "the next request does not hold the answer";
  const lost = pieceLost(piecesOf(parts), piecesOf(said["parts"] as readonly Chunk[]));
  return lost === undefined ? undefined : `in the next request: ${lost}`;
}
