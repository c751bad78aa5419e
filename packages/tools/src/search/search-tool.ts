import { defineTool, type Tool } from "@pollux/core";
import { z } from "zod/v4";
import { attachSources } from "./attach-sources.ts";

/** One page that was found. */
export interface FoundPage {
  readonly title?: string | undefined;
  /** Address of the page; a result without one is left out. */
  readonly uri: string;
  /** What the page says about the query. */
  readonly snippet?: string | undefined;
}

/**
 * Asks a search service.
 *
 * @param query - What the model searches for.
 * @param options - `signal` aborts with the call. `limit` is how many results are wanted, counted from the best one; it
 *   grows when the model asks for more, so that a service needs no pages of its own. Fewer or more may come.
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
  /** What is searched and when to use it; how to page is added. @defaultValue "Searches the web. ..." */
  readonly description?: string | undefined;
  /** Results that one call gives when the model names no limit. @defaultValue 8 */
  readonly pageSize?: number | undefined;
  /** Most results of one query over all pages. @defaultValue 50 */
  readonly maxResults?: number | undefined;
  /** Characters of a snippet; the rest is cut. @defaultValue 500 */
  readonly maxSnippetCharacters?: number | undefined;
  /** Milliseconds until the call is answered with a time-out. @defaultValue 30_000 */
  readonly timeoutMs?: number | undefined;
}

/** What the model asks for. */
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
  /** Where to go on; absent when there is no more. */
  readonly next_offset?: number | undefined;
  /** Present when nothing was found: what to try. */
  readonly note?: string | undefined;
}

/** Characters of a title; the rest is cut. */
const MAX_TITLE = 200;

/** Longest address that is passed on. */
const MAX_URI = 2_000;

/**
 * A search service as a function of the model. What it finds is also among the run's `sources`, as with Google Search.
 *
 * @throws {TypeError} When `search` is no function or a bound is not a whole number of at least 1.
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
    timeoutMs,
    run: async ({ query, offset = 0, limit = pageSize }, context): Promise<SearchResults> => {
      const end = Math.min(offset + limit, maxResults);
      // One more than is shown tells whether there is more.
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

/** Well-formed results, each address once. */
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
  // Computed keys lose their type.
  return { [key]: cut } as { readonly [K in Key]?: string };
}

function wholeNumber(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new TypeError(`searchTool(): ${option} must be an integer of at least 1, got ${String(value)}`);
}
