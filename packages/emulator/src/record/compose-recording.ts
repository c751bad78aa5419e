import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { callsOf, fieldsOf, isVertexPath, listOf } from "./describe-exchange.ts";
import type { JsonFields, RecordedExchange, RecordedToolStep, RecordingFile } from "./recording-format.ts";

/** An exchange without `continues`, with the hashes of its contents. */
export interface PlacedExchange {
  readonly exchange: Omit<RecordedExchange, "continues">;
  readonly contents: readonly string[];
}

/** Hashes the contents of an exchange, so that comparing exchanges is cheap. */
export function place(exchange: Omit<RecordedExchange, "continues">): PlacedExchange {
  const contents = fieldsOf(exchange.request)?.["contents"];
  return { exchange, contents: (Array.isArray(contents) ? contents : []).map(hashOf) };
}

/** Builds a recording from its exchanges, in the order in which they were sent. */
export function composeRecording(placed: readonly PlacedExchange[]): RecordingFile {
  const answered = placed.filter(({ exchange }) => isAnsweredRequestForContent(exchange));
  const others = placed.filter((one) => !answered.includes(one));
  const exchanges = answered.map((one, at) => ({ ...one.exchange, continues: findContinued(answered, one, at) }));
  const features = exchanges.flatMap((exchange) => exchange.features);
  const text = JSON.stringify([exchanges, others]);
  return {
    source: "recordFetch of @pollux/emulator",
    licence: null,
    provenance: "recorded",
    model: exchanges[0]?.model ?? null,
    api: exchanges.some(({ path }) => isVertexPath(path)) ? "vertex" : "gemini",
    kind: [...new Set(exchanges.flatMap((exchange) => exchange.kind))],
    features: [...new Set(features)].toSorted(),
    fidelity: ["exact"],
    truncatedBlobs: false,
    scrubbed: /\[redacted\]|projects\/PROJECT|"responseNote"/.test(text),
    toolLoops: toolSteps(exchanges),
    otherCalls: others.map(({ exchange }) => `${exchange.method} ${exchange.path} ${exchange.status}`),
    exchanges,
    others: others.map(({ exchange }) => ({ ...exchange, continues: null })),
  };
}

function isAnsweredRequestForContent(exchange: Omit<RecordedExchange, "continues">): boolean {
  const { method, path, request, status, ended, responseBody } = exchange;
  if (method !== "POST" || !/:(?:streamG|g)enerateContent(?:\?|$)/.test(path) || !fieldsOf(request)) return false;
  if (ended === undefined) return (status >= 200 && status < 300) || status >= 400;
  return status >= 200 && status < 300 && responseBody !== "";
}

/** Index of the earlier exchange with the longest shared prefix: the latest one whose calls the request repeats, or else the latest. */
function findContinued(all: readonly PlacedExchange[], one: PlacedExchange, at: number): number | null {
  const earlier = all.slice(0, at).map(({ contents }, index) => ({ index, contents }));
  const prefixes = earlier.filter(({ contents }) => isStrictPrefix(contents, one.contents));
  const most = Math.max(...prefixes.map(({ contents }) => contents.length));
  const longest = prefixes.filter(({ contents }) => contents.length === most);
  const next = listOf(fieldsOf(one.exchange.request)?.["contents"])[most];
  const continued = longest.findLast(({ index }) =>
    isDeepStrictEqual(
      all[index]?.exchange.digest?.calls.map(withoutId),
      callsOf(listOf(next?.["parts"])).map(withoutId),
    ),
  );
  return (continued ?? longest.at(-1))?.index ?? null;
}

function isStrictPrefix(short: readonly string[], long: readonly string[]): boolean {
  return short.length > 0 && short.length < long.length && short.every((hash, i) => hash === long[i]);
}

function toolSteps(exchanges: readonly RecordedExchange[]): readonly RecordedToolStep[] {
  return exchanges.flatMap(({ continues, request, status }, to): readonly RecordedToolStep[] => {
    const from = continues === null ? undefined : exchanges[continues];
    if (continues === null || from === undefined) return [];
    const added = listOf(fieldsOf(request)?.["contents"]).slice(listOf(fieldsOf(from.request)?.["contents"]).length);
    const parts = added.flatMap((content) => listOf(content["parts"]));
    const responses = parts.filter((part) => part["functionResponse"] !== undefined).length;
    const calls = from.digest?.calls.length ?? 0;
    return calls === 0 || responses === 0 ? [] : [{ from: continues, to, calls, responses, status }];
  });
}

function withoutId({ name, args = {} }: JsonFields): JsonFields {
  return { name, args };
}

function hashOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64");
}
