import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { geminiApi } from "@pollux/core";
import { ApiShapeError, ApiStatusError, ApiTimeoutError, FileStateError } from "@pollux/core/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Emulator } from "../../../emulator/src/index.ts";
import {
  fileSearchStore,
  type FileSearchStore,
  readMetadata,
  type SyncProgress,
  type SyncReport,
} from "../../src/file-search.ts";
import { type Break, breakingService } from "../helpers/breaking-service.ts";
import { documentsOf, folderOf, open, searchService, SOON, titles } from "../helpers/search-service.ts";

const NOTHING: SyncReport = { uploaded: [], replaced: [], unchanged: [], deleted: [], failed: [] };

/** Uploads that began. */
const uploads = (emulator: Emulator): number =>
  emulator.requests.filter(({ path }) => path.endsWith(":uploadToFileSearchStore")).length;

describe("a folder", () => {
  test("is sent once, with slashes in its paths, and then only its changes", async () => {
    const emulator = searchService();
    const store = await open(emulator);
    await using folder = await folderOf({ "a.md": "one", "sub/b.md": "two", "c.txt": "three", ".hidden/d.md": "no" });
    await symlink(join(folder.path, "a.md"), join(folder.path, "link.md"));
    await mkdir(join(folder.path, "empty.md"));
    expect(await store.sync(folder.path)).toEqual({ ...NOTHING, uploaded: ["a.md", "c.txt", "sub/b.md"] });
    expect(await store.sync(folder.path)).toEqual({ ...NOTHING, unchanged: ["a.md", "c.txt", "sub/b.md"] });
    expect(uploads(emulator)).toBe(3);

    await folder.write("a.md", "uno");
    await folder.remove("c.txt");
    await folder.write("e.md", "five");
    expect(await store.sync(`${folder.path}/`)).toEqual({
      ...NOTHING,
      uploaded: ["e.md"],
      replaced: ["a.md"],
      unchanged: ["sub/b.md"],
      deleted: ["c.txt"],
    });
    expect(await titles(store)).toEqual(["a.md", "e.md", "sub/b.md"]);
  });

  test("replaces a changed file only once the new one can be found", async () => {
    const emulator = searchService({ fileSearch: { pendingPolls: 2 } });
    const store = await open(emulator);
    await using folder = await folderOf({ "a.md": "one" });
    await store.sync(folder.path, SOON);
    const [old] = await documentsOf(store);
    await folder.write("a.md", "two");
    const from = emulator.requests.length;
    await store.sync(folder.path, SOON);
    const [now] = await documentsOf(store);
    const document = (of: typeof now): string => `/v1beta/${of?.name}`;
    const sent = emulator.requests.slice(from).map(({ method, path }) => `${method} ${path.replace(/\?.*/, "")}`);
    expect(sent.filter((request) => !/^POST|\/documents$/.test(request))).toEqual([
      ...Array.from({ length: 3 }, () => `GET ${document(now)}`),
      `DELETE ${document(old)}`,
    ]);
  });

  test("is matched by globs, and gets metadata, an owner and a source", async () => {
    const store = await open(searchService());
    await using folder = await folderOf({ "a.md": "one", "sub/b.md": "two", "c.txt": "three" });
    const include = ["**/*.md"];
    const options = { include, owner: "ada", source: "handbook", metadata: (path: string) => ({ year: path.length }) };
    await store.sync(folder.path, options);
    expect((await documentsOf(store)).map(readMetadata)).toEqual(
      ["a.md", "sub/b.md"].map((path) => ({
        pollux_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        pollux_owner: "ada",
        pollux_path: path,
        pollux_source: "handbook",
        year: path.length,
      })),
    );
    expect(await store.sync(folder.path, { ...options, metadata: () => ({ year: 4 }) })).toEqual({
      ...NOTHING,
      replaced: ["sub/b.md"],
      unchanged: ["a.md"],
    });
    // Documents of other owners, other folders and from elsewhere stay.
    await store.upload(new File(["x"], "x", { type: "text/plain" }), { owner: "ada" });
    await using none = await folderOf({});
    expect(await store.sync(none.path, { ...options, owner: "bob" })).toEqual(NOTHING);
    expect(await store.sync(none.path, { ...options, deleteMissing: false })).toEqual(NOTHING);
    expect(await store.sync(none.path, options)).toEqual({ ...NOTHING, deleted: ["a.md", "sub/b.md"] });
    expect(await titles(store)).toEqual(["x"]);
  });

  test("that is not there, and options that can't be, are refused", async () => {
    const store = await open(searchService());
    await using folder = await folderOf({});
    await expect(store.sync(join(folder.path, "none"))).rejects.toThrow("There is no folder");
    await expect(store.sync(folder.path, { concurrency: 0 })).rejects.toThrow("concurrency must be an integer");
  });

  test("says what it does about each file as it does it", async () => {
    const store = await open(searchService());
    await using folder = await folderOf({ "a.md": "one", "b.md": "", "c.md": "three" });
    const said: SyncProgress[] = [];
    await store.sync(folder.path, { concurrency: 1, onProgress: (progress) => said.push(progress) });
    expect(said).toEqual([
      { path: "a.md", action: "uploaded", done: 1, total: 3 },
      { path: "b.md", action: "failed", done: 2, total: 3 },
      { path: "c.md", action: "uploaded", done: 3, total: 3 },
    ]);
  });
});

describe("a file that fails", () => {
  test("again and again leaves one failed document, not a pile", async () => {
    const store = await open(searchService({ fileSearch: { fails: () => true } }));
    await using folder = await folderOf({ "a.md": "one" });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const report = await store.sync(folder.path, SOON);
      expect(report).toEqual({ ...NOTHING, failed: [{ path: "a.md", error: expect.any(FileStateError) }] });
      expect(await titles(store)).toEqual(["a.md"]);
    }
  });

  test("keeps what was there, and is sent again by the next sync", async () => {
    const failed = new Set<number>();
    const store = await open(searchService({ fileSearch: { fails: ({ sizeBytes }) => failed.has(sizeBytes) } }));
    await using folder = await folderOf({ "a.md": "one", "b.md": "two" });
    await store.sync(folder.path, SOON);
    await folder.write("a.md", "longer");
    failed.add("longer".length);
    const report = await store.sync(folder.path, SOON);
    expect(report).toEqual({
      ...NOTHING,
      unchanged: ["b.md"],
      failed: [{ path: "a.md", error: expect.any(FileStateError) }],
    });
    const active = (await documentsOf(store)).filter(({ state }) => state === "STATE_ACTIVE");
    expect(active.map(({ displayName, sizeBytes }) => [displayName, sizeBytes])).toEqual([
      ["a.md", "3"],
      ["b.md", "3"],
    ]);
    failed.clear();
    expect(await store.sync(folder.path, SOON)).toMatchObject({ unchanged: ["a.md", "b.md"] });
    expect(await titles(store)).toEqual(["a.md", "b.md"]);
  });

  test("because it takes long is not sent again: the next sync waits for it", async () => {
    let pendingPolls = Number.POSITIVE_INFINITY;
    const emulator = searchService({
      fileSearch: {
        get pendingPolls() {
          return pendingPolls;
        },
      },
    });
    const store = await open(emulator);
    await using folder = await folderOf({ "a.md": "one" });
    const { failed } = await store.sync(folder.path, { pollMs: 1, timeoutMs: 5 });
    expect(failed).toEqual([{ path: "a.md", error: expect.any(ApiTimeoutError) }]);
    pendingPolls = 0;
    expect(await store.sync(folder.path, SOON)).toEqual({ ...NOTHING, unchanged: ["a.md"] });
    expect(uploads(emulator)).toBe(1);
  });

  test("because the storage is full keeps further files from being sent", async () => {
    const emulator = searchService({ fileSearch: { maxStorageBytes: 6 } });
    const store = await open(emulator, { retry: { maxAttempts: 1 } });
    await using folder = await folderOf({ "a.md": "one", "b.md": "two", "c.md": "three", "d.md": "four", "e.md": "" });
    const report = await store.sync(folder.path, { concurrency: 1 });
    expect(report).toMatchObject({ uploaded: ["a.md", "b.md"] });
    expect(report.failed.map(({ path }) => path)).toEqual(["c.md", "d.md", "e.md"]);
    expect(report.failed[1]?.error).toBeInstanceOf(ApiStatusError);
    expect(uploads(emulator)).toBe(3);
  });
});

test("a sync that is aborted ends with the reason", async () => {
  const emulator = searchService();
  const store = await open(emulator);
  await using folder = await folderOf({ "a.md": "one", "b.md": "two" });
  const aborting = new AbortController();
  const onProgress = (): void => aborting.abort(new Error("enough"));
  const syncing = store.sync(folder.path, { concurrency: 1, onProgress, signal: aborting.signal });
  await expect(syncing).rejects.toThrow("enough");
  expect(await titles(store)).toEqual(["a.md"]);
});

/** What happens between two syncs, and at which request the first one dies, having sent it or not. */
const rounds = fc.array(
  fc.record({
    writes: fc.array(fc.tuple(fc.constantFrom("a.md", "b.md", "c.md", "d.md"), fc.integer({ min: 1, max: 4 })), {
      maxLength: 4,
    }),
    removes: fc.subarray(["a.md", "b.md", "c.md", "d.md"], { maxLength: 2 }),
    diesAt: fc.integer({ min: 1, max: 30 }),
    sends: fc.boolean(),
    concurrency: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 1, maxLength: 4 },
);

test("nothing is lost and nothing is there twice, wherever a sync dies", async () => {
  await fc.assert(
    fc.asyncProperty(rounds, fc.constantFrom("done", "response", "name"), async (steps, operation) => {
      const emulator = searchService({ fileSearch: { operation, pendingPolls: 1 } });
      const store = await open(emulator);
      await using folder = await folderOf({});
      const files = new Map<string, number>();
      for (const { writes, removes, diesAt, sends, concurrency } of steps) {
        const kept = new Set(files.keys());
        for (const [name, size] of writes) {
          files.set(name, size);
          await folder.write(name, "x".repeat(size));
        }
        for (const name of removes) {
          if (files.delete(name)) await folder.remove(name);
          kept.delete(name);
        }
        const found = await activeOf(store);
        await dyingSync(emulator, folder.path, { diesAt, sends, concurrency });
        const still = await activeOf(store);
        const lost = [...kept].filter((name) => found.has(name) && !still.has(name));
        expect(lost).toEqual([]);
      }
      expect((await store.sync(folder.path, SOON)).failed).toEqual([]);
      const shown = (await documentsOf(store)).map(({ displayName, sizeBytes, state }) => [
        displayName,
        Number(sizeBytes),
        state,
      ]);
      expect(shown).toEqual([...files.keys()].toSorted().map((name) => [name, files.get(name), "STATE_ACTIVE"]));
      expect(await store.sync(folder.path, SOON)).toEqual({ ...NOTHING, unchanged: [...files.keys()].toSorted() });
    }),
    { numRuns: 60 },
  );
});

async function activeOf(store: FileSearchStore): Promise<ReadonlySet<string | undefined>> {
  const all = await documentsOf(store);
  return new Set(all.filter(({ state }) => state === "STATE_ACTIVE").map(({ displayName }) => displayName));
}

/** A process that ends at a request, for which the service may or may not get it. */
async function dyingSync(
  emulator: Emulator,
  folder: string,
  death: { readonly diesAt: number; readonly sends: boolean; readonly concurrency: number },
): Promise<void> {
  let sent = 0;
  const fetch: Emulator["fetch"] = async (input, init) => {
    sent += 1;
    if (sent < death.diesAt) return await emulator.fetch(input, init);
    if (sent === death.diesAt && death.sends) await emulator.fetch(input, init);
    throw new TypeError("the process is gone");
  };
  const dying = async (): Promise<void> => {
    const store = await open({ fetch }, { retry: { maxAttempts: 1 } });
    await store.sync(folder, { ...SOON, concurrency: death.concurrency });
  };
  await dying().catch(() => undefined);
}

test("an upload whose end nobody saw is found by the next sync", async () => {
  const emulator = searchService({ fileSearch: { operation: "name" } });
  const store = await open({
    async fetch(input, init) {
      const command = new Headers(init?.headers).get("x-goog-upload-command");
      const answer = await emulator.fetch(input, init);
      if (command === "upload, finalize") throw new TypeError("the connection broke");
      // Whether the service repeats what it said is not known.
      return command === "query" ? new Response(null, { headers: answer.headers }) : answer;
    },
  });
  await using folder = await folderOf({ "a.md": "one" });
  const { failed } = await store.sync(folder.path, SOON);
  expect(failed).toEqual([{ path: "a.md", error: expect.any(ApiShapeError) }]);
  expect(String(failed[0]?.error)).toContain("ended without a result (x-goog-upload-status: final)");
  expect(await store.sync(folder.path, SOON)).toEqual({ ...NOTHING, unchanged: ["a.md"] });
  expect(uploads(emulator)).toBe(1);
});

test.each<Break>(["before", "after", "amid"])(
  "a connection that breaks %s the answer to each third request costs nothing",
  async (kind) => {
    const emulator = searchService({ fileSearch: { operation: "name", pendingPolls: 1 } });
    await using service = await breakingService(emulator, (_, number) => (number % 3 === 0 ? kind : undefined));
    const endpoint = geminiApi({ baseUrl: service.url, apiKey: "emulator" });
    const store = await fileSearchStore("manuals", { endpoint, retry: { minDelayMs: 1, maxDelayMs: 1 } });
    await using folder = await folderOf({ "a.md": "one", "b.md": "two", "c.md": "three" });
    const all = ["a.md", "b.md", "c.md"];
    expect(await store.sync(folder.path, { ...SOON, concurrency: 1 })).toEqual({ ...NOTHING, uploaded: all });
    await folder.write("b.md", "zwei");
    expect(await store.sync(folder.path, { ...SOON, concurrency: 1 })).toMatchObject({ replaced: ["b.md"] });
    expect(await titles(store)).toEqual(all);
  },
);
