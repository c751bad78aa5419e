import { asObject, type Json, tryOr, isObject } from "../internal/json.ts";
import { findSecrets } from "../wire/secrets/header-secrets.ts";
import { readWhole, type WholeExchange, writeWhole } from "./cut-recording.ts";
import type { Recording } from "./replay-run.ts";
import { type ScrubbedText, TextScrubber } from "./scrub-texts.ts";
import { type BodyReading, readResponseBody } from "../model/response/fold.ts";

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
  const whole = readWhole(exchanges);
  const requests = whole.map(({ body }) => tryOr<unknown>(() => JSON.parse(body), undefined));
  const found = requests.flatMap((request) => findSecrets({}, asObject(request)["tools"]));
  const texts = new TextScrubber(scrub, [...new Set([...secrets, ...found])]);
  // What is learned of a content where it was changed holds wherever it is repeated, also before that.
  for (;;) {
    const known = texts.learned;
    const scrubbedLog = log.map((entry, index) => scrubEntry(texts, entry, `log[${index}]`));
    const scrubbed = whole.map((one, at) => scrubExchange(texts, one, requests[at], `exchanges[${at}]`));
    if (texts.learned > known) {
      texts.startAgain();
      continue;
    }
    const changed = scrubbed.filter((one, at) => one !== whole[at]).length;
    const unreadable = exchanges.length - whole.length;
    const isSame = changed + unreadable === 0;
    return {
      recording: { log: scrubbedLog, exchanges: isSame ? exchanges : writeWhole(scrubbed) },
      differences: texts.differences,
      counts: { ...texts.counts, exchanges: changed, unreadable },
    };
  }
}

function scrubEntry(texts: TextScrubber, entry: Json, where: string): Json {
  const { type, place } = asObject(entry);
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

function scrubExchange(texts: TextScrubber, exchange: WholeExchange, request: unknown, where: string): WholeExchange {
  const scrubbed = texts.value(request, "request", `${where}.request`);
  // Of the rest, only texts are changed.
  return texts.members(exchange, where, (name, value, at) => {
    if (name === "body" && request === undefined) return texts.text(exchange.body, at);
    if (name === "body") return scrubbed === request ? value : JSON.stringify(scrubbed);
    if (name === "chunks") {
      const { chunks, operation } = exchange;
      const body = chunks.map(({ text }) => text).join("");
      const text = scrubAnswer(texts, body, `${where}.answer`, operation);
      return text === body ? chunks : [{ ms: chunks.at(-1)?.ms ?? 0, text }];
    }
    // What is not the author's to scrub may have a key in it.
    return texts.value(value, name === "error" ? name : "tools", at);
  }) as WholeExchange;
}

/**
 * The body of an answer, scrubbed; the same text when there was nothing to change. A stream becomes one event, since a text may be spread
 * over many.
 */
export function scrubAnswer(texts: TextScrubber, body: string, where: string, operation: string): string {
  if (body === "") return body;
  const isAnswer = /generateContent$/i.test(operation);
  const read = isAnswer ? tryOr<BodyReading | undefined>(() => readResponseBody(body), undefined) : undefined;
  if (read === undefined) {
    const value = tryOr<unknown>(() => JSON.parse(body), undefined);
    if (value === undefined) return texts.text(body, where);
    const scrubbed = texts.value(value, "body", where);
    return scrubbed === value ? body : JSON.stringify(scrubbed);
  }
  const response = texts.value(read.response, "response", where) as BodyReading["response"]; // texts became texts
  const error = texts.value(read.error, "error", where);
  // Neither what was cut off nor what a later chunk has replaced is in the response.
  if (response === read.response && error === read.error && !texts.changes(body)) return body;
  const { content, candidate, envelope } = response;
  const hasCandidate = content.parts.length > 0 || Object.keys(candidate).length > 0;
  const answer = { ...(hasCandidate && { candidates: [{ content, ...candidate }] }), ...envelope };
  const values = [...(Object.keys(answer).length > 0 ? [answer] : []), ...(error === undefined ? [] : [error])];
  const events = values.map((value) => JSON.stringify(value));
  if (/^\s*\[/.test(body)) return `[${events.join(",\r\n")}]`;
  return isObject(tryOr<unknown>(() => JSON.parse(body), undefined))
    ? events.join("")
    : events.map((one) => `data: ${one}\r\n\r\n`).join("");
}
