import { sharedPrefix, sharedSuffix } from "../internal/bytes.ts";
import type { BodyDelta } from "./entries.ts";

/** A body that is already in the log. */
export interface KnownBody {
  /** Position of its entry. */
  readonly position: number;
  readonly body: Uint8Array;
}

/** Sharing less than this is not worth a reference. */
const MIN_SHARED = 64;

/** A body by what it shares with the known one that begins most like it. */
export function bodyDelta(body: Uint8Array, known: Iterable<KnownBody>): BodyDelta {
  let base: KnownBody | undefined;
  let keep = MIN_SHARED - 1;
  for (const candidate of known) {
    const shared = sharedPrefix(candidate.body, body);
    if (shared > keep) [base, keep] = [candidate, shared];
  }
  const bytes = body.length;
  if (base === undefined) return { bytes, add: textOf(body) };
  while (isInsideCharacter(body, keep)) keep--;
  let end = sharedSuffix(base.body.subarray(keep), body.subarray(keep));
  while (isInsideCharacter(body, bytes - end)) end--;
  return { bytes, base: base.position, keep, end, add: textOf(body.subarray(keep, bytes - end)) };
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
  let wanted: readonly Piece[] = [{ from: 0, to: whole.bytes, at: 0 }];
  let at = position;
  let delta = whole;
  for (;;) {
    const { bytes, keep = 0, end = 0, base } = delta;
    const added = new TextEncoder().encode(delta.add);
    if (added.length !== bytes - keep - end) throw new RangeError(`the body of exchange ${at} has another length`);
    for (const { from, to, at: place } of wanted) {
      const [first, last] = [Math.max(from, keep), Math.min(to, bytes - end)];
      if (first < last) out.set(added.subarray(first - keep, last - keep), place + first - from);
    }
    if (base === undefined) return out;
    const next = base < at ? find(base) : undefined;
    if (next === undefined || keep + end > next.bytes)
      throw new RangeError(`the body of exchange ${at} is based on exchange ${base}, which is missing or damaged`);
    wanted = inBase(wanted, keep, bytes - end, next.bytes - bytes);
    if (wanted.length === 0) return out;
    at = base;
    delta = next;
  }
}

/** Bytes of a body, and where they go in the one that is rebuilt. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/** The pieces that are not between two positions, as positions in the base. @param shift - Of what follows. */
function inBase(wanted: readonly Piece[], keep: number, end: number, shift: number): readonly Piece[] {
  const pieces: Piece[] = [];
  for (const { from, to, at } of wanted) {
    if (from < keep) pieces.push({ from, to: Math.min(to, keep), at });
    const first = Math.max(from, end);
    if (first < to) pieces.push({ from: first + shift, to: to + shift, at: at + first - from });
  }
  return pieces;
}

/** True between two bytes of one character. */
function isInsideCharacter(bytes: Uint8Array, position: number): boolean {
  return ((bytes[position] ?? 0) & 0xc0) === 0x80;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
