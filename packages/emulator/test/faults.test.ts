import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createEmulator, type Emulator, type Fault, fault, faults, script, say } from "../src/index.ts";
import { ask, eventsIn, MODEL, partsOf, post, streamed, textOf, unary, WEATHER } from "./support.ts";

afterEach(() => void vi.useRealTimers());

/** Waits for a timer to start, and advances the clock by exactly its time. */
async function pass(ms: number): Promise<void> {
  while (vi.getTimerCount() === 0) await setImmediate();
  vi.advanceTimersByTime(ms - 1);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(1);
  expect(vi.getTimerCount()).toBe(0);
}

const failing = (what: Fault, at: number | readonly number[] = 1): Emulator =>
  createEmulator({
    brain: script([say("One ", "two ", "three"), say("Next")]),
    faults: [{ at, fault: what }],
  });

const detail = (type: string, fields: object): object =>
  expect.objectContaining({ "@type": `type.googleapis.com/google.rpc.${type}`, ...fields });

describe("errors before any byte", () => {
  test.each<[string, Fault, number, object]>([
    [
      "Q-1",
      faults.perMinuteQuota({ retryDelay: "0.2s" }),
      429,
      {
        status: "RESOURCE_EXHAUSTED",
        message: expect.stringMatching(/Please retry in 0\.2s\.$/),
        details: expect.arrayContaining([
          detail("RetryInfo", { retryDelay: "0.2s" }),
          detail("QuotaFailure", {
            violations: [expect.objectContaining({ quotaId: expect.stringContaining("PerMinute"), quotaValue: "5" })],
          }),
        ]),
      },
    ],
    [
      "Q-2",
      faults.perDayQuota(),
      429,
      {
        message: expect.stringContaining("limit: 20, model: gemini-3.8-flash"),
        details: expect.arrayContaining([
          detail("RetryInfo", { retryDelay: "34.07s" }),
          detail("QuotaFailure", {
            violations: [expect.objectContaining({ quotaId: expect.stringContaining("PerDay") })],
          }),
        ]),
      },
    ],
    ["Q-3", faults.tierWithoutModel(), 429, { message: expect.stringContaining("limit: 0") }],
    [
      "Q-4",
      faults.plainQuota(),
      429,
      { code: 429, message: "Resource has been exhausted (e.g. check quota).", status: "RESOURCE_EXHAUSTED" },
    ],
    [
      "Q-4",
      faults.plainQuota({ wording: "shared" }),
      429,
      { message: expect.stringMatching(/^Resource exhausted\. Please try again later\./) },
    ],
    ["Q-5", faults.prepaidEmpty(), 402, { status: "RESOURCE_EXHAUSTED" }],
    [
      "Q-7",
      faults.inputTokenQuota(),
      429,
      {
        status: "RESOURCE_EXHAUSTED",
        message: expect.stringMatching(
          /generate_content_paid_tier_input_token_count, limit: 1000000, model: gemini-3\.8-flash\nPlease retry in 45\.811974541s\.$/,
        ),
        details: [
          detail("Help", {}),
          detail("QuotaFailure", {
            violations: [
              {
                quotaMetric: "generativelanguage.googleapis.com/generate_content_paid_tier_input_token_count",
                quotaId: "GenerateContentPaidTierInputTokensPerModelPerMinute",
                quotaDimensions: { location: "global", model: "gemini-3.8-flash" },
                quotaValue: "1000000",
              },
            ],
          }),
          detail("RetryInfo", { retryDelay: "45s" }),
        ],
      },
    ],
    [
      "Q-7",
      faults.inputTokenQuota({ tier: "paid-2", retryDelay: "0.2s" }),
      429,
      {
        message: expect.stringContaining("paid_tier_2_input_token_count, limit: 3000000"),
        details: expect.arrayContaining([
          detail("RetryInfo", { retryDelay: "0.2s" }),
          detail("QuotaFailure", {
            violations: [
              expect.objectContaining({ quotaId: "GenerateContentPaidTierInputTokensPerModelPerMinute-PaidTier2" }),
            ],
          }),
        ]),
      },
    ],
    [
      "Q-7",
      faults.inputTokenQuota({ tier: "free", limit: 9 }),
      429,
      { message: expect.stringContaining("free_tier_input_token_count, limit: 9") },
    ],
    ["Q-6", faults.spendRate(), 429, { status: "RESOURCE_EXHAUSTED" }],
    [
      "S-1",
      faults.overloaded(),
      503,
      { code: 503, message: "The model is overloaded. Please try again later.", status: "UNAVAILABLE" },
    ],
    ["S-1", faults.overloaded({ wording: "high-demand" }), 503, { message: expect.stringContaining("high demand") }],
    ["S-2", faults.internalError(), 500, { status: "INTERNAL" }],
    [
      "S-3",
      faults.deadlineExceeded(),
      504,
      { status: "DEADLINE_EXCEEDED", message: "Deadline expired before operation could complete." },
    ],
    ["S-4", faults.cancelled(), 499, { status: "CANCELLED", message: "The operation was cancelled." }],
    [
      "S-13",
      faults.gatewayStatus({ status: 503, code: "model_not_found" }),
      503,
      { code: "model_not_found", type: "comet_api_error", param: "" },
    ],
    ["418", faults.apiError(418, "INTERNAL", "teapot"), 418, { code: 418, message: "teapot" }],
  ])("%s", async (rule, what, status, error) => {
    const emulator = failing(what);
    const response = await post(emulator, "generateContent", ask("Hi"));
    expect([response.status, response.headers.has("retry-after"), emulator.requests[0]?.answered.rule]).toEqual([
      status,
      false,
      rule,
    ]);
    expect(await response.json()).toEqual({ error: expect.objectContaining(error) });
    // The retry gets the withheld answer.
    expect(textOf(await unary(emulator, ask("Hi")))).toBe("One two three");
  });

  test("S-5 is a page", async () => {
    const response = await post(failing(faults.htmlPage(504)), "generateContent", ask("Hi"));
    expect([response.status, response.headers.get("content-type")]).toEqual([504, "text/html; charset=UTF-8"]);
    expect(await response.text()).toContain("<h1>504 Gateway Time-out</h1>");
  });

  test("S-12 is wrapped in an array", async () => {
    expect(await (await post(failing(faults.arrayWrappedError()), "generateContent", ask("Hi"))).json()).toMatchObject([
      { error: { code: 503 } },
    ]);
  });

  test("an error of a stream is a bare object in an event stream, or an array without alt=sse", async () => {
    const events = await post(failing(faults.overloaded()), "streamGenerateContent?alt=sse", ask("Hi"));
    expect(events.headers.get("content-type")).toBe("text/event-stream");
    expect(await events.json()).toMatchObject({ error: { code: 503 } });
    expect(await (await post(failing(faults.overloaded()), "streamGenerateContent", ask("Hi"))).json()).toMatchObject([
      { error: { code: 503 } },
    ]);
  });
});

describe("streams that fail", () => {
  const body = async (what: Fault): Promise<string> =>
    (await post(failing(what), "streamGenerateContent?alt=sse", ask("Hi"))).text();

  test("S-6: an error object after two chunks, in an event or bare", async () => {
    expect(
      eventsIn(await body(faults.errorInStream({ afterChunks: 2 }))).map((chunk) =>
        "error" in chunk ? chunk : textOf(chunk),
      ),
    ).toEqual([
      "One ",
      "two ",
      { error: { code: 503, message: "The model is overloaded. Please try again later.", status: "UNAVAILABLE" } },
    ]);
    expect(await body(faults.errorInStream({ bare: true }))).toMatch(/\r\n\r\n\{"error":\{"code":503,.*\}$/);
    expect(await body(faults.errorInStream({ bare: true, trailer: "data: [DONE]" }))).toMatch(
      /\r\n\r\n\{"error":.*\}\r\n\r\ndata: \[DONE\]\r\n\r\n$/,
    );
    expect(await body(faults.errorInStream({ trailer: ": bye" }))).toMatch(/"UNAVAILABLE"\}\}\r\n\r\n: bye\r\n\r\n$/);
  });

  test("S-6 of a unary request is its status", async () => {
    expect((await post(failing(faults.errorInStream()), "generateContent", ask("Hi"))).status).toBe(503);
  });

  test("S-7: closed without a finish reason, or in the middle of an object", async () => {
    const chunks = eventsIn(await body(faults.closeEarly({ afterChunks: 9 })));
    expect(chunks.map((chunk) => chunk.candidates?.[0]?.finishReason)).toEqual([undefined, undefined, undefined]);
    expect(await body(faults.closeMidJson({ atByte: 25 }))).toBe('data: {"candidates": [{"c');
  });

  test("S-7: reset while the body is read", async () => {
    const response = await post(failing(faults.reset({ afterChunks: 1 })), "streamGenerateContent?alt=sse", ask("Hi"));
    await expect(response.text()).rejects.toMatchObject({ message: "terminated", cause: { code: "ECONNRESET" } });
  });

  test("the retry of a stream that was cut gets the same answer", async () => {
    const emulator = failing(faults.closeEarly());
    await (await post(emulator, "streamGenerateContent?alt=sse", ask("Hi"))).text();
    expect(emulator.requests[0]?.answered).toMatchObject({ complete: false, rule: "S-7" });
    expect(textOf(...(await streamed(emulator, ask("Hi"))))).toBe("One two three");
    expect(textOf(...(await streamed(emulator, ask("Hi"))))).toBe("Next");
  });

  test("S-11: silence in the middle, and before the first byte", async () => {
    for (const what of [faults.stall({ ms: 60_000 }), faults.slowFirstByte({ ms: 60_000 })]) {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const reading = body(what);
      await pass(60_000);
      expect(textOf(...eventsIn(await reading))).toBe("One two three");
    }
  });

  test("the delay between chunks comes before each but the first", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const brain = script([say("One ", "two ", "three")]);
    const emulator = createEmulator({ brain, delays: { chunkMs: 1_000 } });
    const response = await post(emulator, "streamGenerateContent?alt=sse", ask("Hi"));
    const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
    for (const said of ["One ", "two ", "three", ""]) {
      const { value } = await reader.read();
      expect(textOf(...eventsIn(new TextDecoder().decode(value)))).toBe(said);
      if (said !== "") await pass(1_000);
    }
    expect(await reader.read()).toMatchObject({ done: true });
  });

  test("S-11: endless silence ends with the reader", async () => {
    const response = await post(
      failing(faults.stall({ ms: Number.POSITIVE_INFINITY })),
      "streamGenerateContent?alt=sse",
      ask("Hi"),
    );
    const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
    await reader.read();
    await expect(reader.cancel()).resolves.toBeUndefined();
  });

  test("S-8: a chunk with usage only", async () => {
    const chunks = eventsIn(await body(faults.usageOnlyChunk({ afterChunks: 1 })));
    expect(chunks.map((chunk) => chunk.candidates !== undefined)).toEqual([true, false, true, true, true]);
    expect(chunks[1]?.usageMetadata?.totalTokenCount).toBeGreaterThan(0);
  });

  test("S-13: a gateway's error inside", async () => {
    expect(eventsIn(await body(faults.gatewayErrorInStream({ message: "boom" }))).at(-1)).toEqual({
      error: { message: "boom", type: "upstream_error", param: "", code: "do_request_failed" },
    });
  });
});

describe("answers that are no answers", () => {
  const candidate = async (what: Fault): Promise<unknown> =>
    (await unary(failing(what), ask("Hi", { tools: [WEATHER] }))).candidates?.[0];
  const stop = { finishReason: "STOP", index: 0 };

  test.each<[string, Fault, object | undefined]>([
    ["S-8 no parts", faults.emptyStop(), { content: { role: "model" }, ...stop }],
    ["S-8 no content", faults.emptyStop({ shape: "no-content" }), stop],
    ["S-8 empty content", faults.emptyStop({ shape: "empty-content" }), { content: {}, ...stop }],
    [
      "S-8 empty text",
      faults.emptyStop({ shape: "empty-text" }),
      { content: { parts: [{ text: "", thoughtSignature: expect.any(String) }], role: "model" }, ...stop },
    ],
    ["S-8 only thoughts", faults.onlyThoughts(), { content: { role: "model" }, ...stop }],
    ["S-8 no candidates", faults.noCandidates(), undefined],
    [
      "S-9 malformed",
      faults.malformedCall(),
      {
        content: { role: "model" },
        finishReason: "MALFORMED_FUNCTION_CALL",
        finishMessage: expect.stringContaining("default_api."),
        index: 0,
      },
    ],
    [
      "S-9 undeclared",
      faults.unexpectedToolCall(),
      {
        content: { role: "model" },
        finishReason: "UNEXPECTED_TOOL_CALL",
        finishMessage: "Unexpected tool call: Model tried to call an undeclared function: list_files",
        index: 0,
      },
    ],
    ["S-9 blocked", faults.safety(), { content: {}, finishReason: "SAFETY", index: 0 }],
    ["S-9 cut", faults.maxTokens(""), { content: { role: "model" }, finishReason: "MAX_TOKENS", index: 0 }],
    ["any", faults.finishReason("RECITATION"), { content: { role: "model" }, finishReason: "RECITATION", index: 0 }],
  ])("%s", async (_, what, expected) => {
    expect(await candidate(what)).toEqual(expected);
  });

  test("S-9: a call cut in the middle lacks its arguments; an undeclared one is there when asked for", async () => {
    expect(await candidate(faults.maxTokensMidCall())).toMatchObject({
      finishReason: "MAX_TOKENS",
      content: { parts: [{ functionCall: { name: "get_weather", args: {} } }] },
    });
    expect(await candidate(faults.unexpectedToolCall({ withPart: true }))).toMatchObject({
      content: { parts: [{ functionCall: { name: "list_files" } }] },
    });
  });

  test("S-10: a blocked prompt has feedback and usage only", async () => {
    const answer = await unary(failing(faults.promptBlocked("PROHIBITED_CONTENT")), ask("Hi"));
    expect(answer).toMatchObject({
      promptFeedback: { blockReason: "PROHIBITED_CONTENT" },
      usageMetadata: { promptTokenCount: 1 },
      modelVersion: MODEL,
    });
    expect(answer.candidates).toBeUndefined();
  });

  test("leave the script's line for the next request", async () => {
    const emulator = failing(faults.emptyStop());
    await unary(emulator, ask("Hi"));
    expect(textOf(await unary(emulator, ask("Hi")))).toBe("One two three");
  });
});

test.each<[string, Fault, string]>([
  ["Q-1", faults.perMinuteQuota(), "gemini-2.5-flash"],
  ["Q-2", faults.perDayQuota(), "gemini-2.5-flash"],
  ["Q-3", faults.tierWithoutModel(), "gemini-2.5-flash"],
  ["Q-7", faults.inputTokenQuota(), "gemini-2.5-flash"],
  ["Q-1 with a model of its own", faults.perMinuteQuota({ model: "gemini-3.8-flash" }), "gemini-3.8-flash"],
  ["S-12", faults.arrayWrappedError(faults.perMinuteQuota()), "gemini-2.5-flash"],
])("%s names the model of the request", async (_what, what, named) => {
  for (const emulator of [failing(what), createEmulator({ brain: script([fault(what)]) })]) {
    const body = await (await post(emulator, "generateContent", ask("hi"), "gemini-2.5-flash")).text();
    expect([...body.matchAll(/model(?:: |": ")([\w.-]+\w)/g)].map(([, model]) => model)).toEqual([named, named]);
  }
});

test("E-15 under responseMatching empty: an empty candidate", async () => {
  const emulator = createEmulator({ strict: { responseMatching: "empty" }, brain: script([say("never")]) });
  const contents = [
    { role: "user", parts: [{ text: "Weather?" }] },
    {
      role: "model",
      parts: [
        {
          functionCall: { id: "aaaaaaaa", name: "get_weather", args: {} },
          thoughtSignature: "skip_thought_signature_validator",
        },
      ],
    },
    { role: "user", parts: [{ functionResponse: { id: "bbbbbbbb", name: "get_weather", response: { output: 1 } } }] },
  ];
  expect(partsOf(await unary(emulator, { contents, tools: [WEATHER] }))).toEqual([]);
});

test("a fault can be a line of a script, and rules can look at the request", async () => {
  const scripted = createEmulator({ brain: script([fault(faults.overloaded()), say("fine")]) });
  expect((await post(scripted, "generateContent", ask("Hi"))).status).toBe(503);
  expect(textOf(await unary(scripted, ask("Hi")))).toBe("fine");
  const picky = createEmulator({
    brain: script([say("fine")]),
    faults: [{ at: ({ streamed: isStream }) => isStream, fault: faults.internalError() }],
  });
  expect((await post(picky, "streamGenerateContent?alt=sse", ask("Hi"))).status).toBe(500);
  expect(textOf(await unary(picky, ask("Hi")))).toBe("fine");
});
