import { isHighSurrogate } from "../../../src/inspection/read-values.ts";

/** A text cut into lines that fit a width: start, end and indentation of each. */
export interface TextLines {
  readonly text: string;
  readonly count: number;
  start(line: number): number;
  end(line: number): number;
  indent(line: number): number;
}

/** Breaks lines at the text's line breaks and after `columns` characters. Linear for any text. */
export function rawLines(text: string, columns: number): TextLines {
  const lines = new LineList(text);
  let start = 0;
  while (start < text.length) {
    const feed = text.indexOf("\n", start);
    const stop = feed === -1 ? text.length : feed;
    lines.addWrapped(start, stop, 0, columns);
    start = stop + 1;
  }
  return lines;
}

/**
 * JSON laid out over lines, character for character: nothing is parsed and written again, so numbers and escapes stay as they were
 * sent, and each line knows its place in the text. Works for any text, as far as it looks like JSON.
 */
export function jsonLines(text: string, columns: number): TextLines {
  const lines = new LineList(text);
  let depth = 0;
  let start = skipSpace(text, 0);
  let at = start;
  const cut = (end: number, next: number): void => {
    if (end > start) lines.addWrapped(start, end, depth * 2, columns);
    start = skipSpace(text, next);
    at = start;
  };
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) at = endOfString(text, at);
    else if (unit === OPEN_OBJECT || unit === OPEN_LIST) {
      const close = skipSpace(text, at + 1);
      const isEmpty = isClose(text.charCodeAt(close));
      if (isEmpty) at = close + 1;
      else {
        cut(at + 1, at + 1);
        depth++;
      }
    } else if (isClose(unit)) {
      cut(at, at);
      depth = Math.max(0, depth - 1);
      at++;
    } else if (unit === COMMA) cut(at + 1, at + 1);
    else at++;
  }
  cut(trimEnd(text, start), text.length);
  return lines;
}

/** Longer words are cut at the end of the line. */
const LONGEST_WORD = 24;

class LineList implements TextLines {
  readonly text: string;
  /** Start, end and indentation of each line. */
  #values: Uint32Array = new Uint32Array(3 * 256);
  #count = 0;

  constructor(text: string) {
    this.text = text;
  }

  get count(): number {
    return this.#count;
  }

  start(line: number): number {
    return this.#values[3 * line] ?? 0;
  }

  end(line: number): number {
    return this.#values[3 * line + 1] ?? 0;
  }

  indent(line: number): number {
    return this.#values[3 * line + 2] ?? 0;
  }

  addWrapped(start: number, end: number, indent: number, columns: number): void {
    const shown = Math.min(indent, Math.floor(columns / 2));
    const room = Math.max(20, columns - shown);
    if (start === end) this.#add(start, end, shown);
    for (let at = start; at < end;) {
      let stop = Math.min(end, at + room);
      if (stop < end) {
        const space = this.text.lastIndexOf(" ", stop - 1);
        if (space >= stop - LONGEST_WORD && space > at) stop = space + 1;
        // Keeps surrogate pairs together.
        else if (isHighSurrogate(this.text.charCodeAt(stop - 1))) stop--;
      }
      this.#add(at, stop, at === start ? shown : Math.min(shown + 2, columns - 10));
      at = stop;
    }
  }

  #add(start: number, end: number, indent: number): void {
    const at = 3 * this.#count;
    if (at + 3 > this.#values.length) {
      const larger = new Uint32Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values.set([start, end, indent], at);
    this.#count++;
  }
}

/** The line of a position in the text. */
export function lineAt(lines: TextLines, position: number): number {
  let low = 0;
  let high = lines.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (lines.end(middle) <= position) low = middle + 1;
    else high = middle;
  }
  return Math.min(low, Math.max(0, lines.count - 1));
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

function isClose(unit: number): boolean {
  return unit === CLOSE_OBJECT || unit === CLOSE_LIST;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    if (unit === BACKSLASH) at += 2;
    else if (unit === QUOTE) return at + 1;
    else at++;
  }
  return text.length;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  return at;
}

function trimEnd(text: string, from: number): number {
  let end = text.length;
  while (end > from && isSpace(text.charCodeAt(end - 1))) end--;
  return end;
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
}
