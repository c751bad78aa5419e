import { Agent, type Citation, gemini, type RunResult, type Source } from "@pollux/core";
import { type Check, excerpt } from "../check.ts";
import { readAnswer, textOf } from "../plain-fold.ts";
import { asRecorded, modelOptions, recordedFetch } from "../recorded-fetch.ts";
import { type Exchange, isJson, isStream, type Json, listOf, modelOf, type Recording } from "../recordings.ts";

/** A citation must be at the position of its text. */
export const citations: Check = {
  id: "citations",
  claim: "each grounding support becomes a range of the answer that holds the text it names, and its sources",
  compares: "the range and the sources of each citation",
  against: "the text and the addresses of its grounding support",
  async run(recording, tally): Promise<void> {
    for (const [index, exchange] of recording.exchanges.entries()) {
      const read = readAnswer(exchange);
      if ("without" in read || !exchange.responseBody.includes("groundingSupports")) continue;
      const { parts, candidate, finishReason } = read.answer;
      const supports = supportsIn(candidate["groundingMetadata"]);
      if (supports.length === 0 || finishReason !== "STOP") {
        tally.skip(
          supports.length === 0 ? "supports without a source or a segment" : `not a finished answer: ${finishReason}`,
        );
        continue;
      }
      const found = await runOf(recording, exchange);
      if (typeof found === "string") {
        tally.compare(recording.file, index, found);
        continue;
      }
      for (const { match } of found.citations) tally.count(match);
      for (const support of supports) tally.compare(recording.file, index, verdictOn(support, found, textOf(parts)));
      const extra = found.citations.length - supports.length;
      if (extra > 0) tally.compare(recording.file, index, `${extra} citations more than supports`);
    }
  },
};

/** A support with a segment and sources. */
interface Support {
  readonly segment: {
    readonly partIndex?: number;
    readonly startIndex?: number;
    readonly endIndex?: number;
    readonly text?: string;
  };
  /** Addresses of its chunks, if they have one. */
  readonly uris: readonly string[];
}

function supportsIn(metadata: unknown): readonly Support[] {
  if (!isJson(metadata)) return [];
  const chunks = listOf(metadata["groundingChunks"]);
  return listOf(metadata["groundingSupports"]).flatMap((support) => {
    const { segment, groundingChunkIndices } = support as Json;
    const named = listOf(groundingChunkIndices)
      .map((i) => chunks[i as number])
      .filter(isJson);
    if (!isJson(segment) || named.length === 0) return [];
    const uris = named
      .flatMap(({ web, maps }) => [web, maps])
      .filter(isJson)
      .map((place) => place["uri"]);
    return [{ segment, uris: uris.filter((uri) => typeof uri === "string") }];
  });
}

function verdictOn(
  { segment, uris }: Support,
  { citations: found, sources }: RunResult,
  text: string,
): string | undefined {
  const said = segment.text;
  const exact = exactPlace(segment, text);
  const holding = found.filter(({ start, end, match }) => {
    if (match === "unverified") return false;
    if (exact !== undefined) return match === "exact" && start === exact && text.slice(start, end) === said;
    return said === undefined || text.slice(start, end) === said;
  });
  if (holding.length === 0)
    return exact === undefined
      ? `no range holds ${excerpt(said)}`
      : `no citation stands at ${exact}, where ${excerpt(said)} does`;
  return holding.some((citation) => hasSources(citation, sources, uris))
    ? undefined
    : `the citation of ${excerpt(said)} names other sources`;
}

/** UTF-16 index of a segment with correct byte offsets; `undefined` if they are wrong, or count from another part. */
function exactPlace(
  { partIndex = 0, startIndex = 0, endIndex = 0, text: said }: Support["segment"],
  text: string,
): number | undefined {
  const bytes = Buffer.from(text);
  if (partIndex > 0 || said === undefined || bytes.subarray(startIndex, endIndex).toString() !== said) return undefined;
  return bytes.subarray(0, startIndex).toString().length;
}

function hasSources(citation: Citation, sources: readonly Source[], uris: readonly string[]): boolean {
  const cited = new Set(citation.sources.map((number) => sources.find((source) => source.number === number)?.uri));
  return citation.sources.length > 0 && uris.every((uri) => cited.has(uri));
}

async function runOf(recording: Recording, exchange: Exchange): Promise<RunResult | string> {
  const { fetch } = recordedFetch([asRecorded(exchange)]);
  const model = gemini(
    modelOf(recording, exchange),
    modelOptions(recording, isStream(exchange) ? "stream" : "unary", fetch),
  );
  try {
    return await new Agent({ model, limits: { restarts: 0 } }).run("hello");
  } catch (error) {
    return `threw ${String(error)}`;
  }
}
