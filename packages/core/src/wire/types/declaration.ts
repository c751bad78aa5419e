import type { Fields, JsonObject, Texts } from "./content.ts";

/** A JSON Schema as it is sent. */
export type JsonSchema = JsonObject;

/** A function the model may call; only one kind of parameters is set. @see https://ai.google.dev/api/caching#FunctionDeclaration */
export interface FunctionDeclaration {
  /** Starts with a letter or underscore; letters, digits, `_ . : -`; at most 64 characters. */
  readonly name: string;
  readonly description: string;
  readonly parametersJsonSchema?: JsonSchema | undefined;
  readonly parameters?: JsonSchema | undefined;
}

/** One entry of a request's `tools`: functions, or a tool the service runs itself. */
export interface WireTool {
  readonly functionDeclarations?: readonly FunctionDeclaration[] | undefined;
  readonly googleSearch?: JsonObject | undefined;
  readonly googleMaps?: JsonObject | undefined;
  readonly urlContext?: JsonObject | undefined;
  readonly codeExecution?: JsonObject | undefined;
  readonly fileSearch?: JsonObject | undefined;
  readonly computerUse?: JsonObject | undefined;
  /** Developer API. Timeouts are seconds with an `s`, such as `30s`. */
  readonly mcpServers?: readonly Fields<{ name: string; streamableHttpTransport: McpTransport }>[] | undefined;
  /** Web search for companies, with stricter rules for data. Vertex, as are the next three. */
  readonly enterpriseWebSearch?: Fields<{ excludeDomains: readonly string[]; blockingConfidence: string }> | undefined;
  /** Search by Exa, with your key there. */
  readonly exaAiSearch?: { readonly apiKey: string; readonly customConfigs?: JsonObject | undefined } | undefined;
  /** Search by Parallel, with your key there or a subscription in Google Cloud's marketplace. */
  readonly parallelAiSearch?: (Texts<"apiKey"> & JsonObject) | undefined;
  readonly retrieval?: JsonObject | undefined;
}

type McpTransport = Texts<"url" | "timeout" | "sseReadTimeout"> &
  Fields<{ headers: { readonly [name: string]: string }; terminateOnClose: boolean }>;

/** How free the model is to call functions. */
export type FunctionCallingMode = "AUTO" | "ANY" | "NONE" | "VALIDATED";

/** Constraints on function calls, and context for built-in tools. @see https://ai.google.dev/api/caching#ToolConfig */
export interface ToolConfig {
  readonly functionCallingConfig?:
    | {
        readonly mode?: FunctionCallingMode | undefined;
        /** Only with `ANY` and `VALIDATED`. */
        readonly allowedFunctionNames?: readonly string[] | undefined;
        /** Vertex, streaming, Gemini 3 and newer. */
        readonly streamFunctionCallArguments?: boolean | undefined;
      }
    | undefined;
  readonly retrievalConfig?:
    | Fields<{ latLng: { latitude: number; longitude: number }; languageCode: string }>
    | undefined;
  /** Developer API, Gemini 3 and newer: required for built-in tools beside functions. */
  readonly includeServerSideToolInvocations?: boolean | undefined;
}
