import { Agent, gemini, geminiApi, vertex } from "@pollux/core";
import { ApiTimeoutError, ConfigurationError, FileStateError } from "@pollux/core/wire";
import { files } from "@pollux/core/resources";
import fc from "fast-check";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { describe, expect, test } from "vitest";
import { fileSearchStore, readMetadata } from "../../src/file-search.ts";
import { type Break, breakingService } from "../helpers/breaking-service.ts";
import { drawn, pdfOf } from "../helpers/pdf.ts";
import { clientOf, documentsOf, open, searchService, SOON, titles } from "../helpers/search-service.ts";

const text = (content: string, name = "a.txt"): File => new File([content], name, { type: "text/plain" });

describe("a store", () => {
  test("is created once, and then found by its display name or its resource name", async () => {
    const emulator = searchService();
    const first = await open(emulator);
    expect(first).toMatchObject({ displayName: "manuals" });
    expect(await open(emulator)).toMatchObject({ name: first.name });
    const options = clientOf(emulator);
    expect(await fileSearchStore(first.name, options)).toMatchObject({ name: first.name, displayName: "manuals" });
    expect(emulator.requests.filter(({ method }) => method === "POST").map(({ body }) => body)).toEqual([
      { displayName: "manuals" },
    ]);
  });

  test("is found behind twenty others", async () => {
    const emulator = searchService();
    const options = clientOf(emulator);
    for (let index = 0; index < 25; index += 1) await fileSearchStore(`other ${index}`, options);
    const { name } = await open(emulator);
    expect((await open(emulator)).name).toBe(name);
  });

  test("is the same for processes that create it at once, for every order of their requests", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 4 }), async (scheduler, processes) => {
        const emulator = searchService();
        const fetch = scheduler.scheduleFunction(clientOf(emulator).fetch);
        const opened = Promise.all(Array.from({ length: processes }, () => open({ fetch })));
        const stores = await scheduler.waitFor(opened);
        expect(new Set(stores.map(({ name }) => name)).size).toBe(1);
        const listed: unknown = await (await emulator.fetch("/v1beta/fileSearchStores?key=emulator")).json();
        expect(listed).toMatchObject({ fileSearchStores: [{ name: stores[0]?.name }] });
      }),
      { numRuns: 60 },
    );
  });

  test("is refused where the service has none, before anything is sent", async () => {
    const endpoint = vertex({ project: "p", location: "global", accessToken: () => "t" });
    const missing = fileSearchStore("manuals", { endpoint, fetch: () => Promise.reject(new Error("sent")) });
    await expect(missing).rejects.toThrow(ConfigurationError);
    await expect(missing).rejects.toThrow("is Vertex AI: use geminiApi()");
  });

  test("that is unknown is the service's refusal", async () => {
    const options = clientOf(searchService());
    await expect(fileSearchStore("fileSearchStores/gone", options)).rejects.toMatchObject({ status: 404 });
  });

  test("is deleted with its documents", async () => {
    const emulator = searchService();
    const store = await open(emulator);
    await store.upload(text("Hello."));
    await store.delete();
    await store.delete();
    expect((await open(emulator)).name).not.toBe(store.name);
  });
});

test("what a store sends, as a service on the network sees it", async () => {
  const seen: object[] = [];
  const base = "http://127.0.0.1:4999/v1beta/fileSearchStores";
  const server = setupServer(
    http.all("http://127.0.0.1:4999/*", async ({ request }) => {
      const { pathname, search } = new URL(request.url);
      const body = await request.text();
      seen.push({ request: `${request.method} ${pathname}${search}`, ...(body !== "" && { body }) });
      const name = "fileSearchStores/manuals-1";
      if (pathname.startsWith("/upload/") && search === "")
        return new HttpResponse("", {
          headers: { "x-goog-upload-url": `${request.url}?upload_id=1`, "x-goog-upload-status": "active" },
        });
      if (pathname.includes("/documents/"))
        return HttpResponse.json(
          request.method === "DELETE" ? {} : { name: pathname.slice("/v1beta/".length), state: "STATE_ACTIVE" },
        );
      if (pathname.endsWith(":importFile")) return HttpResponse.json({ name: `${name}/operations/d2` });
      const headers = { "x-goog-upload-status": "final" };
      if (search !== "" && request.method === "POST")
        return HttpResponse.json({ name: `${name}/upload/operations/d1` }, { headers });
      return HttpResponse.json(request.method === "GET" ? {} : { name });
    }),
  );
  server.listen();
  try {
    const endpoint = geminiApi({ baseUrl: new URL(base).origin, apiKey: "emulator" });
    const store = await fileSearchStore("manuals", { endpoint, embeddingModel: "models/gemini-embedding-2" });
    const metadata = { year: 1879, author: "Ibsen", tags: ["play", "norwegian"] };
    const chunkingConfig = { whiteSpaceConfig: { maxTokensPerChunk: 200, maxOverlapTokens: 20 } };
    await store.upload(text("Nora."), { owner: "ada", metadata, chunkingConfig });
    await store.importFile("files/abc", { owner: "ada" });
    await store.deleteDocument(`${store.name}/documents/d1`);
  } finally {
    server.close();
  }
  const path = "fileSearchStores/manuals-1";
  const owner = { key: "pollux_owner", stringValue: "ada" };
  const about = {
    displayName: "a.txt",
    mimeType: "text/plain",
    customMetadata: [
      { key: "author", stringValue: "Ibsen" },
      owner,
      { key: "tags", stringListValue: { values: ["play", "norwegian"] } },
      { key: "year", numericValue: 1879 },
    ],
    chunkingConfig: { whiteSpaceConfig: { maxTokensPerChunk: 200, maxOverlapTokens: 20 } },
  };
  expect(seen).toEqual([
    { request: "GET /v1beta/fileSearchStores?pageSize=20" },
    {
      request: "POST /v1beta/fileSearchStores",
      body: JSON.stringify({ displayName: "manuals", embeddingModel: "models/gemini-embedding-2" }),
    },
    { request: "GET /v1beta/fileSearchStores?pageSize=20" },
    { request: `POST /upload/v1beta/${path}:uploadToFileSearchStore`, body: JSON.stringify(about) },
    { request: `POST /upload/v1beta/${path}:uploadToFileSearchStore?upload_id=1`, body: "Nora." },
    { request: `GET /v1beta/${path}/documents/d1` },
    {
      request: `POST /v1beta/${path}:importFile`,
      body: JSON.stringify({ fileName: "files/abc", customMetadata: [owner] }),
    },
    { request: `GET /v1beta/${path}/documents/d2` },
    { request: `DELETE /v1beta/${path}/documents/d1?force=true` },
  ]);
});

describe("a document", () => {
  test.each(["done", "response", "name"] as const)(
    "is waited for by its state, whatever operations say: %s",
    async (operation) => {
      const store = await open(searchService({ fileSearch: { operation, pendingPolls: 3 } }));
      const document = await store.upload(text("Hello."), { ...SOON, metadata: { year: 1879, tags: ["a"] } });
      expect(document).toMatchObject({ displayName: "a.txt", state: "STATE_ACTIVE", sizeBytes: "6" });
      expect(readMetadata(document)).toEqual({ year: 1879, tags: ["a"] });
      expect(await documentsOf(store)).toEqual([document]);
    },
  );

  test("that the service can't process is an error with its name, for uploads and imports", async () => {
    const emulator = searchService({ fileSearch: { fails: () => true, pendingPolls: 1 } });
    const store = await open(emulator);
    const failed = store.upload(text("Hello."), SOON);
    await expect(failed).rejects.toThrow(FileStateError);
    const [document] = await documentsOf(store);
    await expect(failed).rejects.toThrow(`The service failed to process ${document?.name}.`);
    const file = await files(clientOf(emulator)).upload(text("Hello."));
    await expect(store.importFile(file.name, SOON)).rejects.toThrow(FileStateError);
  });

  test("that stays pending ends the wait", async () => {
    const store = await open(searchService({ fileSearch: { pendingPolls: Number.POSITIVE_INFINITY } }));
    await expect(store.upload(text("Hello."), { pollMs: 1, timeoutMs: 5 })).rejects.toThrow(ApiTimeoutError);
    const aborting = new AbortController();
    const waiting = store.wait((await documentsOf(store))[0]?.name ?? "", { signal: aborting.signal });
    aborting.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });

  test("is refused before anything is sent, if the service would not take it", async () => {
    const emulator = searchService();
    const store = await open(emulator);
    const sent = emulator.requests.length;
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, index]));
    const refusals: readonly [Promise<unknown>, string][] = [
      [store.upload(new Blob([], { type: "text/plain" })), "the document is empty"],
      [store.upload(new Blob(["a"])), "the media type is unknown"],
      [store.upload(new Blob([new Uint8Array(100 * 1024 * 1024 + 1)], { type: "text/plain" })), "100 MB"],
      [store.upload(text("a"), { metadata: many, owner: "ada" }), "a document takes 20 entries"],
      [store.upload(text("a"), { metadata: { n: Number.NaN } }), "n must be a string, a finite number"],
      [store.eraseOwner(""), "owner must be a non-empty string"],
    ];
    for (const [refused, message] of refusals) await expect(refused).rejects.toThrow(message);
    expect(emulator.requests).toHaveLength(sent);
  });

  test("is cited with its page", async () => {
    const emulator = searchService();
    const store = await open(emulator);
    const pages = ["The pump needs oil every spring.", "The filter is changed each October."].map(drawn);
    const pdf = pdfOf(...pages.map((bytes) => ({ bytes })));
    await store.upload(new File([new Uint8Array(pdf)], "pump.pdf", { type: "application/pdf" }), {
      metadata: { machine: "P-7" },
    });
    await store.upload(text("The filter of another machine is changed never.", "other.txt"));
    const model = gemini("gemini-3.8-flash", clientOf(emulator));
    const agent = new Agent({ model, tools: [store.tool({ metadataFilter: 'machine="P-7"' })] });
    const { sources } = await agent.run("When is the filter changed?");
    const streamed = agent.stream("When is the filter changed?");
    for (const found of [sources, (await streamed.result()).sources])
      expect(found).toMatchObject([{ title: "pump.pdf", pageNumber: 2 }]);
  });
});

describe("erasing an owner", () => {
  test("deletes theirs over several pages, and nobody else's", async () => {
    const emulator = searchService();
    const store = await open(emulator);
    for (let index = 0; index < 45; index += 1)
      await store.upload(text(`${index}`, `${index % 9 === 0 ? "bob" : "ada"}-${index}`), {
        owner: index % 9 === 0 ? "bob" : "ada",
      });
    expect(await store.eraseOwner("ada")).toHaveLength(40);
    expect(await titles(store)).toEqual(["bob-0", "bob-18", "bob-27", "bob-36", "bob-9"]);
    expect(await store.eraseOwner("ada")).toEqual([]);
  });

  test("ends with an error while deleted ones are still listed", async () => {
    const emulator = searchService();
    const store = await open({
      fetch: async (input, init) =>
        init?.method === "DELETE" ? new Response("{}") : await emulator.fetch(input, init),
    });
    await store.upload(text("Hello."), { owner: "ada" });
    await expect(store.eraseOwner("ada", { pollMs: 1, timeoutMs: 5 })).rejects.toThrow("were still listed after 5 ms");
  });
});

describe("when connections break", () => {
  const cases: readonly Break[] = ["before", "after", "amid"];

  test.each(cases)("%s the answer to each request once, nothing is there twice", async (kind) => {
    const emulator = searchService({ fileSearch: { operation: "name" } });
    const broken = new Set<string>();
    await using service = await breakingService(emulator, (request) => {
      if (broken.has(request)) return undefined;
      broken.add(request);
      return kind;
    });
    const endpoint = geminiApi({ baseUrl: service.url, apiKey: "emulator" });
    const retry = { minDelayMs: 1, maxDelayMs: 1 };
    const store = await fileSearchStore("manuals", { endpoint, retry });
    await store.upload(text("Hello."), { ...SOON, owner: "ada" });
    expect(await titles(store)).toEqual(["a.txt"]);
    expect(await store.eraseOwner("ada", SOON)).toHaveLength(1);
    const listed: unknown = await (await emulator.fetch("/v1beta/fileSearchStores?key=emulator")).json();
    expect(listed).toMatchObject({ fileSearchStores: [{ name: store.name }] });
    expect(broken.size).toBeGreaterThan(5);
  });

  test("a service that stays away is the error of the connection", async () => {
    await using service = await breakingService(searchService(), () => "before");
    const endpoint = geminiApi({ baseUrl: service.url, apiKey: "emulator" });
    const opened = fileSearchStore("manuals", { endpoint, retry: { maxAttempts: 2, minDelayMs: 1 } });
    await expect(opened).rejects.toMatchObject({ name: "ApiNetworkError" });
    expect(service.seen).toHaveLength(2);
  });
});
