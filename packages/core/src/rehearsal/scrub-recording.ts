import { asObject, type Json, tryOr, isObject } from "../internal/json.ts";
import { findSecrets } from "../wire/secrets/header-secrets.ts";
import { readWhole, type WholeExchange, writeWhole } from "./cut-recording.ts";
import type { Recording } from "./replay-run.ts";
import { type ScrubbedText, TextScrubber } from "./scrub-texts.ts";
import { type BodyReading, readResponseBody } from "../model/response/fold.ts";

/** Options of {@link scrubRecording}. */
export interface ScrubOptions {
  /** Removed wherever they occur, such as keys of the environment. Google's keys are always removed. @defaultValue none */
  readonly secrets?: readonly string[] | undefined;
}

/** A scrubbed recording, and its changes. */
export interface ScrubbedRecording {
  readonly recording: Recording;
  /** Each change once, in the order of the recording. */
  readonly differences: readonly ScrubbedText[];
  readonly counts: ScrubCounts;
}

/** How much scrubbing changed. */
export interface ScrubCounts {
  /** Distinct texts that changed. */
  readonly texts: number;
  /** Of these, texts with a key in them. */
  readonly secrets: number;
  /** Exchanges with a change in them. */
  readonly exchanges: number;
  /** Signatures that were removed from changed contents. */
  readonly signatures: number;
  /** Moved ranges of citations, counting each repetition. */
  readonly citations: number;
  /** Unreadable entries of exchanges, which are left out. */
  readonly unreadable: number;
  /** Images, files and other media, which are kept as they are. */
  readonly media: number;
}

/**
 * Applies a function to every text that a person, a model or a tool wrote: in the log, and in the kept requests and answers. Names, ids,
 * declarations, settings and media stay. Equal texts get the same replacement everywhere, even if the function would return another one
 * the second time. Citations move with their text; changed contents lose their thought signatures, and a call that had one gets the
 * placeholder instead. A changed answer is kept as one chunk.
 *
 * @param scrub - Gets a whole text: a message, a part of an answer, a value of an argument or of a result. Keys are already removed.
 * @throws {TypeError} When `scrub` returns something other than a string. Also throws what `scrub` throws.
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
  // A signature that one copy of a content loses must leave every copy, even earlier ones: repeat until no new one is found.
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
    // How the run requests typed output.
    if (type === "run" && name === "output") return value;
    if (isGiven && name === "outcome")
      return texts.members(value, at, (inner, given, path) => texts.value(given, inner, path, inner === "value"));
    // Values of any shape, from the application.
    const isFree = (type === "answer" && name === "value") || (type === "job" && name === "outcome");
    return texts.value(value, name, at, isFree);
  }) as Json;
}

function scrubExchange(texts: TextScrubber, exchange: WholeExchange, request: unknown, where: string): WholeExchange {
  const scrubbed = texts.value(request, "request", `${where}.request`);
  // In the rest, only texts change.
  return texts.members(exchange, where, (name, value, at) => {
    if (name === "body" && request === undefined) return texts.text(exchange.body, at);
    if (name === "body") return scrubbed === request ? value : JSON.stringify(scrubbed);
    if (name === "chunks") {
      const { chunks, operation } = exchange;
      const body = chunks.map(({ text }) => text).join("");
      const text = scrubAnswer(texts, body, `${where}.answer`, operation);
      return text === body ? chunks : [{ ms: chunks.at(-1)?.ms ?? 0, text }];
    }
    // Texts that `scrub` does not get may still contain a key.
    return texts.value(value, name === "error" ? name : "tools", at);
  }) as WholeExchange;
}

/**
 * The body of an answer, scrubbed; the same text if nothing changes. A stream becomes one event, since one text may be spread over many.
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
  const response = texts.value(read.response, "response", where) as BodyReading["response"]; // texts stay texts
  const error = texts.value(read.error, "error", where);
  // The response lacks text that was cut off, and values that a later chunk replaced.
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
