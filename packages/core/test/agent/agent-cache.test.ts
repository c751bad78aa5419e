import { Agent, type AgentOptions, ConfigurationError, defineTool, gemini, googleSearch } from "@pollux/core";
import { caches } from "@pollux/core/resources";
import { ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { cacheService } from "../helpers/cache-service.ts";
import { faces, typed } from "../helpers/faces.ts";

const ID = "gemini-3.8-flash";
const PATH = `/v1beta/models/${ID}:streamGenerateContent?alt=sse`;
const CALL = { functionCall: { name: "add", args: { a: 1, b: 2 }, id: "x" }, thoughtSignature: "s" };
const BOOK = [{ text: "A long book." }];
const user = (text: string): object => ({ role: "user", parts: [{ text }] });

const add = defineTool({
  name: "add",
  description: "Adds.",
  input: z.object({ a: z.number(), b: z.number() }),
  run: ({ a, b }) => a + b,
});

function agentOn(
  service: ReturnType<typeof cacheService>,
  options: Omit<AgentOptions, "model"> = { instructions: "Be brief.", tools: [add] },
  id: string = ID,
): Agent {
  return new Agent({ ...options, model: gemini(id, { endpoint: service.endpoint, fetch: service.fetch }) });
}

test("a cache holds the agent's instructions, tools and contents, and says until when", async () => {
  const service = cacheService();
  const cache = await agentOn(service).createCache(BOOK, { ttlSeconds: 3600, displayName: "book" });
  expect(service.seen).toEqual([
    {
      method: "POST",
      path: "/v1beta/cachedContents",
      body: {
        model: `models/${ID}`,
        displayName: "book",
        systemInstruction: { parts: [{ text: "Be brief." }] },
        tools: [{ functionDeclarations: [add.declaration] }],
        contents: [{ role: "user", parts: BOOK }],
        ttl: "3600s",
      },
    },
  ]);
  expect(cache).toEqual({
    name: "cachedContents/c1",
    model: `models/${ID}`,
    displayName: "book",
    createTime: "2099-01-01T00:00:00Z",
    updateTime: "2099-01-01T00:00:00Z",
    expireTime: "2099-01-01T01:00:00Z",
    totalTokens: 5000,
    holds: { modelId: ID, fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) },
  });
});

test("settings of tools go into the cache, a forced call does not", async () => {
  const service = cacheService();
  const location = { latitude: 1, longitude: 2 };
  const agent = agentOn(service, { tools: [add, googleSearch()], toolChoice: "required", settings: { location } });
  await agent.createCache("A long book.", { expireTime: new Date("2099-05-05T05:05:05Z") });
  expect(service.seen[0]?.body).toEqual({
    model: `models/${ID}`,
    tools: [{ functionDeclarations: [add.declaration] }, { googleSearch: {} }],
    contents: [user("A long book.")],
    toolConfig: {
      functionCallingConfig: { mode: "VALIDATED" },
      retrievalConfig: { latLng: location },
      includeServerSideToolInvocations: true,
    },
    expireTime: "2099-05-05T05:05:05.000Z",
  });
});

describe.each(faces)("%s", (face, read) => {
  test("with its cache an agent sends neither instructions nor declarations, and its tools run", async () => {
    const service = cacheService([[CALL], [{ text: "Three." }]]);
    const agent = agentOn(service);
    const cache = await agent.createCache(BOOK);
    const stored: typeof cache = JSON.parse(JSON.stringify(cache)); // as a program would keep it
    const result = await read(agent, "1 + 2?", { settings: { cachedContent: stored } });
    expect(result).toMatchObject({ stopReason: "finished", text: "Three.", usage: { cachedTokens: 10_000 } });
    const asked = user("1 + 2?");
    expect(service.seen.slice(1)).toEqual([
      { method: "POST", path: PATH, body: { cachedContent: cache.name, contents: [asked] } },
      {
        method: "POST",
        path: PATH,
        body: {
          cachedContent: cache.name,
          contents: [
            asked,
            { role: "model", parts: [CALL] },
            { role: "user", parts: [{ functionResponse: { id: "x", name: "add", response: { output: 3 } } }] },
          ],
        },
      },
    ]);
  });

  test("an output schema is sent with the cache; where it can't be, the last request goes without the cache", async () => {
    const output = z.object({ sum: z.number() });
    const native = cacheService([[{ text: '{"sum":3}' }]]);
    const agent = agentOn(native);
    const first = await typed(face, agent, "1 + 2?", {
      output,
      settings: { cachedContent: await agent.createCache(BOOK) },
    });
    expect(first).toMatchObject({ stopReason: "finished", output: { sum: 3 } });
    expect(native.seen.slice(1).map(({ body }) => body)).toEqual([
      {
        cachedContent: "cachedContents/c1",
        contents: [user("1 + 2?")],
        generationConfig: { responseMimeType: "application/json", responseJsonSchema: expect.any(Object) },
      },
    ]);

    const older = cacheService([[{ text: "Three." }], [{ text: '{"sum":3}' }]]);
    const agent25 = agentOn(older, { tools: [add] }, "gemini-2.5-flash");
    const second = await typed(face, agent25, "1 + 2?", {
      output,
      settings: { cachedContent: await agent25.createCache(BOOK) },
    });
    expect(second).toMatchObject({ stopReason: "finished", text: "Three.", output: { sum: 3 } });
    expect(older.seen.slice(1).map(({ body }) => Object.keys(body as object))).toEqual([
      ["cachedContent", "contents"],
      ["contents", "generationConfig"],
    ]);
  });

  test("a cache made elsewhere goes with an agent that has nothing of its own", async () => {
    const service = cacheService();
    await read(agentOn(service, { settings: { cachedContent: "cachedContents/z" } }), "Hi.");
    expect(service.seen.map(({ body }) => body)).toEqual([
      { cachedContent: "cachedContents/z", contents: [user("Hi.")] },
    ]);
  });

  const foreign = { name: "cachedContents/z", model: `models/${ID}` };
  const holds = { modelId: ID, fingerprint: "0" };
  test.each<[string, Omit<AgentOptions, "model">, RegExp]>([
    [
      "instructions beside a foreign cache",
      { instructions: "Be brief.", settings: { cachedContent: foreign } },
      /must not have instructions or tools.*createCache/,
    ],
    [
      "tools beside a foreign cache",
      { tools: [add], settings: { cachedContent: foreign.name } },
      /must not have instructions or tools/,
    ],
    [
      "a search tool beside a foreign cache",
      { tools: [googleSearch()], settings: { cachedContent: foreign } },
      /must not have instructions or tools/,
    ],
    [
      "another model's cache",
      { settings: { cachedContent: { ...foreign, model: "models/gemini-2.5-flash" } } },
      /created for models\/gemini-2.5-flash and works with no other model/,
    ],
    [
      "the cache of an agent on another model",
      { settings: { cachedContent: { ...foreign, holds: { ...holds, modelId: "m" } } } },
      /created for m /,
    ],
    [
      "a cache of other tools",
      { settings: { cachedContent: { ...foreign, holds } } },
      /created with different instructions, tools or location/,
    ],
    [
      "an expired cache",
      { settings: { cachedContent: { ...foreign, expireTime: "2020-01-01T00:00:00Z" } } },
      /expired at 2020-01-01T00:00:00Z: create a new one/,
    ],
  ])("%s is an error before anything is sent", async (_what, options, says) => {
    const service = cacheService();
    const failed = read(agentOn(service, options), "Hi.");
    await expect(failed).rejects.toBeInstanceOf(ConfigurationError);
    await expect(failed).rejects.toThrow(says);
    expect(service.seen).toEqual([]);
  });

  test("a forced call is an error beside the agent's cache", async () => {
    const service = cacheService();
    const agent = agentOn(service);
    const cachedContent = await agent.createCache(BOOK);
    await expect(read(agent, "Hi.", { settings: { cachedContent }, toolChoice: "required" })).rejects.toThrow(
      /^toolChoice cannot be combined with a cache/,
    );
    await expect(read(agent, "Hi.", { settings: { cachedContent }, instructions: "Be long." })).rejects.toThrow(
      /different instructions/,
    );
    expect(service.seen).toHaveLength(1);
  });

  test("a built-in tool behind a function is asked without the cache", async () => {
    const delegated = { functionCall: { name: "google_search", args: { query: "Oslo" }, id: "x" } };
    const service = cacheService([[delegated], [{ text: "found" }], [{ text: "ok" }]]);
    const agent = agentOn(service, { tools: [add, googleSearch()] }, "gemini-2.5-flash");
    await read(agent, "Hi.", { settings: { cachedContent: await agent.createCache(BOOK) } });
    expect(service.seen.slice(1).map(({ body }) => Object.keys(body as object))).toEqual([
      ["cachedContent", "contents"],
      ["tools", "contents"],
      ["cachedContent", "contents"],
    ]);
  });
});

test("what cannot be cached is an error before anything is sent", async () => {
  const service = cacheService();
  await expect(agentOn(service, {}).createCache()).rejects.toThrow(/nothing to cache/);
  await expect(agentOn(service).createCache(BOOK, { ttlSeconds: 0 })).rejects.toThrow(/^ttlSeconds is 0/);
  await expect(agentOn(service).createCache(BOOK, { ttlSeconds: 1, expireTime: "x" })).rejects.toThrow(
    /mutually exclusive/,
  );
  await expect(agentOn(service).createCache(BOOK, { expireTime: "soon" })).rejects.toThrow(/^expireTime is "soon"/);
  await expect(agentOn(service, {}, "gemini-4-argon").createCache(BOOK)).rejects.toThrow(
    /does not support explicit caches/,
  );
  await expect(new Agent({ model: new ScriptedModel() }).createCache(BOOK)).rejects.toThrow(
    /does not support explicit caches/,
  );
  expect(service.seen).toEqual([]);
});

test("a gateway has no caches, and the error says what to do", async () => {
  const service = cacheService([], "gateway");
  await expect(agentOn(service).createCache(BOOK)).rejects.toThrow(/gemini.example is a gateway.*kind: "developer"/);
  await expect(caches(service).get("cachedContents/c1")).rejects.toBeInstanceOf(ConfigurationError);
  expect(service.seen).toEqual([]);
});

describe("caches", () => {
  test("are listed, looked at, extended and deleted", async () => {
    const service = cacheService();
    const agent = agentOn(service);
    const book = await agent.createCache(BOOK, { displayName: "book" });
    const { holds, ...listed } = await agent.createCache(BOOK);
    const store = caches(service);
    service.seen.length = 0;

    const all = [];
    for await (const cache of store.list()) all.push(cache);
    const { holds: _, ...first } = book;
    expect(all).toEqual([first, listed]);
    expect(await store.get(book)).toEqual(book);
    expect(await store.get(listed.name)).toEqual(listed);
    const extended = { ...book, expireTime: "2099-01-01T02:00:00Z" };
    expect(await store.extend(book, { ttlSeconds: 7200 })).toEqual(extended);
    expect(await store.extend("c2", { expireTime: "2099-03-03T03:03:03Z" })).toMatchObject({
      expireTime: "2099-03-03T03:03:03Z",
    });
    await store.delete(book);
    await expect(store.get(book)).rejects.toMatchObject({ code: "api_status", status: 403 });

    expect(holds).toEqual(book.holds);
    const at = "/v1beta/cachedContents";
    expect(service.seen).toEqual([
      { method: "GET", path: `${at}?pageSize=1000` },
      { method: "GET", path: `${at}?pageSize=1000&pageToken=1` },
      { method: "GET", path: `${at}/c1` },
      { method: "GET", path: `${at}/c2` },
      { method: "PATCH", path: `${at}/c1`, body: { ttl: "7200s" } },
      { method: "PATCH", path: `${at}/c2`, body: { expireTime: "2099-03-03T03:03:03Z" } },
      { method: "DELETE", path: `${at}/c1` },
      { method: "GET", path: `${at}/c1` },
    ]);
  });

  test("are not asked about without a name or an expiry", async () => {
    const service = cacheService();
    await expect(caches(service).get("../models")).rejects.toThrow(/"..\/models" is not the name of a cache/);
    await expect(caches(service).extend("c1", {})).rejects.toThrow(/requires ttlSeconds or expireTime/);
    expect(service.seen).toEqual([]);
  });
});
