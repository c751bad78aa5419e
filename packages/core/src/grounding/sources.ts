import { isObject } from "../internal/json.ts";
import type { ModelResponse } from "../model/model.ts";

/** Something an answer rests on. */
export interface Source {
  /** 1 for the first source of the run; what `[1]` in {@link renderMarkdown}'s text means. */
  readonly number: number;
  readonly kind: "web" | "maps" | "image" | "document" | "url" | "other";
  readonly uri?: string | undefined;
  readonly title?: string | undefined;
  /** The grounding chunk as it came. */
  readonly chunk: unknown;
}

/** A range of the answer that sources support. */
export interface Citation {
  /** First UTF-16 index in the result's `text`. */
  readonly start: number;
  /** Index after the last; `text.slice(start, end)` is what is supported. */
  readonly end: number;
  /** What the service says the range holds. */
  readonly text: string;
  /** {@link Source.number}s, ascending. */
  readonly sources: readonly number[];
  /** How the range was found: where the service said, near it (the service's offsets drift), or not at all. */
  readonly match: "exact" | "moved" | "unverified";
}

/** What grounding a run had. */
export interface Grounding {
  readonly sources: readonly Source[];
  /** Ranges of the final answer's text, in order of `start`. */
  readonly citations: readonly Citation[];
  /** What was searched for. */
  readonly searchQueries: readonly string[];
  /** HTML that the terms of use require to be shown next to a grounded answer; empty when nothing was searched. */
  readonly searchEntryPoints: readonly string[];
  /** How search reached the model: in the same request, by a request of its own, or not at all. */
  readonly groundedBy: "native" | "delegated" | "none";
}

/** What the answers of a run rest on. */
export type CollectedSources = Pick<Grounding, "sources" | "searchQueries" | "searchEntryPoints">;

/**
 * Gathers the sources of a run's answers, numbered from 1 in order of first appearance; one that comes again keeps its number.
 *
 * Pages and documents are the same when their address is, places when their id is. Also gathers what was searched for and the
 * search entry points, each once.
 *
 * @param responses - Oldest first, those of nested runs included.
 * @see https://ai.google.dev/api/generate-content#GroundingMetadata
 */
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
      if (toolCall) for (const query of list(toolCall.args?.["queries"])) addText(searchQueries, query);
      // The same suggestions come in the metadata, but only with the answer that ends the turn.
      if (!shown && toolResponse && isObject(toolResponse.response))
        addText(searchEntryPoints, toolResponse.response["search_suggestions"]);
    }
    if (metadata) {
      for (const queries of [metadata.webSearchQueries, metadata.imageSearchQueries, metadata.retrievalQueries])
        for (const query of list(queries)) addText(searchQueries, query);
      for (const chunk of list(metadata.groundingChunks)) add(readChunk(chunk));
    }
    if (candidate.urlContextMetadata)
      for (const retrieved of list(candidate.urlContextMetadata.urlMetadata))
        if (isRead(retrieved)) add(readPage(retrieved));
  }
  return {
    sources: [...sources.values()],
    searchQueries: [...searchQueries],
    searchEntryPoints: [...searchEntryPoints],
  };
}

/** Finds the sources that the chunks of one answer became. `undefined` at the place of a chunk that is in none. */
export function numberChunks(chunks: readonly unknown[], sources: readonly Source[]): (number | undefined)[] {
  const numbers = new Map<string, number>();
  for (const { kind, uri, chunk, number } of sources) {
    const key = kind === "url" && uri !== undefined ? uri : readChunk(chunk).key;
    if (!numbers.has(key)) numbers.set(key, number);
  }
  return chunks.map((chunk) => numbers.get(readChunk(chunk).key));
}

function isRead(retrieved: unknown): retrieved is { readonly retrievedUrl: string } {
  if (!isObject(retrieved) || typeof retrieved["retrievedUrl"] !== "string" || retrieved["retrievedUrl"] === "")
    return false;
  return retrieved["urlRetrievalStatus"] === "URL_RETRIEVAL_STATUS_SUCCESS";
}

/** What stands in a list of the service, or nothing when it is no list. */
function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function addText(texts: Set<string>, value: unknown): void {
  if (typeof value === "string" && value !== "") texts.add(value);
}

/** A source that has no number yet, and what makes it the same source when it comes again. */
interface FoundSource {
  readonly key: string;
  readonly source: Omit<Source, "number">;
}

/** Reads a grounding chunk of any kind; one of an unknown kind is kept as `other`, with its `uri` and `title` when it has them. */
function readChunk(chunk: unknown): FoundSource {
  const [kind, fields] = findKind(chunk);
  const uri = readText(fields, "uri");
  const title = readText(fields, "title");
  switch (kind) {
    case "web":
      return buildSource(chunk, "web", uri, title, uri);
    case "image": {
      const page = readText(fields, "sourceUri") ?? readText(fields, "imageUri");
      // One page can show many images, and each is a source of its own.
      return buildSource(chunk, "image", page, title, prefixed("image", readText(fields, "imageUri")) ?? page);
    }
    case "maps":
      return buildSource(chunk, "maps", uri, title, prefixed("place", readText(fields, "placeId")) ?? uri);
    case "retrievedContext": {
      const name = readText(fields, "documentName");
      const inStore =
        title === undefined ? undefined : prefixed("stored", `${readText(fields, "fileSearchStore") ?? ""} ${title}`);
      return buildSource(chunk, "document", uri, title ?? name, uri ?? prefixed("document", name) ?? inStore);
    }
    default:
      return buildSource(chunk, "other", uri, title, uri);
  }
}

/** A page that the service read because its address stood in the conversation. */
function readPage(retrieved: { readonly retrievedUrl: string }): FoundSource {
  return buildSource(retrieved, "url", retrieved.retrievedUrl, undefined, retrieved.retrievedUrl);
}

function findKind(chunk: unknown): readonly [string | undefined, Record<string, unknown>] {
  if (!isObject(chunk)) return [undefined, {}];
  for (const kind of ["web", "image", "maps", "retrievedContext"]) {
    const fields = chunk[kind];
    if (isObject(fields)) return [kind, fields];
  }
  return [undefined, Object.values(chunk).find(isObject) ?? {}];
}

function buildSource(
  chunk: unknown,
  kind: Source["kind"],
  uri: string | undefined,
  title: string | undefined,
  key: string | undefined,
): FoundSource {
  return {
    key: key ?? `chunk:${JSON.stringify(chunk)}`,
    source: { kind, ...(uri === undefined ? {} : { uri }), ...(title === undefined ? {} : { title }), chunk },
  };
}

function readText(fields: Record<string, unknown>, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function prefixed(prefix: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `${prefix}:${value}`;
}
