import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createEmulator, type Emulator, type EmulatorOptions, script, say } from "../src/index.ts";
import { improvise } from "../src/improvise.ts";
import { ask, MODEL, post, textOf, unary } from "./support.ts";

const KEY = { "x-goog-api-key": "emulator" };
const NOON = new Date("2026-11-21T12:00:00.000Z");

interface FileResource {
  readonly name: string;
  readonly uri: string;
  readonly state: string;
}

/** The response, with the headers of an upload. */
async function read(response: Response): Promise<{ status: number; headers: Record<string, string>; body: unknown }> {
  const headers = Object.fromEntries([...response.headers].filter(([name]) => name.startsWith("x-goog-upload-")));
  const body = await response.text();
  return { status: response.status, headers, body: body === "" ? undefined : (JSON.parse(body) as unknown) };
}

async function start(emulator: Emulator, file: object, headers: object = {}, query = ""): Promise<Response> {
  return emulator.fetch(`/upload/v1beta/files${query}`, {
    method: "POST",
    headers: { ...KEY, "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start", ...headers },
    body: JSON.stringify({ file }),
  });
}

async function send(emulator: Emulator, url: string, command: string, offset?: number, bytes = ""): Promise<Response> {
  return emulator.fetch(url, {
    method: "POST",
    headers: {
      "x-goog-upload-command": command,
      ...(offset !== undefined && { "x-goog-upload-offset": String(offset) }),
    },
    ...(bytes !== "" && { body: new TextEncoder().encode(bytes) }),
  });
}

/** Uploads in one piece. */
async function upload(emulator: Emulator, bytes: string, mimeType: string, file: object = {}): Promise<FileResource> {
  const started = await start(emulator, { mimeType, ...file });
  const finished = await send(emulator, started.headers.get("x-goog-upload-url") ?? "", "upload, finalize", 0, bytes);
  return ((await finished.json()) as { file: FileResource }).file;
}

const get = async (emulator: Emulator, path: string, headers: Record<string, string> = KEY) =>
  read(await emulator.fetch(`/v1beta/${path}`, { headers }));

const refusal = (code: number, status: string, message: string) => ({
  status: code,
  headers: {},
  body: { error: { code, message, status } },
});

const noPermission = (id: string) =>
  refusal(403, "PERMISSION_DENIED", `You do not have permission to access the File ${id} or it may not exist.`);

const withFile = (uri: string, mimeType?: string) => ({
  contents: [{ role: "user", parts: [{ text: "What is this?" }, { fileData: { fileUri: uri, mimeType } }] }],
});

function emulatorAt(time: { now: Date }, options: EmulatorOptions = {}): Emulator {
  return createEmulator({ brain: improvise(), now: () => time.now, ...options });
}

describe("an upload", () => {
  test("goes up in chunks and ends in a file", async () => {
    const emulator = emulatorAt({ now: NOON }, { files: { chunkBytes: 4 } });
    const started = await start(
      emulator,
      { displayName: "Notes" },
      { "x-goog-upload-header-content-length": "10", "x-goog-upload-header-content-type": "text/plain" },
    );
    const url = started.headers.get("x-goog-upload-url") ?? "";
    expect(await read(started)).toEqual({
      status: 200,
      headers: {
        "x-goog-upload-status": "active",
        "x-goog-upload-url": url,
        "x-goog-upload-control-url": url,
        "x-goog-upload-chunk-granularity": "4",
      },
      body: undefined,
    });
    expect(await read(await send(emulator, url, "upload", 0, "01234567"))).toEqual({
      status: 200,
      headers: { "x-goog-upload-status": "active", "x-goog-upload-size-received": "8" },
      body: undefined,
    });
    expect(await read(await send(emulator, url, "query"))).toEqual({
      status: 200,
      headers: { "x-goog-upload-status": "active", "x-goog-upload-size-received": "8" },
      body: undefined,
    });
    const finished = await read(await send(emulator, url, "upload, finalize", 8, "89"));
    const digest = createHash("sha256").update("0123456789").digest("hex");
    const file = {
      name: expect.stringMatching(/^files\/[a-z0-9]{12}$/),
      displayName: "Notes",
      mimeType: "text/plain",
      sizeBytes: "10",
      createTime: "2026-11-21T12:00:00.000Z",
      updateTime: "2026-11-21T12:00:00.000Z",
      expirationTime: "2026-11-23T12:00:00.000Z",
      sha256Hash: Buffer.from(digest).toString("base64"),
      uri: expect.stringMatching(/^http:\/\/emulator\.local\/v1beta\/files\/[a-z0-9]{12}$/),
      state: "ACTIVE",
      source: "UPLOADED",
    };
    expect(finished).toEqual({
      status: 200,
      headers: { "x-goog-upload-status": "final", "x-goog-upload-size-received": "10" },
      body: { file },
    });
    expect(emulator.requests.map(({ answered }) => answered)).toEqual([
      { status: 200, operation: "startUpload", complete: true },
      ...[1, 2, 3].map(() => ({ status: 200, operation: "upload", complete: true })),
    ]);
  });

  test.each([
    ["upload", 2, "0123", "The upload is at offset 4, not 2."],
    ["upload", undefined, "0123", "The upload is at offset 4, not given."],
    ["upload", 4, "012", "A chunk before the last must be a multiple of 4 bytes, not 3."],
    ["upload, finalize", 4, "0", "5 bytes were uploaded where 10 were declared."],
    ["upload, finalize", 4, "0123456", "11 bytes were uploaded where 10 were declared."],
    ["finalize", undefined, "", "4 bytes were uploaded where 10 were declared."],
    ["sing", 4, "", "Unknown X-Goog-Upload-Command: sing."],
  ])("is refused and stays at its offset: %s at %s of %j", async (command, offset, bytes, message) => {
    const emulator = createEmulator({ brain: improvise(), files: { chunkBytes: 4 } });
    const started = await start(emulator, {}, { "x-goog-upload-header-content-length": "10" });
    const url = started.headers.get("x-goog-upload-url") ?? "";
    await send(emulator, url, "upload", 0, "0123");
    const state = { "x-goog-upload-status": "active", "x-goog-upload-size-received": "4" };
    expect(await read(await send(emulator, url, command, offset, bytes))).toEqual({
      ...refusal(400, "INVALID_ARGUMENT", message),
      headers: state,
    });
    expect((await read(await send(emulator, url, "query"))).headers).toEqual(state);
    expect((await send(emulator, url, "upload, finalize", 4, "456789")).status).toBe(200);
    expect(emulator.requests.map(({ answered }) => answered.rule)).toContain("F-1");
  });

  test("can be finalized in a request of its own, and ends then or at a cancel", async () => {
    const emulator = createEmulator({ brain: improvise(), files: { chunkBytes: 1 } });
    const urls: string[] = [];
    for (const command of ["finalize", "cancel"]) {
      const started = await start(emulator, {});
      const url = started.headers.get("x-goog-upload-url") ?? "";
      await send(emulator, url, "upload", 0, "abc");
      expect((await send(emulator, url, command)).status).toBe(200);
      urls.push(url);
    }
    const over = await Promise.all(urls.map(async (url) => read(await send(emulator, url, "upload", 3, "d"))));
    expect(over.map(({ status, headers }) => [status, headers["x-goog-upload-status"]])).toEqual([
      [400, "final"],
      [400, "cancelled"],
    ]);
    expect(await read(await send(emulator, "/upload/v1beta/files?upload_id=nobody", "query"))).toEqual(
      refusal(404, "NOT_FOUND", "Upload not found."),
    );
  });

  test.each([
    [{ "x-goog-upload-protocol": "multipart" }, {}, 400, "F-1"],
    [{ "x-goog-upload-command": "upload" }, {}, 400, "F-1"],
    [{ "x-goog-upload-header-content-length": "101" }, {}, 400, "F-1"],
    [{ "x-goog-upload-header-content-length": "many" }, {}, 400, "F-1"],
    [{}, { name: "files/-no-" }, 400, "F-2"],
    [{}, { name: "files/taken" }, 409, "F-2"],
    [{}, { color: "red" }, 400, "E-02"],
    [{ "x-goog-api-key": "invalid" }, {}, 400, "A-2"],
  ])("is not started with %j and %j", async (headers, file, status, rule) => {
    const emulator = createEmulator({ brain: improvise(), files: { maxBytes: 100 } });
    await upload(emulator, "x", "text/plain", { name: "files/taken" });
    expect((await start(emulator, file, headers)).status).toBe(status);
    expect(emulator.requests.at(-1)?.answered).toEqual({ status, operation: "startUpload", rule, complete: true });
  });
});

describe("a file", () => {
  test("can be read, listed in pages and deleted", async () => {
    const emulator = createEmulator({ brain: improvise() });
    for (const name of ["files/a", "files/b", "files/c"]) await upload(emulator, name, "text/plain", { name });
    const first = await get(emulator, "files?pageSize=2");
    const token = (first.body as { nextPageToken: string }).nextPageToken;
    const second = await get(emulator, `files?pageSize=2&pageToken=${token}`);
    const names = (page: { body: unknown }) => (page.body as { files: FileResource[] }).files.map(({ name }) => name);
    expect([names(first), names(second)]).toEqual([["files/c", "files/b"], ["files/a"]]);
    expect(second.body).not.toHaveProperty("nextPageToken");
    expect((await get(emulator, "files?pageToken=!")).status).toBe(400);
    const other = { "x-goog-api-key": "somebody-else" };
    expect(await get(emulator, "files", other)).toEqual({ status: 200, headers: {}, body: {} });
    expect(await get(emulator, "files/a", other)).toEqual(noPermission("a"));
    const deleted = await emulator.fetch("/v1beta/files/a", { method: "DELETE", headers: KEY });
    expect(await read(deleted)).toEqual({ status: 200, headers: {}, body: {} });
    expect(await get(emulator, "files/a")).toEqual(noPermission("a"));
  });

  test("lives for 48 hours", async () => {
    const time = { now: NOON };
    const emulator = emulatorAt(time);
    const { uri } = await upload(emulator, "x", "text/plain", { name: "files/old" });
    time.now = new Date("2026-11-23T11:59:59Z");
    expect((await get(emulator, "files/old")).status).toBe(200);
    time.now = new Date("2026-11-23T12:00:00Z");
    expect(await get(emulator, "files/old")).toEqual(noPermission("old"));
    expect(await read(await post(emulator, "generateContent", withFile(uri)))).toEqual(noPermission("old"));
    expect((await upload(emulator, "y", "text/plain", { name: "files/old" })).name).toBe("files/old");
  });

  test("of a video is processed until the first poll", async () => {
    const emulator = createEmulator({ brain: improvise() });
    const { uri, state } = await upload(emulator, "film", "video/mp4", { name: "files/film" });
    const stateNow = async () => ((await get(emulator, "files/film")).body as FileResource).state;
    const tooEarly = refusal(
      400,
      "FAILED_PRECONDITION",
      "The File film is not in an ACTIVE state and usage is not allowed.",
    );
    expect(await read(await post(emulator, "generateContent", withFile(uri)))).toEqual(tooEarly);
    expect(await read(await post(emulator, "countTokens", withFile(uri)))).toEqual(tooEarly);
    expect([state, await stateNow(), await stateNow()]).toEqual(["PROCESSING", "PROCESSING", "ACTIVE"]);
    expect((await post(emulator, "generateContent", withFile(uri))).status).toBe(200);
    expect(emulator.requests.map(({ answered }) => answered.rule).filter(Boolean)).toEqual(["E-72", "E-72"]);
  });

  test("is processed as long as the options say, and can fail", async () => {
    const time = { now: NOON };
    const emulator = emulatorAt(time, {
      files: { processingMs: 1000, fails: ({ displayName }) => displayName === "broken" },
    });
    await upload(emulator, "x", "image/png", { name: "files/good" });
    const { uri } = await upload(emulator, "x", "image/png", { name: "files/bad", displayName: "broken" });
    const states = async () => {
      const { body } = await get(emulator, "files");
      return (body as { files: FileResource[] }).files.map(({ name, state }) => [name, state]);
    };
    expect(await states()).toEqual([
      ["files/bad", "PROCESSING"],
      ["files/good", "PROCESSING"],
    ]);
    time.now = new Date(NOON.getTime() + 1000);
    expect(await states()).toEqual([
      ["files/bad", "FAILED"],
      ["files/good", "ACTIVE"],
    ]);
    expect((await get(emulator, "files/bad")).body).toMatchObject({
      error: { code: 3, message: "The File bad failed to process." },
    });
    expect((await post(emulator, "generateContent", withFile(uri))).status).toBe(400);
  });

  test("is known to the model and counted by its size", async () => {
    const emulator = createEmulator({ brain: improvise() });
    const { uri } = await upload(emulator, "x".repeat(400), "text/plain", { displayName: "notes.txt" });
    const response = await unary(emulator, withFile(uri));
    expect(textOf(response)).toContain("I was given the file notes.txt: text/plain of 400 bytes.");
    const prompt = { promptTokenCount: 104, promptTokensDetails: [{ modality: "TEXT", tokenCount: 104 }] };
    expect(response.usageMetadata).toMatchObject(prompt);
    const counted = await post(emulator, "countTokens", withFile(uri));
    expect(await counted.json()).toEqual({
      totalTokens: 104,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 104 }],
    });
  });

  test.each([
    ["image/png", 5_000_000, "IMAGE", 258],
    ["application/pdf", 120_000, "DOCUMENT", 774],
    ["audio/mpeg", 240_000, "AUDIO", 640],
    ["video/mp4", 240_000, "VIDEO", 5160],
  ])("counts %s of %i bytes as %s", async (mimeType, bytes, modality, tokenCount) => {
    const emulator = createEmulator({ brain: improvise(), files: { processingPolls: 0 } });
    const { uri } = await upload(emulator, "x".repeat(bytes), mimeType);
    const counted = await post(emulator, "countTokens", withFile(uri));
    expect(await counted.json()).toMatchObject({
      promptTokensDetails: [
        { modality: "TEXT", tokenCount: 4 },
        { modality, tokenCount },
      ],
    });
  });

  test("that do not exist, or belong to another key, cannot be used", async () => {
    const emulator = createEmulator({ brain: improvise() });
    const { uri } = await upload(emulator, "x", "text/plain", { name: "files/mine" });
    const used = async (fileUri: string, key: string) => {
      const url = `/v1beta/models/${MODEL}:generateContent`;
      const body = JSON.stringify(withFile(fileUri));
      return read(await emulator.fetch(url, { method: "POST", headers: { "x-goog-api-key": key }, body }));
    };
    expect((await used(uri, "emulator")).status).toBe(200);
    expect(await used(uri, "somebody-else")).toEqual(noPermission("mine"));
    expect(await used(uri.replace("mine", "none"), "emulator")).toEqual(noPermission("none"));
    expect((await used("https://example.com/a.pdf", "emulator")).status).toBe(200);
    expect((await used("https://www.youtube.com/watch?v=files", "emulator")).status).toBe(200);
  });

  test("can be kept in any state by the switch", async () => {
    const emulator = createEmulator({ brain: improvise(), strict: { fileState: () => "active" } });
    expect((await post(emulator, "generateContent", withFile("https://x/v1beta/files/none"))).status).toBe(200);
  });

  test("is visible to a custom brain", async () => {
    const emulator = createEmulator({ brain: script([({ files }) => say(JSON.stringify(files))]) });
    const { uri } = await upload(emulator, "abc", "text/plain", { name: "files/abc" });
    const [seen] = JSON.parse(textOf(await unary(emulator, withFile(uri)))) as unknown[];
    expect(seen).toEqual({ name: "files/abc", uri, mimeType: "text/plain", sizeBytes: 3 });
  });
});

test("only the Developer API has files", async () => {
  const served = (["developer", "developer-v1", "vertex", "comet", "old-proxy"] as const).map(async (profile) => {
    const response = await createEmulator({ brain: improvise(), profile }).fetch("/v1beta/files", { headers: KEY });
    return [profile, response.status];
  });
  expect(Object.fromEntries(await Promise.all(served))).toEqual({
    developer: 200,
    "developer-v1": 200,
    vertex: 404,
    comet: 404,
    "old-proxy": 404,
  });
});

test("over a socket, the address of an upload is the server's", async () => {
  const emulator = createEmulator({ brain: improvise() });
  await using server = await emulator.listen();
  const started = await fetch(`${server.url}/upload/v1beta/files`, {
    method: "POST",
    headers: { ...KEY, "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start" },
    body: JSON.stringify({ file: { mimeType: "application/octet-stream", name: "files/bytes" } }),
  });
  const url = started.headers.get("x-goog-upload-url") ?? "";
  expect(url.startsWith(`${server.url}/upload/v1beta/files?upload_id=`)).toBe(true);
  // No text: these bytes are no UTF-8.
  const bytes = Uint8Array.from({ length: 3000 }, (_, index) => index % 256);
  const headers = { "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" };
  const finished = await fetch(url, { method: "PUT", headers, body: bytes });
  expect(await finished.json()).toMatchObject({
    file: {
      name: "files/bytes",
      uri: `${server.url}/v1beta/files/bytes`,
      sizeBytes: "3000",
      sha256Hash: Buffer.from(createHash("sha256").update(bytes).digest("hex")).toString("base64"),
    },
  });
  const response = await fetch(`${server.url}/v1beta/models/${MODEL}:generateContent`, {
    method: "POST",
    headers: KEY,
    body: JSON.stringify(ask("Hi")),
  });
  expect(response.status).toBe(200);
});
