export type { OpenApiAnswer } from "./openapi/answer.ts";
export { openApiSearch } from "./openapi/openapi-search.ts";
export { openApiTools, type OpenApiTools } from "./openapi/openapi-tools.ts";
export type {
  OpenApiAuth,
  OpenApiCredentials,
  OpenApiOperation,
  OpenApiOptions,
  SkippedOperation,
} from "./openapi/options.ts";
