import { sharedPrefix } from "../internal/text.ts";

/** A body of `bytes` bytes, part by part: text as UTF-8, or a range of the base's bytes. */
export interface BodyDelta {
  readonly bytes: number;
  /** Position of the entry with the base. */
  readonly base?: number | undefined;
  /** Number of bytes that both share at their beginning. */
  readonly shared?: number | undefined;
  readonly parts: readonly (string | readonly [from: number, to: number])[];
}

/** A body that is already in the log. */
export interface KnownBody {
  /** Position of its entry. */
  readonly position: number;
  readonly body: Uint8Array;
}

/** Sharing less than this is not worth a reference. */
const MIN_SHARED = 64;

/** A body as its difference from the most similar known one: they may share the beginning, the contents and the end. */
export function bodyDelta(body: Uint8Array, known: Iterable<KnownBody>): BodyDelta {
  const bytes = body.length;
  const base = mostLike(body, known);
  if (base === undefined) return { bytes, parts: [textOf(body, 0, bytes)] };
  const { old, shared, contents } = base;
  const parts: (readonly [from: number, to: number] | string)[] = [];
  // How much of each body is covered.
  let [from, to] = [0, 0];
  const copy = (start: number, place: number, length: number): void => {
    if (length <= 0) return;
    if (place > to) parts.push(textOf(body, to, place));
    parts.push([start, start + length]);
    [from, to] = [start + length, place + length];
  };
  copy(0, 0, beforeCharacter(body, shared));
  if (contents !== undefined)
    copy(contents.from, contents.to, beforeCharacter(body, contents.to + contents.length) - contents.to);
  let end = sharedSuffix(old.body.subarray(from), body.subarray(to));
  while (isInsideCharacter(body, bytes - end)) end--;
  copy(old.body.length - end, bytes - end, end);
  if (to < bytes) parts.push(textOf(body, to, bytes));
  return { bytes, base: old.position, shared, parts };
}

/** A known body, and what it shares with another one. */
interface Likeness {
  readonly old: KnownBody;
  /** Number of bytes at the beginning. */
  readonly shared: number;
  /** Where their contents begin, and how many bytes the contents share, if the shared beginning ends before them. */
  readonly contents?: { readonly from: number; readonly to: number; readonly length: number } | undefined;
}

function mostLike(body: Uint8Array, known: Iterable<KnownBody>): Likeness | undefined {
  const to = indexOf(body, CONTENTS, 0);
  const size = ({ shared, contents }: Likeness): number => shared + (contents?.length ?? 0);
  let best: Likeness | undefined;
  for (const old of known) {
    const shared = sharedPrefix(old.body, body);
    // In the usual case, the beginning ends after most of the contents.
    const from = shared > to ? -1 : indexOf(old.body, CONTENTS, shared);
    const length = from === -1 ? 0 : sharedPrefix(old.body.subarray(from), body.subarray(to));
    const likeness = { old, shared, contents: from === -1 ? undefined : { from, to, length } };
    if (size(likeness) >= Math.max(MIN_SHARED, best === undefined ? 0 : size(best) + 1)) best = likeness;
  }
  return best;
}

/** How many bytes two arrays share at their end. */
function sharedSuffix(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  let count = 0;
  while (count < length && a[a.length - 1 - count] === b[b.length - 1 - count]) count++;
  return count;
}

/**
 * Rebuilds a body, in time linear in its size and the number of its bases.
 *
 * @param find - The delta at a position.
 * @throws {RangeError} When a delta contradicts its base.
 */
export function buildBody(position: number, find: (position: number) => BodyDelta | undefined): Uint8Array {
  const whole = find(position);
  if (whole === undefined) throw new RangeError(`there is no exchange at position ${position}`);
  const out = new Uint8Array(whole.bytes);
  const encoder = new TextEncoder();
  let wanted: readonly Piece[] = [{ from: 0, to: whole.bytes, at: 0 }];
  let at = position;
  let delta = whole;
  for (;;) {
    const inBase: Piece[] = [];
    let start = 0;
    for (const part of delta.parts) {
      const added = typeof part === "string" ? encoder.encode(part) : undefined;
      const end = start + (typeof part === "string" ? (added?.length ?? 0) : part[1] - part[0]);
      for (const piece of wanted) {
        const [first, last] = [Math.max(piece.from, start), Math.min(piece.to, end)];
        if (first >= last) continue;
        const place = piece.at + first - piece.from;
        if (typeof part !== "string") {
          const shift = part[0] - start;
          inBase.push({ from: first + shift, to: last + shift, at: place });
        } else if (added !== undefined) out.set(added.subarray(first - start, last - start), place);
      }
      start = end;
    }
    if (start !== delta.bytes) throw new RangeError(`the body of exchange ${at} has another length`);
    if (inBase.length === 0) return out;
    const { base = -1 } = delta;
    const next = base < at ? find(base) : undefined;
    if (next === undefined || inBase.some(({ to }) => to > next.bytes))
      throw new RangeError(`the body of exchange ${at} is based on exchange ${base}, which is missing or damaged`);
    wanted = inBase;
    at = base;
    delta = next;
  }
}

/** A range of bytes of a body, and its place in the rebuilt one. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/** The beginning of a request's contents, in ASCII. */
const CONTENTS = '"contents":[';

function indexOf(bytes: Uint8Array, wanted: string, from: number): number {
  const first = wanted.charCodeAt(0);
  for (let at = bytes.indexOf(first, from); at !== -1; at = bytes.indexOf(first, at + 1)) {
    let index = 1;
    while (index < wanted.length && bytes[at + index] === wanted.charCodeAt(index)) index++;
    if (index === wanted.length) return at;
  }
  return -1;
}

/** The position, or the start of the character around it. */
function beforeCharacter(bytes: Uint8Array, position: number): number {
  let at = position;
  while (isInsideCharacter(bytes, at)) at--;
  return at;
}

/** True between two bytes of one character. */
function isInsideCharacter(bytes: Uint8Array, position: number): boolean {
  return ((bytes[position] ?? 0) & 0xc0) === 0x80;
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(from, to));
}
