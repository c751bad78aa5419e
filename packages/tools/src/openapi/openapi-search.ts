import type { Tool } from "@pollux/core";
import { toolSearch } from "../tool-search/tool-search.ts";
import { openApiTools } from "./openapi-tools.ts";
import type { OpenApiOptions } from "./options.ts";

/**
 * The tools of a document of any size, behind the two of `toolSearch()`: `search_tools` finds operations and returns their arguments, and
 * `call_tool` calls one by name. Operations whose arguments cannot be described are left out. For several documents, pass the tools of
 * {@link openApiTools} to one `toolSearch()`.
 *
 * @param document - Same as for {@link openApiTools}.
 * @throws {ConfigurationError} Same as {@link openApiTools}, but no document is too large.
 * @example
 * ```ts
 * const agent = new Agent({ model: "gemini-flash-latest", tools: openApiSearch(document, { auth: { bearer: token } }) });
 * ```
 */
export function openApiSearch(document: object | string, options: OpenApiOptions = {}): readonly Tool[] {
  const { tools } = openApiTools(document, { ...options, operations: options.operations ?? (() => true) });
  return toolSearch(tools, { budgetTokens: 0 });
}
