import type { ModelResponse } from "../model/model.ts";
import type { Part } from "../wire/types/content.ts";
import type { GroundingSupport } from "../wire/types/generate-content.ts";
import { type Citation, numberChunks, type Source } from "./sources.ts";

/** How far from where the service said a segment is first looked for, in UTF-16 units. */
const NEAR = 400;

/**
 * Turns an answer's grounding supports into ranges of its visible text, in order of `start`.
 *
 * The service counts UTF-8 bytes and sometimes miscounts, so each range is compared with the text the service says it holds,
 * and looked for when it differs. A support that names no known source or has no segment gives no citation.
 *
 * @param sources - Those of the whole run, from {@link collectSources}.
 * @see https://ai.google.dev/api/generate-content#GroundingSupport
 */
export function resolveCitations(
  { content, candidate }: Pick<ModelResponse, "content" | "candidate">,
  sources: readonly Source[],
): Citation[] {
  const { groundingSupports, groundingChunks } = candidate.groundingMetadata ?? {};
  if (!Array.isArray(groundingSupports) || groundingSupports.length === 0) return [];
  const numbers = numberChunks(Array.isArray(groundingChunks) ? groundingChunks : [], sources);
  const finder = new RangeFinder(content.parts);
  const citations: Citation[] = [];
  for (const support of groundingSupports as readonly (GroundingSupport | null)[]) {
    const cited = readSources(support, numbers);
    if (support?.segment && cited.length > 0) citations.push({ ...finder.find(support.segment), sources: cited });
  }
  return citations.toSorted((a, b) => a.start - b.start || a.end - b.end);
}

function readSources(support: GroundingSupport | null, numbers: readonly (number | undefined)[]): number[] {
  const cited = new Set<number>();
  for (const chunk of support?.groundingChunkIndices ?? []) {
    const number = numbers[chunk];
    if (number !== undefined) cited.add(number);
  }
  return [...cited].toSorted((a, b) => a - b);
}

type Segment = NonNullable<GroundingSupport["segment"]>;
type Range = Omit<Citation, "sources">;

/** Finds segments in one answer, in the order they come: remembers how far off the service was and where the last one ended. */
class RangeFinder {
  readonly #text: string;
  readonly #offsets: ByteOffsets;
  /** Byte in the visible text at which each part begins, by its place among all parts; absent for parts that are not visible text. */
  readonly #partStarts: (number | undefined)[] = [];
  #drift = 0;
  #lastEnd = 0;

  constructor(parts: readonly Part[]) {
    let text = "";
    let bytes = 0;
    for (const part of parts) {
      const isVisible = part.text !== undefined && part.thought !== true;
      this.#partStarts.push(isVisible ? bytes : undefined);
      if (!isVisible) continue;
      text += part.text;
      bytes += byteLength(part.text);
    }
    this.#text = text;
    this.#offsets = buildByteOffsets(text);
  }

  find(segment: Segment): Range {
    const { text } = segment;
    const bases = this.#listBases(segment.partIndex);
    for (const base of bases) {
      const range = this.#rangeAt(segment, base);
      if (range !== undefined && range.text === text) {
        this.#drift = 0;
        return this.#found(range.start, range.end, text, "exact");
      }
    }
    const said = this.#offsets.indexAt((bases[0] ?? 0) + (segment.startIndex ?? 0));
    const end = Math.max(said, this.#offsets.indexAt((bases[0] ?? 0) + (segment.endIndex ?? 0)));
    if (text === undefined || text === "")
      return { start: said, end, text: this.#text.slice(said, end), match: "unverified" };

    const start = this.#nearest(text, said + this.#drift) ?? this.#anywhere(text);
    if (start === undefined) return { start: said, end, text, match: "unverified" };
    this.#drift = start - said;
    return this.#found(start, start + text.length, text, "moved");
  }

  /** Bytes from which the offsets may count: the visible text, or the named part, counted among all parts or among the visible ones. */
  #listBases(partIndex: number | undefined): number[] {
    if (partIndex === undefined || partIndex === 0) return [0];
    const visible = this.#partStarts.filter((start) => start !== undefined);
    return [0, this.#partStarts[partIndex], visible[partIndex]].filter((base) => base !== undefined);
  }

  #rangeAt(
    { startIndex = 0, endIndex = 0 }: Segment,
    base: number,
  ): { readonly start: number; readonly end: number; readonly text: string } | undefined {
    if (!this.#offsets.isBoundary(base + startIndex) || !this.#offsets.isBoundary(base + endIndex)) return undefined;
    const start = this.#offsets.indexAt(base + startIndex);
    const end = this.#offsets.indexAt(base + endIndex);
    return { start, end, text: this.#text.slice(start, end) };
  }

  #nearest(text: string, expected: number): number | undefined {
    const from = Math.max(0, expected - NEAR);
    const window = this.#text.slice(from, Math.max(0, expected) + text.length + NEAR);
    const at = expected - from;
    const before = window.lastIndexOf(text, Math.max(0, at));
    const after = window.indexOf(text, Math.max(0, at));
    if (before === -1 && after === -1) return undefined;
    if (before === -1 || after === -1) return from + Math.max(before, after);
    return from + (at - before <= after - at ? before : after);
  }

  #anywhere(text: string): number | undefined {
    const later = this.#text.indexOf(text, this.#lastEnd);
    const at = later === -1 ? this.#text.indexOf(text) : later;
    return at === -1 ? undefined : at;
  }

  #found(start: number, end: number, text: string, match: Citation["match"]): Range {
    this.#lastEnd = end;
    return { start, end, text, match };
  }
}

/**
 * Citations of earlier answers, moved to where the final text says the same.
 *
 * When search was a request of its own, or an earlier step of the run, the ranges the service gave are of that answer's
 * text. What the final text repeats word for word keeps its sources; what it says in other words has none.
 *
 * @param earlier - Answers before the final one, oldest first.
 */
export function findQuotedCitations(
  text: string,
  earlier: readonly Pick<ModelResponse, "content" | "candidate">[],
  sources: readonly Source[],
): Citation[] {
  const found = new Map<string, Citation>();
  for (const response of earlier) {
    let from = 0;
    for (const citation of resolveCitations(response, sources)) {
      if (citation.text.trim() === "") continue;
      const later = text.indexOf(citation.text, from);
      const start = later === -1 ? text.indexOf(citation.text) : later;
      if (start === -1) continue;
      const end = start + citation.text.length;
      from = end;
      const key = `${start}-${end}`;
      const numbers = new Set([...(found.get(key)?.sources ?? []), ...citation.sources]);
      found.set(key, {
        start,
        end,
        text: citation.text,
        sources: [...numbers].toSorted((a, b) => a - b),
        match: "moved",
      });
    }
  }
  return [...found.values()].toSorted((a, b) => a.start - b.start || a.end - b.end);
}

/** Translates places in a text from UTF-8 bytes to UTF-16 indexes. */
interface ByteOffsets {
  /** Length of the text in bytes. */
  readonly bytes: number;
  /** Index of the character that begins at this byte; of the one it lies in when it lies inside one. Clamped to the text. */
  indexAt(byte: number): number;
  /** True when a character begins (or the text ends) at this byte. */
  isBoundary(byte: number): boolean;
}

/** Reads the text once; every translation after that takes constant time. A lone surrogate counts as the three bytes it is sent as. */
export function buildByteOffsets(text: string): ByteOffsets {
  const bytes = byteLength(text);
  const inside = (byte: number): number => Math.min(Math.max(Math.trunc(byte), 0), bytes);
  const isWithin = (byte: number): boolean => Number.isInteger(byte) && byte >= 0 && byte <= bytes;
  if (bytes === text.length) return { bytes, indexAt: inside, isBoundary: isWithin };

  const indexes = new Uint32Array(bytes + 1);
  const starts = new Uint8Array(bytes + 1);
  let byte = 0;
  let index = 0;
  for (const character of text) {
    starts[byte] = 1;
    const width = countBytes(character);
    indexes.fill(index, byte, byte + width);
    byte += width;
    index += character.length;
  }
  starts[byte] = 1;
  indexes[byte] = index;
  return { bytes, indexAt: (at) => indexes[inside(at)] ?? 0, isBoundary: (at) => isWithin(at) && starts[at] === 1 };
}

/** Length of the text in UTF-8 bytes. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function countBytes(character: string): number {
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x1_0000 ? 3 : 4;
}
