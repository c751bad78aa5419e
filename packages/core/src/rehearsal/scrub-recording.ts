import { type ExchangeEntry, isExchangeEntry, KeptExchanges } from "../exchanges/kept-exchanges.ts";
import { asObject, type Json, tryOr } from "../internal/json.ts";
import { findSecrets } from "../wire/secrets/header-secrets.ts";
import { BodyEncoder } from "./cut-exchanges.ts";
import type { Recording } from "./recording.ts";
import { type ScrubbedText, TextScrubber } from "./scrub-texts.ts";
import { scrubAnswer } from "./scrub-answer.ts";

/** Options of {@link scrubRecording}. */
export interface ScrubOptions {
  /** Taken out wherever they are, such as keys of the environment. Google's keys are taken out always. @defaultValue none */
  readonly secrets?: readonly string[] | undefined;
}

/** A recording without what must not be kept, and what was changed in it. */
export interface ScrubbedRecording {
  readonly recording: Recording;
  /** Each change once, in the order of the recording. */
  readonly differences: readonly ScrubbedText[];
  readonly counts: ScrubCounts;
}

/** How much was changed. */
export interface ScrubCounts {
  /** Different texts that were changed. */
  readonly texts: number;
  /** Of these, texts with a key in them. */
  readonly secrets: number;
  /** Exchanges with a change in them. */
  readonly exchanges: number;
  /** Signatures of changed contents, which are no longer there. */
  readonly signatures: number;
  /** Ranges of citations that were moved, wherever they are repeated. */
  readonly citations: number;
  /** Entries of exchanges that could not be read, and are left out. */
  readonly unreadable: number;
  /** Images, files and other media, which are kept as they are. */
  readonly media: number;
}

/**
 * Applies a function to every text that a person, a model or a tool wrote: in the log, and in the requests and answers that were kept.
 * Names, ids, declarations and settings stay; so do media. The same text becomes the same everywhere, whatever the function returns for it
 * a second time. Citations move with their text; thought signatures of contents that were changed are taken out, and a call that had one
 * gets the placeholder in its place. An answer that was changed is kept as one chunk.
 *
 * @param scrub - Gets a whole text: a message, a part of an answer, a value of an argument or of a result. Keys are already taken out.
 * @throws {TypeError} When `scrub` returns something other than a text. What it throws.
 */
export function scrubRecording(
  { log, exchanges }: Recording,
  scrub: (text: string) => string,
  { secrets = [] }: ScrubOptions = {},
): ScrubbedRecording {
  const bodies = readBodies(exchanges);
  const found = bodies.flatMap((one) => findSecrets({}, asObject(one?.request)["tools"]));
  const texts = new TextScrubber(scrub, [...new Set([...secrets, ...found])]);
  // What is learned of a content where it was changed holds wherever it is repeated, also before that.
  for (;;) {
    const known = texts.learned;
    const recording = {
      log: log.map((entry, index) => scrubEntry(texts, entry, `log[${index}]`)),
      exchanges: scrubExchanges(texts, exchanges, bodies),
    };
    if (texts.learned === known) {
      const unreadable = bodies.filter((one) => one === undefined).length;
      const changed = bodies.filter((one, at) => one !== undefined && recording.exchanges[at] !== exchanges[at]);
      const counts = { ...texts.counts, exchanges: changed.length, unreadable };
      return { recording, differences: texts.differences, counts };
    }
    texts.startAgain();
  }
}

function scrubEntry(texts: TextScrubber, entry: Json, where: string): Json {
  const { type, place, runId, pending } = asObject(entry);
  if (type === "end" && typeof runId === "string") texts.learnTokens(runId, pending);
  const kind = asObject(place)["kind"];
  const isGiven = type === "step" && (kind === "wait" || kind === "inner");
  // A scrubbed entry has the shape of the entry.
  return texts.members(entry, where, (name, value, at) => {
    // How a typed answer is asked for.
    if (type === "run" && name === "output") return value;
    if (isGiven && name === "outcome")
      return texts.members(value, at, (inner, given, path) => texts.value(given, inner, path, inner === "value"));
    // Of any shape, given by an application.
    const isFree = (type === "answer" && name === "value") || (type === "job" && name === "outcome");
    return texts.value(value, name, at, isFree);
  }) as Json;
}

/** A request that was kept. */
interface Body {
  readonly text: string;
  /** The parsed text; undefined when it is no JSON. */
  readonly request: unknown;
  readonly operation: string;
}

/** By position; undefined for entries that cannot be read. */
function readBodies(exchanges: readonly Json[]): readonly (Body | undefined)[] {
  const kept = new KeptExchanges(exchanges);
  const bodies: (Body | undefined)[] = exchanges.map(() => undefined);
  for (const { position, operation } of kept.exchanges) {
    const body = tryOr<Uint8Array | undefined>(() => kept.body(position), undefined);
    if (body === undefined) continue;
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
    bodies[position] = { text, request: tryOr<unknown>(() => JSON.parse(text), undefined), operation };
  }
  return bodies;
}

function scrubExchanges(
  texts: TextScrubber,
  exchanges: readonly Json[],
  bodies: readonly (Body | undefined)[],
): readonly Json[] {
  const scrubbed = exchanges.map((value, at): ScrubbedExchange | undefined => {
    const body = bodies[at];
    return body === undefined || !isExchangeEntry(value) ? undefined : scrubExchange(texts, value, body, at);
  });
  const isRewritten = scrubbed.some((one, at) => one === undefined || one.body !== bodies[at]?.text);
  const encoder = new BodyEncoder();
  return scrubbed.map((one, position): Json => {
    if (one === undefined) return null;
    const value = exchanges[position] ?? null;
    // From JSON, with texts for texts.
    if (!isRewritten) return one.entry as unknown as Json;
    const body = encoder.encode(one.entry.runId, position, new TextEncoder().encode(one.body));
    // The same members in the same order, with another body.
    const entry = { ...one.entry, body } as unknown as Json;
    return JSON.stringify(entry) === JSON.stringify(value) ? value : entry;
  });
}

interface ScrubbedExchange {
  readonly entry: ExchangeEntry;
  readonly body: string;
}

function scrubExchange(texts: TextScrubber, entry: ExchangeEntry, body: Body, at: number): ScrubbedExchange {
  const where = `exchanges[${at}]`;
  const request = texts.value(body.request, "request", `${where}.request`);
  const isJson = body.request !== undefined;
  const scrubbed = texts.members(entry, where, (name, value, place) => {
    if (name === "body") return value;
    if (name === "chunks") return scrubChunks(texts, entry.chunks, body.operation, `${where}.answer`);
    if (name === "error") return texts.value(value, name, place);
    return texts.value(value, "tools", place);
  }) as ExchangeEntry; // only texts were changed
  if (!isJson) return { entry: scrubbed, body: texts.text(body.text, `${where}.request`) };
  return { entry: scrubbed, body: request === body.request ? body.text : JSON.stringify(request) };
}

function scrubChunks(
  texts: TextScrubber,
  chunks: ExchangeEntry["chunks"],
  operation: string,
  where: string,
): ExchangeEntry["chunks"] {
  const text = chunks.map(([, chunk]) => chunk).join("");
  const scrubbed = scrubAnswer(texts, text, where, operation);
  return scrubbed === text ? chunks : [[chunks.at(-1)?.[0] ?? 0, scrubbed]];
}
