import { describe, expect, test } from "vitest";
import { call, createEmulator, type Emulator, script, say } from "../src/index.ts";
import { improvise } from "../src/improvise.ts";
import { ask, MODEL, post, textOf, unary, WEATHER } from "./support.ts";

const KEY = { "x-goog-api-key": "emulator" };
const NOON = new Date("2026-11-21T12:00:00.000Z");
/** 1,100 tokens. */
const BOOK = "word ".repeat(880);

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function send(
  emulator: Emulator,
  method: string,
  path: string,
  body?: object,
  key = "emulator",
): Promise<Answer> {
  const response = await emulator.fetch(path.startsWith("/") ? path : `/v1beta/${path}`, {
    method,
    headers: { "x-goog-api-key": key },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) as unknown };
}

const contents = [{ role: "user", parts: [{ text: BOOK }] }];
const create = async (emulator: Emulator, more: object = {}): Promise<Answer> =>
  send(emulator, "POST", "cachedContents", { model: `models/${MODEL}`, contents, ...more });

async function created(emulator: Emulator, more: object = {}): Promise<string> {
  const { status, body } = await create(emulator, more);
  expect(status).toBe(200);
  return (body as { name: string }).name;
}

async function generate(emulator: Emulator, cachedContent: string, more: object = {}, model?: string): Promise<Answer> {
  const response = await post(emulator, "generateContent", ask("Question?", { cachedContent, ...more }), model);
  return { status: response.status, body: await response.json() };
}

const refusal = (code: number, status: string, message: string): Answer => ({
  status: code,
  body: { error: { code, message, status } },
});

const UNKNOWN = refusal(403, "PERMISSION_DENIED", "CachedContent not found (or permission denied)");

describe("a cached content", () => {
  test("is made, read, listed, prolonged and deleted", async () => {
    const time = { now: NOON };
    const emulator = createEmulator({ brain: improvise(), now: () => time.now });
    const made = await create(emulator, { displayName: "Book", ttl: "600s" });
    const cache = {
      name: expect.stringMatching(/^cachedContents\/[a-z0-9]{40}$/) as unknown,
      model: `models/${MODEL}`,
      displayName: "Book",
      createTime: "2026-11-21T12:00:00.000Z",
      updateTime: "2026-11-21T12:00:00.000Z",
      expireTime: "2026-11-21T12:10:00.000Z",
      usageMetadata: { totalTokenCount: 1100 },
    };
    expect(made).toEqual({ status: 200, body: cache });
    const { name } = made.body as { name: string };
    expect(await send(emulator, "GET", name)).toEqual(made);
    expect(await send(emulator, "GET", "cachedContents")).toEqual({
      status: 200,
      body: { cachedContents: [made.body] },
    });
    time.now = new Date("2026-11-21T12:05:00.000Z");
    const prolonged = { ...cache, updateTime: "2026-11-21T12:05:00.000Z", expireTime: "2026-11-21T13:05:00.000Z" };
    expect(await send(emulator, "PATCH", `${name}?updateMask=ttl`, { ttl: "3600s" })).toEqual({
      status: 200,
      body: prolonged,
    });
    const until = await send(emulator, "PATCH", name, { expireTime: "2026-11-22T00:00:00Z" });
    expect(until.body).toEqual({ ...prolonged, expireTime: "2026-11-22T00:00:00.000Z" });
    expect(await send(emulator, "DELETE", name)).toEqual({ status: 200, body: {} });
    expect(await send(emulator, "GET", name)).toEqual(UNKNOWN);
    expect(await send(emulator, "DELETE", name)).toEqual(UNKNOWN);
    expect(await send(emulator, "GET", "cachedContents")).toEqual({ status: 200, body: {} });
  });

  test("expires, after an hour unless it says otherwise", async () => {
    const time = { now: NOON };
    const emulator = createEmulator({ brain: improvise(), now: () => time.now });
    const brief = createEmulator({ brain: improvise(), now: () => time.now, caches: { defaultTtlSeconds: 1 } });
    const names = [await created(emulator), await created(brief)] as const;
    time.now = new Date("2026-11-21T12:00:01.000Z");
    expect((await generate(emulator, names[0])).status).toBe(200);
    expect(await generate(brief, names[1])).toEqual(UNKNOWN);
    time.now = new Date("2026-11-21T13:00:00.000Z");
    expect(await generate(emulator, names[0])).toEqual(UNKNOWN);
    expect(await send(emulator, "GET", names[0])).toEqual(UNKNOWN);
    expect(emulator.requests.at(-1)?.answered.rule).toBe("C-1");
  });

  test("that is too small is refused", async () => {
    const emulator = createEmulator({ brain: improvise() });
    const small = [{ parts: [{ text: "x".repeat(1908) }] }];
    const tooSmall = (count: number, minimum: number) =>
      `Cached content is too small. total_token_count=${count}, min_total_token_count=${minimum}`;
    expect(await create(emulator, { contents: small })).toEqual(refusal(400, "INVALID_ARGUMENT", tooSmall(477, 1024)));
    expect(await create(emulator, { model: "models/gemini-3.1-pro-preview" })).toEqual(
      refusal(400, "INVALID_ARGUMENT", tooSmall(1100, 4096)),
    );
    expect(emulator.requests.map(({ answered }) => answered.rule)).toEqual(["E-49", "E-49"]);
    expect(
      (await create(createEmulator({ brain: improvise(), caches: { minTokens: 1 } }), { contents: small })).status,
    ).toBe(200);
  });

  test.each([
    [{ model: "models/gemini-0-nothing" }, 404, "E-70"],
    [{ model: "models/gemini-4-argon" }, 404, "E-70"],
    [{ model: "models/gemini-4-carbon" }, 404, "E-70"],
    [{ model: "models/gemini-4-hydrogen" }, 404, "E-70"],
    [{ model: "models/gemini-4-neon" }, 404, "E-70"],
    [{ model: MODEL }, 400, "C-3"],
    [{ ttl: "60s", expireTime: "2030-01-01T00:00:00Z" }, 400, "C-3"],
    [{ ttl: "-1s" }, 400, "C-3"],
    [{ expireTime: "2020-01-01T00:00:00Z" }, 400, "C-3"],
    [{ ttl: 60 }, 400, "E-03"],
    [{ generationConfig: {} }, 400, "E-01"],
    [{ contents: [{ parts: [] }] }, 400, "E-05"],
    [{ contents: [{ parts: [{ fileData: { fileUri: "https://x/v1beta/files/none" } }] }] }, 403, "E-74"],
    [{ tools: [{ functionDeclarations: [{ name: "1" }] }] }, 400, "E-31"],
  ])("is not made of %j", async (more, status, rule) => {
    const emulator = createEmulator({ brain: improvise() });
    expect((await create(emulator, more)).status).toBe(status);
    expect(emulator.requests.at(-1)?.answered).toEqual({ status, operation: "createCache", rule, complete: true });
  });

  test("is created on Carbon and Neon if the switch turns the guess off", async () => {
    const strict = { explicitCaches: "accept" } as const;
    const made = ["carbon", "neon", "hydrogen"].map(async (name) => {
      const body = { model: `models/gemini-4-${name}` };
      return [
        (await create(createEmulator({ brain: improvise(), strict }), body)).status,
        (await create(createEmulator({ brain: improvise(), strict: { guesses: false } }), body)).status,
      ];
    });
    expect(await Promise.all(made)).toEqual([
      [200, 200],
      [200, 200],
      [404, 404],
    ]);
  });

  test("says in texts which method the model lacks, and where a field is", async () => {
    const emulator = createEmulator({ brain: improvise() });
    expect((await create(emulator, { model: "models/gemini-4-argon" })).body).toMatchObject({
      error: {
        message:
          "models/gemini-4-argon is not found for API version v1beta, or is not supported for createCachedContent. Call ModelService.ListModels to see the list of available models and their supported methods.",
      },
    });
    expect((await create(emulator, { contents: [{ parts: [] }] })).body).toMatchObject({
      error: {
        message: "* CreateCachedContentRequest.cached_content.contents[0].parts: contents.parts must not be empty.",
      },
    });
  });

  test.each([{ displayName: "x" }, { contents }, {}, { ttl: "0s" }, { ttl: "1s", expireTime: "2030-01-01T00:00:00Z" }])(
    "is not changed by %j",
    async (patch) => {
      const emulator = createEmulator({ brain: improvise() });
      expect((await send(emulator, "PATCH", await created(emulator), patch)).status).toBe(400);
      expect(emulator.requests.at(-1)?.answered.rule).toBe("C-3");
    },
  );

  test("is visible only to its owner", async () => {
    const emulator = createEmulator({ brain: improvise() });
    const name = await created(emulator);
    expect(await send(emulator, "GET", name, undefined, "somebody-else")).toEqual(UNKNOWN);
    expect(await send(emulator, "GET", "cachedContents", undefined, "somebody-else")).toEqual({
      status: 200,
      body: {},
    });
    const body = ask("Hi", { cachedContent: name });
    expect(await send(emulator, "POST", `models/${MODEL}:generateContent`, body, "somebody-else")).toEqual(UNKNOWN);
    expect((await send(emulator, "GET", name, undefined, "invalid")).status).toBe(400);
  });
});

describe("a request with a cached content", () => {
  test("is priced with the tokens of the cache", async () => {
    const emulator = createEmulator({ brain: script([say("Yes.")], { afterwards: "repeat-last" }) });
    const cachedContent = await created(emulator);
    const { usageMetadata } = await unary(emulator, ask("Question?", { cachedContent }));
    expect(usageMetadata).toMatchObject({
      promptTokenCount: 1103,
      cachedContentTokenCount: 1100,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 1103 }],
      cacheTokensDetails: [{ modality: "TEXT", tokenCount: 1100 }],
    });
    const generateContentRequest = { model: `models/${MODEL}`, ...ask("Question?", { cachedContent }) };
    const counted = await post(emulator, "countTokens", { generateContentRequest });
    expect(await counted.json()).toEqual({
      totalTokens: 1103,
      cachedContentTokenCount: 1100,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 1103 }],
      cacheTokensDetails: [{ modality: "TEXT", tokenCount: 1100 }],
    });
  });

  test("gives the model the cached contents", async () => {
    const emulator = createEmulator({
      brain: script([
        ({ request }) => say(JSON.stringify(request)),
        ({ functions }) => call(functions[0]?.name ?? "", { city: "Oslo" }),
        say("Cold."),
      ]),
    });
    const more = { system_instruction: { parts: [{ text: "Be brief." }] }, tools: [WEATHER] };
    const cachedContent = await created(emulator, more);
    expect(JSON.parse(textOf(await unary(emulator, ask("Question?", { cachedContent }))))).toEqual({
      contents: [...contents, ...ask("Question?").contents],
      systemInstruction: { parts: [{ text: "Be brief." }] },
      tools: [WEATHER],
    });
    const first = ask("Weather?", { cachedContent });
    const called = await unary(emulator, first);
    const content = called.candidates?.[0]?.content;
    const id = content?.parts?.[0]?.functionCall?.id;
    const answered = { functionResponse: { id, name: "get_weather", response: { celsius: 4 } } };
    const second = { cachedContent, contents: [...first.contents, content, { role: "user", parts: [answered] }] };
    expect(textOf(await unary(emulator, second))).toBe("Cold.");
  });

  test("is refused together with fields that belong in the cache", async () => {
    const emulator = createEmulator({ brain: improvise() });
    const name = await created(emulator);
    for (const more of [{ tools: [WEATHER] }, { systemInstruction: { parts: [{ text: "x" }] } }, { toolConfig: {} }]) {
      expect((await generate(emulator, name, more)).body).toMatchObject({
        error: { code: 400, message: expect.stringContaining("CachedContent can not be used with GenerateContent") },
      });
    }
    expect(emulator.requests.slice(1).map(({ answered }) => answered.rule)).toEqual(["E-36", "E-36", "E-36"]);
  });

  test("is refused with an unknown name or another model", async () => {
    const emulator = createEmulator({ brain: improvise() });
    const name = await created(emulator);
    expect(await generate(emulator, "cachedContents/none")).toEqual(UNKNOWN);
    expect(await generate(emulator, name, {}, "gemini-3.7-flash")).toEqual(
      refusal(
        400,
        "INVALID_ARGUMENT",
        `Model used by GenerateContent request (models/gemini-3.7-flash) and CachedContent (models/${MODEL}) has to be the same.`,
      ),
    );
    const counted = { generateContentRequest: { model: `models/${MODEL}`, ...ask("Hi", { cachedContent: "none" }) } };
    expect((await post(emulator, "countTokens", counted)).status).toBe(403);
    expect(emulator.requests.slice(1).map(({ answered }) => answered.rule)).toEqual(["C-1", "C-2", "C-1"]);
  });

  test("may hold files", async () => {
    const emulator = createEmulator({ brain: improvise() });
    const started = await emulator.fetch("/upload/v1beta/files", {
      method: "POST",
      headers: { ...KEY, "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start" },
      body: JSON.stringify({ file: { mimeType: "text/plain", name: "files/book" } }),
    });
    await emulator.fetch(started.headers.get("x-goog-upload-url") ?? "", {
      method: "POST",
      headers: { "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" },
      body: "x".repeat(8000),
    });
    const fileData = { fileUri: "http://emulator.local/v1beta/files/book", mimeType: "text/plain" };
    const cachedContent = await created(emulator, { contents: [{ parts: [{ fileData }] }] });
    await emulator.fetch("/v1beta/files/book", { method: "DELETE", headers: KEY });
    const { usageMetadata } = await unary(emulator, ask("Question?", { cachedContent }));
    expect(usageMetadata).toMatchObject({ cachedContentTokenCount: 2000 });
  });
});

test("on Vertex, names have project and location, and texts are its own", async () => {
  const emulator = createEmulator({ brain: improvise(), profile: "vertex" });
  const parent = "projects/p/locations/global";
  const model = `${parent}/publishers/google/models/${MODEL}`;
  const ask1 = async (path: string, body: object) => send(emulator, "POST", `/v1beta1/${parent}/${path}`, body);
  const made = await ask1("cachedContents", { model, contents });
  expect(made).toEqual({
    status: 200,
    body: expect.objectContaining({
      name: expect.stringMatching(/^projects\/p\/locations\/global\/cachedContents\/\d{19}$/) as unknown,
      model,
    }) as unknown,
  });
  const { name } = made.body as { name: string };
  const method = `publishers/google/models/${MODEL}:generateContent`;
  const used = await ask1(method, ask("Question?", { cachedContent: name }));
  expect(used.body).toMatchObject({ usageMetadata: { cachedContentTokenCount: 1100 } });
  expect(JSON.stringify(used.body)).not.toContain("cacheTokensDetails");
  expect(await ask1(method, ask("Question?", { cachedContent: `${parent}/cachedContents/12` }))).toEqual(
    refusal(404, "NOT_FOUND", "Not found: cached content metadata for 12."),
  );
  expect((await ask1("cachedContents", { model, contents: ask("Small.").contents })).body).toMatchObject({
    error: { message: "The cached content is of 2 tokens. The minimum token count to start caching is 1024." },
  });
});

test("only Google's own services have cached contents", async () => {
  const served = (["developer", "developer-v1", "vertex", "comet", "old-proxy"] as const).map(async (profile) => {
    const path = profile === "vertex" ? "/v1/projects/p/locations/l/cachedContents" : "/v1beta/cachedContents";
    const response = await createEmulator({ brain: improvise(), profile }).fetch(path, { headers: KEY });
    return [profile, response.status];
  });
  expect(Object.fromEntries(await Promise.all(served))).toEqual({
    developer: 200,
    "developer-v1": 200,
    vertex: 200,
    comet: 404,
    "old-proxy": 404,
  });
});
