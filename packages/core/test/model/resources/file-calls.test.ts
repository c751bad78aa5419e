import { describe, expect, test, vi } from "vitest";
import { type Files, files as openFiles } from "../../../src/model/resources/files.ts";
import { waitForFile } from "../../../src/model/resources/wait-for-file.ts";
import { ConfigurationError } from "../../../src/errors/agent-error.ts";
import { ApiShapeError, ApiStatusError, FileStateError } from "../../../src/errors/api-errors.ts";
import type { GeminiClientOptions } from "../../../src/wire/client-options.ts";
import { cometapi, vertex } from "../../../src/wire/endpoints/services.ts";
import { endpoint } from "../../../src/wire/endpoints/endpoint.ts";
import type { GeminiFile } from "../../../src/wire/types/resources.ts";
import type { UploadProgress } from "../../../src/wire/upload.ts";
import { fileService, type FileService } from "../../helpers/file-service.ts";
import { stopClock } from "../../helpers/stop-clock.ts";
import { TRANSPORTS } from "../../helpers/transports.ts";
import { until } from "../../helpers/until.ts";

const MIB = 1024 * 1024;
const KEY = "secret-key-of-the-test";

/** Bytes that differ everywhere, so that a chunk in the wrong place is seen. */
function bytesOf(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1000) bytes[at] = (at / 1000) % 251;
  return bytes;
}

async function listOf<T>(list: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of list) all.push(one);
  return all;
}

const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;
const commands = ({ seen }: FileService): readonly string[] =>
  seen.map(({ headers, bytes }) => `${headers["command"]} ${headers["offset"] ?? ""} ${bytes}`);

describe.each(TRANSPORTS)("over %s", (_transport, fetch) => {
  function filesOf(service: FileService, options: GeminiClientOptions = {}): Files {
    return openFiles({ endpoint: service.endpoint, retry: { minDelayMs: 1, maxDelayMs: 1 }, fetch, ...options });
  }

  describe("an upload", () => {
    test("begins with what the file is and sends small ones at once", async () => {
      await using service = await fileService();
      const file = await filesOf(service).upload(new File(["hello"], "a.txt", { type: "text/plain" }), {
        name: "greeting",
      });
      expect(file).toEqual({
        name: "files/greeting",
        uri: `${service.url}/v1beta/files/greeting`,
        displayName: "a.txt",
        mimeType: "text/plain",
        sizeBytes: "5",
        state: "ACTIVE",
      });
      expect(service.seen).toEqual([
        {
          method: "POST",
          path: "/upload/v1beta/files",
          headers: {
            "x-goog-api-key": KEY,
            protocol: "resumable",
            command: "start",
            "header-content-length": "5",
            "header-content-type": "text/plain",
          },
          bytes: 80,
          json: { file: { name: "files/greeting", displayName: "a.txt", mimeType: "text/plain" } },
        },
        {
          method: "POST",
          path: "/upload/v1beta/files?upload_id=u1",
          headers: { "x-goog-api-key": KEY, command: "upload, finalize", offset: "0" },
          bytes: 5,
        },
      ]);
      expect(Buffer.from(service.uploaded).toString()).toBe("hello");
    });

    test("goes in chunks of 8 MiB and tells how far it is", async () => {
      await using service = await fileService();
      const bytes = bytesOf(17 * MIB);
      const progress: UploadProgress[] = [];
      await filesOf(service).upload(bytes, { mimeType: "video/mp4", onProgress: (step) => progress.push(step) });
      expect(commands(service).slice(1)).toEqual([
        `upload 0 ${8 * MIB}`,
        `upload ${8 * MIB} ${8 * MIB}`,
        `upload, finalize ${16 * MIB} ${MIB}`,
      ]);
      expect(progress).toEqual([8, 16, 17].map((mib) => ({ uploadedBytes: mib * MIB, totalBytes: 17 * MIB })));
      expect(same(service.uploaded, bytes)).toBe(true);
    });

    test("takes chunks of the size the service asks for", async () => {
      await using service = await fileService({ granularity: 3 * MIB });
      await filesOf(service).upload(bytesOf(7 * MIB), { mimeType: "video/mp4" });
      expect(commands(service).slice(1)).toEqual([`upload 0 ${6 * MIB}`, `upload, finalize ${6 * MIB} ${MIB}`]);
    });

    test("goes on from where the service is when the connection breaks in a chunk", async () => {
      await using service = await fileService({ faults: { 2: { kept: 3 * MIB } } });
      const bytes = bytesOf(20 * MIB);
      await filesOf(service).upload(bytes.buffer, { mimeType: "video/mp4" });
      expect(commands(service).slice(1)).toEqual([
        `upload 0 ${8 * MIB}`,
        `upload ${8 * MIB} ${8 * MIB}`,
        "query  0",
        `upload ${11 * MIB} ${8 * MIB}`,
        `upload, finalize ${19 * MIB} ${MIB}`,
      ]);
      expect(same(service.uploaded, bytes)).toBe(true);
    });

    test("sends nothing again that arrived when only the answer was lost", async () => {
      await using service = await fileService({ faults: { 1: "lose-answer", 2: "lose-answer" } });
      const bytes = bytesOf(9 * MIB);
      const file = await filesOf(service).upload(bytes, { mimeType: "video/mp4" });
      expect(file.name).toBe("files/f1");
      expect(commands(service).slice(1)).toEqual([
        `upload 0 ${8 * MIB}`,
        "query  0",
        `upload, finalize ${8 * MIB} ${MIB}`,
        "query  0",
      ]);
      expect(same(service.uploaded, bytes)).toBe(true);
    });

    test("gives up on a chunk as the retry policy says, with the service's answer", async () => {
      await using service = await fileService({ faults: { 1: "refuse", 2: "refuse", 3: "refuse" } });
      const notices: number[] = [];
      const upload = filesOf(service, { retry: { maxAttempts: 3, minDelayMs: 1, maxDelayMs: 1 } }).upload(bytesOf(10), {
        mimeType: "video/mp4",
        onRetry: ({ attempt }) => notices.push(attempt),
      });
      await expect(upload).rejects.toMatchObject({ code: "api_status", status: 503 });
      expect(notices).toEqual([1, 2]);
      expect(commands(service).slice(1)).toEqual([
        "upload, finalize 0 10",
        "query  0",
        "upload, finalize 0 10",
        "query  0",
        "upload, finalize 0 10",
      ]);
    });

    test("is logged request by request, without the bytes and without the key", async () => {
      await using service = await fileService();
      const lines: string[] = [];
      const log = (fields: object, message?: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
      const logger = { trace: log, debug: log, info: log, warn: log, error: log };
      await filesOf(service, { logger }).upload(new Blob(["only bytes"], { type: "text/plain" }));
      const text = lines.join("\n");
      expect(lines.filter((line) => line.startsWith("request {"))).toHaveLength(2);
      expect(text).toContain("startUpload");
      expect(text).toContain("text/plain");
      expect(text).not.toContain("only bytes");
      expect(text).not.toContain(KEY);
    });

    test("ends when the service ended it", async () => {
      await using service = await fileService({ faults: { 1: "cancel" } });
      const upload = filesOf(service).upload(bytesOf(10), { mimeType: "video/mp4" });
      await expect(upload).rejects.toThrow(ApiShapeError);
      await expect(upload).rejects.toThrow("ended without a result (x-goog-upload-status: cancelled)");
      expect(service.seen).toHaveLength(2);
    });

    test("never sends bytes or key to another host", async () => {
      await using other = await fileService();
      await using service = await fileService({ uploadUrl: `${other.url}/upload/v1beta/files?upload_id=u1` });
      const upload = filesOf(service).upload(bytesOf(10), { mimeType: "video/mp4" });
      await expect(upload).rejects.toThrow(ConfigurationError);
      await expect(upload).rejects.toThrow("the API key is only sent to its own host");
      expect(other.seen).toEqual([]);
    });

    test("ends with the signal's reason, between chunks too", async () => {
      await using service = await fileService();
      const abort = new AbortController();
      const reason = new Error("enough");
      const upload = filesOf(service).upload(bytesOf(17 * MIB), {
        mimeType: "video/mp4",
        signal: abort.signal,
        onProgress: () => abort.abort(reason),
      });
      await expect(upload).rejects.toBe(reason);
      expect(commands(service).slice(1)).toEqual([`upload 0 ${8 * MIB}`]);
    });

    test.each<[string, Blob | Uint8Array<ArrayBuffer>, RegExp]>([
      ["no bytes", new Uint8Array(), /^The file to upload is empty/],
      ["an unknown media type", new Uint8Array([1, 2]), /pass mimeType/],
      [
        "more than 2 GiB",
        Object.defineProperty(new Blob(["x"], { type: "video/mp4" }), "size", { value: 2 ** 31 + 1 }),
        /is 2147483649 bytes; the Files API accepts at most 2147483648 \(2 GiB\)/,
      ],
    ])("of %s is refused before anything is sent", async (_name, data, message) => {
      await using service = await fileService();
      const upload = filesOf(service).upload(data);
      await expect(upload).rejects.toThrow(ConfigurationError);
      await expect(upload).rejects.toThrow(message);
      expect(service.seen).toEqual([]);
    });

    test.each<[string, BlobPart, string, string]>([
      ["first bytes", "%PDF-1.7 and so on", "x", "application/pdf"],
      ["name", "# Title", "notes.md", "text/markdown"],
    ])("finds the media type by the %s", async (_name, content, name, mimeType) => {
      await using service = await fileService();
      expect(await filesOf(service).upload(new File([content], name))).toMatchObject({ mimeType });
    });
  });

  describe("files", () => {
    test("are looked at, listed by page and deleted by name, id and uri", async () => {
      await using service = await fileService();
      const files = filesOf(service);
      const one = await files.upload(bytesOf(1), { mimeType: "text/plain" });
      const two = await files.upload(bytesOf(2), { mimeType: "text/plain" });
      expect(await files.get("f1")).toEqual(one);
      expect(await files.get(one.uri)).toEqual(one);
      expect(await files.get(two)).toEqual(two);
      expect(await listOf(files.list())).toEqual([one, two]);
      await files.delete("files/f1");
      await expect(files.get("files/f1")).rejects.toMatchObject({ code: "api_status", status: 403 });
      expect(service.seen.slice(4).map(({ method, path }) => `${method} ${path}`)).toEqual([
        "GET /v1beta/files/f1",
        "GET /v1beta/files/f1",
        "GET /v1beta/files/f2",
        "GET /v1beta/files?pageSize=100",
        "GET /v1beta/files?pageSize=100&pageToken=1",
        "DELETE /v1beta/files/f1",
        "GET /v1beta/files/f1",
      ]);
    });

    test.each(["", "files/../models", "files/a?key=b", "cachedContents/a"])(
      "%j is not the name of one",
      async (name) => {
        await using service = await fileService();
        await expect(filesOf(service).get(name)).rejects.toThrow(ConfigurationError);
        expect(service.seen).toEqual([]);
      },
    );

    test.each([
      ["a gateway", cometapi({ apiKey: "k" }), "gateways have no Files API: send the bytes inline with media()"],
      ["Vertex", vertex({ apiKey: "k", env: {} }), 'put the file into Cloud Storage and pass its URL, media("gs://'],
    ])("are not there on %s, and nothing is sent", async (_name, to, message) => {
      let sent = 0;
      const counting = async (): Promise<Response> => (sent++, Response.json({}));
      const files = openFiles({ endpoint: to, fetch: counting });
      for (const call of [
        () => files.upload(bytesOf(1)),
        () => files.list().next(),
        () => files.get("a"),
        () => files.delete("a"),
      ]) {
        await expect(call()).rejects.toThrow(ConfigurationError);
        await expect(call()).rejects.toThrow(message);
      }
      expect(sent).toBe(0);
    });

    test("on an older proxy that lacks them are distinguished from a missing file", async () => {
      const to = endpoint({ baseUrl: "https://proxy.example", apiKey: "k", kind: "developer" });
      const answering = (answer: () => Response): Files =>
        openFiles({ endpoint: to, fetch: async () => answer(), retry: { maxAttempts: 1 } });
      const old = answering(() => new Response("404 page not found", { status: 404 }));
      await expect(old.list().next()).rejects.toThrow(/^proxy.example does not support the Files API \(HTTP 404\)/);
      await expect(old.upload(bytesOf(1), { mimeType: "a/b" })).rejects.toThrow(ConfigurationError);
      const error = { code: 404, message: "not found", status: "NOT_FOUND" };
      const missing = answering(() => Response.json({ error }, { status: 404 }));
      await expect(missing.get("files/x")).rejects.toThrow(ApiStatusError);
    });

    test("that failed are distinguished from an error as the answer", async () => {
      const to = endpoint({ baseUrl: "https://proxy.example", apiKey: "k", kind: "developer" });
      const error = { code: 3, message: "no frames" };
      const failed = { name: "files/a", uri: "https://proxy.example/v1beta/files/a", state: "FAILED", error };
      const answering = (answer: object): Files =>
        openFiles({ endpoint: to, fetch: async () => Response.json(answer), retry: { maxAttempts: 1 } });
      expect(await answering(failed).get("a")).toEqual(failed);
      await expect(answering({ error: { code: 404, message: "gone" } }).get("a")).rejects.toMatchObject({
        status: 404,
      });
    });

    test("an answer of another shape is an ApiShapeError", async () => {
      const to = endpoint({ baseUrl: "https://proxy.example", apiKey: "k", kind: "developer" });
      const files = openFiles({ endpoint: to, fetch: async () => Response.json({ ok: true }) });
      await expect(files.get("x")).rejects.toThrow(ApiShapeError);
      await expect(files.upload(bytesOf(1), { mimeType: "a/b" })).rejects.toThrow("contains no upload URL");
    });
  });
});

const FILE: GeminiFile = { name: "files/a", uri: "https://x.no/files/a", mimeType: "video/mp4" };

/** A service where each request returns the next state; the last one stays. */
function looks(...states: readonly string[]): Pick<Files, "get"> & { readonly times: number[] } {
  const times: number[] = [];
  const get: Files["get"] = async (_file, options) => {
    options?.signal?.throwIfAborted();
    const state = states[Math.min(times.push(performance.now()), states.length) - 1] ?? "ACTIVE";
    return { ...FILE, state, ...(state === "FAILED" && { error: { message: "no frames" } }) };
  };
  return { get, times };
}

describe("waiting for a file", () => {
  test("looks until it is active, ever less often", async () => {
    stopClock();
    const files = looks("PROCESSING", "PROCESSING", "PROCESSING", "ACTIVE");
    const startedAt = performance.now();
    const waiting = waitForFile(files, "files/a", { pollMs: 40 });
    await vi.runAllTimersAsync();
    expect(await waiting).toEqual({ ...FILE, state: "ACTIVE" });
    expect(files.times.map((time) => time - startedAt)).toEqual([0, 40, 100, 190]);
  });

  test.each(["ACTIVE", undefined, "A_NEWER_WORD"])("asks nothing when the state is %s", async (state) => {
    const files = looks();
    const file = { ...FILE, state };
    expect(await waitForFile(files, file)).toBe(file);
    expect(files.times).toEqual([]);
  });

  test("fails with the service's reason when the file has failed", async () => {
    const error: unknown = await waitForFile(looks("PROCESSING", "FAILED"), "files/a", { pollMs: 1 }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(FileStateError);
    expect(error).toMatchObject({ code: "file_state", file: "files/a", state: "FAILED", retryable: false });
    expect(String(error)).toBe(
      "FileStateError: The service could not process files/a (no frames): check that its content is video/mp4, and upload it again.",
    );
  });

  test("ends after its limit, and says that it may be ready later", async () => {
    stopClock();
    const files = looks("PROCESSING");
    const startedAt = performance.now();
    const waiting = waitForFile(files, "files/a", { pollMs: 10_000, timeoutMs: 60 });
    void vi.runAllTimersAsync();
    await expect(waiting).rejects.toMatchObject({
      code: "file_state",
      state: "PROCESSING",
      retryable: true,
      message:
        "files/a is still being processed after 60 ms: wait longer (timeoutMs), or check it again later by name.",
    });
    expect(files.times.map((time) => time - startedAt)).toEqual([0, 60]);
  });

  test("ends at once with the signal's reason", async () => {
    stopClock();
    const abort = new AbortController();
    const waiting = waitForFile(looks("PROCESSING"), "files/a", { pollMs: 60_000, signal: abort.signal });
    const reason = new Error("enough");
    await until(() => vi.getTimerCount() === 1);
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each(["timeoutMs", "pollMs"])("%s must be more than nothing", async (name) => {
    await expect(waitForFile(looks(), FILE, { [name]: 0 })).rejects.toThrow(ConfigurationError);
  });
});
