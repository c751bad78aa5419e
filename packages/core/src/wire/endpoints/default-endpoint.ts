import { type Environment, processEnvironment } from "../../internal/environment.ts";
import type { Logger } from "../../logging/logger.ts";
import { type Endpoint, google, isCometHost } from "./endpoint.ts";
import { cometapi } from "./cometapi.ts";
import { vertex } from "./vertex.ts";

/** What models found out about the endpoints of an environment. */
const learnedIn = new WeakMap<Environment, NonNullable<Endpoint["learned"]>>();

/**
 * The endpoint from the environment: Vertex if `GOOGLE_GENAI_USE_ENTERPRISE` (or `GOOGLE_GENAI_USE_VERTEXAI`) is true; Google if a
 * base URL, `GOOGLE_API_KEY` or `GEMINI_API_KEY` is set; CometAPI if `COMETAPI_KEY` is set. Otherwise Google, with
 * `GOOGLE_GENERATIVE_AI_API_KEY`, or whose first request fails with the variables to set. What models find out about the service
 * is shared by all endpoints from the same environment.
 *
 * @param logger - Told when the key is from `GOOGLE_GENERATIVE_AI_API_KEY`.
 */
export function defaultEndpoint(env: Environment = processEnvironment(), logger?: Logger): Endpoint {
  const learned = learnedIn.get(env) ?? new Map<string, Set<string>>();
  learnedIn.set(env, learned);
  return { ...findEndpoint(env, logger), learned };
}

function findEndpoint(env: Environment, logger: Logger | undefined): Endpoint {
  if (isTrue(env["GOOGLE_GENAI_USE_ENTERPRISE"] ?? env["GOOGLE_GENAI_USE_VERTEXAI"])) return vertex({ env });
  const configured = google({ env, logger });
  if (isCometHost(configured.baseUrl)) return cometapi({ baseUrl: configured.baseUrl, env });
  const wantsGoogle = env["GOOGLE_GEMINI_BASE_URL"] || env["GOOGLE_API_KEY"] || env["GEMINI_API_KEY"];
  return !wantsGoogle && env["COMETAPI_KEY"] ? cometapi({ env }) : configured;
}

function isTrue(value: string | undefined): boolean {
  return value === "1" || value?.toLowerCase() === "true";
}
