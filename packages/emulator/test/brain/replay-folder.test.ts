import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, onTestFinished, vi } from "vitest";
import { createEmulator, type Emulator, type ReplayExchange, replay } from "../../src/index.ts";
import { ask, MODEL, post } from "../support.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "pollux-replay-"))));
afterEach(async () => rm(folder, { recursive: true, force: true }));

/** Writes a case and gives an emulator that replays the folder. */
async function recorded(
  exchanges: readonly object[],
  others: readonly object[] = [],
  file = "case.json",
): Promise<Emulator> {
  await writeFile(join(folder, file), JSON.stringify({ exchanges, others }));
  return createEmulator({ brain: replay(folder) });
}

const exchange = (prompt: string, said: string, more: Partial<ReplayExchange> = {}): ReplayExchange => ({
  method: "POST",
  path: `/v1beta/models/${MODEL}:generateContent`,
  request: ask(prompt),
  status: 200,
  responseHeaders: { "content-type": "application/json" },
  responseBody: JSON.stringify({ said }),
  ...more,
});

const streamed = (prompt: string, responseBody: string, more: Partial<ReplayExchange> = {}): ReplayExchange =>
  exchange(prompt, "", {
    path: `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`,
    responseHeaders: { "content-type": "text/event-stream" },
    responseBody,
    ...more,
  });

const said = async (emulator: Emulator, prompt: string | object): Promise<unknown> =>
  (await post(emulator, "generateContent", typeof prompt === "string" ? ask(prompt) : prompt)).json();

async function refusal(emulator: Emulator, method: string, body: unknown): Promise<string> {
  const response = await post(emulator, method, body);
  expect(response.status).toBe(400);
  // A stream without `alt=sse` is a list, also where it is an error.
  const [answer] = [await response.json()].flat() as { error: { message: string } }[];
  return answer?.error.message ?? "";
}

describe("a request", () => {
  test("repeated gets the recorded answers one after the other, then from the first again", async () => {
    const error = { error: { code: 503, message: "Overloaded.", status: "UNAVAILABLE" } };
    const busy = { status: 503, responseBody: JSON.stringify(error) };
    const emulator = await recorded([exchange("Hi", "", busy), exchange("Hi", "Hello"), exchange("Other", "!")]);
    const all = [await said(emulator, "Hi"), await said(emulator, "Hi"), await said(emulator, "Hi")];
    expect(all).toEqual([error, { said: "Hello" }, error]);
    expect(emulator.requests.map(({ answered }) => answered.status)).toEqual([503, 200, 503]);
  });

  test("repeated goes by the time of sending, also where one attempt got no answer", async () => {
    const lost = exchange("Hi", "", { status: 0, responseBody: "", ended: "failed", position: 0 });
    const emulator = await recorded([exchange("Hi", "Hello", { position: 1 })], [lost]);
    await expect(post(emulator, "generateContent", ask("Hi"))).rejects.toThrow("fetch failed");
    expect(await said(emulator, "Hi")).toEqual({ said: "Hello" });
  });

  test("that differs gets an error that names the closest recorded one: file, path, expected, got", async () => {
    const long = "x".repeat(200);
    const other = exchange("Something else altogether", "1");
    await writeFile(join(folder, "a.json"), JSON.stringify({ exchanges: [other] }));
    const emulator = await recorded([{ ...exchange("", "2"), request: ask(`${long}one`, { labels: { a: "1" } }) }]);
    const request = ask(`${long}two`, { labels: { a: "1" }, generationConfig: { topK: 1 } });
    expect(await refusal(emulator, "generateContent", request)).toBe(
      "The request differs from recorded exchange 2 of 2 (case.json): " +
        'contents[0].parts[0].text was …"xxxxxxxxxxxxxxxxxxxxone" and is now …"xxxxxxxxxxxxxxxxxxxxtwo"; ' +
        'generationConfig was absent and is now {"topK":1}.',
    );
    await said(emulator, "Something else altogether");
    expect(await refusal(emulator, "generateContent", ask("New", { labels: { a: "1" } }))).toContain("(case.json)");
    await said(emulator, ask(`${long}one`, { labels: { a: "1" } }));
    expect(await refusal(emulator, "generateContent", ask("New"))).toBe(
      "The request differs from recorded exchange 1 of 2 (a.json), which has already been replayed: " +
        'contents[0].parts[0].text was "Something else altogether" and is now "New".',
    );
  });

  test("is compared in its address, too", async () => {
    const count = exchange("Hi", "", {
      path: `/v1beta/models/${MODEL}:countTokens`,
      responseBody: '{"totalTokens": 77}',
    });
    const emulator = await recorded([streamed("Hi", "data: {}\r\n\r\n")], [count]);
    expect(await refusal(emulator, "streamGenerateContent", ask("Hi"))).toContain(
      "the query's alt was sse and is now absent",
    );
    expect(await (await post(emulator, "countTokens", ask("Hi"))).json()).toEqual({ totalTokens: 77 });
    expect(await refusal(emulator, "countTokens", ask("Ho"))).toContain(
      'contents[0].parts[0].text was "Hi" and is now "Ho"',
    );
    // A request that was never recorded and holds no content is answered as usual.
    expect(await (await emulator.fetch("/v1beta/models?key=k")).json()).toMatchObject({ models: expect.any(Array) });
  });

  test("is not validated: the service's answer is replayed even if the emulator would reject the request", async () => {
    const path =
      "/gateway/v1beta1/projects/PROJECT/locations/global/publishers/google/models/gemini-99:generateContent";
    const error = { error: { code: 429, message: "Slow down.", status: "RESOURCE_EXHAUSTED" } };
    const emulator = await recorded([
      exchange("", "", {
        path,
        request: { contents: [], nonsense: true, continuationToken: "1.x" },
        status: 429,
        responseHeaders: { "content-type": "application/json", "retry-after": "7", server: "elsewhere" },
        responseBody: JSON.stringify(error),
      }),
      exchange("", "went on", { request: ask("More", { continuationToken: "of another server" }) }),
    ]);
    const response = await emulator.fetch(path.replace("PROJECT", "acme-1"), {
      method: "POST",
      body: JSON.stringify({ contents: [], nonsense: true, continuationToken: "1.x" }),
    });
    expect([response.status, response.headers.get("retry-after"), await response.json()]).toEqual([429, "7", error]);
    expect(await said(emulator, ask("More", { continuationToken: "of another server" }))).toEqual({ said: "went on" });
  });
});

describe("a redacted value of a recording", () => {
  test("fits anything, in texts, names and resource names", async () => {
    const request = {
      ...ask("The key [redacted] of [redacted]."),
      cachedContent: "projects/PROJECT/locations/global/cachedContents/1",
      labels: { "id-[redacted]": "[redacted]" },
    };
    const emulator = await recorded([{ ...exchange("", "yes"), request }]);
    const now = {
      ...ask("The key abc of def."),
      cachedContent: "projects/acme-1/locations/global/cachedContents/1",
      labels: { "id-7": "x" },
    };
    expect(await said(emulator, now)).toEqual({ said: "yes" });
    expect(await refusal(emulator, "generateContent", { ...now, ...ask("The key abc.") })).toContain(
      'contents[0].parts[0].text was "The key [redacted] of [redacted]." and is now "The key abc."',
    );
  });

  test("may be most of a blob", async () => {
    const blob = Buffer.alloc(3000, "pixels").toString("base64");
    const sha256 = createHash("sha256").update(Buffer.from(blob, "base64")).digest("hex");
    const withImage = (data: string): object => ({
      contents: [{ role: "user", parts: [{ inlineData: { mimeType: "image/png", data } }] }],
    });
    const emulator = await recorded([{ ...exchange("", "an image"), request: withImage(blob.slice(0, 192) + sha256) }]);
    expect(await said(emulator, withImage(blob))).toEqual({ said: "an image" });
    expect(await refusal(emulator, "generateContent", withImage(`${blob.slice(0, -4)}AAAA`))).toContain(
      "contents[0].parts[0].inlineData.data was",
    );
  });
});

describe("an answer", () => {
  test("comes in its recorded framing, and breaks off where its connection did, over a socket", async () => {
    const whole = 'data: {"a": "ü"}\r\n\r\ndata: {"b": 2}\n\ndata: [DONE]\n\n';
    const emulator = await recorded([streamed("Whole", whole), streamed("Broken", whole, { ended: "failed" })]);
    await using server = await emulator.listen();
    const stream = (prompt: string, signal?: AbortSignal): Promise<Response> =>
      fetch(`${server.url}/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`, {
        method: "POST",
        headers: { "x-goog-api-key": "k" },
        body: JSON.stringify(ask(prompt)),
        signal: signal ?? null,
      });
    expect(await (await stream("Whole")).text()).toBe(whole);
    const reader = (await stream("Broken")).body?.getReader();
    await expect(
      (async () => {
        for (;;) if ((await reader?.read())?.done) return;
      })(),
    ).rejects.toThrow("terminated");
    expect(emulator.requests.map(({ answered }) => [answered.status, answered.complete])).toEqual([
      [200, true],
      [200, false],
    ]);
  });

  test("that its reader left stays open until the reader leaves again", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const begun = 'data: {"a": 1}\r\n\r\n';
    const nothing = exchange("Nothing", "", { status: 0, responseBody: "", ended: "cancelled" });
    const emulator = await recorded([streamed("Begun", begun, { ended: "cancelled" })], [nothing]);
    const response = await post(emulator, "streamGenerateContent?alt=sse", ask("Begun"));
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(begun);
    let waited = "open";
    void reader?.read().then(() => (waited = "read"));
    vi.advanceTimersByTime(24 * 3_600_000);
    await setImmediate();
    expect(waited).toBe("open");
    await reader?.cancel();
    const init = { method: "POST", headers: { "x-goog-api-key": "k" }, body: JSON.stringify(ask("Nothing")) };
    const controller = new AbortController();
    const path = `/v1beta/models/${MODEL}:generateContent`;
    const lost = emulator.fetch(path, { ...init, signal: controller.signal });
    lost.catch(() => {});
    while (emulator.requests.length < 2) await setImmediate();
    controller.abort(new Error("enough"));
    await expect(lost).rejects.toThrow("enough");
  });

  test("to an upload is found by its bytes, and its next address is the emulator's", async () => {
    const bytes = new Uint8Array([0, 255, 1]);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const path = "/upload/v1beta/files?upload_protocol=resumable";
    const emulator = await recorded(
      [],
      [
        exchange("", "", {
          path: "/upload/v1beta/files",
          request: { file: { displayName: "a" } },
          responseHeaders: { "x-goog-upload-url": path },
          responseBody: "",
        }),
        exchange("", "", { path, request: null, requestBody: { sha256 }, responseBody: '{"file":{}}' }),
        exchange("", "", {
          method: "GET",
          path: "/v1beta/files/1:download",
          request: null,
          responseHeaders: { "content-type": "image/png" },
          responseBody: "AP8B",
          responseEncoding: "base64",
        }),
      ],
    );
    await using server = await emulator.listen();
    const start = JSON.stringify({ file: { displayName: "a" } });
    const begun = await fetch(`${server.url}/upload/v1beta/files`, { method: "POST", body: start });
    const next = begun.headers.get("x-goog-upload-url") ?? "";
    expect(next).toBe(`${server.url}${path}`);
    expect(await (await fetch(next, { method: "POST", body: bytes })).json()).toEqual({ file: {} });
    const other = await fetch(next, { method: "POST", body: new Uint8Array([7]) });
    expect([other.status, await other.text()]).toEqual([
      400,
      expect.stringContaining(`the body was bytes of SHA-256 ${sha256} and is now bytes of SHA-256 `),
    ]);
    const image = await fetch(`${server.url}/v1beta/files/1:download`);
    expect([image.headers.get("content-type"), new Uint8Array(await image.arrayBuffer())]).toEqual([
      "image/png",
      bytes,
    ]);
  });
});

describe("a folder", () => {
  test("may hold folders; one without recordings, and what is no JSON, is an error that says so", async () => {
    const empty = createEmulator({ brain: replay(folder) });
    expect(await refusal(empty, "generateContent", ask("Hi"))).toContain("there is no .json file in it");
    await mkdir(join(folder, "inner"));
    const emulator = await recorded([exchange("Hi", "Hello")], [], "inner/case.json");
    expect(await said(emulator, "Hi")).toEqual({ said: "Hello" });
    await writeFile(join(folder, "cut.json"), '{"exchanges":[');
    const broken = createEmulator({ brain: replay(folder) });
    expect(await refusal(broken, "generateContent", ask("Hi"))).toMatch(
      /cut\.json is not a recording: it is not JSON$/,
    );
  });
});
