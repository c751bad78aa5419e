import { sharedPrefix } from "../internal/text.ts";

/** A request's body compared with the body of the request before it. */
export interface PrefixComparison {
  /** Bytes at the beginning that both have in common. */
  readonly sharedBytes: number;
  /** Absent if the request continues the one before: everything before its new contents is the same. */
  readonly broken?: BrokenPrefix | undefined;
}

/** Where a request stops being a continuation of the one before. */
export interface BrokenPrefix {
  /** Path of the first value that differs, such as `tools[0].functionDeclarations[3].description`. */
  readonly field: string;
  /** Text around the difference in the earlier or recorded body; absent if the value is new. */
  readonly was?: string | undefined;
  /** Text around the difference in the current body; absent if the value is gone. */
  readonly is?: string | undefined;
  /** Bytes of the earlier request's prompt from the difference on, which a cache can no longer serve. */
  readonly lostBytes: number;
}

/** The first place where two bodies differ. */
export interface BodyDifference extends Omit<BrokenPrefix, "lostBytes"> {
  /** From 0, in the order of the run's requests. */
  readonly request: number;
  /** Position of the kept exchange in its log, if there is one. */
  readonly position?: number | undefined;
  /** Step of the request, such as `model:2`. */
  readonly step: string;
}

/**
 * Compares the bodies of two consecutive requests, in time linear in their length.
 *
 * A request continues another one if everything up to the end of the earlier contents is the same: the service's implicit cache reads
 * a prompt from its beginning. Settings after the contents don't count, and a request that only drops the last contents breaks nothing.
 *
 * @see https://ai.google.dev/gemini-api/docs/caching
 */
export function comparePrefix(before: Uint8Array, after: Uint8Array): PrefixComparison {
  const sharedBytes = sharedPrefix(before, after);
  if (sharedBytes === before.length && sharedBytes === after.length) return { sharedBytes };
  const spot = findSpot(before, after, sharedBytes);
  const contentsEnd = findContentsEnd(before);
  const takesBack = isClose(after[sharedBytes]) && spot.start === sharedBytes && isInContents(spot.frames);
  if (sharedBytes >= contentsEnd || takesBack) return { sharedBytes };
  return {
    sharedBytes,
    broken: { ...describe(before, after, spot, sharedBytes), lostBytes: contentsEnd - sharedBytes },
  };
}

/** Compares two whole bodies, settings included. @returns Undefined for equal bodies. */
export function compareBodies(
  recorded: Uint8Array,
  built: Uint8Array,
): Pick<BodyDifference, "field" | "was" | "is"> | undefined {
  const at = sharedPrefix(recorded, built);
  if (at === recorded.length && at === built.length) return undefined;
  return describe(recorded, built, findSpot(recorded, built, at), at);
}

/** An open list or object: the index of its current member, or that member's name. */
interface Frame {
  readonly isList: boolean;
  isEmpty: boolean;
  index: number;
  key: string | undefined;
}

/** Where two bodies differ: the lists and objects open there, outermost first, and the start of the token that differs. */
interface Spot {
  readonly frames: readonly Readonly<Frame>[];
  readonly expectsKey: boolean;
  readonly start: number;
}

/** Walks over a body without parsing it, in time linear in its length: yields each token, and the frames open before it. Never throws. */
function* walk(body: Uint8Array): Generator<Spot & { readonly end: number; readonly byte: number }, void, void> {
  const frames: Frame[] = [];
  let expectsKey = false;
  for (let start = 0; start < body.length;) {
    const byte = body[start] ?? 0;
    const end = endOfToken(body, start);
    yield { frames, expectsKey, start, end, byte };
    const top = frames.at(-1);
    if (top !== undefined && !isClose(byte) && !isSpace(byte)) top.isEmpty = false;
    if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      frames.push({ isList: byte === OPEN_LIST, isEmpty: true, index: 0, key: undefined });
      expectsKey = byte === OPEN_OBJECT;
    } else if (isClose(byte)) {
      frames.pop();
      expectsKey = false;
    } else if (byte === COMMA) {
      if (top !== undefined) top.index++;
      expectsKey = top?.isList === false;
    } else if (byte === QUOTE && expectsKey && top !== undefined) {
      top.key = keyAt(body, start);
      expectsKey = false;
    }
    start = end;
  }
}

/** The place where two bodies begin to differ. A number that ends there belongs to it if the number continues in one of them. */
function findSpot(before: Uint8Array, after: Uint8Array, at: number): Spot {
  const isNumber = isInNumber(before[at]) || isInNumber(after[at]);
  for (const { frames, expectsKey, start, end, byte } of walk(at < before.length ? before : after))
    if (at < end || (at === end && isNumber && isBare(byte)))
      return { frames: frames.map((frame) => ({ ...frame })), expectsKey, start };
  return { frames: [], expectsKey: false, start: 0 };
}

/** Position of the bracket that closes the contents; the length of a body without contents. */
function findContentsEnd(body: Uint8Array): number {
  for (const { frames, start, byte } of walk(body)) if (isClose(byte) && isInContents(frames)) return start;
  return body.length;
}

function isInContents([whole, contents, ...inner]: readonly Frame[]): boolean {
  return whole?.key === "contents" && contents?.isList === true && inner.length === 0;
}

function describe(before: Uint8Array, after: Uint8Array, spot: Spot, at: number): Omit<BrokenPrefix, "lostBytes"> {
  // One of the two may have a member that the other one lacks there.
  const [old, now] = [memberAt(before, spot), memberAt(after, spot)];
  const isOld = old !== undefined && (now === undefined || orderOf(old.name) <= orderOf(now.name));
  const member = isOld ? old : now;
  const isSame = old?.name === now?.name;
  return {
    field: writePath(member?.path ?? []),
    ...(old !== undefined && (isSame || isOld) && { was: excerpt(before, old.start, at) }),
    ...(now !== undefined && (isSame || !isOld) && { is: excerpt(after, now.start, at) }),
  };
}

/** A member of a list or object: its name if it is new there, where the name or else the value starts, and the path to it. */
interface Member {
  readonly name?: string | undefined;
  readonly start: number;
  readonly path: Path;
}

type Path = readonly (number | string)[];

/** The member that begins or continues at a place; undefined where the list or object ends. */
function memberAt(body: Uint8Array, { frames, expectsKey, start }: Spot): Member | undefined {
  const byte = body[start];
  if (isClose(byte)) return undefined;
  const path = frames.map(({ isList, index, key = "" }) => (isList ? index : key));
  if (byte !== COMMA && !expectsKey) return { start, path };
  const from = byte === COMMA ? start + 1 : start;
  const [top, around] = [frames.at(-1), path.slice(0, -1)];
  if (top?.isList === true) return { start: from, path: [...around, top.index + 1] };
  const name = keyAt(body, from);
  return { name, start: from, path: name === undefined ? around : [...around, name] };
}

/** Order of a request's fields, to name the one that a request lacks. */
const ORDER = ["systemInstruction", "tools", "cachedContent", "contents"];

function orderOf(name: string | undefined): number {
  const order = ORDER.indexOf(name ?? "");
  return order === -1 ? ORDER.length : order;
}

/** A path as people write it, such as `contents[4].parts[1].text`. */
function writePath(path: Path): string {
  let written = "";
  for (const [depth, member] of path.entries()) {
    if (depth === MAX_DEPTH) return `${written}…`;
    if (typeof member === "number") written += `[${member}]`;
    else if (/^[A-Za-z_$][\w$]*$/.test(member)) written += written === "" ? member : `.${member}`;
    else written += `[${JSON.stringify(member)}]`;
  }
  return written;
}

/** Bytes of an excerpt before and after the difference. */
const [BEFORE, AFTER] = [40, 80];

/** The text of a value around a position in it. */
function excerpt(body: Uint8Array, start: number, at: number): string {
  const from = Math.max(start, at - BEFORE);
  const end = endOfValue(body, start, at + AFTER);
  const to = Math.min(end, at + AFTER);
  return `${from > start ? "…" : ""}${textOf(body, from, to)}${to < end ? "…" : ""}`;
}

/** Where the value at a position ends, or a position after `limit`. */
function endOfValue(body: Uint8Array, start: number, limit: number): number {
  let depth = 0;
  for (let at = start; at < body.length && at <= limit;) {
    const byte = body[at] ?? 0;
    if (isClose(byte)) depth--;
    if (depth < 0 || (depth === 0 && byte === COMMA)) return at;
    if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++;
    at = endOfToken(body, at);
    if (depth === 0 && byte !== COLON && !isSpace(byte) && body[at] !== COLON) return at;
  }
  return Math.min(body.length, limit + 1);
}

function keyAt(body: Uint8Array, quote: number): string | undefined {
  if (body[quote] !== QUOTE) return undefined;
  return textOf(body, quote + 1, Math.min(endOfToken(body, quote) - 1, quote + MAX_KEY));
}

/** Bytes as text, without the halves of characters at both ends. */
function textOf(bytes: Uint8Array, from: number, to: number): string {
  let [start, end] = [from, to];
  while (start < end && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  while (end > start && end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(start, end));
}

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const MAX_KEY = 200;
const MAX_DEPTH = 20;

/** End of the token that starts at a position; always after it. */
function endOfToken(body: Uint8Array, start: number): number {
  const byte = body[start] ?? 0;
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

/** True for a byte of a number or a word. */
function isBare(byte: number): boolean {
  return !isSpace(byte) && ![QUOTE, COMMA, COLON, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT].includes(byte);
}

function isClose(byte: number | undefined): boolean {
  return byte === CLOSE_LIST || byte === CLOSE_OBJECT;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** True for a byte that can continue a number. */
function isInNumber(byte: number | undefined): boolean {
  return byte !== undefined && /[\d.eE+-]/.test(String.fromCharCode(byte));
}
