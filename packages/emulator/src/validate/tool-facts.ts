import type { FunctionDeclaration, GenerateContentRequest } from "@pollux/core/wire";

/** Tools the service runs by itself, as their keys. */
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

/** What the tools of a request come down to, over however many objects they are spread. */
export interface ToolFacts {
  readonly declarations: readonly FunctionDeclaration[];
  /** Keys of the built-in tools. */
  readonly builtIns: readonly string[];
  /** True where every tool is a search tool. */
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

/** True where the answer is to be JSON. */
export function asksForJson({ generationConfig }: Pick<GenerateContentRequest, "generationConfig">): boolean {
  return generationConfig?.responseMimeType === "application/json";
}
