import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConfigurationError } from "@pollux/core/wire";
import { recordFetch, type RecordingFile } from "../../src/index.ts";

const UNARY = "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash:generateContent";
const STREAM = "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse";
const KEY = "AIzaSyA-0123456789-abcdefghijklmnopqrstu";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "pollux-record-"))));
afterEach(async () => rm(folder, { recursive: true, force: true }));

const ask = (text: string): object => ({ contents: [{ role: "user", parts: [{ text }] }] });
const say = (...texts: string[]): string =>
  texts.map((text) => `data: ${JSON.stringify(chunk(text))}\r\n\r\n`).join("");
const chunk = (text: string): object => ({ candidates: [{ content: { parts: [{ text }], role: "model" } }] });
const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", "x-goog-api-key": KEY, ...headers },
  body: JSON.stringify(body),
});
/** A `fetch` that answers each request with the next of these. */
const answers = (...list: readonly (Response | Error)[]): (() => Promise<Response>) => {
  const left = list.values();
  return async () => {
    const next = left.next().value;
    if (next instanceof Response) return next;
    throw next ?? new Error("asked too often");
  };
};
const sse = (body: BodyInit): Response => new Response(body, { headers: { "content-type": "text/event-stream" } });
const readCase = async (file: string | undefined): Promise<RecordingFile> =>
  JSON.parse(await readFile(file ?? "", "utf8")) as RecordingFile;

/** Serves on this machine for as long as the body runs. */
async function serving(listener: RequestListener, body: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  try {
    // A listening TCP server has an address object.
    await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe("what is written", () => {
  test.each([null, "0", 0, undefined])(
    "is the first candidate's text, with an index of %j and nulls beside it",
    async (index) => {
      const parts = [{ text: "Hi", functionCall: null, thoughtSignature: null }, { text: null }];
      const candidates = [
        { index: 1, content: { parts: [{ text: "No" }] } },
        { index, content: { parts }, finishReason: "STOP" },
      ];
      const fetch = recordFetch(folder, { fetch: answers(new Response(JSON.stringify({ candidates }))) });
      await (await fetch(UNARY, post(ask("Hello")))).text();
      await fetch.saved();
      const { exchanges } = await readCase(fetch.file);
      expect(exchanges[0]?.digest).toMatchObject({ text: "Hi", calls: [], signatures: 0, finishReasons: ["STOP"] });
    },
  );

  test("is one case in the format of recorded traffic", async () => {
    const body = JSON.stringify({
      candidates: [
        {
          content: {
            parts: [
              { text: "Hm.", thought: true },
              { functionCall: { name: "f", args: {} }, thoughtSignature: "c2ln" },
            ],
            role: "model",
          },
          finishReason: "STOP",
        },
      ],
      usageMetadata: { promptTokenCount: 1, totalTokenCount: 2, thoughtsTokenCount: 1 },
      modelVersion: "gemini-3.8-flash",
    });
    const headers = { "content-type": "application/json; charset=UTF-8", "set-cookie": "id=1", "x-request-id": "r" };
    const fetch = recordFetch(folder, { name: "a call", fetch: answers(new Response(body, { headers })) });
    expect(await (await fetch(UNARY, post(ask("Go")))).text()).toBe(body);
    await fetch.saved();
    const features = ["function_call", "signature_on_call", "thinking", "thinking_tokens", "thought_signature"];
    expect(fetch.file).toBe(join(folder, "a call.json"));
    expect(await readCase(fetch.file)).toEqual({
      source: "recordFetch of @pollux/emulator",
      licence: null,
      provenance: "recorded",
      model: "gemini-3.8-flash",
      api: "gemini",
      kind: ["unary"],
      features,
      fidelity: ["exact"],
      truncatedBlobs: false,
      scrubbed: false,
      toolLoops: [],
      otherCalls: [],
      exchanges: [
        {
          position: 0,
          method: "POST",
          path: "/v1beta/models/gemini-3.8-flash:generateContent",
          model: "gemini-3.8-flash",
          modelVersion: "gemini-3.8-flash",
          request: ask("Go"),
          status: 200,
          responseHeaders: { "content-type": "application/json; charset=UTF-8" },
          responseBody: body,
          kind: ["unary"],
          features,
          framing: "json",
          digest: {
            objects: 1,
            parts: 2,
            text: "",
            thoughts: "Hm.",
            calls: [{ name: "f", args: {} }],
            signatures: 1,
            finishReasons: ["STOP"],
            usage: { promptTokenCount: 1, totalTokenCount: 2, thoughtsTokenCount: 1 },
          },
          continues: null,
        },
      ],
      others: [],
    });
  });

  test("keeps bodies that are nested too deep, as bytes and text", async () => {
    const deep = `${'{"a":['.repeat(10_000)}1${"]}".repeat(10_000)}`;
    const recording = recordFetch(folder, { name: "deep", fetch: answers(new Response(deep)) });
    await (await recording(UNARY, { ...post({}), body: deep })).text();
    await recording.saved();
    const [kept] = (await readCase(recording.file)).others;
    expect(kept).toMatchObject({ request: null, requestBody: { bytes: deep.length } });
    expect(kept?.responseBody === deep).toBe(true);
  });

  test("names its framing, links turns of a conversation, and hashes a long text", async () => {
    const long = "wörd ".repeat(100);
    const listed = `[${JSON.stringify(chunk(long))}\n,\r\n${JSON.stringify(chunk("b"))}]`;
    const bare = JSON.stringify({ error: { code: 503, status: "UNAVAILABLE", message: "Overloaded." } });
    const fetch = recordFetch(folder, {
      fetch: answers(
        sse(say("One", "Two")),
        new Response(listed, { headers: { "content-type": "application/json" } }),
        new Response(bare, { status: 503, headers: { "content-type": "text/event-stream" } }),
      ),
    });
    const next = { contents: [...(ask("Hi") as { contents: object[] }).contents, { role: "model", parts: [] }] };
    for (const request of [ask("Hi"), next, ask("Hi")]) await (await fetch(STREAM, post(request))).text();
    await fetch.saved();
    const { exchanges } = await readCase(fetch.file);
    const whole = `${long}b`;
    expect(exchanges.map(({ framing, continues, kind, digest }) => [framing, continues, kind, digest?.text])).toEqual([
      ["sse", null, ["stream"], "OneTwo"],
      [
        "json-array",
        0,
        ["stream"],
        { chars: 501, utf8: 601, sha256: createHash("sha256").update(whole).digest("hex") },
      ],
      ["bare-json-as-event-stream", null, ["stream", "error"], ""],
    ]);
  });

  test("keeps the order in which requests were sent, whichever answer ends first", async () => {
    const answered: ((response: Response) => void)[] = [];
    const fetch = recordFetch(folder, { fetch: () => new Promise((resolve) => answered.push(resolve)) });
    const [first, second] = [fetch(UNARY, post(ask("1"))), fetch(UNARY, post(ask("2")))];
    answered[1]?.(new Response("{}"));
    await (await second).text();
    await fetch.saved();
    expect((await readCase(fetch.file)).exchanges.map(({ position, request }) => [position, request])).toEqual([
      [1, ask("2")],
    ]);
    answered[0]?.(new Response("{}"));
    await (await first).text();
    await fetch.saved();
    expect((await readCase(fetch.file)).exchanges.map(({ position, request }) => [position, request])).toEqual([
      [0, ask("1")],
      [1, ask("2")],
    ]);
  });

  test("keeps uploads and other calls apart, and only the type, length and hash of bytes", async () => {
    const bytes = new Uint8Array([0, 255, 10, 13]);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const image = new Response(bytes, { headers: { "content-type": "image/png" } });
    const uploadUrl = "https://upload.example/upload/v1beta/files?upload_id=very-secret&upload_protocol=resumable";
    const started = new Response(null, { headers: { "x-goog-upload-url": uploadUrl } });
    const fetch = recordFetch(folder, {
      fetch: async (input, init) => {
        const request = new Request(input, { ...init, duplex: "half" } as RequestInit);
        await request.arrayBuffer();
        return request.url.includes("files/1") ? image : started;
      },
    });
    const url = "https://upload.example/upload/v1beta/files";
    const type = { "content-type": "image/png" };
    const form = new FormData();
    form.set("file", new Blob([bytes]), "a.png");
    const stream = new Blob([bytes]).stream();
    await fetch(url, { method: "POST", headers: type, body: bytes });
    await fetch(new Request(url, { method: "POST", headers: type, body: bytes }));
    await fetch(url, { method: "POST", headers: type, body: stream, duplex: "half" } as RequestInit);
    await fetch(url, { method: "POST", body: form });
    await fetch(url, { method: "POST", body: form });
    expect(new Uint8Array(await (await fetch(`${url}/files/1`)).arrayBuffer())).toEqual(bytes);
    await fetch.saved();
    const { exchanges, others, otherCalls } = await readCase(fetch.file);
    const stored = others.map(({ requestBody }) => requestBody?.sha256);
    expect({ exchanges, bodies: stored.slice(0, 3), form: stored[3] }).toEqual({
      exchanges: [],
      bodies: [sha256, sha256, sha256],
      form: stored[4],
    });
    expect(otherCalls.at(-1)).toBe("GET /upload/v1beta/files/files/1 200");
    expect(others[0]).toMatchObject({
      request: null,
      requestBody: { mimeType: "image/png", bytes: 4, sha256 },
      responseHeaders: { "x-goog-upload-url": "/upload/v1beta/files?upload_protocol=resumable" },
    });
    expect(others[5]).toMatchObject({ responseBody: "AP8KDQ==", responseEncoding: "base64" });
  });
});

describe("what is left out", () => {
  test("a key, anywhere", async () => {
    const token = "gateway/token+1";
    const keys = { header: KEY, bearer: token, cookie: "cookie-value-1", query: "query-key-1", own: "Mrs Miller" };
    const echo = JSON.stringify({
      error: {
        code: 403,
        message: `Key ${KEY} of query-key-1 (${encodeURIComponent(token)}) has no access; project 123456789012, me@x.iam.gserviceaccount.com`,
        details: [{ metadata: { consumer: "projects/123456789012" } }],
      },
    });
    const fetch = recordFetch(folder, {
      secrets: [keys.own],
      fetch: answers(
        new Response(echo, { status: 403, headers: { "set-cookie": `s=${keys.cookie}`, "x-user-id": "user-77777" } }),
        sse(say(`Your key is ${KEY.slice(0, 9)}`, KEY.slice(9, 20), `${KEY.slice(20)}. Bye`)),
        sse(`${say("So ")}data: {"candidates":[{"content":{"parts":[{"text":"${KEY.slice(0, 12)}`),
      ),
    });
    const headers = {
      authorization: `Bearer ${token}`,
      cookie: `a=b; sid=${keys.cookie}`,
      "x-goog-user-project": "my-project-1",
    };
    const question = { ...ask(`Is ${KEY} or ${token} mine, says Mrs Miller of my-project-1?`), labels: { [KEY]: KEY } };
    await (await fetch(`${UNARY}?key=${keys.query}&quotaUser=somebody`, post(question, headers))).text();
    await (await fetch(STREAM, post(ask("Hi")))).text();
    await (await fetch(STREAM, post(ask("Hi")))).text();
    await fetch.saved();
    const text = await readFile(fetch.file ?? "", "utf8");
    const never = [...Object.values(keys), encodeURIComponent(token), "my-project-1", "123456789012", "somebody"];
    const parts = [KEY.slice(9, 20), KEY.slice(20), KEY.slice(0, 12), "gserviceaccount", "user-77777"];
    for (const secret of [...never, ...parts]) expect(text).not.toContain(secret);
    const { exchanges, scrubbed } = await readCase(fetch.file);
    expect({ scrubbed, path: exchanges[0]?.path, request: exchanges[0]?.request }).toEqual({
      scrubbed: true,
      path: "/v1beta/models/gemini-3.8-flash:generateContent",
      request: {
        ...ask("Is [redacted] or [redacted] mine, says [redacted] of [redacted]?"),
        labels: { "[redacted]": "[redacted]" },
      },
    });
    expect(JSON.parse(exchanges[0]?.responseBody ?? "")).toEqual({
      error: {
        code: 403,
        message: "Key [redacted] of [redacted] ([redacted]) has no access; project 000000000000, [redacted]",
        details: [{ metadata: { consumer: "projects/PROJECT" } }],
      },
    });
    expect(exchanges[1]?.responseBody).toBe(say("Your key is [redacted]", "", ". Bye"));
    expect(exchanges[2]?.responseBody).toBe(
      `${say("So ")}data: {"candidates":[{"content":{"parts":[{"text":"[redacted]`,
    );
  });

  test("the project of a path, also in the resource names of bodies", async () => {
    const cache = (project: string): string => `projects/${project}/locations/global/cachedContents/1`;
    const url = `https://aiplatform.googleapis.com/v1beta1/projects/acme-prod-7/locations/global/publishers/google/models/gemini-3.8-flash:generateContent`;
    const fetch = recordFetch(folder, {
      fetch: answers(new Response(JSON.stringify({ cache: cache("acme-prod-7") }))),
    });
    await (await fetch(url, post({ ...ask("Hi"), cachedContent: cache("acme-prod-7") }))).text();
    await fetch.saved();
    const { api, exchanges } = await readCase(fetch.file);
    expect({ api, ...exchanges[0] }).toMatchObject({
      api: "vertex",
      path: "/v1beta1/projects/PROJECT/locations/global/publishers/google/models/gemini-3.8-flash:generateContent",
      request: { ...ask("Hi"), cachedContent: cache("PROJECT") },
      responseBody: JSON.stringify({ cache: cache("PROJECT") }),
    });
    expect(await readFile(fetch.file ?? "", "utf8")).not.toContain("acme-prod-7");
  });
});

describe("the reader", () => {
  test("gets each piece when it arrives, and nothing is read for it in advance", async () => {
    let pulled = 0;
    const pieces = [say("One"), say("Two"), say("Three")].map((text) => new TextEncoder().encode(text));
    const source = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const piece = pieces[pulled++];
          if (piece) controller.enqueue(piece);
          else controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const fetch = recordFetch(folder, { fetch: answers(sse(source)) });
    const reader = (await fetch(STREAM, post(ask("Hi")))).body?.getReader();
    expect(pulled).toBe(0);
    // The same bytes, not a new copy.
    expect((await reader?.read())?.value).toBe(pieces[0]);
    expect(pulled).toBe(1);
  });

  test("sees the answer's address and status as without a recorder", async () => {
    await serving(
      (_, response) => void response.writeHead(404, "Nope").end("gone"),
      async (url) => {
        const fetch = recordFetch(folder);
        const { status, statusText, url: from, redirected, type } = await fetch(`${url}/v1beta/models`);
        const plain = await globalThis.fetch(`${url}/v1beta/models`);
        expect({ status, statusText, from, redirected, type }).toEqual({
          status: 404,
          statusText: "Nope",
          from: plain.url,
          redirected: plain.redirected,
          type: plain.type,
        });
        await plain.body?.cancel();
      },
    );
  });

  test("may leave early, and the connection may break: both are marked", async () => {
    await serving(
      (request, response) => {
        if (request.url?.includes("refused")) return void request.socket.destroy();
        response.writeHead(200, { "content-type": "text/event-stream" }).write(say("One"));
        if (request.url?.includes("broken")) request.socket.end();
      },
      async (url) => {
        const fetch = recordFetch(folder);
        const at = (name: string): string => `${url}/v1beta/models/${name}:streamGenerateContent?alt=sse`;
        const left = (await fetch(at("left"), post(ask("Hi")))).body?.getReader();
        await left?.read();
        await left?.cancel();
        await expect((await fetch(at("broken"), post(ask("Hi")))).text()).rejects.toThrow("terminated");
        const stop = new AbortController();
        const aborted = (await fetch(at("aborted"), { ...post(ask("Hi")), signal: stop.signal })).body?.getReader();
        await aborted?.read();
        stop.abort();
        await expect(aborted?.read()).rejects.toThrow("aborted");
        await expect(fetch(at("refused"), post(ask("Hi")))).rejects.toThrow("fetch failed");
        await fetch.saved();
        const { exchanges, others } = await readCase(fetch.file);
        const shown = [...exchanges, ...others].map(({ position, model, status, ended, responseBody }) => [
          position,
          model,
          status,
          ended,
          responseBody,
        ]);
        expect(shown).toEqual([
          [0, "left", 200, "cancelled", say("One")],
          [1, "broken", 200, "failed", say("One")],
          [2, "aborted", 200, "cancelled", say("One")],
          [3, "refused", 0, "failed", ""],
        ]);
        expect(exchanges.every(({ features }) => features.includes("cut"))).toBe(true);
      },
    );
  });
});

describe("the file", () => {
  test("is whole whenever it is read", async () => {
    const fetch = recordFetch(folder, { name: "many", fetch: async () => new Response("{}") });
    const sending = (async () => {
      for (let i = 0; i < 40; i += 1) await (await fetch(UNARY, post(ask(`${i} ${"x".repeat(20_000)}`)))).text();
      await fetch.saved();
    })();
    let reads = 0;
    const done = sending.then(() => "done" as const);
    while ((await Promise.race([done, readFile(join(folder, "many.json"), "utf8").catch(() => "")])) !== "done") {
      const text = await readFile(join(folder, "many.json"), "utf8").catch(() => "");
      if (text !== "") expect(() => JSON.parse(text) as unknown).not.toThrow();
      reads += text === "" ? 0 : 1;
    }
    expect(reads).toBeGreaterThan(0);
    expect(await readdir(folder)).toEqual(["many.json"]);
    expect((await readCase(fetch.file)).exchanges).toHaveLength(40);
  });

  test("takes a free name unless it is given one, which replaces the case of that name", async () => {
    const record = async (name?: string): Promise<string | undefined> => {
      const fetch = recordFetch(folder, { name, fetch: answers(new Response("{}")) });
      await (await fetch(UNARY, post(ask(name ?? "none")))).text();
      await fetch.saved();
      return fetch.file;
    };
    const files = [await record(), await record(), await record("case"), await record("case")];
    const names = ["recording.json", "recording-2.json", "case.json", "case.json"];
    expect(files).toEqual(names.map((name) => join(folder, name)));
    expect((await readdir(folder)).toSorted()).toEqual(["case.json", "recording-2.json", "recording.json"]);
  });

  test("in a folder that cannot be written is an error before anything is sent", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    expect(() => recordFetch(join(file, "below"))).toThrow(ConfigurationError);
    expect(() => recordFetch(join(file, "below"))).toThrow(/^Recordings cannot be written to .*below: ENOTDIR/);
    expect(() => recordFetch(folder, { name: "../up" })).toThrow(/name: "\.\.\/up" cannot be the name of a file/);
  });

  test("that can no longer be written fails in saved(), not for the reader", async () => {
    const fetch = recordFetch(folder, { name: "lost", fetch: answers(new Response("{}")) });
    await rm(folder, { recursive: true });
    expect(await (await fetch(UNARY, post(ask("Hi")))).text()).toBe("{}");
    await expect(fetch.saved()).rejects.toThrow(/^The recording .*lost\.json could not be written: ENOENT/);
  });
});

test.each(["GOOGLE_API_KEY", "GEMINI_API_KEY", "COMETAPI_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"])(
  "the key in %s is never written",
  async (variable) => {
    vi.stubEnv(variable, "key-of-the-environment");
    try {
      const fetch = recordFetch(folder, { fetch: answers(new Response("{}")) });
      await (await fetch(UNARY, post(ask("Is key-of-the-environment mine?")))).text();
      await fetch.saved();
      expect((await readCase(fetch.file)).exchanges[0]?.request).toEqual(ask("Is [redacted] mine?"));
    } finally {
      vi.unstubAllEnvs();
    }
  },
);
