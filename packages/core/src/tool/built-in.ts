import type { BuiltInTool } from "./tool.ts";

/** Options of {@link googleSearch}. */
export interface GoogleSearchOptions {
  /** Only pages from this period, RFC 3339, such as `2026-01-01T00:00:00Z`. Developer API. */
  readonly timeRange?: { readonly startTime: string; readonly endTime: string } | undefined;
  /** @defaultValue the service's: web search */
  readonly searchTypes?: readonly ("web" | "image")[] | undefined;
  /** Domains to exclude. Vertex. */
  readonly excludeDomains?: readonly string[] | undefined;
}

/** Options of {@link fileSearch}. */
export interface FileSearchOptions {
  /** Store names, such as `fileSearchStores/manuals`; at least one. */
  readonly stores: readonly string[];
  /** Filter on the documents' metadata, such as `author = "Ibsen"`. */
  readonly metadataFilter?: string | undefined;
  /** Number of chunks to retrieve. */
  readonly topK?: number | undefined;
}

/** Options of {@link computerUse}. */
export interface ComputerUseOptions {
  /** The service's name of the environment. @defaultValue "ENVIRONMENT_BROWSER" */
  readonly environment?: string | undefined;
  /** Predefined functions to exclude, such as `drag_and_drop`. */
  readonly excluded?: readonly string[] | undefined;
  readonly promptInjectionDetection?: boolean | undefined;
  readonly disabledSafetyPolicies?: readonly string[] | undefined;
}

/**
 * Google Search, run by the service; the result has its sources and citations.
 *
 * @see https://ai.google.dev/gemini-api/docs/google-search
 */
export function googleSearch(options: GoogleSearchOptions = {}): BuiltInTool {
  const { timeRange, searchTypes, excludeDomains } = options;
  const types = searchTypes && Object.fromEntries(searchTypes.map((type) => [`${type}Search`, {}]));
  return {
    kind: "built-in",
    name: "googleSearch",
    wire: {
      googleSearch: present({
        searchTypes: types,
        timeRangeFilter: timeRange && { startTime: timeRange.startTime, endTime: timeRange.endTime },
        excludeDomains,
      }),
    },
  };
}

/**
 * Google Maps, run by the service. Set the model setting `location` to search around a place.
 *
 * @see https://ai.google.dev/gemini-api/docs/maps-grounding
 */
export function googleMaps(): BuiltInTool {
  return { kind: "built-in", name: "googleMaps", wire: { googleMaps: {} } };
}

/**
 * Lets the service read the pages whose URLs are in the conversation, up to 20.
 *
 * @see https://ai.google.dev/gemini-api/docs/url-context
 */
export function urlContext(): BuiltInTool {
  return { kind: "built-in", name: "urlContext", wire: { urlContext: {} } };
}

/**
 * A Python sandbox, run by the service.
 *
 * @see https://ai.google.dev/gemini-api/docs/code-execution
 */
export function codeExecution(): BuiltInTool {
  return { kind: "built-in", name: "codeExecution", wire: { codeExecution: {} } };
}

/**
 * Search in your own documents in file search stores. Developer API.
 *
 * @throws {TypeError} Without a store.
 * @see https://ai.google.dev/gemini-api/docs/file-search
 */
export function fileSearch(options: FileSearchOptions): BuiltInTool {
  const { stores, metadataFilter, topK } = options;
  if (stores.length === 0) throw new TypeError("fileSearch() needs the name of at least one store");
  return {
    kind: "built-in",
    name: "fileSearch",
    wire: { fileSearch: present({ fileSearchStoreNames: stores, metadataFilter, topK }) },
  };
}

/**
 * Lets a model with support for it control a screen: its actions are function calls that your program executes.
 *
 * @see https://ai.google.dev/gemini-api/docs/computer-use
 */
export function computerUse(options: ComputerUseOptions = {}): BuiltInTool {
  return {
    kind: "built-in",
    name: "computerUse",
    wire: {
      computerUse: present({
        environment: options.environment ?? "ENVIRONMENT_BROWSER",
        excludedPredefinedFunctions: options.excluded,
        enablePromptInjectionDetection: options.promptInjectionDetection,
        disabledSafetyPolicies: options.disabledSafetyPolicies,
      }),
    },
  };
}

function present(fields: { readonly [key: string]: unknown }): { readonly [key: string]: unknown } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
