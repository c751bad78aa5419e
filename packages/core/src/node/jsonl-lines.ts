import type { Json } from "../internal/json.ts";

const LINE_FEED = 0x0a;
const SPACE = 0x20;

/**
 * Entries as lines. All lines of an append but its last have a space before the line feed (JSON takes no notice), so that a
 * reader can tell an append that was cut off after some of its lines: it is whole with its last.
 */
export function linesOf(entries: readonly Json[]): string {
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
