import { markerPlaces } from "./marker-places.ts";
import type { Grounding, Source } from "./sources.ts";

/**
 * The answer as Markdown: a marker such as `[1]` after each range that sources support, and the numbered list of sources
 * below a rule at the end. A text without sources comes back unchanged.
 *
 * Markers never land inside code, a link, an address or a character. The search entry points are HTML with styles of their own
 * and are left to the page that shows the answer.
 *
 * @param result - A run's result, or anything with these three of its fields.
 */
export function renderMarkdown(result: { readonly text: string } & Pick<Grounding, "citations" | "sources">): string {
  const { text, citations, sources } = result;
  if (sources.length === 0) return text;
  let marked = "";
  let at = 0;
  for (const { index, numbers, setting } of markerPlaces(text, citations)) {
    marked += text.slice(at, index) + set(numbers, setting, text[index]);
    at = index;
  }
  marked += text.slice(at);
  const list = sources.map((source) => `${source.number}. ${entryOf(source)}`).join("\n");
  return `${marked.trimEnd()}${openFence(text)}\n\n---\n\n${list}\n`;
}

function set(numbers: readonly number[], setting: "inline" | "spaced" | "paragraph", next: string | undefined): string {
  // Before a bracket, a plain marker would become the text of a link.
  const isLinkText = next === "(" || next === "[" || next === ":";
  const markers = numbers
    .map((number, place) => (isLinkText && place === numbers.length - 1 ? `\\[${number}\\]` : `[${number}]`))
    .join("");
  if (setting === "paragraph") return `\n\n${markers}\n\n`;
  return setting === "spaced" ? ` ${markers}` : markers;
}

/** What closes a code block that the answer left open, as cut-off answers do. */
function openFence(text: string): string {
  let open: string | undefined;
  for (const line of text.split("\n")) {
    const fence = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line);
    if (fence === null) continue;
    const [, marks = "", rest = ""] = fence;
    if (open === undefined) open = marks;
    else if (marks.startsWith(open) && rest.trim() === "") open = undefined;
  }
  return open === undefined ? "" : `\n${open}`;
}

function entryOf({ title, uri, kind }: Source): string {
  const label = escapeText(title ?? uri ?? kind);
  if (uri === undefined) return label;
  // Only addresses a reader may safely click become links.
  if (/^https?:\/\//i.test(uri)) return `[${label}](${escapeUri(uri)})`;
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
