import type { FunctionDeclaration, GenerateContentRequest } from "@pollux/core/wire";

/** Keys of the tools that the service runs itself. */
const BUILT_INS = new Set([
  "googleSearch",
  "googleSearchRetrieval",
  "googleMaps",
  "urlContext",
  "codeExecution",
  "fileSearch",
  "computerUse",
  "mcpServers",
  "enterpriseWebSearch",
  "exaAiSearch",
  "parallelAiSearch",
  "retrieval",
]);

const SEARCHES = new Set([
  "googleSearch",
  "googleSearchRetrieval",
  "googleMaps",
  "urlContext",
  "enterpriseWebSearch",
  "exaAiSearch",
  "parallelAiSearch",
  "retrieval",
]);

/** The tools of a request, combined from all tool objects. */
export interface ToolFacts {
  readonly declarations: readonly FunctionDeclaration[];
  /** Keys of the built-in tools. */
  readonly builtIns: readonly string[];
  /** True if every tool is a search tool. */
  readonly onlySearches: boolean;
}

/** Reads the tools of a request. */
export function toolFacts({ tools = [] }: Pick<GenerateContentRequest, "tools">): ToolFacts {
  const declarations = tools.flatMap((tool) => tool.functionDeclarations ?? []);
  const builtIns = [...new Set(tools.flatMap((tool) => Object.keys(tool)))].filter((key) => BUILT_INS.has(key));
  return {
    declarations,
    builtIns,
    onlySearches: declarations.length === 0 && builtIns.every((key) => SEARCHES.has(key)),
  };
}

/** True if the answer should be JSON. */
export function asksForJson({ generationConfig }: Pick<GenerateContentRequest, "generationConfig">): boolean {
  return generationConfig?.responseMimeType === "application/json";
}
