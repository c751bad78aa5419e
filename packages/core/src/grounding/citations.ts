import { asList } from "../internal/json.ts";
import { utf8Length } from "../internal/text.ts";
import type { ModelResponse } from "../model/model.ts";
import type { Part } from "../wire/types/content.ts";
import type { GroundingSupport } from "../wire/types/generate-content.ts";
import { type Citation, numberChunks, type Source } from "./sources.ts";

/** Distance from the service's offset within which a segment is searched for first, in UTF-16 units. */
const NEAR = 400;

/**
 * Converts an answer's grounding supports to ranges of its visible text, in order of `start`. The service counts UTF-8 bytes and sometimes
 * miscounts, so a segment's text is searched for if it differs. A support without a known source or a segment yields none.
 * @param sources - The sources of the whole run, from {@link collectSources}.
 * @see https://ai.google.dev/api/generate-content#GroundingSupport
 */
export function resolveCitations(
  { content, candidate }: Pick<ModelResponse, "content" | "candidate">,
  sources: readonly Source[],
): Citation[] {
  const { groundingSupports, groundingChunks } = candidate.groundingMetadata ?? {};
  const supports: readonly (GroundingSupport | null)[] = asList(groundingSupports);
  if (supports.length === 0) return [];
  const numbers = numberChunks(asList(groundingChunks), sources);
  const finder = new RangeFinder(content.parts);
  const citations: Citation[] = [];
  for (const support of supports) {
    const cited = (support?.groundingChunkIndices ?? []).map((chunk) => numbers[chunk]);
    const known = sortUnique(cited.filter((number) => number !== undefined));
    if (support?.segment && known.length > 0) citations.push({ ...finder.find(support.segment), sources: known });
  }
  return citations.toSorted(byPlace);
}

function sortUnique(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].toSorted((a, b) => a - b);
}

function byPlace(a: Citation, b: Citation): number {
  return a.start - b.start || a.end - b.end;
}

type Range = Omit<Citation, "sources">;

/** Finds segments of one answer, in order: remembers how far off the last offset was and where the last segment ended. */
export class RangeFinder {
  readonly #text: string;
  /** Index of the character that each byte of the text belongs to; the last entry is the index of the text's end. */
  readonly #indexes: Uint32Array;
  /** Where each part begins in the visible text, in bytes, by its index among all parts; absent for parts without visible text. */
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
      bytes += utf8Length(part.text);
    }
    this.#text = text;
    this.#indexes = indexBytes(text);
  }

  find(segment: NonNullable<GroundingSupport["segment"]>): Range {
    const { text, startIndex = 0, endIndex = 0 } = segment;
    const bases = this.#listBases(segment.partIndex);
    for (const base of bases) {
      if (!this.#startsCharacter(base + startIndex) || !this.#startsCharacter(base + endIndex)) continue;
      const start = this.#indexAt(base + startIndex);
      if (this.#text.slice(start, this.#indexAt(base + endIndex)) !== text) continue;
      this.#drift = 0;
      return this.#found(start, text, "exact");
    }
    const [base = 0] = bases;
    const claimed = this.#indexAt(base + startIndex);
    const end = Math.max(claimed, this.#indexAt(base + endIndex));
    if (text === undefined || text === "")
      return { start: claimed, end, text: this.#text.slice(claimed, end), match: "unverified" };

    const start = this.#nearest(text, claimed + this.#drift) ?? indexOfFrom(this.#text, text, this.#lastEnd);
    if (start === undefined) return { start: claimed, end, text, match: "unverified" };
    this.#drift = start - claimed;
    return this.#found(start, text, "moved");
  }

  #indexAt(byte: number): number {
    return this.#indexes[Math.min(Math.max(Math.trunc(byte), 0), this.#indexes.length - 1)] ?? 0;
  }

  /** True also at the end of the text. */
  #startsCharacter(byte: number): boolean {
    return this.#indexes[byte] !== undefined && this.#indexes[byte] !== this.#indexes[byte - 1];
  }

  /** Byte positions that offsets may count from: the start of the visible text, or of the named part, counted among all or visible parts. */
  #listBases(partIndex: number | undefined): number[] {
    if (partIndex === undefined || partIndex === 0) return [0];
    const visible = this.#partStarts.filter((start) => start !== undefined);
    return [0, this.#partStarts[partIndex], visible[partIndex]].filter((base) => base !== undefined);
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

  #found(start: number, text: string, match: Citation["match"]): Range {
    this.#lastEnd = start + text.length;
    return { start, end: this.#lastEnd, text, match };
  }
}

/** The first occurrence from an index on, or else the first one in the text. */
function indexOfFrom(text: string, wanted: string, from: number): number | undefined {
  const later = text.indexOf(wanted, from);
  const at = later === -1 ? text.indexOf(wanted) : later;
  return at === -1 ? undefined : at;
}

/** Moves citations of earlier answers to where the final text repeats them verbatim; a paraphrase has none. @param earlier - Oldest first. */
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
      const start = indexOfFrom(text, citation.text, from);
      if (start === undefined) continue;
      const end = start + citation.text.length;
      from = end;
      const key = `${start}-${end}`;
      const numbers = sortUnique([...(found.get(key)?.sources ?? []), ...citation.sources]);
      found.set(key, { start, end, text: citation.text, sources: numbers, match: "moved" });
    }
  }
  return [...found.values()].toSorted(byPlace);
}

/** Computed once, so that each conversion takes constant time. A lone surrogate counts as the three bytes it is sent as. */
function indexBytes(text: string): Uint32Array {
  const encoded = new TextEncoder().encode(text);
  const indexes = new Uint32Array(encoded.length + 1).fill(text.length);
  let index = 0;
  let next = 0;
  for (let byte = 0; byte < encoded.length; byte++) {
    const value = encoded[byte] ?? 0;
    if ((value & 0xc0) !== 0x80) {
      index = next;
      // Characters of four bytes are pairs of surrogates.
      next += value >= 0xf0 ? 2 : 1;
    }
    indexes[byte] = index;
  }
  return indexes;
}
