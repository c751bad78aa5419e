import { present } from "../internal/json.ts";
import type { Word } from "../wire/types/content.ts";
import type { Reach, Reads } from "./reads.ts";
import type { BuiltInName, BuiltInTool } from "./tool.ts";

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

/** Options of {@link googleMaps}. */
export interface GoogleMapsOptions {
  /** What to look up. Vertex only. @defaultValue the service's: places */
  readonly groundingTypes?: readonly ("places" | "routing")[] | undefined;
}

/** Options of {@link mcpServer}. Times are in milliseconds. */
export interface McpServerOptions {
  /** Unique among the servers of an agent. */
  readonly name: string;
  /** Full address, which the service can reach. Values in it that look like keys are not shown. */
  readonly url: string;
  /** Such as `authorization`. Their values are not shown. */
  readonly headers?: { readonly [name: string]: string } | undefined;
  /** For a call, and for a read of a streamed answer. @defaultValue the service's */
  readonly timeoutMs?: number | undefined;
  readonly sseReadTimeoutMs?: number | undefined;
  /** End the session with the connection. @defaultValue the service's */
  readonly terminateOnClose?: boolean | undefined;
}

/** Options of {@link computerUse}. */
export interface ComputerUseOptions {
  /** What is controlled. @defaultValue "ENVIRONMENT_BROWSER" */
  readonly environment?: Word<"ENVIRONMENT_BROWSER" | "ENVIRONMENT_MOBILE" | "ENVIRONMENT_DESKTOP"> | undefined;
  /** Predefined functions to exclude, such as `drag_and_drop`. */
  readonly excluded?: readonly string[] | undefined;
  readonly promptInjectionDetection?: boolean | undefined;
  readonly disabledSafetyPolicies?: readonly Word<SafetyPolicy>[] | undefined;
}

type SafetyPolicy =
  | "FINANCIAL_TRANSACTIONS"
  | "SENSITIVE_DATA_MODIFICATION"
  | "COMMUNICATION_TOOL"
  | "ACCOUNT_CREATION"
  | "DATA_MODIFICATION"
  | "USER_CONSENT_MANAGEMENT"
  | "LEGAL_TERMS_AND_AGREEMENTS";

/**
 * Google Search, run by the service; the result has its sources and citations.
 * @see https://ai.google.dev/gemini-api/docs/google-search
 * @example
 * ```ts
 * const agent = new Agent({ model: "gemini-flash-latest", tools: [googleSearch()] });
 * const { text, sources } = await agent.run("What is new in Oslo?");
 * ```
 */
export function googleSearch({ timeRange, searchTypes, excludeDomains }: GoogleSearchOptions = {}): BuiltInTool {
  return builtIn("googleSearch", "untrusted", "inside", {
    searchTypes: searchTypes && Object.fromEntries(searchTypes.map((type) => [`${type}Search`, {}])),
    timeRangeFilter: timeRange && { startTime: timeRange.startTime, endTime: timeRange.endTime },
    excludeDomains,
  });
}

/** Google Maps, run by the service; it searches near the setting `location`. @see https://ai.google.dev/gemini-api/docs/maps-grounding */
export function googleMaps({ groundingTypes }: GoogleMapsOptions = {}): BuiltInTool {
  const types = groundingTypes && Object.fromEntries(groundingTypes.map((type) => [type, {}]));
  return builtIn("googleMaps", "untrusted", "inside", { groundingTypes: types });
}

/**
 * An MCP server whose tools the service calls itself: calls and results are in the model's content. Experimental, for the Developer API
 * only.
 * @throws {TypeError} For an empty name, an address without `http:` or `https:`, or a time that is not a positive number.
 * @see https://ai.google.dev/api/caching#Tool
 */
export function mcpServer(options: McpServerOptions): BuiltInTool {
  const { name, url, headers, timeoutMs, sseReadTimeoutMs, terminateOnClose } = options;
  if (!name || !/^https?:/i.test(url) || !URL.canParse(url))
    throw new TypeError("mcpServer() needs a name and the full url of the server, such as https://example.com/mcp");
  const [timeout, sseReadTimeout] = Object.entries({ timeoutMs, sseReadTimeoutMs }).map(seconds);
  const streamableHttpTransport = present({ url, headers, timeout, sseReadTimeout, terminateOnClose });
  // A getter, which a printed tool does not show.
  return {
    kind: "built-in",
    name: "mcpServers",
    reads: ["untrusted", "private"],
    reach: "outside",
    get wire() {
      return { mcpServers: [{ name, streamableHttpTransport }] };
    },
  };
}

function seconds([name, ms]: readonly [string, number | undefined]): string | undefined {
  if (ms !== undefined && !(ms > 0 && ms < Infinity)) throw new TypeError(`${name} must be positive, got ${ms}`);
  return ms === undefined ? undefined : `${ms / 1000}s`;
}

/** Lets the service read up to 20 pages whose URLs are in the conversation. @see https://ai.google.dev/gemini-api/docs/url-context */
export function urlContext(): BuiltInTool {
  return builtIn("urlContext", "untrusted", "lookup");
}

/** A Python sandbox, run by the service. @see https://ai.google.dev/gemini-api/docs/code-execution */
export function codeExecution(): BuiltInTool {
  return builtIn("codeExecution", "trusted", "inside");
}

/** Search in your own documents. Developer API. @throws {TypeError} Without a store. @see https://ai.google.dev/gemini-api/docs/file-search */
export function fileSearch({ stores, metadataFilter, topK }: FileSearchOptions): BuiltInTool {
  if (stores.length === 0) throw new TypeError("fileSearch() needs the name of at least one store");
  return builtIn("fileSearch", "private", "inside", { fileSearchStoreNames: stores, metadataFilter, topK });
}

/** Lets a model control a screen: its actions are calls that your program executes. @see https://ai.google.dev/gemini-api/docs/computer-use */
export function computerUse(options: ComputerUseOptions = {}): BuiltInTool {
  return builtIn("computerUse", "untrusted", "outside", {
    environment: options.environment ?? "ENVIRONMENT_BROWSER",
    excludedPredefinedFunctions: options.excluded,
    enablePromptInjectionDetection: options.promptInjectionDetection,
    disabledSafetyPolicies: options.disabledSafetyPolicies,
  });
}

function builtIn(
  name: BuiltInName,
  reads: Reads,
  reach: Reach,
  fields: { readonly [key: string]: unknown } = {},
): BuiltInTool {
  return { kind: "built-in", name, wire: { [name]: present(fields) }, reads, reach };
}
