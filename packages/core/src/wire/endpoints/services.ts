import { ConfigurationError } from "../../errors/agent-error.ts";
import { type Environment, processEnvironment } from "../../internal/environment.ts";
import type { Logger } from "../../logging/logger.ts";
import {
  apiVersionFrom,
  buildEndpoint,
  checkBaseUrl,
  checkModelId,
  EMULATOR_KEY,
  type Endpoint,
  geminiApi,
  type HeaderFields,
  isCometHost,
  isGoogleHost,
  isLoopback,
  signWith,
} from "./endpoint.ts";

/** Changes that models learned about the endpoints of an environment, see {@link Endpoint.learned}. */
const learnedIn = new WeakMap<Environment, NonNullable<Endpoint["learned"]>>();

/**
 * The endpoint from the environment: Vertex if `GOOGLE_GENAI_USE_ENTERPRISE` (or `GOOGLE_GENAI_USE_VERTEXAI`) is true; Google if a base
 * URL, `GOOGLE_API_KEY` or `GEMINI_API_KEY` is set; CometAPI if `COMETAPI_KEY` is set. Otherwise Google. Endpoints from the same environment
 * share what models learn about the service.
 * @param logger - Logs when the key is from `GOOGLE_GENERATIVE_AI_API_KEY`.
 * @param keyless - Sends the emulator's key.
 */
export function defaultEndpoint(env: Environment = processEnvironment(), logger?: Logger, keyless?: boolean): Endpoint {
  const learned = learnedIn.get(env) ?? new Map<string, Set<string>>();
  learnedIn.set(env, learned);
  const endpoint = { ...findEndpoint(env, logger), learned };
  return keyless === true ? { ...endpoint, authHeaders: () => signWith(EMULATOR_KEY, "x-goog-api-key") } : endpoint;
}

function findEndpoint(env: Environment, logger: Logger | undefined): Endpoint {
  const usesVertex = env["GOOGLE_GENAI_USE_ENTERPRISE"] ?? env["GOOGLE_GENAI_USE_VERTEXAI"] ?? "";
  if (/^(?:1|true)$/i.test(usesVertex)) return vertex({ env });
  const configured = geminiApi({ env, logger });
  if (isCometHost(configured.baseUrl)) return cometapi({ baseUrl: configured.baseUrl, env });
  const wantsGoogle = env["GOOGLE_GEMINI_BASE_URL"] || env["GOOGLE_API_KEY"] || env["GEMINI_API_KEY"];
  return !wantsGoogle && env["COMETAPI_KEY"] ? cometapi({ env }) : configured;
}

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

/** The CometAPI gateway, which serves Gemini's format under `v1beta`. Reads the key with each request. @see https://api.cometapi.com/doc */
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

/** Options of {@link vertex}: an API key (express mode), or an access token with a project. */
export interface VertexOptions {
  /** Express mode: no project and no location in the path. @defaultValue `GOOGLE_API_KEY`, when no `accessToken` is given */
  readonly apiKey?: string | undefined;
  /** Called for each attempt; returns a valid OAuth access token. May be async; if it throws, the request fails. */
  readonly accessToken?: (() => string | Promise<string>) | undefined;
  /** @defaultValue `GOOGLE_CLOUD_PROJECT` */
  readonly project?: string | undefined;
  /** @defaultValue `GOOGLE_CLOUD_LOCATION`, then `global` */
  readonly location?: string | undefined;
  /** @defaultValue `GOOGLE_VERTEX_BASE_URL`, then the location's host */
  readonly baseUrl?: string | undefined;
  /** @defaultValue `GOOGLE_GENAI_API_VERSION` (`beta` means `v1beta1`), then `v1beta1` */
  readonly apiVersion?: string | undefined;
  /** @defaultValue the process's environment */
  readonly env?: Environment | undefined;
}

/**
 * Gemini on Vertex AI, with an API key (express mode) or with a project and access tokens.
 * @throws {ConfigurationError} For tokens without a project.
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode/overview
 */
export function vertex(options: VertexOptions = {}): Endpoint {
  const env = options.env ?? processEnvironment();
  const { accessToken } = options;
  const location = (accessToken && (options.location ?? env["GOOGLE_CLOUD_LOCATION"])) || "global";
  const baseUrl = checkBaseUrl(options.baseUrl ?? (env["GOOGLE_VERTEX_BASE_URL"] || hostOf(location)));
  const prefix = accessToken ? `projects/${projectOf(options, env)}/locations/${location}/` : "";
  return {
    kind: "vertex",
    baseUrl,
    apiVersion: options.apiVersion ?? apiVersionFrom(env, "v1beta1"),
    modelsPath: "publishers/google/models",
    cachesPath: `${prefix}cachedContents`,
    modelPath: (model) => modelPathBelow(prefix, model),
    authHeaders: accessToken
      ? async (): Promise<HeaderFields> => signWith(await accessToken(), "bearer")
      : () => signWith(options.apiKey || expressKeyFor(baseUrl, env), "x-goog-api-key"),
    learned: new Map(),
  };
}

/** @param prefix - `projects/…/locations/…/`, or empty in express mode. */
function modelPathBelow(prefix: string, model: string): string {
  checkModelId(model);
  if (model.startsWith("projects/")) return model;
  if (model.startsWith("publishers/")) return prefix + model;
  const [publisher, ...rest] = model.split("/");
  if (rest.length === 0 || publisher === "models")
    return `${prefix}publishers/google/models/${rest.join("/") || model}`;
  return `${prefix}publishers/${publisher}/models/${rest.join("/")}`;
}

function hostOf(location: string): string {
  if (!/^[a-z0-9-]+$/.test(location))
    throw new ConfigurationError(
      `${JSON.stringify(location)} is not a Vertex location; use one like "global" or "europe-west4".`,
    );
  return location === "global" ? "https://aiplatform.googleapis.com" : `https://${location}-aiplatform.googleapis.com`;
}

function projectOf(options: VertexOptions, env: Environment): string {
  const project = options.project ?? env["GOOGLE_CLOUD_PROJECT"];
  if (project && /^[\w.:-]+$/.test(project)) return project;
  throw new ConfigurationError(
    "Vertex with an access token requires a project: pass project, or set GOOGLE_CLOUD_PROJECT.",
  );
}

function expressKeyFor(baseUrl: string, env: Environment): string {
  if (isLoopback(baseUrl)) return EMULATOR_KEY;
  const key = isGoogleHost(baseUrl) ? env["GOOGLE_API_KEY"] : undefined;
  if (key) return key;
  throw new ConfigurationError(
    `No credentials for ${new URL(baseUrl).host}: set GOOGLE_API_KEY (express mode, sent to Google only), or pass apiKey, ` +
      "or accessToken and project, to vertex().",
  );
}
