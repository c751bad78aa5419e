import type { Part } from "@pollux/core/wire";
import type { Citation, Source } from "@pollux/core";
import { collectSources, resolveCitations } from "@pollux/core/conversation";
import type { Annotation, Content, Interaction } from "./types/interaction.ts";

/** The result of an interaction, in the shapes of a run's result. */
export interface InteractionResult {
  /** All texts of its answer, joined: a report may be interrupted by images. */
  readonly text: string;
  /** In order of their numbers. `renderMarkdown()` of core lists them. */
  readonly sources: readonly Source[];
  /** Ranges of {@link InteractionResult.text}, in UTF-16 units. */
  readonly citations: readonly Citation[];
  readonly searchQueries: readonly string[];
  /** HTML that the terms of use require next to an answer with Google Search. */
  readonly searchEntryPoints: readonly string[];
  /** Images and other media of the answer, in order, as received. */
  readonly media: readonly Content[];
  /** Thought summaries. */
  readonly thoughts: readonly string[];
}

/**
 * Reads text, sources and citations from the steps of an interaction. The service's offsets count UTF-8 bytes of one
 * text; the result's offsets count UTF-16 units of all texts.
 *
 * @param interaction - Or just its `steps`, as a `StepsBuilder` has them.
 * @example
 * ```ts
 * const client = new InteractionsClient();
 * const research = await client.create({
 *   agent: "deep-research-preview-04-2026",
 *   input: "How do heat pumps work in the cold?",
 *   background: true,
 *   store: true,
 * });
 * const report = readResult(await client.wait(research.id ?? ""));
 * console.log(report.text, report.sources);
 * ```
 */
export function readResult({ steps = [] }: Pick<Interaction, "steps">): InteractionResult {
  const contents = steps.flatMap(({ type, content }) => (type === "model_output" ? listOf(content) : []));
  const texts = contents.filter(({ type }) => type === "text");
  const parts: readonly Part[] = [{ text: texts.map(({ text = "" }) => text).join("") }];
  const chunks: object[] = [];
  const supports: object[] = [];
  let base = 0;
  for (const { text = "", annotations = [] } of texts) {
    const bytes = new TextEncoder().encode(text);
    for (const annotation of annotations) {
      const chunk = chunkOf(annotation);
      if (chunk === undefined) continue;
      chunks.push(chunk);
      const segment = segmentOf(annotation, bytes, base);
      if (segment !== undefined) supports.push({ segment, groundingChunkIndices: [chunks.length - 1] });
    }
    base += bytes.length;
  }
  const groundingMetadata = {
    webSearchQueries: queriesOf(steps),
    groundingChunks: chunks,
    groundingSupports: supports,
  };
  const response = { content: { role: "model", parts }, candidate: { groundingMetadata } } as const;
  const collected = collectSources([response]);
  return {
    text: parts[0]?.text ?? "",
    sources: collected.sources,
    citations: joinRanges(resolveCitations(response, collected.sources)),
    searchQueries: collected.searchQueries,
    searchEntryPoints: suggestionsOf(steps),
    media: contents.filter(({ type }) => type !== "text"),
    thoughts: steps.flatMap(({ type, summary = [] }) =>
      type === "thought" ? summary.flatMap(({ text }) => text ?? []) : [],
    ),
  };
}

function listOf(content: string | readonly Content[] | undefined): readonly Content[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);
}

/** An annotation as a chunk of `generateContent`, whose other fields are kept. Undefined if it names no source. */
function chunkOf({ type, ...fields }: Annotation): object | undefined {
  const { start_index: _start, end_index: _end, url, title, ...rest } = fields;
  const known = (field: unknown): string | undefined => (typeof field === "string" && field !== "" ? field : undefined);
  switch (type) {
    case "url_citation":
      return { web: { ...rest, uri: url, title } };
    case "place_citation":
      return { maps: { ...rest, uri: url, title: title ?? rest["name"], placeId: rest["place_id"] } };
    case "file_citation": {
      const uri = known(rest["document_uri"]) ?? url ?? known(rest["source"]);
      const file = {
        uri,
        title: title ?? rest["file_name"],
        pageNumber: rest["page_number"],
        mediaId: rest["media_id"],
      };
      return { retrievedContext: { ...rest, ...file } };
    }
    case "speech_metadata":
    case "word_info":
      return undefined;
    default:
      return url === undefined ? undefined : { [type]: { ...rest, uri: url, title } };
  }
}

/** The range of an annotation in all texts; with its text, unless an offset is inside of a character or beyond the end. */
function segmentOf(annotation: Annotation, bytes: Uint8Array, base: number): object | undefined {
  const { start_index: start = 0, end_index: end } = annotation;
  if (end === undefined || start < 0 || end <= start) return undefined;
  const isInside = [start, end].every((at) => at <= bytes.length && ((bytes[at] ?? 0) & 0xc0) !== 0x80);
  const text = isInside ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(start, end)) : undefined;
  return {
    startIndex: base + start,
    endIndex: base + Math.min(end, bytes.length),
    ...(text !== undefined && { text }),
  };
}

/** The service repeats a range for each of its sources. */
function joinRanges(citations: readonly Citation[]): readonly Citation[] {
  const joined = new Map<string, Citation>();
  for (const citation of citations) {
    const key = `${citation.start} ${citation.end}`;
    const sources = [...(joined.get(key)?.sources ?? []), ...citation.sources];
    joined.set(key, { ...citation, sources: [...new Set(sources)].toSorted((a, b) => a - b) });
  }
  return [...joined.values()];
}

function queriesOf(steps: NonNullable<Interaction["steps"]>): readonly string[] {
  return steps.flatMap(({ type, arguments: given }) =>
    type.endsWith("_call") && type !== "function_call" ? textsIn(given?.["queries"]) : [],
  );
}

function suggestionsOf(steps: NonNullable<Interaction["steps"]>): readonly string[] {
  const results = steps.flatMap(({ type, result }): readonly unknown[] =>
    type === "google_search_result" && Array.isArray(result) ? result : [],
  );
  const shown = results.flatMap((one) =>
    typeof one === "object" && one !== null && "search_suggestions" in one ? textsIn([one.search_suggestions]) : [],
  );
  return [...new Set(shown)];
}

function textsIn(list: unknown): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(list) ? list : [];
  return texts.filter((text): text is string => typeof text === "string" && text !== "");
}
