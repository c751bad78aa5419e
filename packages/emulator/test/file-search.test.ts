import { describe, expect, test } from "vitest";
import { createEmulator, type Emulator, type EmulatorOptions, FILE_SEARCH_RULES } from "../src/index.ts";
import { improvise } from "../src/improvise.ts";
import { ask, streamed, unary } from "./support.ts";

type Json = Readonly<Record<string, unknown>>;
interface Said {
  readonly status: number;
  readonly json: Json;
}

const NOON = new Date("2026-11-24T12:00:00.000Z");
const KEY = { "x-goog-api-key": "emulator" };

const service = (options: EmulatorOptions = {}): Emulator =>
  createEmulator({ brain: improvise(), now: () => NOON, ...options });

async function send(emulator: Emulator, call: string, body?: object, key = "emulator"): Promise<Said> {
  const [method = "", path = ""] = call.split(" ");
  const init = { method, headers: { "x-goog-api-key": key }, ...(body && { body: JSON.stringify(body) }) };
  const response = await emulator.fetch(`/v1beta/${path}`, init);
  return { status: response.status, json: (await response.json()) as Json };
}

async function store(emulator: Emulator, displayName = "Test-file search"): Promise<string> {
  return String((await send(emulator, "POST fileSearchStores", { displayName })).json["name"]);
}

async function upload(emulator: Emulator, name: string, about: object, bytes: string): Promise<Said> {
  const started = await emulator.fetch(`/upload/v1beta/${name}:uploadToFileSearchStore`, {
    method: "POST",
    headers: { ...KEY, "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start" },
    body: JSON.stringify(about),
  });
  if (started.status !== 200) return { status: started.status, json: (await started.json()) as Json };
  const response = await emulator.fetch(started.headers.get("x-goog-upload-url") ?? "", {
    method: "POST",
    headers: { "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" },
    body: bytes,
  });
  return { status: response.status, json: (await response.json()) as Json };
}

const documentOf = ({ json }: Said): string => String((json["response"] as Json)["documentName"]);
const TEXT = { mimeType: "text/plain" };

describe("stores", () => {
  test("are made, listed in pages, counted and deleted", async () => {
    const emulator = service();
    const name = await store(emulator);
    expect(name).toMatch(/^fileSearchStores\/testfilesearch-[a-z0-9]{12}$/);
    const made = {
      name,
      displayName: "Test-file search",
      createTime: NOON.toISOString(),
      updateTime: NOON.toISOString(),
      embeddingModel: "models/gemini-embedding-001",
    };
    expect(await send(emulator, `GET ${name}`)).toEqual({ status: 200, json: made });
    await upload(emulator, name, TEXT, "four");
    const counted = { ...made, activeDocumentsCount: "1", sizeBytes: "4" };
    expect((await send(emulator, `GET ${name}`)).json).toEqual(counted);
    const other = await store(emulator, "other");
    const first = (await send(emulator, "GET fileSearchStores?pageSize=1")).json;
    expect(first).toEqual({ fileSearchStores: [counted], nextPageToken: expect.any(String) });
    const second = await send(emulator, `GET fileSearchStores?pageSize=1&pageToken=${String(first["nextPageToken"])}`);
    expect(second.json).toMatchObject({ fileSearchStores: [{ name: other }] });
    expect((await send(emulator, "GET fileSearchStores", undefined, "another")).json).toEqual({});
    expect(await send(emulator, `DELETE ${name}?force=True`)).toEqual({ status: 200, json: {} });
    expect((await send(emulator, `GET ${name}`)).status).toBe(404);
  });

  test("are not on Vertex", async () => {
    const { status } = await service({ profile: "vertex" }).fetch("/v1beta/fileSearchStores", { headers: KEY });
    expect(status).toBe(404);
  });
});

describe("documents", () => {
  test.each(["done", "response", "name"] as const)("are made by operations that say: %s", async (operation) => {
    const emulator = service({ fileSearch: { operation } });
    const name = await store(emulator);
    const { json } = await upload(emulator, name, { displayName: "a", ...TEXT }, "four");
    const [, id = ""] = /upload\/operations\/(.+)$/.exec(String(json["name"])) ?? [];
    const response = {
      "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.UploadToFileSearchStoreResponse",
      parent: name,
      documentName: `${name}/documents/${id}`,
      mimeType: "text/plain",
      sizeBytes: "4",
    };
    expect(json).toEqual({
      name: `${name}/upload/operations/${id}`,
      ...(operation === "done" && { done: true }),
      ...(operation !== "name" && { response }),
    });
    expect(await send(emulator, `GET ${String(json["name"])}`)).toEqual({ status: 200, json });
    expect((await send(emulator, `GET ${name}/documents/${id}`)).json).toEqual({
      name: `${name}/documents/${id}`,
      displayName: "a",
      mimeType: "text/plain",
      sizeBytes: "4",
      state: "STATE_ACTIVE",
      createTime: NOON.toISOString(),
      updateTime: NOON.toISOString(),
    });
  });

  test("are pending for the set number of polls, and fail if the option says so", async () => {
    const fails = ({ displayName }: { displayName: string | undefined }): boolean => displayName === "bad";
    const emulator = service({ fileSearch: { pendingPolls: 2, fails } });
    const name = await store(emulator);
    const states = async (displayName: string): Promise<unknown[]> => {
      const document = documentOf(await upload(emulator, name, { displayName, ...TEXT }, "four"));
      const all: unknown[] = [];
      for (let poll = 0; poll < 3; poll += 1) all.push((await send(emulator, `GET ${document}`)).json["state"]);
      return all;
    };
    expect(await states("good")).toEqual(["STATE_PENDING", "STATE_PENDING", "STATE_ACTIVE"]);
    expect(await states("bad")).toEqual(["STATE_PENDING", "STATE_PENDING", "STATE_FAILED"]);
    expect((await send(emulator, `GET ${name}`)).json).toMatchObject({
      activeDocumentsCount: "1",
      failedDocumentsCount: "1",
    });
  });

  test("are listed ten at a time, and at most twenty for any page size", async () => {
    const emulator = service();
    const name = await store(emulator);
    for (let index = 0; index < 21; index += 1) await upload(emulator, name, TEXT, `${index}`);
    const sizes = ["", "?pageSize=5", "?pageSize=50"].map(async (query) => {
      const { json } = await send(emulator, `GET ${name}/documents${query}`);
      return (json["documents"] as readonly unknown[]).length;
    });
    expect(await Promise.all(sizes)).toEqual([10, 5, 20]);
  });

  test("come from files of the Files API too, which they outlive", async () => {
    const emulator = service();
    const name = await store(emulator);
    const started = await emulator.fetch("/upload/v1beta/files", {
      method: "POST",
      headers: { ...KEY, "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start" },
      body: JSON.stringify({ file: { name: "files/abc", mimeType: "text/plain" } }),
    });
    await emulator.fetch(started.headers.get("x-goog-upload-url") ?? "", {
      method: "POST",
      headers: { "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" },
      body: "four",
    });
    const imported = await send(emulator, `POST ${name}:importFile`, { fileName: "files/abc" });
    const document = documentOf(imported);
    expect(imported.json).toEqual({
      name: document.replace("/documents/", "/operations/"),
      response: {
        "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.ImportFileResponse",
        parent: name,
        documentName: document,
      },
    });
    await send(emulator, "DELETE files/abc");
    expect((await send(emulator, `GET ${document}`)).json).toMatchObject({ state: "STATE_ACTIVE", sizeBytes: "4" });
    expect((await send(emulator, `POST ${name}:importFile`, { fileName: "files/abc" })).status).toBe(403);
  });
});

test("refusals: each rule has one, or is about what is found", async () => {
  const emulator = service({ fileSearch: { maxStorageBytes: 10 } });
  const name = await store(emulator);
  const document = documentOf(await upload(emulator, name, TEXT, "four"));
  const entries = (count: number): object => ({
    ...TEXT,
    customMetadata: Array.from({ length: count }, (_, index) => ({ key: `k${index}`, numericValue: index })),
  });
  const twice = { ...TEXT, customMetadata: [1, 2].map((numericValue) => ({ key: "k", numericValue })) };
  const refusals: Readonly<Record<string, readonly [Promise<Said>, number, string]>> = {
    "K-1": [send(emulator, `DELETE ${name}`), 400, "Cannot delete non-empty FileSearchStore"],
    "K-2": [send(emulator, `DELETE ${document}`), 400, "Cannot delete non-empty Document"],
    "K-3": [upload(emulator, name, TEXT, "seven b"), 429, "Corpus has reached the storage limit of 10 bytes."],
    "K-4": [send(emulator, `GET ${name}/documents/gone`), 404, "Requested entity was not found."],
    "K-5": [upload(emulator, name, entries(21), "a"), 400, "at most 20 custom metadata entries"],
    "K-6": [send(emulator, `GET ${name}/documents?pageSize=-1`), 400, "invalid argument"],
    "K-7": [upload(emulator, name, twice, "a"), 400, "invalid argument"],
    "K-8": [send(emulator, "POST fileSearchStores", { displayName: "x".repeat(513) }), 400, "at most 512 characters"],
  };
  for (const [rule, [refused, status, message]] of Object.entries(refusals)) {
    const said = await refused;
    expect([rule, said.status, String((said.json["error"] as Json)["message"])]).toEqual([
      rule,
      status,
      expect.stringContaining(message),
    ]);
    expect(emulator.requests.some(({ answered }) => answered.rule === rule)).toBe(true);
  }
  expect(Object.keys(FILE_SEARCH_RULES)).toEqual([...Object.keys(refusals), "K-9"]);
  expect((await upload(emulator, name, entries(20), "a")).status).toBe(200);
});

test("uploads refuse what is no field of theirs, and more than 100 MB", async () => {
  const emulator = service();
  const name = await store(emulator);
  expect((await upload(emulator, name, { file: TEXT }, "a")).status).toBe(400);
  const headers = { ...KEY, "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start" };
  const large = await emulator.fetch(`/upload/v1beta/${name}:uploadToFileSearchStore`, {
    method: "POST",
    headers: { ...headers, "x-goog-upload-header-content-length": String(100 * 1024 * 1024 + 1) },
    body: JSON.stringify(TEXT),
  });
  expect(large.status).toBe(400);
});

describe("a search", () => {
  const author = (stringValue: string): object => ({ ...TEXT, customMetadata: [{ key: "author", stringValue }] });

  test.each(["unary", "streamed"] as const)("finds what the stores of the request say: %s", async (face) => {
    const emulator = service();
    const name = await store(emulator);
    const other = await store(emulator, "other");
    await upload(emulator, name, author("Ibsen"), "Nora leaves her husband. The door closes.");
    await upload(emulator, name, author("Strindberg"), "Another husband stays.");
    await upload(emulator, other, author("Ibsen"), "A husband of another store.");
    const found = async (query: object): Promise<readonly unknown[]> => {
      const body = ask("Who leaves her husband?", { tools: [{ fileSearch: query }] });
      const answers = face === "unary" ? [await unary(emulator, body)] : await streamed(emulator, body);
      const chunks = answers.flatMap(({ candidates = [] }) => candidates[0]?.groundingMetadata?.groundingChunks ?? []);
      return chunks.map(({ retrievedContext }) => retrievedContext);
    };
    const nora = {
      text: "Nora leaves her husband. The door closes.",
      fileSearchStore: name,
      customMetadata: [{ key: "author", stringValue: "Ibsen" }],
    };
    const stores = { fileSearchStoreNames: [name] };
    expect(await found({ ...stores, topK: 1 })).toEqual([nora]);
    expect(await found({ ...stores, metadataFilter: 'author="Ibsen"' })).toEqual([nora]);
    expect(await found({ ...stores, metadataFilter: 'author="Ibsen" AND year=1879' })).toEqual([]);
    expect(await found({ fileSearchStoreNames: [name, other] })).toHaveLength(3);
  });
});
