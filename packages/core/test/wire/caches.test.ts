import { expect, test } from "vitest";
import { ApiStatusError } from "../../src/errors/api-errors.ts";
import { ConfigurationError } from "../../src/errors/agent-error.ts";
import { GeminiClient } from "../../src/wire/client.ts";
import { vertex } from "../../src/wire/endpoints/vertex.ts";
import { cacheService } from "../helpers/cache-service.ts";

const PROJECT = "projects/p/locations/europe-west4";

function client(service: ReturnType<typeof cacheService>, endpoint = service.endpoint): GeminiClient {
  return new GeminiClient({ fetch: service.fetch, endpoint });
}

test("on Vertex a cache has its project's path, and so has its model", async () => {
  const service = cacheService([], "vertex");
  const to = vertex({ project: "p", location: "europe-west4", accessToken: () => "t", env: {} });
  const { caches } = client(service, to);
  await caches.create({ model: "gemini-3.8-flash", contents: [{ role: "user", parts: [{ text: "a" }] }] });
  await caches.get("c1");
  await caches.get("cachedContents/c1");
  await caches.update(`${PROJECT}/cachedContents/c1`, { ttl: "60s" });
  await caches.list({ pageSize: 5 });
  await caches.delete("c1");
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
    { method: "GET", path: `${at}?pageSize=5` },
    { method: "DELETE", path: `${at}/c1` },
  ]);
});

test("a wait of the service is waited for, as with any call", async () => {
  let calls = 0;
  const service = cacheService();
  const fetch: typeof service.fetch = async (url, init) =>
    ++calls === 1 ? new Response("{}", { status: 503 }) : await service.fetch(url, init);
  const { caches } = new GeminiClient({ fetch, endpoint: service.endpoint, retry: { minDelayMs: 1 } });
  expect(await caches.list()).toEqual({});
  expect(calls).toBe(2);
});

test("unknown fields of a cache are kept", async () => {
  const service = cacheService();
  const fetch = async (): Promise<Response> => Response.json({ name: "cachedContents/x", model: "models/m", next: 1 });
  const { caches } = new GeminiClient({ fetch, endpoint: service.endpoint });
  expect(await caches.get("x")).toEqual({ name: "cachedContents/x", model: "models/m", next: 1 });
});

test("an older proxy that does not know caches is told from a model that is not there", async () => {
  const service = cacheService();
  const answering = (answer: () => Response): GeminiClient =>
    new GeminiClient({ fetch: async () => answer(), endpoint: service.endpoint, retry: { maxAttempts: 1 } });
  const old = answering(() => new Response("404 page not found", { status: 404 }));
  await expect(old.caches.list()).rejects.toThrow(ConfigurationError);
  await expect(old.caches.create({ model: "m" })).rejects.toThrow(
    /^gemini.example does not support explicit caches \(HTTP 404\)/,
  );
  const error = { code: 404, message: "models/m is not found", status: "NOT_FOUND" };
  const missing = answering(() => Response.json({ error }, { status: 404 }));
  await expect(missing.caches.create({ model: "m" })).rejects.toThrow(ApiStatusError);
});
