import { ConfigurationError } from "../../errors/agent-error.ts";
import { type Environment, processEnvironment } from "../../internal/environment.ts";
import {
  buildEndpoint,
  checkBaseUrl,
  EMULATOR_KEY,
  type Endpoint,
  isCometHost,
  isLoopback,
  signWith,
} from "./endpoint.ts";

/** Options of {@link cometapi}. */
export interface CometApiOptions {
  /** @defaultValue `COMETAPI_KEY`, only for CometAPI's own host */
  readonly apiKey?: string | undefined;
  /** @defaultValue "x-goog-api-key" */
  readonly auth?: "x-goog-api-key" | "bearer" | undefined;
  /** @defaultValue "https://api.cometapi.com" */
  readonly baseUrl?: string | undefined;
  /** @defaultValue the process's environment */
  readonly env?: Environment | undefined;
}

/**
 * The CometAPI gateway, which serves Gemini's format under `v1beta`. Reads the key with each request.
 *
 * @see https://api.cometapi.com/doc
 */
export function cometapi(options: CometApiOptions = {}): Endpoint {
  const baseUrl = checkBaseUrl(options.baseUrl ?? "https://api.cometapi.com");
  return buildEndpoint("gateway", baseUrl, "v1beta", () => {
    const key = options.apiKey || cometKeyFor(baseUrl, options.env ?? processEnvironment());
    return signWith(key, options.auth ?? "x-goog-api-key");
  });
}

function cometKeyFor(baseUrl: string, env: Environment): string {
  if (isLoopback(baseUrl)) return EMULATOR_KEY;
  const { host } = new URL(baseUrl);
  if (!isCometHost(baseUrl))
    throw new ConfigurationError(
      `No API key for ${host}: COMETAPI_KEY is only sent to CometAPI; pass apiKey for this host.`,
    );
  const key = env["COMETAPI_KEY"];
  if (key) return key;
  throw new ConfigurationError(`No API key for ${host}: set COMETAPI_KEY, or pass apiKey to cometapi().`);
}
