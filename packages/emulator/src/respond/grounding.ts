import type { GroundingChunk, GroundingMetadata, GroundingSupport } from "@pollux/core/wire";
import type { Answer, Search, SearchSource } from "../brain/answer.ts";
import type { Profile } from "../validate/types.ts";

type OffsetDrift = NonNullable<Answer["offsetDrift"]>;

/**
 * Grounding metadata of an answer: supports have UTF-8 byte offsets into the visible text, end exclusive, with zero omitted.
 *
 * @param text The visible text of the answer.
 */
export function groundingMetadata(search: Search, text: string, profile: Profile): GroundingMetadata {
  const { kind = "web", queries, sources } = search;
  const supports = search.supports ?? supportsInTurn(text, sources.length);
  return {
    ...(kind === "web" && { searchEntryPoint: { renderedContent: searchEntryPoint(queries) } }),
    ...(sources.length > 0 && { groundingChunks: sources.map((source) => chunkOf(source, kind, profile)) }),
    ...(supports.length > 0 && { groundingSupports: supportsOf(supports, text, profile) }),
    ...(kind === "web" && { webSearchQueries: queries }),
  };
}

/** Grounding of a JSON answer: the queries without sources. */
export function jsonGrounding(search: Search): GroundingMetadata {
  return { searchEntryPoint: { renderedContent: searchEntryPoint(search.queries) }, webSearchQueries: search.queries };
}

/** The HTML and CSS that must be shown next to grounded answers. */
export function searchEntryPoint(queries: readonly string[]): string {
  const chips = queries.map((query) => {
    const address = `https://www.google.com/search?q=${encodeURIComponent(query)}&client=app-vertex-grounding-quadratic`;
    return `    <a class="chip" href="${address}">${escapeHtml(query)}</a>`;
  });
  return [
    "<style>",
    ".container {\n  align-items: center;\n  border-radius: 8px;\n  display: flex;\n  font-family: Google Sans, Roboto, sans-serif;\n  padding: 8px 12px;\n}",
    ".chip {\n  border: solid 1px;\n  border-radius: 16px;\n  padding: 5px 16px;\n}",
    "</style>",
    '<div class="container">',
    '  <div class="headline"></div>',
    '  <div class="carousel">',
    ...chips,
    "  </div>",
    "</div>",
    "",
  ].join("\n");
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function chunkOf(source: SearchSource, kind: NonNullable<Search["kind"]>, profile: Profile): GroundingChunk {
  const { title, retrievedContext } = source;
  if (kind === "files") return { retrievedContext };
  if (kind === "maps") {
    const uri = source.uri ?? `https://maps.google.com/?cid=${cidOf(title)}`;
    return {
      maps: {
        uri,
        title,
        placeId: source.placeId ?? `places/ChIJ${Buffer.from(title).toString("base64url").slice(0, 23)}`,
      },
    };
  }
  const redirect = `https://vertexaisearch.cloud.google.com/grounding-api-redirect/${Buffer.from(`AUZIYQ ${title}`).toString("base64url")}`;
  const domain = profile === "vertex" || profile === "comet" ? { domain: title } : {};
  return { web: { uri: source.uri ?? redirect, title, ...domain } };
}

function cidOf(title: string): string {
  return String(Buffer.from(title.padEnd(8, "·")).readBigUInt64BE());
}

/** Each sentence of a text supported by one source, in turn. */
export function supportsInTurn(text: string, sources: number): NonNullable<Search["supports"]> {
  if (sources === 0) return [];
  const sentences = text
    .split(/(?<=[.!?。])\s+|\n+/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => /\p{L}/u.test(sentence));
  return sentences.map((sentence, index) => ({ text: sentence, sources: [index % sources] }));
}

/** The same grounding with wrong offsets, as the service sometimes sends; the texts remain correct. */
export function driftOffsets(grounding: GroundingMetadata, { bytes, from }: OffsetDrift): GroundingMetadata {
  const { groundingSupports } = grounding;
  if (groundingSupports === undefined) return grounding;
  const drifted = groundingSupports.map((support, index) => {
    const { segment } = support;
    if (segment === undefined || index < from) return support;
    const startIndex = (segment.startIndex ?? 0) + (index > from ? bytes : 0);
    const { startIndex: _start, endIndex = 0, ...rest } = segment;
    return { ...support, segment: { ...(startIndex > 0 && { startIndex }), endIndex: endIndex + bytes, ...rest } };
  });
  return { ...grounding, groundingSupports: drifted };
}

function supportsOf(supports: NonNullable<Search["supports"]>, text: string, profile: Profile): GroundingSupport[] {
  let from = 0;
  return supports.flatMap(({ text: words, sources }) => {
    // The same words may occur twice: search after the last support first.
    const ahead = text.indexOf(words, from);
    const at = ahead === -1 ? text.indexOf(words) : ahead;
    if (at === -1 || words === "") return [];
    from = at + words.length;
    const startIndex = Buffer.byteLength(text.slice(0, at));
    const segment = {
      ...(startIndex > 0 && { startIndex }),
      endIndex: startIndex + Buffer.byteLength(words),
      text: words,
    };
    return [
      {
        segment,
        groundingChunkIndices: sources,
        ...(profile === "comet" && { confidenceScores: sources.map(() => 0.95) }),
      },
    ];
  });
}
