import { isJson, type Json, listOf } from "./recordings.ts";

/** A parsed recording file, to change. */
export type Mutable = Record<string, unknown> & { exchanges: MutableExchange[] };
export type MutableExchange = Record<string, unknown> & { responseBody: string };

/** A change that must not break any check. */
export interface Mutation {
  readonly name: string;
  /** Checks that don't apply to it. Default: none. */
  readonly except?: readonly string[] | undefined;
  /** Checks that must make as many comparisons as before. Default: none. */
  readonly sameCounts?: readonly string[] | undefined;
  mutate(recording: Mutable): void;
}

/** Changes the chunks of every answered exchange, whatever their framing; the digest's count follows. */
export function mapChunks(recording: Mutable, map: (chunks: readonly Json[]) => readonly Json[]): void {
  for (const exchange of answered(recording)) {
    const chunks = chunksIn(exchange);
    if (chunks === undefined) continue;
    const mapped = map(chunks);
    exchange.responseBody = layOut(mapped, exchange["framing"]);
    const { digest } = exchange;
    if (isJson(digest)) exchange["digest"] = { ...digest, objects: mapped.length };
  }
}

/** Rewrites the streams of a recording in another framing. */
export function frame(recording: Mutable, write: (chunks: readonly Json[]) => string): void {
  for (const exchange of answered(recording)) {
    const chunks = chunksIn(exchange);
    const isStream = listOf(exchange["kind"]).includes("stream");
    if (chunks !== undefined && isStream) exchange.responseBody = write(chunks);
  }
}

/** Lets `change` rewrite every part of the chunks, each with its candidate's other parts. */
export function mapParts(
  chunks: readonly Json[],
  change: (parts: readonly Json[]) => readonly Json[],
): readonly Json[] {
  return mapCandidates(chunks, (candidate) => {
    const { content } = candidate;
    if (!isJson(content) || !Array.isArray(content["parts"])) return candidate;
    return { ...candidate, content: { ...content, parts: change(content["parts"] as readonly Json[]) } };
  });
}

/** Lets `change` rewrite every candidate of the chunks. */
export function mapCandidates(chunks: readonly Json[], change: (candidate: Json) => Json): readonly Json[] {
  return chunks.map((chunk) => {
    const { candidates } = chunk;
    return Array.isArray(candidates) ? { ...chunk, candidates: (candidates as readonly Json[]).map(change) } : chunk;
  });
}

/** Exchanges with readable chunks. */
export function answered({ exchanges }: Mutable): readonly MutableExchange[] {
  return exchanges.filter(({ status, kind }) => status === 200 && !listOf(kind).includes("error"));
}

function chunksIn({ responseBody, framing }: MutableExchange): readonly Json[] | undefined {
  try {
    const isEvents = String(framing).startsWith("sse");
    const chunks = isEvents
      ? responseBody
          .split(/\r\n|\n|\r/)
          .filter((line) => line.startsWith("data:"))
          .map((line) => JSON.parse(line.slice(5)) as Json)
      : ([JSON.parse(responseBody)].flat() as Json[]);
    return chunks.length > 0 && chunks.every((chunk) => isJson(chunk) && !("error" in chunk)) ? chunks : undefined;
  } catch {
    return undefined;
  }
}

function layOut(chunks: readonly Json[], framing: unknown): string {
  if (framing === "json-array") return asArray(chunks);
  return framing === "json" && chunks.length === 1 ? `${JSON.stringify(chunks[0], null, 2)}\n` : asEvents(chunks);
}

/** Server-sent events in the service's format by default. */
export function asEvents(chunks: readonly Json[], end = "\r\n", blankLine = end): string {
  return chunks.map((chunk) => `data: ${JSON.stringify(chunk)}${end}${blankLine}`).join("");
}

/** A JSON array as the service writes it without `alt=sse`. */
export function asArray(chunks: readonly Json[]): string {
  return `[${chunks.map((chunk) => JSON.stringify(chunk, null, 2)).join(",\r\n")}]`;
}
