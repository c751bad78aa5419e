import { type Environment, processEnvironment } from "../../internal/environment.ts";
import { type Endpoint, google, isCometHost } from "./endpoint.ts";
import { cometapi } from "./cometapi.ts";
import { vertex } from "./vertex.ts";

/**
 * The endpoint from the environment: Vertex if `GOOGLE_GENAI_USE_ENTERPRISE` (or `GOOGLE_GENAI_USE_VERTEXAI`) is true; Google if a
 * base URL, `GOOGLE_API_KEY` or `GEMINI_API_KEY` is set; CometAPI if `COMETAPI_KEY` is set. Otherwise Google, whose first request
 * fails with the variables to set.
 */
export function defaultEndpoint(env: Environment = processEnvironment()): Endpoint {
  if (isTrue(env["GOOGLE_GENAI_USE_ENTERPRISE"] ?? env["GOOGLE_GENAI_USE_VERTEXAI"])) return vertex({ env });
  const configured = google({ env });
  if (isCometHost(configured.baseUrl)) return cometapi({ baseUrl: configured.baseUrl, env });
  const wantsGoogle = env["GOOGLE_GEMINI_BASE_URL"] || env["GOOGLE_API_KEY"] || env["GEMINI_API_KEY"];
  return !wantsGoogle && env["COMETAPI_KEY"] ? cometapi({ env }) : configured;
}

function isTrue(value: string | undefined): boolean {
  return value === "1" || value?.toLowerCase() === "true";
}
