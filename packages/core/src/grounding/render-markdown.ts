import { type Citation, type Grounding, isWebUrl, type Source } from "./sources.ts";

/**
 * Renders the answer as Markdown: a marker such as `[1]` after each range that sources support, and the numbered sources at the end.
 * Markers are never placed inside code, a link, a URL or a character. The search entry points are HTML, which the page has to add.
 * @param result - A run's result, or an object with these three of its fields.
 * @example
 * ```ts
 * const result = await agent.run("Who won the last Tour de France?");
 * console.log(renderMarkdown(result)); // with footnotes
 * ```
 */
export function renderMarkdown(result: { readonly text: string } & Pick<Grounding, "citations" | "sources">): string {
  const { text, citations, sources } = result;
  if (sources.length === 0) return text;
  const closed = findClosedRanges(text);
  let marked = "";
  let at = 0;
  for (const place of placeMarkers(text, citations, closed)) {
    marked += text.slice(at, place.index) + renderMarkers(place, text[place.index]);
    at = place.index;
  }
  marked += text.slice(at);
  const list = sources.map((source) => `${source.number}. ${renderSource(source)}`).join("\n");
  // A truncated answer may leave a code block open.
  const { openFence } = closed.at(-1) ?? {};
  return `${marked.trimEnd()}${openFence === undefined ? "" : `\n${openFence}`}\n\n---\n\n${list}\n`;
}

function renderMarkers({ numbers, after }: MarkerPlace, next: string | undefined): string {
  // Before these, an unescaped marker would become the text of a link.
  const isLinkText = next === "(" || next === "[" || next === ":";
  const markers = [...numbers]
    .toSorted((a, b) => a - b)
    .map((number, place) => (isLinkText && place === numbers.size - 1 ? `\\[${number}\\]` : `[${number}]`))
    .join("");
  // After a code block, markers are a paragraph of their own; after a URL, they need a space.
  if (after === "block") return `\n\n${markers}\n\n`;
  return after === "address" ? ` ${markers}` : markers;
}

function renderSource({ title, uri, kind, pageNumber }: Source): string {
  const label = escapeText(title ?? uri ?? kind) + (pageNumber === undefined ? "" : `, page ${pageNumber}`);
  if (uri === undefined) return label;
  if (isWebUrl(uri)) return `[${label}](${escapeUri(uri)})`;
  return title === undefined ? label : `${label} (${escapeText(uri)})`;
}

function escapeText(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .trim()
    .replace(/[\\`*_[\]<>#|~&!]/g, "\\$&");
}

function escapeUri(uri: string): string {
  return uri.replace(/[\s()<>\\"`|]/g, (character) =>
    character === "(" ? "%28" : character === ")" ? "%29" : encodeURIComponent(character),
  );
}

interface MarkerPlace {
  /** UTF-16 index in the text, never inside a character. */
  readonly index: number;
  readonly numbers: Set<number>;
  /** Kind of the range that it follows, if any. */
  readonly after: ClosedRange["kind"] | undefined;
}

/** Places the markers of an answer, in order: at the end of each range, or after the code, link or URL that contains the end. */
function placeMarkers(text: string, citations: readonly Citation[], closed: readonly ClosedRange[]): MarkerPlace[] {
  const places = new Map<number, MarkerPlace>();
  for (const { start, end, sources } of citations) {
    if (end <= start || start >= text.length) continue;
    let index = skipTrailing(text, start, Math.min(end, text.length));
    // Never between the two halves of a character.
    if ((text.codePointAt(index - 1) ?? 0) > 0xffff) index++;
    const around = findRange(closed, index);
    index = around?.end ?? skipEmphasis(text, index);
    const place = places.get(index) ?? { index, numbers: new Set<number>(), after: around?.kind };
    places.set(index, place);
    for (const number of sources) place.numbers.add(number);
  }
  return [...places.values()].toSorted((a, b) => a.index - b.index);
}

/** Moves back over trailing white space and table borders: a marker after them would start the next line or cell. */
function skipTrailing(text: string, start: number, end: number): number {
  let index = end;
  while (index > start && /[\s|]/.test(text.charAt(index - 1))) index--;
  return index === start ? end : index;
}

/** Moves past the rest of a mark such as the `**` of `**bold**` when the range ends inside it. */
function skipEmphasis(text: string, index: number): number {
  const mark = text[index - 1];
  let after = index;
  if (mark === "*" || mark === "_" || mark === "~") while (text[after] === mark) after++;
  return after;
}

interface ClosedRange {
  readonly start: number;
  readonly end: number;
  readonly kind: "block" | "span" | "address";
  /** What would close a block that the text leaves open. */
  readonly openFence?: string | undefined;
}

const FENCED = /^ {0,3}(([`~])\2{2,})[^\n]*(?:[\s\S]*?(\n {0,3}\1\2*[ \t]*$)|[\s\S]*)/gm;
const SPAN =
  /``[^\n]*?``|`[^`\n]+`|!?\[(?:[^[\]\\\n]|\\.)*\](?:\((?:[^()\s\\]|\\.|\([^()\s]*\))*(?:[ \t]+"[^"\n]*")?\)|\[[^[\]\n]*\])|<[a-z][^<>\s]*>|(https?:\/\/[^\s<>()[\]`*|]+)/gi;

/** Code blocks, inline code, links and URLs, in order and without overlaps. */
function findClosedRanges(text: string): ClosedRange[] {
  const ranges: ClosedRange[] = [];
  let at = 0;
  const spans = (until: number): void => {
    for (const match of text.slice(at, until).matchAll(SPAN)) {
      const start = at + match.index;
      // Punctuation that ends the sentence is not part of the URL.
      const length = match[1] === undefined ? match[0].length : match[0].replace(/[.,;:!?'"]+$/, "").length;
      ranges.push({ start, end: start + length, kind: match[1] === undefined ? "span" : "address" });
    }
  };
  for (const match of text.matchAll(FENCED)) {
    spans(match.index);
    at = match.index + match[0].length;
    ranges.push({
      start: match.index,
      end: at,
      kind: "block",
      openFence: match[3] === undefined ? match[1] : undefined,
    });
  }
  spans(text.length);
  return ranges;
}

/** The range that contains the index or ends at it. */
function findRange(ranges: readonly ClosedRange[], index: number): ClosedRange | undefined {
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
