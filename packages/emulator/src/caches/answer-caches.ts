import type { IncomingRequest } from "../incoming-request.ts";
import { pageOf } from "../internal/page.ts";
import type { ResourceAnswer } from "../resource-answer.ts";
import { addCounts, estimateContent, estimateHead, type FileLookup } from "../respond/estimate-tokens.ts";
import { callerOf } from "../validate/auth.ts";
import { judgeCachedContent, judgeCachePatch } from "../validate/cached-content.ts";
import { unknownCacheProblem } from "../validate/caching.ts";
import { problem } from "../validate/problem.ts";
import type { Profile, ValidateOptions } from "../validate/types.ts";
import type { CacheOptions } from "./cache-options.ts";
import type { CacheStore, StoredCache } from "./cache-store.ts";

/** A parsed address of cached contents. */
export interface CacheRoute {
  readonly kind: "createCache" | "listCaches" | "getCache" | "updateCache" | "deleteCache";
  readonly apiVersion: string;
  /** The part of a name before `cachedContents/`: project and location on Vertex, empty elsewhere. */
  readonly parent: string;
  /** Last segment of the name; empty for the list. */
  readonly id: string;
}

/** The state and settings that answers depend on. */
export interface CacheContext {
  readonly caches: CacheStore;
  readonly options: CacheOptions;
  readonly validate: ValidateOptions;
  readonly now: () => Date;
  readonly fileOf: FileLookup;
}

const DEVELOPER_PATH = /^\/(v1beta|v1alpha|v1)\/()cachedContents(?:\/([^/:]+))?$/;
const VERTEX_PATH = /^\/(v1beta1|v1)\/((?:projects\/[^/]+\/locations\/[^/]+\/)?)cachedContents(?:\/([^/:]+))?$/;
const DEFAULT_TTL_SECONDS = 3600;

/** Parses method and path; undefined if they don't address cached contents. */
export function parseCacheRoute(method: string, url: URL, profile: Profile): CacheRoute | undefined {
  const path = url.pathname.replaceAll(/\/{2,}/g, "/");
  const [matched, apiVersion = "", parent = "", id = ""] =
    (profile === "vertex" ? VERTEX_PATH : DEVELOPER_PATH).exec(path) ?? [];
  if (matched === undefined) return undefined;
  const kinds: Readonly<Record<string, CacheRoute["kind"]>> =
    id === ""
      ? { POST: "createCache", GET: "listCaches" }
      : { GET: "getCache", PATCH: "updateCache", DELETE: "deleteCache" };
  const kind = kinds[method];
  return kind && { kind, apiVersion, parent, id };
}

/** Answers a request for cached contents. */
export function answerCaches(route: CacheRoute, incoming: IncomingRequest, context: CacheContext): ResourceAnswer {
  const { caches, validate } = context;
  const { kind: operation, id } = route;
  const owner = cacheOwner(incoming, validate.profile);
  if (operation === "createCache") return createCache(route, incoming, owner, context);
  if (operation === "listCaches") return listCaches(caches, owner, incoming.url.searchParams);
  const cache = caches.find(id, owner);
  if (cache === undefined) return { operation, problems: [unknownCacheProblem(id, validate.profile)] };
  if (operation === "deleteCache") {
    caches.delete(id);
    return { operation, body: {} };
  }
  if (operation === "getCache") return { operation, body: cacheJson(cache) };
  const patch = judgeCachePatch(incoming.body, route.apiVersion, validate, context.now());
  if (!("expiresAt" in patch)) return { operation, problems: patch };
  const updated = { ...cache, expiresAt: patch.expiresAt, updatedAt: context.now() };
  caches.put(updated);
  return { operation, body: cacheJson(updated) };
}

/** The owner of the cached contents that a request can use: its key, or the single project that all Vertex tokens share. */
export function cacheOwner(incoming: Pick<IncomingRequest, "url" | "headers">, profile: Profile): string {
  return profile === "vertex" ? "project" : callerOf(incoming);
}

function createCache(
  { apiVersion, parent }: CacheRoute,
  { body }: IncomingRequest,
  owner: string,
  { caches, options, validate, now, fileOf }: CacheContext,
): ResourceAnswer {
  const operation = "createCache";
  const judged = judgeCachedContent(body, apiVersion, validate, now());
  if (!("model" in judged)) return { operation, problems: judged };
  const { model, modelName, displayName, request } = judged;
  const tokens = addCounts([
    estimateHead(request),
    ...request.contents.map((content) => estimateContent(content, fileOf)),
  ]);
  const minTokens = options.minTokens ?? (model.id.includes("pro") ? 4096 : 1024);
  if (tokens.total < minTokens) {
    const message =
      validate.profile === "vertex"
        ? `The cached content is of ${tokens.total} tokens. The minimum token count to start caching is ${minTokens}.`
        : `Cached content is too small. total_token_count=${tokens.total}, min_total_token_count=${minTokens}`;
    return { operation, problems: [problem("E-49", message)] };
  }
  const createdAt = now();
  const ttlMs = (options.defaultTtlSeconds ?? DEFAULT_TTL_SECONDS) * 1000;
  const cache: StoredCache = {
    owner,
    name: `${parent}cachedContents/${caches.nextId(validate.profile === "vertex")}`,
    displayName,
    modelId: model.id,
    modelName,
    request,
    tokens,
    createdAt,
    updatedAt: createdAt,
    expiresAt: judged.expiresAt ?? new Date(createdAt.getTime() + ttlMs),
  };
  caches.put(cache);
  return { operation, body: cacheJson(cache), model: model.id };
}

function listCaches(caches: CacheStore, owner: string, query: URLSearchParams): ResourceAnswer {
  const operation = "listCaches";
  const page = pageOf(caches.list(owner), query, { default: 50, max: 1000 });
  if (page === undefined) return { operation, problems: [problem("C-3", "Request contains an invalid argument.")] };
  const { items, nextPageToken } = page;
  return {
    operation,
    body: {
      ...(items.length > 0 && { cachedContents: items.map((cache) => cacheJson(cache)) }),
      ...(nextPageToken !== undefined && { nextPageToken }),
    },
  };
}

/** A cached content in the service's format, which never includes the contents. */
function cacheJson({ name, modelName, displayName, createdAt, updatedAt, expiresAt, tokens }: StoredCache): object {
  return {
    name,
    model: modelName,
    ...(displayName && { displayName }),
    createTime: createdAt.toISOString(),
    updateTime: updatedAt.toISOString(),
    expireTime: expiresAt.toISOString(),
    usageMetadata: { totalTokenCount: tokens.total },
  };
}
