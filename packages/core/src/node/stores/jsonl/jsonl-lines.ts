import type { LogLine } from "../../../doctor/read-log.ts";
import { messageOf } from "../../../errors/agent-error.ts";
import type { Json } from "../../../internal/json.ts";

const LINE_FEED = 0x0a;
const SPACE = 0x20;

/**
 * Entries, as JSON, as the lines of one append. Every line but the last has a space before the line feed, which JSON ignores: an append
 * is complete once its last line is there.
 */
export function formatLines(entries: readonly string[]): string {
  return `${entries.join(" \n")}\n`;
}

/** Where each line of the complete appends ends, after its line feed. @param data - Starts where an append starts. */
export function findLineEnds(data: Uint8Array): readonly number[] {
  const ends: number[] = [];
  /** Lines before each append, and after the last complete one. */
  const appends = [0];
  for (let at = data.indexOf(LINE_FEED); at !== -1; at = data.indexOf(LINE_FEED, at + 1)) {
    ends.push(at + 1);
    if (at === 0 || data[at - 1] !== SPACE) appends.push(ends.length);
  }
  // After a power failure, bytes that were never written read as zeros: appends at the end that hold some are left out.
  for (let count = appends.pop() ?? 0; count > 0; count = appends.pop() ?? 0) {
    const start = ends[(appends.at(-1) ?? 0) - 1] ?? 0;
    if (!data.subarray(start, ends[count - 1]).includes(0)) return ends.slice(0, count);
  }
  return [];
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws {Error} When the bytes are not UTF-8, or not JSON. */
export function parseLine(line: Uint8Array): Json {
  // JSON.parse returns JSON.
  return JSON.parse(decoder.decode(line)) as Json;
}

/** A log as it was read, in any condition. */
export interface ParsedLog {
  readonly lines: readonly LogLine[];
  /** The text each entry was read from, so that unchanged entries are written back verbatim. */
  readonly texts: WeakMap<object, string>;
}

/** Reads a whole file. Never throws: what cannot be read is a problem of its line. */
export function parseLog(data: Uint8Array): ParsedLog {
  const texts = new WeakMap<object, string>();
  const ends = findLineEnds(data);
  const lines = ends.map((end, index): LogLine => parseBytes(data.subarray(ends[index - 1] ?? 0, end), texts));
  const rest = data.length - (ends.at(-1) ?? 0);
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
