import type { JsonObject } from "./content.ts";

/** A JSON Schema as it goes over the wire. */
export type JsonSchema = JsonObject;

/**
 * A function the model may call. `parameters` (the older OpenAPI subset) and `parametersJsonSchema` exclude each other.
 *
 * @see https://ai.google.dev/api/caching#FunctionDeclaration
 */
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
}

/** How free the model is to call functions. */
export type FunctionCallingMode = "AUTO" | "ANY" | "NONE" | "VALIDATED";

/**
 * How functions may be called, and what built-in tools are told.
 *
 * @see https://ai.google.dev/api/caching#ToolConfig
 */
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
    | {
        readonly latLng?: { readonly latitude: number; readonly longitude: number } | undefined;
        readonly languageCode?: string | undefined;
      }
    | undefined;
  /** Developer API, Gemini 3 and newer: needed when built-in tools stand beside functions. */
  readonly includeServerSideToolInvocations?: boolean | undefined;
}
