import { defineTool, type Reach, type Tool } from "@pollux/core";
import { z } from "zod/v4";
import { attachSources } from "./attach-sources.ts";

/** A search result. */
export interface FoundPage {
  readonly title?: string | undefined;
  /** URL of the page; a result without one is dropped. */
  readonly uri: string;
  /** An excerpt relevant to the query. */
  readonly snippet?: string | undefined;
}

/**
 * Calls a search service.
 *
 * @param query - The model's query.
 * @param options - `signal` aborts with the call. `limit` is the number of results wanted, counted from the best one; it
 *   grows when the model asks for more, so the service needs no paging. Fewer or more may be returned.
 */
export type SearchFunction = (
  query: string,
  options: { readonly signal: AbortSignal; readonly limit: number },
) => Promise<readonly FoundPage[]> | readonly FoundPage[];

/** Options of {@link searchTool}. */
export interface SearchToolOptions {
  readonly search: SearchFunction;
  /** @defaultValue "web_search" */
  readonly name?: string | undefined;
  /** What is searched and when to use it; how to page is appended. @defaultValue "Searches the web. ..." */
  readonly description?: string | undefined;
  /** Results per call if the model sets no limit. @defaultValue 8 */
  readonly pageSize?: number | undefined;
  /** Most results per query, across all pages. @defaultValue 50 */
  readonly maxResults?: number | undefined;
  /** Most characters of a snippet; the rest is truncated. @defaultValue 500 */
  readonly maxSnippetCharacters?: number | undefined;
  /**
   * How far a query reaches: `"inside"` for a service that may know what the conversation does. @defaultValue "lookup": after untrusted
   * content and private data, a person is asked
   */
  readonly reach?: Reach | undefined;
  /** Milliseconds until the call times out. @defaultValue 30_000 */
  readonly timeoutMs?: number | undefined;
}

/** The model's input. */
export interface SearchInput {
  readonly query: string;
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
}

/** One page of results. */
export interface SearchResults {
  readonly query: string;
  /** Best first. */
  readonly results: readonly FoundPage[];
  /** Offset of the next page; absent if there are no more results. */
  readonly next_offset?: number | undefined;
  /** Present if nothing was found: what to try. */
  readonly note?: string | undefined;
}

/** Most characters of a title; the rest is truncated. */
const MAX_TITLE = 200;

/** Longest URL that is passed on. */
const MAX_URI = 2_000;

/**
 * Turns a search service into a tool. Its results are also in the run's `sources`, as with Google Search.
 *
 * @throws {TypeError} If `search` is not a function or a bound is not an integer of at least 1.
 */
export function searchTool(options: SearchToolOptions): Tool<SearchInput, SearchResults> {
  const { search, name = "web_search", maxSnippetCharacters = 500, timeoutMs = 30_000 } = options;
  if (typeof search !== "function") throw new TypeError("searchTool(): search must be a function");
  const maxResults = wholeNumber("maxResults", options.maxResults ?? 50);
  const pageSize = Math.min(wholeNumber("pageSize", options.pageSize ?? 8), maxResults);
  const description = options.description ?? "Searches the web. Use a few keywords, as in a search engine.";
  return defineTool({
    name,
    description: `${description} Returns title, URL and a snippet of each page, best first. For more results for the same query, set offset to next_offset.`,
    input: z.object({
      query: z.string().trim().min(1).max(500).describe("What to search for"),
      offset: z.int().min(0).max(maxResults).optional().describe("Results to skip (default 0)"),
      limit: z.int().min(1).max(maxResults).optional().describe(`Maximum number of results (default ${pageSize})`),
    }),
    effects: "none",
    reads: "untrusted",
    reach: options.reach ?? "lookup",
    timeoutMs,
    run: async ({ query, offset = 0, limit = pageSize }, context): Promise<SearchResults> => {
      const end = Math.min(offset + limit, maxResults);
      // One more than is shown, to know whether there are more.
      const wanted = Math.min(end + 1, maxResults);
      const found = pagesOf(await search(query, { signal: context.signal, limit: wanted }), maxSnippetCharacters);
      context.signal.throwIfAborted();
      const results = found.slice(offset, end);
      attachSources(context, query, results);
      return {
        query,
        results,
        ...(end < Math.min(found.length, maxResults) ? { next_offset: end } : {}),
        ...(results.length === 0 ? { note: noteOf(offset) } : {}),
      };
    },
  });
}

function noteOf(offset: number): string {
  return offset === 0
    ? "nothing found; try fewer or different words"
    : "there are no more results; try different words";
}

/** Well-formed results, each URL once. */
function pagesOf(found: unknown, maxSnippet: number): FoundPage[] {
  if (!Array.isArray(found)) throw new TypeError("the search function of this tool did not return a list of results");
  const pages = new Map<string, FoundPage>();
  for (const one of found as readonly unknown[]) {
    const { uri, title, snippet } = (typeof one === "object" && one !== null ? one : {}) as Record<string, unknown>;
    if (typeof uri !== "string" || uri === "" || uri.length > MAX_URI || pages.has(uri)) continue;
    pages.set(uri, { ...text("title", title, MAX_TITLE), uri, ...text("snippet", snippet, maxSnippet) });
  }
  return [...pages.values()];
}

function text<Key extends string>(key: Key, value: unknown, max: number): { readonly [K in Key]?: string } {
  if (typeof value !== "string" || value.trim() === "") return {};
  const flat = value.replaceAll(/\s+/g, " ").trim();
  const cut = flat.length > max ? `${flat.slice(0, max).replace(/[\uD800-\uDBFF]$/, "")}…` : flat;
  // A computed key loses its type.
  return { [key]: cut } as { readonly [K in Key]?: string };
}

function wholeNumber(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new TypeError(`searchTool(): ${option} must be an integer of at least 1, got ${String(value)}`);
}
