import { ConfigurationError } from "../../errors/agent-error.ts";
import { checkOptions, namesIn, type OptionNames } from "../../internal/option-names.ts";
import { type Environment, processEnvironment } from "../../internal/environment.ts";
import { suggestModel } from "../known-models.ts";
import { defaultLogger, type Logger } from "../../logging/logger.ts";

/** Kind of service: Google's Developer API, Vertex AI, or a gateway in front of either. */
export type EndpointKind = "developer" | "vertex" | "gateway";

/** How the key is sent: in Google's header, as a bearer token, or not at all. */
export type AuthScheme = "x-goog-api-key" | "bearer" | "none";

/** HTTP headers by name. */
export type HeaderFields = { readonly [name: string]: string };

/** Where requests go and how they authenticate. The key is hidden from `JSON.stringify` and logs. */
export interface Endpoint {
  readonly kind: EndpointKind;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** Path segment after the base URL; may be empty. */
  readonly apiVersion: string;
  /** Path of the list of models, below base URL and version. */
  readonly modelsPath: string;
  /** Path of the list of caches, below base URL and version; absent where there are none. */
  readonly cachesPath?: string | undefined;
  /** Path of the list of files, below base URL and version; absent where there is no Files API. */
  readonly filesPath?: string | undefined;
  /** Path of one model, below base URL and version. @throws {ConfigurationError} For an invalid model id. */
  modelPath(model: string): string;
  /** Headers that authenticate an attempt, kept out of errors and logs. @throws {ConfigurationError} When there is no key for this host. */
  authHeaders(): HeaderFields | Promise<HeaderFields>;
  /** Names of the changes that requests need here, by path of the model, as models learn them. Absent: each model learns for itself. */
  readonly learned?: Map<string, Set<string>> | undefined;
}

/** Options of {@link endpoint}. */
export interface EndpointOptions {
  /** Scheme, host, and a path prefix if the API is not at the root. */
  readonly baseUrl: string;
  /** Key for this host. Optional on loopback, and with `auth: "none"`. */
  readonly apiKey?: string | undefined;
  /** @defaultValue "x-goog-api-key" */
  readonly auth?: AuthScheme | undefined;
  /** @defaultValue "v1beta"; "v1beta1" for `kind: "vertex"` */
  readonly apiVersion?: string | undefined;
  /** @defaultValue "developer" for Google's hosts and loopback, otherwise "gateway" */
  readonly kind?: EndpointKind | undefined;
  /** Sent with each request. Values of at least 6 characters, also inside cookies and parameters, are treated as secrets. */
  readonly headers?: HeaderFields | undefined;
}

/** Options of {@link geminiApi}. */
export interface GoogleOptions {
  /** @defaultValue `GOOGLE_API_KEY`, `GEMINI_API_KEY`, or `GOOGLE_GENERATIVE_AI_API_KEY` in the environment, only for Google's own hosts */
  readonly apiKey?: string | undefined;
  /** @defaultValue `GOOGLE_GEMINI_BASE_URL`, then `https://generativelanguage.googleapis.com` */
  readonly baseUrl?: string | undefined;
  /** @defaultValue `GOOGLE_GENAI_API_VERSION` (`beta` means `v1beta`), then `v1beta` */
  readonly apiVersion?: string | undefined;
  /** @defaultValue the process's environment */
  readonly env?: Environment | undefined;
  /** Logs when the key is from `GOOGLE_GENERATIVE_AI_API_KEY`. @defaultValue silent, unless `POLLUX_LOG` names a level */
  readonly logger?: Logger | undefined;
}

const ENDPOINT: OptionNames<EndpointOptions> = namesIn("baseUrl apiKey auth apiVersion kind headers");
const GOOGLE: OptionNames<GoogleOptions> = { apiKey: true, baseUrl: true, apiVersion: true, env: true, logger: true };

const GOOGLE_BASE_URL = "https://generativelanguage.googleapis.com";
/** The AI SDK's variable for the same key. */
const OTHER_KEY = "GOOGLE_GENERATIVE_AI_API_KEY";
/** Key that a local emulator accepts; not a secret. */
export const EMULATOR_KEY = "emulator";

const EMULATOR_HINT =
  "To work without a key, start the emulator with `npx @pollux/cli emulator --port 8787` and set " +
  "GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8787.";

/**
 * Any host that serves the Gemini API: a gateway, a proxy, the emulator. Reads nothing from the environment.
 * @throws {ConfigurationError} For an invalid base URL, and for a missing key.
 * @example
 * ```ts
 * const gateway = endpoint({ baseUrl: "https://gateway.example", apiKey: readSecret("gateway"), auth: "bearer" });
 * const agent = new Agent({ model: "gemini-flash-latest", endpoint: gateway });
 * ```
 */
export function endpoint(options: EndpointOptions): Endpoint {
  checkOptions("endpoint()", options, ENDPOINT);
  const baseUrl = checkBaseUrl(options.baseUrl);
  const { apiKey, auth = "x-goog-api-key", headers } = options;
  if (!apiKey && auth !== "none" && !isLoopback(baseUrl))
    throw new ConfigurationError(
      `No API key for ${new URL(baseUrl).host}: pass apiKey, or auth: "none" if it needs none.`,
    );
  for (const [name, value] of Object.entries(headers ?? {})) checkHeaderValue(value, `header ${name}`);
  const kind = options.kind ?? kindOf(baseUrl);
  const apiVersion = options.apiVersion ?? (kind === "vertex" ? "v1beta1" : "v1beta");
  return buildEndpoint(kind, baseUrl, apiVersion, () => ({
    ...headers,
    ...signWith(apiKey || (isLoopback(baseUrl) ? EMULATOR_KEY : undefined), auth),
  }));
}

/**
 * Google's Developer API. Reads the environment when called, but the key with each request: a missing key fails the first request.
 * @see https://ai.google.dev/gemini-api/docs/api-key
 * @example const agent = new Agent({ model: "gemini-flash-latest", endpoint: geminiApi({ apiKey: readSecret("gemini") }) });
 */
export function geminiApi(options: GoogleOptions = {}): Endpoint {
  if (typeof options !== "object")
    throw new TypeError("geminiApi() makes an endpoint, and takes its options; a model id is for gemini() or model");
  checkOptions("geminiApi()", options, GOOGLE);
  const env = options.env ?? processEnvironment();
  const baseUrl = checkBaseUrl(options.baseUrl ?? (env["GOOGLE_GEMINI_BASE_URL"] || GOOGLE_BASE_URL));
  const apiVersion = options.apiVersion ?? apiVersionFrom(env, "v1beta");
  let isLogged = false;
  const onOtherKey = (): void => {
    if (isLogged) return;
    isLogged = true;
    const logger = options.logger ?? defaultLogger(env);
    logger.info({ variable: OTHER_KEY }, "the API key is from the AI SDK's variable, because no other is set");
  };
  return buildEndpoint(kindOf(baseUrl), baseUrl, apiVersion, () =>
    signWith(options.apiKey || googleKeyFor(baseUrl, env, onOtherKey), "x-goog-api-key"),
  );
}

function kindOf(baseUrl: string): EndpointKind {
  return isGoogleHost(baseUrl) || isLoopback(baseUrl) ? "developer" : "gateway";
}

/** An endpoint with the paths of the Developer API; gateways serve only the models. */
export function buildEndpoint(
  kind: EndpointKind,
  baseUrl: string,
  apiVersion: string,
  authHeaders: Endpoint["authHeaders"],
): Endpoint {
  return {
    kind,
    baseUrl,
    apiVersion,
    modelsPath: "models",
    cachesPath: kind === "gateway" ? undefined : "cachedContents",
    filesPath: kind === "developer" ? "files" : undefined,
    modelPath: (model) => {
      checkModelId(model, isGoogleHost(baseUrl) ? MODEL_ID : GATEWAY_MODEL_ID);
      return model.includes("/") ? model : `models/${model}`;
    },
    authHeaders,
    learned: new Map(),
  };
}

/** Headers with a key; none without one. */
export function signWith(apiKey: string | undefined, auth: AuthScheme): HeaderFields {
  const key = apiKey?.trim();
  if (!key || auth === "none") return {};
  checkHeaderValue(key, "API key");
  return auth === "bearer" ? { authorization: `Bearer ${key}` } : { "x-goog-api-key": key };
}

/** Rejects a value that `fetch` would quote in its error. */
function checkHeaderValue(value: string, what: string): void {
  if (/^[\x20-\x7e]*$/.test(value)) return;
  throw new ConfigurationError(
    `The ${what} contains a character that is not allowed in HTTP headers; was it copied with a line break?`,
  );
}

/** API version of Google's services from the environment; `beta` is short for the one given. */
export function apiVersionFrom(env: Environment, beta: string): string {
  const version = env["GOOGLE_GENAI_API_VERSION"];
  return !version || version === "beta" ? beta : version;
}

/** The environment's Google key, for Google's hosts only. @param onOtherKey - Called when it is the AI SDK's. */
function googleKeyFor(baseUrl: string, env: Environment, onOtherKey: () => void): string {
  if (isLoopback(baseUrl)) return EMULATOR_KEY;
  if (!isGoogleHost(baseUrl))
    throw new ConfigurationError(
      `No API key for ${new URL(baseUrl).host}: a Google key from the environment is only sent to Google; pass apiKey for this host.`,
    );
  const key = env["GOOGLE_API_KEY"] || env["GEMINI_API_KEY"];
  if (key) return key;
  const otherKey = env[OTHER_KEY];
  if (otherKey) {
    onOtherKey();
    return otherKey;
  }
  throw new ConfigurationError(
    "No API key: set GEMINI_API_KEY (from https://aistudio.google.com/apikey), GOOGLE_API_KEY or COMETAPI_KEY, or pass apiKey to geminiApi(). " +
      EMULATOR_HINT,
  );
}

/** A valid base URL without a trailing slash. Rejects credentials and queries, which would show up in errors and logs. */
export function checkBaseUrl(baseUrl: string): string {
  // The error of `new URL` quotes the URL, perhaps with a password.
  if (!URL.canParse(baseUrl))
    throw new ConfigurationError("The base URL is not a URL; use a form like https://host or http://127.0.0.1:8787.");
  const url = new URL(baseUrl);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new ConfigurationError(`The base URL begins with "${url.protocol}"; begin it with https:// or http://.`);
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    throw new ConfigurationError(
      `The base URL of ${url.host} contains credentials, a query or a fragment; pass the key as apiKey instead.`,
    );
  return baseUrl.trim().replace(/\/+$/, "");
}

/** True for the hosts that may get a key issued by Google: Google's API hosts over https. */
export function isGoogleHost(baseUrl: string): boolean {
  return isSecureHost(baseUrl, "googleapis.com");
}

/** True for the hosts that may get a CometAPI key. */
export function isCometHost(baseUrl: string): boolean {
  return isSecureHost(baseUrl, "cometapi.com");
}

function isSecureHost(baseUrl: string, domain: string): boolean {
  const { protocol, hostname } = new URL(baseUrl);
  return protocol === "https:" && `.${hostname}`.endsWith(`.${domain}`);
}

/** True for loopback, where an emulator needs no key. */
export function isLoopback(baseUrl: string): boolean {
  const { hostname } = new URL(baseUrl);
  return /^(?:(?:.*\.)?localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/.test(hostname);
}

const MODEL_ID = /^[\w.@:-]+(?:\/[\w.@:-]+)*$/;
/** Gateways name variants and routes in an id, as in `gemini-3.8-pro[1m]`. */
const GATEWAY_MODEL_ID = /^[\w.@:,[\]-]+(?:\/[\w.@:,[\]-]+)*$/;

/** @throws {ConfigurationError} For an id that would change the URL around it. */
export function checkModelId(model: string, pattern: RegExp = MODEL_ID): void {
  if (pattern.test(model) && !/(?:^|\/)\.\.?(?:\/|$)/.test(model)) return;
  throw new ConfigurationError(
    `${JSON.stringify(model.slice(0, 100))} is not a model id${suggestModel(model)}; use one like "gemini-flash-latest" or "tunedModels/my-model".`,
  );
}
