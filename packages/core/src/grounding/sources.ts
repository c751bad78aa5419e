import { asList, asObject, isObject, present } from "../internal/json.ts";
import type { ModelResponse } from "../model/model.ts";

/** Something that an answer is based on. */
export interface Source {
  /** 1 for the first source of the run, which {@link renderMarkdown} cites as `[1]`. */
  readonly number: number;
  /** Kind of source: a page, a place, an image, a document, or a URL that was read. */
  readonly kind: "web" | "maps" | "image" | "document" | "url" | "other";
  /** As received. Offer it as a link only if {@link isWebUrl} allows it. */
  readonly uri?: string | undefined;
  /** Title of the page or document. */
  readonly title?: string | undefined;
  /** Of a document found by File Search; each page is a source. */
  readonly pageNumber?: number | undefined;
  /** Of an image found by File Search, such as `fileSearchStores/manuals/media/abc`. */
  readonly mediaId?: string | undefined;
  /** The grounding chunk as received. */
  readonly chunk: unknown;
}

/** Whether a URL may be offered as a link: only `http` or `https`. URLs of sources and files can have any scheme: `javascript:`, `gs:`. */
export function isWebUrl(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}

/** A range of the answer that sources support. */
export interface Citation {
  /** First UTF-16 index in the result's `text`. */
  readonly start: number;
  /** UTF-16 index after the last; `text.slice(start, end)` is the supported range. */
  readonly end: number;
  /** The range's text according to the service. */
  readonly text: string;
  /** {@link Source.number}s, ascending. */
  readonly sources: readonly number[];
  /** How the range was found: at the service's offsets, elsewhere (the offsets drift), or not at all. */
  readonly match: "exact" | "moved" | "unverified";
}

/** The grounding of a run. */
export interface Grounding {
  /** In order of their numbers. */
  readonly sources: readonly Source[];
  /** Ranges of the final answer's text, in order of `start`. */
  readonly citations: readonly Citation[];
  /** Queries that the service searched for. */
  readonly searchQueries: readonly string[];
  /** HTML that the terms of use require next to a grounded answer; empty without a search. */
  readonly searchEntryPoints: readonly string[];
  /** How search reached the model: in the same request, in a separate request, or not at all. */
  readonly groundedBy: "native" | "delegated" | "none";
}

/** What the answers of a run are based on. */
export type CollectedSources = Pick<Grounding, "sources" | "searchQueries" | "searchEntryPoints">;

/** Collects the sources of a run's answers, numbered from 1 in order of first appearance, and the search queries, each once. */
export function collectSources(responses: readonly Pick<ModelResponse, "content" | "candidate">[]): CollectedSources {
  const sources = new Map<string, Source>();
  const searchQueries = new Set<string>();
  const searchEntryPoints = new Set<string>();
  const add = ({ key, source }: FoundSource): void => {
    if (!sources.has(key)) sources.set(key, { number: sources.size + 1, ...source });
  };

  for (const { content, candidate } of responses) {
    const metadata = candidate.groundingMetadata;
    const shown = metadata?.searchEntryPoint?.renderedContent;
    if (shown) searchEntryPoints.add(shown);
    for (const { toolCall, toolResponse } of content.parts) {
      if (toolCall) for (const query of asList(toolCall.args?.["queries"])) addText(searchQueries, query);
      // The metadata holds the same suggestions, but only in the answer that ends the turn.
      if (!shown && toolResponse) addText(searchEntryPoints, asObject(toolResponse.response)["search_suggestions"]);
    }
    if (metadata) {
      for (const queries of [metadata.webSearchQueries, metadata.imageSearchQueries, metadata.retrievalQueries])
        for (const query of asList(queries)) addText(searchQueries, query);
      for (const chunk of asList(metadata.groundingChunks)) add(readChunk(chunk));
    }
    const pages = candidate.urlContextMetadata ? asList<unknown>(candidate.urlContextMetadata.urlMetadata) : [];
    for (const retrieved of pages.map(asObject)) {
      const page = readText(retrieved, "retrievedUrl");
      if (page !== undefined && retrieved["urlRetrievalStatus"] === "URL_RETRIEVAL_STATUS_SUCCESS")
        add(buildSource(retrieved, "url", page, undefined));
    }
  }
  return {
    sources: [...sources.values()],
    searchQueries: [...searchQueries],
    searchEntryPoints: [...searchEntryPoints],
  };
}

/** Source numbers of an answer's grounding chunks, in order; `undefined` for a chunk without a source. */
export function numberChunks(chunks: readonly unknown[], sources: readonly Source[]): (number | undefined)[] {
  const numbers = new Map<string, number>();
  for (const { kind, uri, chunk, number } of sources) {
    const key = kind === "url" && uri !== undefined ? uri : readChunk(chunk).key;
    if (!numbers.has(key)) numbers.set(key, number);
  }
  return chunks.map((chunk) => numbers.get(readChunk(chunk).key));
}

function addText(texts: Set<string>, value: unknown): void {
  if (typeof value === "string" && value !== "") texts.add(value);
}

/** A source without a number, and the key that identifies it when it appears again. */
interface FoundSource {
  readonly key: string;
  readonly source: Omit<Source, "number">;
}

/** Reads a grounding chunk; one of an unknown kind becomes `other`, with its `uri` and `title` if it has them. */
function readChunk(chunk: unknown): FoundSource {
  const members = asObject(chunk);
  const kind = ["web", "image", "maps", "retrievedContext"].find((name) => isObject(members[name]));
  const fields = asObject(kind === undefined ? Object.values(members).find(isObject) : members[kind]);
  const read = (name: string): string | undefined => readText(fields, name);
  const [uri, title] = [read("uri"), read("title")];
  switch (kind) {
    case "image": {
      const image = read("imageUri");
      // One page can show many images, and each is a separate source.
      return buildSource(chunk, "image", read("sourceUri") ?? image, title, image && `image:${image}`);
    }
    case "maps": {
      const place = read("placeId");
      return buildSource(chunk, "maps", uri, title, place && `place:${place}`);
    }
    case "retrievedContext": {
      const name = read("documentName");
      const stored = title && `stored:${read("fileSearchStore") ?? ""} ${title}`;
      const known = uri ?? (name === undefined ? stored : `document:${name}`);
      const { key, source } = buildSource(chunk, "document", uri, title ?? name, known);
      const pageNumber = typeof fields["pageNumber"] === "number" ? fields["pageNumber"] : undefined;
      const at = present({ pageNumber, mediaId: read("mediaId") });
      return { key: [key, ...Object.values(at)].join(" "), source: { ...source, ...at } };
    }
    default:
      return buildSource(chunk, kind === "web" ? kind : "other", uri, title);
  }
}

/** @param key - Identifies the source; its address, or else the whole chunk, if absent. */
function buildSource(
  chunk: unknown,
  kind: Source["kind"],
  uri: string | undefined,
  title: string | undefined,
  key: string | undefined = uri,
): FoundSource {
  return {
    key: key ?? `chunk:${JSON.stringify(chunk)}`,
    source: present({ kind, uri, title, chunk }),
  };
}

/** A non-empty string. */
function readText(fields: Record<string, unknown>, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}
