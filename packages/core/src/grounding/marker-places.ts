import type { Citation } from "./sources.ts";

/** Where a marker goes. */
export interface MarkerPlace {
  /** UTF-16 index in the text, never inside a character. */
  readonly index: number;
  /** Ascending, without repeats. */
  readonly numbers: readonly number[];
  /** After an address a space must part the two; after a code block the marker is a paragraph of its own. */
  readonly setting: "inline" | "spaced" | "paragraph";
}

/** Decides where the markers of an answer go, in order: at the end of each range, or behind the code, link or address that the end lies in. */
export function markerPlaces(text: string, citations: readonly Citation[]): MarkerPlace[] {
  const closed = closedRanges(text);
  const places = new Map<number, { readonly numbers: Set<number>; readonly setting: MarkerPlace["setting"] }>();
  for (const { start, end, sources } of citations) {
    if (end <= start || start >= text.length) continue;
    const { index, setting } = placeFor(text, start, Math.min(end, text.length), closed);
    const place = places.get(index) ?? { numbers: new Set(), setting };
    places.set(index, place);
    for (const number of sources) place.numbers.add(number);
  }
  return [...places]
    .toSorted(([a], [b]) => a - b)
    .map(([index, { numbers, setting }]) => ({ index, numbers: [...numbers].toSorted((a, b) => a - b), setting }));
}

function placeFor(
  text: string,
  start: number,
  end: number,
  closed: readonly ClosedRange[],
): { readonly index: number; readonly setting: MarkerPlace["setting"] } {
  let index = lastContent(text, start, end);
  if (isInsidePair(text, index)) index++;
  const around = rangeAround(closed, index);
  if (around === undefined) return { index: afterEmphasis(text, index), setting: "inline" };
  if (around.kind === "block") return { index: around.end, setting: "paragraph" };
  return { index: around.end, setting: around.kind === "address" ? "spaced" : "inline" };
}

/** Before the white space and table borders a range may end with: a marker after them would stand in the next line. */
function lastContent(text: string, start: number, end: number): number {
  let index = end;
  while (index > start && /[\s|]/.test(text.charAt(index - 1))) index--;
  return index === start ? end : index;
}

function isInsidePair(text: string, index: number): boolean {
  return isUnit(text, index - 1, 0xd800) && isUnit(text, index, 0xdc00);
}

function isUnit(text: string, index: number, from: number): boolean {
  const unit = text.charCodeAt(index);
  return unit >= from && unit < from + 0x400;
}

/** Behind marks such as the second `*` of `**bold**` when the range ends between the two. */
function afterEmphasis(text: string, index: number): number {
  const mark = text[index - 1];
  let after = index;
  if (mark === "*" || mark === "_" || mark === "~") while (text[after] === mark) after++;
  return after;
}

interface ClosedRange {
  readonly start: number;
  readonly end: number;
  readonly kind: "block" | "span" | "address";
}

const FENCED = /^ {0,3}(`{3,}|~{3,})[^\n]*(?:\n[\s\S]*?(?:\n {0,3}\1[`~]*[ \t]*$|$(?![\s\S]))|$(?![\s\S]))/gm;
const SPAN =
  /``[^\n]*?``|`[^`\n]+`|!?\[(?:[^[\]\\\n]|\\.)*\](?:\((?:[^()\s\\]|\\.|\([^()\s]*\))*(?:[ \t]+"[^"\n]*")?\)|\[[^[\]\n]*\])|<[a-z][^<>\s]*>|(https?:\/\/[^\s<>()[\]`*|]+)/gi;

/** Code blocks, code, links and addresses, in order, none inside another. */
function closedRanges(text: string): ClosedRange[] {
  const ranges: ClosedRange[] = [];
  let at = 0;
  const spans = (until: number): void => {
    for (const match of text.slice(at, until).matchAll(SPAN)) {
      const start = at + match.index;
      // A full stop that ends the sentence is not part of the address.
      const length = match[1] === undefined ? match[0].length : match[0].replace(/[.,;:!?'"]+$/, "").length;
      ranges.push({ start, end: start + length, kind: match[1] === undefined ? "span" : "address" });
    }
  };
  for (const match of text.matchAll(FENCED)) {
    spans(match.index);
    at = match.index + match[0].length;
    ranges.push({ start: match.index, end: at, kind: "block" });
  }
  spans(text.length);
  return ranges;
}

/** The range that the index lies in or right behind. */
function rangeAround(ranges: readonly ClosedRange[], index: number): ClosedRange | undefined {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.end ?? 0) < index) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low];
  return range !== undefined && range.start < index ? range : undefined;
}
