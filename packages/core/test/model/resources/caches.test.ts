import { expect, test } from "vitest";
import { ApiStatusError } from "../../../src/errors/api-errors.ts";
import { ConfigurationError } from "../../../src/errors/agent-error.ts";
import { caches, createCachedContent } from "../../../src/model/resources/caches.ts";
import type { GeminiClientOptions } from "../../../src/wire/client-options.ts";
import { vertex } from "../../../src/wire/endpoints/services.ts";
import { ApiClient } from "../../../src/wire/client.ts";
import { cacheService } from "../../helpers/cache-service.ts";

const PROJECT = "projects/p/locations/europe-west4";

async function listOf<T>(list: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of list) all.push(one);
  return all;
}

test("on Vertex a cache has its project's path, and so has its model", async () => {
  const service = cacheService([], "vertex");
  const to = vertex({ project: "p", location: "europe-west4", accessToken: () => "t", env: {} });
  const options = { fetch: service.fetch, endpoint: to };
  const request = { model: "gemini-3.8-flash", contents: [{ role: "user" as const, parts: [{ text: "a" }] }] };
  await createCachedContent(new ApiClient(options), request, {});
  const store = caches(options);
  await store.get("c1");
  await store.get("cachedContents/c1");
  await store.extend(`${PROJECT}/cachedContents/c1`, { ttlSeconds: 60 });
  await listOf(store.list());
  await store.delete("c1");
  const at = `/v1beta1/${PROJECT}/cachedContents`;
  expect(service.seen).toEqual([
    {
      method: "POST",
      path: at,
      body: {
        model: `${PROJECT}/publishers/google/models/gemini-3.8-flash`,
        contents: [{ role: "user", parts: [{ text: "a" }] }],
      },
    },
    { method: "GET", path: `${at}/c1` },
    { method: "GET", path: `${at}/c1` },
    { method: "PATCH", path: `${at}/c1`, body: { ttl: "60s" } },
    { method: "GET", path: `${at}?pageSize=1000` },
    { method: "DELETE", path: `${at}/c1` },
  ]);
});

test("a wait of the service is waited for, as with any call", async () => {
  let calls = 0;
  const service = cacheService();
  const fetch: typeof service.fetch = async (url, init) =>
    ++calls === 1 ? new Response("{}", { status: 503 }) : await service.fetch(url, init);
  const store = caches({ fetch, endpoint: service.endpoint, retry: { minDelayMs: 1 } });
  expect(await listOf(store.list())).toEqual([]);
  expect(calls).toBe(2);
});

test("unknown fields of a cache are kept", async () => {
  const service = cacheService();
  const fetch = async (): Promise<Response> => Response.json({ name: "cachedContents/x", model: "models/m", next: 1 });
  const store = caches({ fetch, endpoint: service.endpoint });
  expect(await store.get("x")).toEqual({ name: "cachedContents/x", model: "models/m", next: 1, totalTokens: 0 });
});

test("distinguishes an older proxy without caches from a missing model", async () => {
  const service = cacheService();
  const answering = (answer: () => Response): GeminiClientOptions => ({
    fetch: async () => answer(),
    endpoint: service.endpoint,
    retry: { maxAttempts: 1 },
  });
  const create = (options: GeminiClientOptions) => createCachedContent(new ApiClient(options), { model: "m" }, {});
  const old = answering(() => new Response("404 page not found", { status: 404 }));
  await expect(caches(old).list().next()).rejects.toThrow(ConfigurationError);
  await expect(create(old)).rejects.toThrow(/^gemini.example does not support explicit caches \(HTTP 404\)/);
  const error = { code: 404, message: "models/m is not found", status: "NOT_FOUND" };
  const missing = answering(() => Response.json({ error }, { status: 404 }));
  await expect(create(missing)).rejects.toThrow(ApiStatusError);
});
