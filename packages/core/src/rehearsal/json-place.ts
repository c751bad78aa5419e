/** A list or object that is open at a position. */
interface Frame {
  readonly isList: boolean;
  isEmpty: boolean;
  /** Of the member of a list. */
  index: number;
  /** Of the member of an object. */
  key: string | undefined;
}

/** What is at a position of a JSON text. */
export interface JsonPlace {
  /** The lists and objects around it, the outermost first: the index or name of the member that it is in. */
  readonly path: readonly (number | string)[];
  /**
   * `value`: inside or at the start of a value. `key`: inside the name of a member. `next`: where the list or object ends or goes on;
   * its member is the next one, which has no name yet if it is an object's.
   */
  readonly what: "value" | "key" | "next";
  /** Where that value or name starts. */
  readonly start: number;
}

/** What a walk over a request's body found. */
export interface BodyWalk {
  readonly place: JsonPlace | undefined;
  /** Where the bracket is that closes the contents; the length of a body without. */
  readonly contentsEnd: number;
}

/**
 * Walks over a request's body, in time linear in its length, without parsing it. Never throws: what is not JSON is walked over.
 *
 * @param stop - Whose place is wanted. A number that ends there counts if `goesOn`.
 */
export function walkBody(body: Uint8Array, stop: number, goesOn: boolean): BodyWalk {
  const frames: Frame[] = [];
  let place: JsonPlace | undefined;
  let contentsEnd = body.length;
  let expectsKey = false;
  for (let at = 0; at < body.length;) {
    const byte = body[at] ?? 0;
    const end = endOfToken(body, at, byte);
    const top = frames.at(-1);
    const holds = at <= stop && (stop < end || (stop === end && goesOn && isBare(byte)));
    if (place === undefined && holds) {
      if (isClose(byte) || byte === COMMA) place = nextPlace(frames, at);
      else if (!isSpace(byte) && byte !== COLON)
        place = {
          path: pathOf(expectsKey ? frames.slice(0, -1) : frames),
          what: expectsKey ? "key" : "value",
          start: at,
        };
    }
    if (place !== undefined && at > contentsEnd) break;
    if (top !== undefined && !isClose(byte) && !isSpace(byte)) top.isEmpty = false;
    if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      frames.push({ isList: byte === OPEN_LIST, isEmpty: true, index: 0, key: undefined });
      expectsKey = byte === OPEN_OBJECT;
    } else if (isClose(byte)) {
      if (frames.length === 2 && top?.isList === true && frames[0]?.key === "contents") {
        contentsEnd = at;
        if (place !== undefined) break;
      }
      frames.pop();
      expectsKey = false;
    } else if (byte === COMMA) {
      if (top !== undefined) top.index++;
      expectsKey = top?.isList === false;
    } else if (byte === QUOTE && expectsKey && top !== undefined) {
      top.key = textOf(body, at + 1, Math.min(end - 1, at + MAX_KEY));
      expectsKey = false;
    }
    at = end;
  }
  return { place, contentsEnd };
}

/** A path as people write it, such as `contents[4].parts[1].text`. */
export function writePath(path: readonly (number | string)[]): string {
  let written = "";
  for (const [depth, member] of path.entries()) {
    if (depth === MAX_DEPTH) return `${written}…`;
    if (typeof member === "number") written += `[${member}]`;
    else if (/^[A-Za-z_$][\w$]*$/.test(member)) written += written === "" ? member : `.${member}`;
    else written += `[${JSON.stringify(member)}]`;
  }
  return written;
}

/** The name of the member that starts at a quote. */
export function keyAt(body: Uint8Array, quote: number): string | undefined {
  if (body[quote] !== QUOTE) return undefined;
  return textOf(body, quote + 1, Math.min(endOfToken(body, quote, QUOTE) - 1, quote + MAX_KEY));
}

/** Bytes as text, without the halves of characters at both ends. */
export function textOf(bytes: Uint8Array, from: number, to: number): string {
  let [start, end] = [from, to];
  while (start < end && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  while (end > start && end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(start, end));
}

/** Where the value at a position ends, or a position after `limit`. */
export function endOfValue(body: Uint8Array, start: number, limit: number): number {
  let depth = 0;
  for (let at = start; at < body.length && at <= limit;) {
    const byte = body[at] ?? 0;
    if (isClose(byte)) depth--;
    if (depth < 0 || (depth === 0 && byte === COMMA)) return at;
    if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++;
    at = endOfToken(body, at, byte);
    if (depth === 0 && byte !== COLON && !isSpace(byte) && body[at] !== COLON) return at;
  }
  return Math.min(body.length, limit + 1);
}

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
/** Most bytes of a name that are read. */
const MAX_KEY = 200;
/** Most members that a path shows. */
const MAX_DEPTH = 20;

/** Where the token ends that starts at a position; always after it. */
function endOfToken(body: Uint8Array, start: number, byte: number): number {
  if (byte === QUOTE) return endOfString(body, start);
  if (!isBare(byte)) return start + 1;
  let at = start + 1;
  while (at < body.length && isBare(body[at] ?? 0)) at++;
  return at;
}

function endOfString(body: Uint8Array, start: number): number {
  for (let from = start + 1; ;) {
    const quote = body.indexOf(QUOTE, from);
    if (quote === -1) return body.length;
    let before = quote - 1;
    while (before > start && body[before] === BACKSLASH) before--;
    if ((quote - before) % 2 === 1) return quote + 1;
    from = quote + 1;
  }
}

/** Part of a number or a word. */
function isBare(byte: number): boolean {
  return !isSpace(byte) && ![QUOTE, COMMA, COLON, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT].includes(byte);
}

function isClose(byte: number): boolean {
  return byte === CLOSE_LIST || byte === CLOSE_OBJECT;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

function pathOf(frames: readonly Frame[]): readonly (number | string)[] {
  return frames.map(({ isList, index, key = "" }) => (isList ? index : key));
}

function nextPlace(frames: readonly Frame[], at: number): JsonPlace {
  const top = frames.at(-1);
  const around = pathOf(frames.slice(0, -1));
  if (top?.isList !== true) return { path: around, what: "next", start: at };
  return { path: [...around, top.isEmpty ? 0 : top.index + 1], what: "next", start: at };
}
