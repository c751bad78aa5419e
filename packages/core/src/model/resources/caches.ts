import { ConfigurationError } from "../../errors/agent-error.ts";
import { present } from "../../internal/json.ts";
import type { CallOptions, CallSignal, GeminiClientOptions } from "../../wire/client-options.ts";
import type { Endpoint } from "../../wire/endpoints/endpoint.ts";
import { ApiClient, encodeJson, readPages } from "../../wire/client.ts";
import type { ApiCall } from "../../wire/http/exchange.ts";
import type {
  CachedContent,
  CacheExpiry,
  CreateCachedContentRequest,
  ListCachedContentsResponse,
} from "../../wire/types/resources.ts";

/** An explicit cache, as plain data that can be stored and used again. @see https://ai.google.dev/gemini-api/docs/caching */
export interface CacheRef {
  /** Such as `cachedContents/abc123`. */
  readonly name: string;
  /** The only model that can use it, by the service's name. */
  readonly model?: string | undefined;
  /** When it expires, RFC 3339; using it later is an error. */
  readonly expireTime?: string | undefined;
  /** The agent that it was made from; absent for other caches. */
  readonly holds?: CacheHolds | undefined;
}

/** Which agent a cache was made from. */
export interface CacheHolds {
  /** Model ID of the agent. */
  readonly modelId: string;
  /** Changes with the cached instructions, declarations and tool config. */
  readonly fingerprint: string;
}

/** Lifetime of a cache; the service's default is one hour. */
export interface CacheLife {
  /** Seconds from now. Excludes `expireTime`. */
  readonly ttlSeconds?: number | undefined;
  /** When it expires; a string is RFC 3339. Excludes `ttlSeconds`. */
  readonly expireTime?: Date | string | undefined;
}

/** An explicit cache as the service describes it. Plain data: store it, and pass it to later runs as `cachedContent`. */
export interface Cache extends CacheRef {
  readonly model: string;
  readonly displayName?: string | undefined;
  /** RFC 3339. */
  readonly createTime?: string | undefined;
  /** Tokens in the cache, billed at the lower rate for every request that uses it. 0 when the service does not report it. */
  readonly totalTokens: number;
}

/** Lists, extends and deletes the explicit caches of a key. @see https://ai.google.dev/gemini-api/docs/caching */
export function caches(options: GeminiClientOptions = {}): Caches {
  return new Caches(new ApiClient(options));
}

/**
 * See {@link caches}. Every method throws a {@link ConfigurationError} before anything is sent if the endpoint has no caches,
 * and an `ApiStatusError` if the service rejects the request, such as 403 or 404 for an expired cache.
 */
export class Caches {
  readonly #client: ApiClient;

  /** @internal */
  constructor(client: ApiClient) {
    this.#client = client;
  }

  /** All caches of the key; pages are requested as they are read. */
  async *list({ signal }: CallSignal = {}): AsyncGenerator<Cache, void, void> {
    const get = (path: string): Promise<ListCachedContentsResponse> =>
      callCollection(this.#client, { operation: "listCachedContents", method: "GET", path }, { signal });
    for await (const { cachedContents = [] } of readPages(cachesPath(this.#client.endpoint), 1000, get))
      for (const one of cachedContents) yield readCache(one);
  }

  /** One cache. The service does not store `holds`: it is taken from the given {@link CacheRef}. */
  async get(cache: string | CacheRef, { signal }: CallSignal = {}): Promise<Cache> {
    return await this.#call(cache, { operation: "getCachedContent", method: "GET" }, signal);
  }

  /** Changes when a cache expires, and returns it with the new expiry. */
  async extend(cache: string | CacheRef, life: CacheLife, { signal }: CallSignal = {}): Promise<Cache> {
    const expiry = buildCacheExpiry(life);
    if (expiry === undefined) throw new ConfigurationError("extend() requires ttlSeconds or expireTime.");
    const call = { operation: "updateCachedContent", method: "PATCH", body: encodeJson(expiry) } as const;
    return await this.#call(cache, call, signal);
  }

  /** Deletes a cache, which stops its storage costs. */
  async delete(cache: string | CacheRef, { signal }: CallSignal = {}): Promise<void> {
    await this.#call(cache, { operation: "deleteCachedContent", method: "DELETE" }, signal);
  }

  async #call(cache: string | CacheRef, call: Omit<ApiCall, "path">, signal: AbortSignal | undefined): Promise<Cache> {
    const known = typeof cache === "string" ? { name: cache } : cache;
    const path = cachePath(this.#client.endpoint, known.name);
    return readCache(await this.#client.object({ ...call, path }, { signal }), known);
  }
}

/** Reads a cache from the service's answer, which may lack members. @param known - What the caller passed; its `holds` is kept. */
function readCache({ usageMetadata, ...answer }: Partial<CachedContent>, known: Partial<CacheRef> = {}): Cache {
  const { name = "", model = "", holds } = known;
  const totalTokens = usageMetadata?.totalTokenCount ?? 0;
  return present({ name, model, ...answer, totalTokens, holds });
}

/** Creates a cache; `model` may be a bare id. */
export async function createCachedContent(
  client: ApiClient,
  request: CreateCachedContentRequest,
  options: CallOptions,
  life: CacheLife = {},
): Promise<Cache> {
  const { model, tools } = request;
  const body = encodeJson({ ...request, model: client.endpoint.modelPath(model), ...buildCacheExpiry(life) });
  const path = cachesPath(client.endpoint);
  const call: ApiCall = { operation: "createCachedContent", model, method: "POST", path, body, tools };
  return readCache(await callCollection(client, call, options), { model });
}

function callCollection(
  client: ApiClient,
  call: ApiCall,
  options: CallOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = client.object(call, options);
  return client.onCollection(answer, "explicit caches", "use Google's own endpoint for them");
}

function cachesPath({ cachesPath: path, baseUrl }: Endpoint): string {
  if (path !== undefined) return path;
  throw new ConfigurationError(
    `${new URL(baseUrl).host} is a gateway, and gateways do not support explicit caches: use Google's own endpoint, or pass kind: "developer" to endpoint() if this one serves cachedContents.`,
  );
}

/** Resource path of a cache, from its full name or its id. */
function cachePath(endpoint: Endpoint, name: string): string {
  const all = cachesPath(endpoint);
  const id = /^(?:(projects\/[\w.:-]+\/locations\/[\w-]+)\/)?(?:cachedContents\/)?([\w-]+)$/.exec(name);
  if (id === null)
    throw new ConfigurationError(
      `${JSON.stringify(name.slice(0, 100))} is not the name of a cache: use one like "cachedContents/abc123".`,
    );
  return id[1] === undefined ? `${all}/${id[2]}` : name;
}

/** The lifetime of a cache for the wire; `undefined` for the service's default. @throws {ConfigurationError} If it is invalid. */
function buildCacheExpiry({ ttlSeconds, expireTime }: CacheLife): CacheExpiry | undefined {
  if (ttlSeconds !== undefined && expireTime !== undefined)
    throw new ConfigurationError("ttlSeconds and expireTime are mutually exclusive: pass one of them.");
  if (ttlSeconds !== undefined) {
    if (Number.isFinite(ttlSeconds) && ttlSeconds > 0) return { ttl: `${ttlSeconds}s` };
    throw new ConfigurationError(`ttlSeconds is ${ttlSeconds}: it must be greater than 0 seconds.`);
  }
  if (expireTime === undefined) return undefined;
  const time = new Date(expireTime);
  if (Number.isNaN(time.getTime()))
    throw new ConfigurationError(
      `expireTime is ${JSON.stringify(expireTime)}: pass a Date, or a string like "2027-01-31T12:00:00Z".`,
    );
  return { expireTime: typeof expireTime === "string" ? expireTime : time.toISOString() };
}
