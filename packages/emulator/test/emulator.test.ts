import { Agent, ConfigurationError, gemini } from "@pollux/core";
import { describe, expect, test } from "vitest";
import { call, calls, createEmulator, finishes, grounded, script, say, think } from "../src/index.ts";
import { improvise } from "../src/improvise.ts";
import { ask, eventsIn, MODEL, partsOf, post, streamed, textOf, unary, WEATHER } from "./support.ts";

const SIGNATURE = /^[A-Za-z0-9+/]{200,1500}={0,2}$/;

describe("unary answers", () => {
  test("have the shape of the Developer API", async () => {
    const emulator = createEmulator({ brain: script([say("Hi there")]) });
    const response = await post(emulator, "generateContent", ask("Hello you"));
    const body = await response.text();
    expect(Object.fromEntries(response.headers)).toMatchObject({ "content-type": "application/json; charset=UTF-8" });
    expect(body.startsWith('{\n  "candidates": [\n')).toBe(true);
    expect(body.endsWith("}\n")).toBe(true);
    const answer: unknown = JSON.parse(body);
    expect(answer).toEqual({
      candidates: [
        {
          content: { parts: [{ text: "Hi there", thoughtSignature: expect.stringMatching(SIGNATURE) }], role: "model" },
          finishReason: "STOP",
          index: 0,
        },
      ],
      usageMetadata: {
        promptTokenCount: 3,
        candidatesTokenCount: 2,
        totalTokenCount: 22,
        promptTokensDetails: [{ modality: "TEXT", tokenCount: 3 }],
        thoughtsTokenCount: 17,
        serviceTier: "standard",
      },
      modelVersion: MODEL,
      responseId: expect.stringMatching(/^[\w-]{22,24}$/),
    });
    expect(Object.keys(answer as object)).toEqual(["candidates", "usageMetadata", "modelVersion", "responseId"]);
  });

  test("carry call ids and one signature for parallel calls", async () => {
    const emulator = createEmulator({
      brain: script([
        calls({ name: "get_weather", args: { city: "Oslo" } }, { name: "get_weather", args: { city: "Lima" } }),
      ]),
    });
    const answer = await unary(emulator, ask("Weather?", { tools: [WEATHER] }));
    expect(answer.candidates?.[0]).toMatchObject({
      finishReason: "STOP",
      finishMessage: "Model generated function call(s).",
    });
    expect(partsOf(answer)).toEqual([
      {
        functionCall: { name: "get_weather", args: { city: "Oslo" }, id: expect.stringMatching(/^[a-z0-9]{8}$/) },
        thoughtSignature: expect.stringMatching(SIGNATURE),
      },
      { functionCall: { name: "get_weather", args: { city: "Lima" }, id: expect.stringMatching(/^[a-z0-9]{8}$/) } },
    ]);
  });

  test("carry no call ids on 2.5, nor in an old proxy", async () => {
    const brain = script([call("get_weather")], { afterwards: "repeat-last" });
    const old = await unary(createEmulator({ brain }), ask("Weather?", { tools: [WEATHER] }), "gemini-2.5-flash");
    expect(partsOf(old)).toEqual([
      { functionCall: { name: "get_weather", args: {} }, thoughtSignature: expect.stringMatching(SIGNATURE) },
    ]);
  });

  test("show thoughts only when asked to", async () => {
    const emulator = createEmulator({ brain: script([[think("Hm."), say("Hi")]], { afterwards: "repeat-last" }) });
    expect(partsOf(await unary(emulator, ask("Hello"))).length).toBe(1);
    const shown = await unary(
      emulator,
      ask("Hello", { generationConfig: { thinkingConfig: { includeThoughts: true } } }),
    );
    expect(partsOf(shown)[0]).toEqual({ text: "Hm.", thought: true });
  });

  test("are cut at the output limit, which thinking counts against", async () => {
    const emulator = createEmulator({
      brain: script([{ ...say("A long answer that goes on and on"), thoughtTokens: 10 }], {
        afterwards: "repeat-last",
      }),
    });
    const cut = await unary(emulator, ask("Hello", { generationConfig: { maxOutputTokens: 12 } }));
    expect([textOf(cut), cut.candidates?.[0]?.finishReason]).toEqual(["A long a", "MAX_TOKENS"]);
    const thinking = await unary(emulator, ask("Hello", { generationConfig: { maxOutputTokens: 5 } }));
    expect(thinking.candidates?.[0]).toEqual({ content: { role: "model" }, finishReason: "MAX_TOKENS", index: 0 });
  });

  test("look like Vertex's in the cloud profiles", async () => {
    const now = (): Date => new Date("2026-11-21T09:30:00Z");
    const emulator = createEmulator({ profile: "comet", brain: script([call("get_weather")]), now });
    const answer = await unary(emulator, ask("Weather?", { tools: [WEATHER] }));
    expect(answer).toMatchObject({
      createTime: "2026-11-21T09:30:00.000Z",
      usageMetadata: { trafficType: "ON_DEMAND" },
      candidates: [{ avgLogprobs: expect.any(Number) }],
    });
    expect(Object.keys(answer.candidates?.[0] ?? {})).toEqual(["content", "finishReason", "avgLogprobs"]);
    expect(Object.keys(answer.candidates?.[0]?.content ?? {})).toEqual(["role", "parts"]);
  });
});

describe("streams", () => {
  test("are CRLF events without anything else, and end with a signed empty text", async () => {
    const emulator = createEmulator({ brain: script([say("One ", "two ", "three")]) });
    const response = await post(emulator, "streamGenerateContent?alt=sse", ask("Count"));
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/event-stream",
      "content-disposition": "attachment",
    });
    const body = await response.text();
    expect(body).toMatch(/^(?:data: \{"candidates": .*\}\r\n\r\n){4}$/);
    const chunks = eventsIn(body);
    expect(chunks.map((chunk) => chunk.candidates?.[0]?.finishReason)).toEqual([
      undefined,
      undefined,
      undefined,
      "STOP",
    ]);
    expect(partsOf(...chunks)).toEqual([
      { text: "One " },
      { text: "two " },
      { text: "three" },
      { text: "", thoughtSignature: expect.stringMatching(SIGNATURE) },
    ]);
    expect(new Set(chunks.map((chunk) => chunk.responseId)).size).toBe(1);
  });

  test("keep the identity of usage on every chunk and only grow", async () => {
    const chunks = await streamed(createEmulator({ brain: script([say("Some words ".repeat(40))]) }), ask("Talk"));
    const usages = chunks.map((chunk) => chunk.usageMetadata ?? {});
    for (const usage of usages) {
      const sum =
        (usage.promptTokenCount ?? 0) +
        (usage.candidatesTokenCount ?? 0) +
        (usage.thoughtsTokenCount ?? 0) +
        (usage.toolUsePromptTokenCount ?? 0);
      expect(usage.totalTokenCount).toBe(sum);
    }
    const grown = usages.map((usage) => usage.candidatesTokenCount ?? 0);
    expect(grown).toEqual(grown.toSorted((left, right) => left - right));
  });

  test("send one call per chunk on 3.x and all in one on 2.5", async () => {
    const brain = script([calls("get_weather", "get_weather", "get_weather")], { afterwards: "repeat-last" });
    const emulator = createEmulator({ brain });
    const body = ask("Weather?", { tools: [WEATHER] });
    expect((await streamed(emulator, body)).map((chunk) => partsOf(chunk).length)).toEqual([1, 1, 1, 1]);
    expect((await streamed(emulator, body, "gemini-2.5-flash")).map((chunk) => partsOf(chunk).length)).toEqual([3]);
  });

  test("are one JSON array without alt=sse", async () => {
    const emulator = createEmulator({ brain: script([say("One ", "two")]) });
    const response = await post(emulator, "streamGenerateContent", ask("Count"));
    const body = await response.text();
    expect(body.startsWith("[{\n")).toBe(true);
    expect(body.endsWith("}\n]")).toBe(true);
    expect(body.split("\n,\r\n{").length).toBe(3);
    expect(textOf(...(JSON.parse(body) as object[]))).toBe("One two");
  });

  test("can be framed like a proxy's and split at any byte", async () => {
    const framing = { lf: true, keepAlive: true, done: true, splitBytes: true };
    const emulator = createEmulator({ brain: script([say("漢字 🌧️ é")]), framing });
    const response = await post(emulator, "streamGenerateContent?alt=sse", ask("Count"));
    const pieces: Uint8Array[] = [];
    for await (const piece of response.body ?? []) pieces.push(piece);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(48);
    const body = Buffer.concat(pieces).toString();
    expect(body).not.toContain("\r");
    expect(body.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(textOf(...eventsIn(body))).toBe("漢字 🌧️ é");
  });

  test("stream arguments on Vertex when asked to", async () => {
    const emulator = createEmulator({
      profile: "vertex",
      brain: script([call("get_weather", { city: "New Delhi, India", days: 3 })]),
    });
    const body = JSON.stringify({
      ...ask("Weather?", { tools: [WEATHER] }),
      toolConfig: { functionCallingConfig: { mode: "AUTO", streamFunctionCallArguments: true } },
    });
    const url = `/v1beta1/projects/p/locations/global/publishers/google/models/${MODEL}:streamGenerateContent?alt=sse`;
    const response = await emulator.fetch(url, {
      method: "POST",
      headers: { authorization: "Bearer ya29.token" },
      body,
    });
    const parts = partsOf(...eventsIn(await response.text())).map(({ functionCall }) => functionCall);
    expect(parts).toEqual([
      { name: "get_weather", id: expect.any(String), willContinue: true },
      { partialArgs: [{ jsonPath: "$.city", stringValue: "New Delhi,", willContinue: true }], willContinue: true },
      { partialArgs: [{ jsonPath: "$.city", stringValue: " India" }], willContinue: true },
      { partialArgs: [{ jsonPath: "$.days", numberValue: 3 }], willContinue: true },
      {},
      undefined,
    ]);
  });
});

describe("grounding", () => {
  const found = grounded("Café 漢字 🌧️ is wet. Oslo is not.", {
    queries: ["oslo rain"],
    sources: [{ title: "yr.no" }, { title: "nrk.no" }],
  });

  test("has byte offsets over text with characters of several bytes", async () => {
    const answer = await unary(
      createEmulator({ brain: script([found]) }),
      ask("Rain?", { tools: [{ googleSearch: {} }] }),
    );
    const { groundingMetadata } = answer.candidates?.[0] ?? {};
    const bytes = Buffer.from(textOf(answer));
    for (const { segment } of groundingMetadata?.groundingSupports ?? []) {
      expect(bytes.subarray(segment?.startIndex ?? 0, segment?.endIndex).toString()).toBe(segment?.text);
    }
    expect(groundingMetadata).toMatchObject({
      webSearchQueries: ["oslo rain"],
      searchEntryPoint: { renderedContent: expect.stringContaining("<style>") },
      groundingChunks: [
        {
          web: {
            title: "yr.no",
            uri: expect.stringMatching(/^https:\/\/vertexaisearch\.cloud\.google\.com\/grounding-api-redirect\//),
          },
        },
        { web: { title: "nrk.no" } },
      ],
      groundingSupports: [
        { segment: { endIndex: 28, text: "Café 漢字 🌧️ is wet." }, groundingChunkIndices: [0] },
        { segment: { startIndex: 29 }, groundingChunkIndices: [1] },
      ],
    });
    expect(partsOf(answer).some((part) => part.toolCall !== undefined)).toBe(false);
  });

  test("comes with the last chunk, and empty before", async () => {
    const chunks = await streamed(
      createEmulator({ brain: script([found]) }),
      ask("Rain?", { tools: [{ googleSearch: {} }] }),
    );
    const metadata = chunks.map((chunk) => chunk.candidates?.[0]?.groundingMetadata);
    expect(metadata.slice(0, -1).every((early) => Object.keys(early ?? { missing: 1 }).length === 0)).toBe(true);
    expect(metadata.at(-1)?.groundingChunks?.length).toBe(2);
  });

  test("beside functions comes with signed server-side tool parts that pass when sent back", async () => {
    const emulator = createEmulator({
      brain: script([[{ ...found, parts: [] }, call("get_weather", { city: "Oslo" })], say("Done")]),
    });
    const request = ask("Rain?", {
      tools: [{ googleSearch: {} }, WEATHER],
      toolConfig: { includeServerSideToolInvocations: true },
    });
    const parts = partsOf(...(await streamed(emulator, request))).filter((part) => part.text === undefined);
    expect(parts.map((part) => [Object.keys(part)[0], part.thoughtSignature !== undefined])).toEqual([
      ["toolCall", true],
      ["toolResponse", true],
      ["functionCall", true],
    ]);
    expect(parts[0]?.toolCall?.id).toBe(parts[1]?.toolResponse?.id);
    const { id, name } = parts[2]?.functionCall ?? {};
    const back = { role: "user", parts: [{ functionResponse: { id, name, response: { output: 1 } } }] };
    const next = await unary(emulator, { ...request, contents: [...request.contents, { role: "model", parts }, back] });
    expect(textOf(next)).toBe("Done");
  });

  test("has queries and no sources when the answer is JSON", async () => {
    const emulator = createEmulator({ brain: script([{ ...found, parts: say("{}").parts }]) });
    const answer = await unary(
      emulator,
      ask("Rain?", { tools: [{ googleSearch: {} }], generationConfig: { responseMimeType: "application/json" } }),
    );
    expect(Object.keys(answer.candidates?.[0]?.groundingMetadata ?? {})).toEqual([
      "searchEntryPoint",
      "webSearchQueries",
    ]);
  });
});

describe("the emulator", () => {
  test("logs requests without their keys", async () => {
    const emulator = createEmulator({ brain: script([say("ok")]) });
    await unary(emulator, ask("Hello"));
    await emulator.fetch(`/v1beta/models?key=secret-key`);
    expect(emulator.requests).toMatchObject([
      {
        number: 1,
        method: "POST",
        path: `/v1beta/models/${MODEL}:generateContent`,
        body: ask("Hello"),
        answered: { status: 200, operation: "generateContent", model: MODEL, complete: true },
      },
      {
        number: 2,
        method: "GET",
        path: "/v1beta/models?key=removed",
        answered: { status: 200, operation: "listModels" },
      },
    ]);
    expect(JSON.stringify(emulator.requests)).not.toContain("secret-key");
    expect(emulator.requests[0]?.headers["x-goog-api-key"]).toBe("[removed]");
  });

  test("refuses what the service refuses, and logs the rule", async () => {
    const emulator = createEmulator();
    const response = await post(emulator, "generateContent", { contents: [] });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 400, status: "INVALID_ARGUMENT" } });
    expect(emulator.requests[0]?.answered).toMatchObject({ status: 400, rule: "E-04" });
  });

  test("lists and describes models, and counts tokens", async () => {
    const emulator = createEmulator();
    const headers = { "x-goog-api-key": "emulator" };
    const page = (await (await emulator.fetch("/v1beta/models?pageSize=2", { headers })).json()) as {
      models: unknown[];
      nextPageToken: string;
    };
    const second = (await (
      await emulator.fetch(`/v1beta/models?pageSize=2&pageToken=${page.nextPageToken}`, { headers })
    ).json()) as { models: unknown[] };
    expect([page.models.length, second.models.length]).toEqual([2, 2]);
    expect(second.models).not.toEqual(page.models);
    expect(await (await emulator.fetch(`/v1beta/models/${MODEL}`, { headers })).json()).toMatchObject({
      name: `models/${MODEL}`,
      inputTokenLimit: 1_048_576,
      thinking: true,
    });
    expect(await (await post(emulator, "countTokens", ask("Eight ch"))).json()).toEqual({
      totalTokens: 2,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 2 }],
    });
  });

  test("gives the same answers for the same seed", async () => {
    const body = ask("What is the weather in Oslo?", { tools: [WEATHER] });
    const [first, same, other] = await Promise.all(
      ["a", "a", "b"].map((seed) => unary(createEmulator({ brain: improvise(), seed }), body)),
    );
    expect(same).toEqual(first);
    expect(other).not.toEqual(first);
  });

  test("stops at once when the signal aborts", async () => {
    const emulator = createEmulator({ delays: { firstByteMs: Number.POSITIVE_INFINITY } });
    const controller = new AbortController();
    const response = emulator.fetch(`/v1beta/models/${MODEL}:generateContent`, {
      method: "POST",
      headers: { "x-goog-api-key": "k" },
      body: JSON.stringify(ask("Hi")),
      signal: controller.signal,
    });
    response.catch(() => {});
    await expect.poll(() => emulator.requests.length).toBe(1);
    controller.abort(new Error("enough"));
    await expect(response).rejects.toThrow("enough");
    expect(emulator.requests[0]?.answered.complete).toBe(false);
  });

  test("continues long answers in hops, and refuses a token for another request", async () => {
    const emulator = createEmulator({ brain: script([[say("First, "), finishes("CONTINUATION")], say("second.")]) });
    const body = ask("Tell me everything");
    const first = await unary(emulator, body, "gemini-4-argon");
    const { continuationToken, finishReason } = first.candidates?.[0] ?? {};
    expect([finishReason, typeof continuationToken]).toEqual(["CONTINUATION", "string"]);
    const stale = await post(
      emulator,
      "generateContent",
      { ...ask("Something else"), continuationToken },
      "gemini-4-argon",
    );
    expect([stale.status, emulator.requests.at(-1)?.answered.rule]).toEqual([400, "continuation"]);
    expect(textOf(await unary(emulator, { ...body, continuationToken }, "gemini-4-argon"))).toBe("second.");
  });
});

test("a long text can be streamed in small pieces", async () => {
  const text = "x".repeat(20_000);
  const emulator = createEmulator({ brain: script([say(text)]), deltaCharacters: 2 });
  const chunks = await streamed(emulator, ask("Hi"));
  expect(chunks.map((chunk) => textOf(chunk)).join("")).toBe(text);
});

describe("a client with the emulator's fetch", () => {
  /** The answer, and the keys that were sent. */
  const answered = async (face: string, env: Readonly<Record<string, string>>) => {
    const emulator = createEmulator({ brain: script([say("Hi.")]) });
    const keys: (string | null)[] = [];
    const watched = async (input: string, init: RequestInit): Promise<Response> => {
      keys.push(new Headers(init.headers).get("x-goog-api-key"));
      return emulator.fetch(input, init);
    };
    // With the mark that no key is needed.
    // oxlint-disable-next-line typescript/unbound-method -- only its properties
    const fetch = Object.assign(watched, emulator.fetch);
    const agent = new Agent({ model: gemini("gemini-flash-latest", { fetch, env }) });
    const { text } = face === "run" ? await agent.run("Hello") : await agent.stream("Hello").result();
    return { text, keys };
  };

  test.each(["run", "stream"])("needs no key, and sends none from the environment, read by %s", async (face) => {
    expect(await answered(face, {})).toEqual({ text: "Hi.", keys: ["emulator"] });
    expect(await answered(face, { GEMINI_API_KEY: "a-key-of-mine" })).toEqual({ text: "Hi.", keys: ["emulator"] });
    expect(await answered(face, { COMETAPI_KEY: "a-key-of-mine" })).toEqual({ text: "Hi.", keys: ["emulator"] });
  });

  test("is passed as it is", async () => {
    const emulator = createEmulator({ brain: script([say("Hi.")]) });
    // oxlint-disable-next-line typescript/unbound-method -- needs no this
    const agent = new Agent({ model: gemini("gemini-flash-latest", { fetch: emulator.fetch, env: {} }) });
    expect((await agent.run("Hello")).text).toBe("Hi.");
  });

  test("another fetch needs a key: it lacks the emulator's mark", async () => {
    const emulator = createEmulator({ brain: script([say("Hi.")]) });
    const model = gemini("gemini-flash-latest", { fetch: (input, init) => emulator.fetch(input, init), env: {} });
    await expect(new Agent({ model }).run("Hello")).rejects.toThrow(ConfigurationError);
    expect(emulator.requests).toEqual([]);
  });
});
