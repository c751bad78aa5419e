import type { LogLine } from "../../doctor/read-log.ts";
import { messageOf } from "../../errors/agent-error.ts";
import type { Json } from "../../internal/json.ts";

const LINE_FEED = 0x0a;
const SPACE = 0x20;

/**
 * Entries as lines. All lines of an append but its last have a space before the line feed (JSON takes no notice), so that a
 * reader can tell an append that was cut off after some of its lines: it is whole with its last.
 */
export function formatLines(entries: readonly Json[]): string {
  return `${entries.map((entry) => JSON.stringify(entry)).join(" \n")}\n`;
}

/** What some bytes of a log hold. */
export interface Scan {
  /** Bytes up to the end of the last whole append. */
  readonly bytes: number;
  /** Where each line of the whole appends ends, its line feed included. */
  readonly ends: readonly number[];
}

/** Finds the whole appends in bytes that begin at the beginning of one. */
export function scanLines(data: Uint8Array): Scan {
  const all: number[] = [];
  let whole = 0;
  for (let at = data.indexOf(LINE_FEED); at !== -1; at = data.indexOf(LINE_FEED, at + 1)) {
    all.push(at + 1);
    if (at === 0 || data[at - 1] !== SPACE) whole = all.length;
  }
  const wholeBefore = dropUnwritten(data, all, whole);
  return { bytes: wholeBefore === 0 ? 0 : (all[wholeBefore - 1] ?? 0), ends: all.slice(0, wholeBefore) };
}

/** After a power failure a file may have grown by bytes that were never written and read as zeros: such an end is torn, too. */
function dropUnwritten(data: Uint8Array, ends: readonly number[], whole: number): number {
  let count = whole;
  while (count > 0) {
    const first = startOfAppend(data, ends, count);
    const from = first === 0 ? 0 : (ends[first - 1] ?? 0);
    if (!data.subarray(from, ends[count - 1]).includes(0)) break;
    count = first;
  }
  return count;
}

/** Index of the first line of the append whose last line is the `count`th. */
function startOfAppend(data: Uint8Array, ends: readonly number[], count: number): number {
  let first = count - 1;
  while (first > 0 && data[(ends[first - 1] ?? 0) - 2] === SPACE) first--;
  return first;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws {Error} When the bytes are no UTF-8 or no JSON. */
export function parseLine(line: Uint8Array): Json {
  // What JSON.parse gives is JSON.
  return JSON.parse(decoder.decode(line)) as Json;
}

/** A log as it was read, whatever state it is in. */
export interface ParsedLog {
  readonly lines: readonly LogLine[];
  /** The text an entry was read from: what is not changed is written back as it was. */
  readonly texts: WeakMap<object, string>;
}

/** Reads a whole file of lines. Never throws: what cannot be read is a problem of its line. */
export function parseLog(data: Uint8Array): ParsedLog {
  const texts = new WeakMap<object, string>();
  const { ends, bytes } = scanLines(data);
  const lines = ends.map((end, index): LogLine => parseBytes(data.subarray(ends[index - 1] ?? 0, end), texts));
  const rest = data.length - bytes;
  if (rest > 0)
    lines.push({ problem: `it was cut off while being written (${rest.toLocaleString("en-US")} bytes)`, torn: true });
  return { lines, texts };
}

const lenient = new TextDecoder();

function parseBytes(bytes: Uint8Array, texts: ParsedLog["texts"]): LogLine {
  try {
    return parseEntry(decoder.decode(bytes).trimEnd(), texts);
  } catch {
    return { problem: "it is not UTF-8", text: lenient.decode(bytes) };
  }
}

/** One entry's text as a line of a log. */
export function parseEntry(text: string, texts: ParsedLog["texts"]): LogLine {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) texts.set(value, text);
    return { value };
  } catch (error) {
    return { problem: `it is not JSON (${messageOf(error)})`, text };
  }
}

/** How many lines lie between two places that are remembered. */
const STRIDE = 64;

/** A place between two lines of a file. */
export interface Place {
  /** Lines before it. */
  readonly line: number;
  /** Bytes before it. */
  readonly byte: number;
}

const START: Place = { line: 0, byte: 0 };

/** What is known of a file that only grows: where its whole appends end, and where some of its lines begin. */
export class KnownPlaces {
  /** After the last whole append. */
  end: Place = START;
  /** Every 64th line or so, in order. */
  readonly #places: Place[] = [START];

  /** The last known place before a line. */
  before(line: number): Place {
    if (line >= this.end.line) return this.end;
    let low = 0;
    let high = this.#places.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#places[middle] ?? START).line <= line) low = middle;
      else high = middle;
    }
    return this.#places[low] ?? START;
  }

  /** Takes note of lines that were seen. @param ends - Where they end, in bytes after `from`. */
  add(from: Place, ends: readonly number[]): void {
    let last = this.#places.at(-1) ?? START;
    for (const [index, bytes] of ends.entries()) {
      const place = { line: from.line + index + 1, byte: from.byte + bytes };
      if (place.line > this.end.line) this.end = place;
      if (place.line >= last.line + STRIDE) this.#places.push((last = place));
    }
  }
}
