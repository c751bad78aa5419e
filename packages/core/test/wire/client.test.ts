import { inspect } from "node:util";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ConfigurationError } from "../../src/errors/agent-error.ts";
import type { Logger } from "../../src/logging/logger.ts";
import { GeminiClient } from "../../src/wire/client.ts";
import type { GeminiClientOptions } from "../../src/wire/client-options.ts";
import { RequestEncoder } from "../../src/wire/http/encode-request.ts";
import { endpoint, geminiApi } from "../../src/wire/endpoints/endpoint.ts";
import type { GenerateContentRequest, GenerateContentResponse } from "../../src/wire/types/generate-content.ts";
import { RequestBudget, type RetryNotice } from "../../src/wire/http/retry.ts";
import { TRANSPORTS } from "../helpers/transports.ts";

const KEY = "a-key-that-must-not-leak";
const BASE = "https://generativelanguage.googleapis.com/v1beta";
const UNARY = `${BASE}/models/gemini-flash-latest:generateContent`;
const STREAM = `${BASE}/models/gemini-flash-latest:streamGenerateContent`;
const MODEL = "gemini-flash-latest";
const ASK: GenerateContentRequest = { contents: [{ role: "user", parts: [{ text: "hi" }] }] };
const chunk = (text: string, finishReason?: string): GenerateContentResponse => ({
  candidates: [{ content: { role: "model", parts: [{ text }] }, ...(finishReason !== undefined && { finishReason }) }],
});
const OVERLOADED = {
  error: { code: 503, message: "The model is overloaded. Please try again later.", status: "UNAVAILABLE" },
};

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledFrame: "error" }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

interface Line {
  readonly level: string;
  readonly facts: object;
  readonly message: string;
}

/** The lines about requests, without bodies and without the client's choice of transport. */
const requestLines = (lines: readonly Line[]): readonly Line[] =>
  lines.filter(({ level, message }) => level !== "trace" && message !== "HTTP client chosen");

function recorder(): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (facts: object, message: string): void => {
      // As a real logger would: what is written is what counts.
      lines.push({ level, facts: JSON.parse(JSON.stringify(facts)), message });
    };
  return {
    lines,
    logger: { trace: at("trace"), debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
  };
}

async function readAll(client: GeminiClient, options = {}): Promise<GenerateContentResponse[]> {
  const all: GenerateContentResponse[] = [];
  for await (const batch of client.streamGenerateContent(MODEL, ASK, options)) all.push(...batch);
  return all;
}

const sse = (...data: readonly unknown[]): string =>
  data.map((value) => `data: ${JSON.stringify(value)}\r\n\r\n`).join("");

function answerStream(body: string, init: { status?: number; type?: string } = {}): void {
  const { status = 200, type = "text/event-stream" } = init;
  server.use(http.post(STREAM, () => new HttpResponse(body, { status, headers: { "content-type": type } })));
}

describe.each(TRANSPORTS)("over %s", (_transport, fetch) => {
  function makeClient(options: GeminiClientOptions = {}): GeminiClient {
    return new GeminiClient({
      endpoint: geminiApi({ apiKey: KEY, env: {} }),
      retry: { minDelayMs: 1, maxAttempts: 3 },
      env: {},
      fetch,
      ...options,
    });
  }

  describe("what is sent", () => {
    test("is the whole body with the key, type and time limit in headers", async () => {
      let seen: unknown;
      server.use(
        http.post(UNARY, async ({ request }) => {
          const {
            accept: _a,
            "user-agent": _u,
            "accept-language": _l,
            "sec-fetch-mode": _s,
            "accept-encoding": _e,
            ...headers
          } = Object.fromEntries(request.headers);
          seen = { url: request.url, headers, body: await request.text() };
          return HttpResponse.json(chunk("hello", "STOP"));
        }),
      );
      expect(await makeClient({ timeouts: { totalMs: 90_500 } }).generateContent(MODEL, ASK)).toEqual(
        chunk("hello", "STOP"),
      );
      expect(seen).toEqual({
        url: UNARY,
        headers: expect.objectContaining({
          "content-type": "application/json",
          "x-goog-api-key": KEY,
          "x-server-timeout": "91",
        }),
        body: '{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}',
      });
      expect(JSON.stringify(seen)).not.toContain("authorization");
    });

    test("a stream asks for server-sent events", async () => {
      let url = "";
      server.use(
        http.post(STREAM, ({ request }) => {
          url = request.url;
          return new HttpResponse(sse(chunk("a", "STOP")), { headers: { "content-type": "text/event-stream" } });
        }),
      );
      await readAll(makeClient());
      expect(url).toBe(`${STREAM}?alt=sse`);
    });

    test("an encoder serializes each content of a conversation once", async () => {
      const bodies: unknown[] = [];
      server.use(
        http.post(UNARY, async ({ request }) => {
          bodies.push(await request.json());
          return HttpResponse.json(chunk("hello", "STOP"));
        }),
      );
      const client = makeClient();
      const encoder = new RequestEncoder();
      const longer = {
        contents: [...ASK.contents, { role: "model" as const, parts: [{ text: "hello" }] }, ...ASK.contents],
      };
      await client.generateContent(MODEL, ASK, { encoder });
      await client.generateContent(MODEL, longer, { encoder });
      expect(bodies).toEqual([ASK, longer]);
      expect(encoder.serializedContents).toBe(3);
    });

    test("nothing, without a key", async () => {
      await expect(new GeminiClient({ env: {} }).generateContent(MODEL, ASK)).rejects.toThrow(ConfigurationError);
    });

    test("nothing to where a redirect points", async () => {
      server.use(
        http.post(
          UNARY,
          () => new HttpResponse(null, { status: 307, headers: { location: "https://evil.example.com/x" } }),
        ),
      );
      await expect(makeClient().generateContent(MODEL, ASK)).rejects.toMatchObject({
        code: "api_status",
        status: 307,
        retryable: false,
      });
    });
  });

  describe("other operations", () => {
    test("countTokens counts contents, or a whole request under its model", async () => {
      const bodies: unknown[] = [];
      server.use(
        http.post(`${BASE}/models/gemini-flash-latest:countTokens`, async ({ request }) => {
          bodies.push(await request.json());
          return HttpResponse.json({ totalTokens: 5, novelty: 1 });
        }),
      );
      expect(await makeClient().countTokens(MODEL, ASK)).toEqual({ totalTokens: 5, novelty: 1 });
      await makeClient().countTokens(MODEL, { generateContentRequest: ASK });
      expect(bodies).toEqual([ASK, { generateContentRequest: { model: `models/${MODEL}`, ...ASK } }]);
    });

    test("listModels and getModel", async () => {
      const urls: string[] = [];
      server.use(
        http.get(`${BASE}/models`, ({ request }) => {
          urls.push(request.url);
          return HttpResponse.json({ models: [{ name: "models/x" }], nextPageToken: "p2" });
        }),
        http.get(`${BASE}/models/x`, () => HttpResponse.json({ name: "models/x", inputTokenLimit: 7 })),
      );
      expect(await makeClient().listModels()).toEqual({ models: [{ name: "models/x" }], nextPageToken: "p2" });
      await makeClient().listModels({ pageSize: 2, pageToken: "p 2" });
      expect(urls).toEqual([`${BASE}/models`, `${BASE}/models?pageSize=2&pageToken=p+2`]);
      expect(await makeClient().getModel("x")).toEqual({ name: "models/x", inputTokenLimit: 7 });
    });
  });

  describe("a stream's body", () => {
    const both = [chunk("a"), chunk("b", "STOP")];

    test.each<[string, string, { status?: number; type?: string }]>([
      ["events", sse(...both), {}],
      ["events with a final mark and comments", `: hi\n\n${sse(...both)}data: [DONE]\n\n`, {}],
      ["a list as application/json", JSON.stringify(both), { type: "application/json" }],
      ["a list as an event stream", JSON.stringify(both, undefined, 1), {}],
      ["events as application/json", sse(...both), { type: "application/json" }],
    ])("may be %s", async (_name, body, init) => {
      answerStream(body, init);
      expect(await readAll(makeClient())).toEqual(both);
    });

    test("may be one bare object", async () => {
      answerStream(JSON.stringify(both[1]));
      expect(await readAll(makeClient())).toEqual([both[1]]);
    });

    test.each([
      ["without a finish reason", sse(both[0])],
      ["in the middle of an event", `${sse(both[0])}data: {"candidates":[{"con`],
    ])("may end %s, which is for the reader to judge", async (_name, body) => {
      answerStream(body);
      expect(await readAll(makeClient())).toEqual([both[0]]);
    });

    test("may be empty", async () => {
      answerStream("");
      expect(await readAll(makeClient())).toEqual([]);
    });

    test("is refused when it is a web page or no answer", async () => {
      answerStream("<html><title>Sign in</title></html>", { type: "text/html" });
      await expect(readAll(makeClient())).rejects.toMatchObject({ code: "api_shape", path: "$" });
      answerStream("data: 7\n\n");
      await expect(readAll(makeClient())).rejects.toMatchObject({ code: "api_shape", path: "$" });
    });

    test("is cancelled when the reader leaves", async () => {
      let cancelled = false;
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new TextEncoder().encode(sse(chunk("x")))),
        cancel: () => void (cancelled = true),
      });
      const client = makeClient({ fetch: async () => new Response(body) });
      for await (const batch of client.streamGenerateContent(MODEL, ASK)) {
        expect(batch).toEqual([chunk("x")]);
        break;
      }
      expect(cancelled).toBe(true);
    });
  });

  describe("an error", () => {
    const gateway = {
      error: { message: "Invalid token (request id: r1)", type: "new_api_error", param: "", code: "" },
    };
    const once = { retry: { maxAttempts: 1 } };

    test.each<[string, string, { status?: number; type?: string }, object]>([
      [
        "as a body",
        JSON.stringify(OVERLOADED),
        { status: 503, type: "application/json" },
        { status: 503, reason: "UNAVAILABLE" },
      ],
      ["as a body in a list", JSON.stringify([OVERLOADED]), { status: 503 }, { status: 503, reason: "UNAVAILABLE" }],
      [
        "as a bare object of an event stream",
        JSON.stringify({ error: { code: 400, message: "m", status: "INVALID_ARGUMENT" } }),
        { status: 400 },
        { status: 400, reason: "INVALID_ARGUMENT" },
      ],
      [
        "as an event with its own status",
        sse({ error: { code: 400, message: "m", status: "INVALID_ARGUMENT" } }),
        { status: 400 },
        { status: 400, reason: "INVALID_ARGUMENT" },
      ],
      ["as an event of a stream", sse(OVERLOADED), {}, { status: 503, reason: "UNAVAILABLE", retryable: true }],
      [
        "as a bare object with status 200",
        JSON.stringify(OVERLOADED, undefined, 2),
        {},
        { status: 503, reason: "UNAVAILABLE" },
      ],
      ["as a list with status 200", JSON.stringify([OVERLOADED]), { type: "application/json" }, { status: 503 }],
      [
        "of a gateway as a body",
        JSON.stringify(gateway),
        { status: 401 },
        { status: 401, reason: "new_api_error", requestId: "r1" },
      ],
      ["of a gateway as an event", sse(gateway), {}, { status: 500, reason: "new_api_error" }],
      [
        "as a web page",
        "<html><title>504 Gateway Time-out</title></html>",
        { status: 504, type: "text/html" },
        { status: 504, retryable: true },
      ],
      ["without a body", "", { status: 404 }, { status: 404, retryable: false }],
    ])("%s is thrown", async (_name, body, init, expected) => {
      answerStream(body, init);
      await expect(readAll(makeClient(once))).rejects.toMatchObject({ code: "api_status", ...expected });
    });

    test("in the middle of a stream is thrown after what came before it, and not retried", async () => {
      let requests = 0;
      server.use(
        http.post(STREAM, () => {
          requests++;
          return new HttpResponse(sse(chunk("a"), OVERLOADED, chunk("b")));
        }),
      );
      const seen: unknown[] = [];
      const read = async (): Promise<void> => {
        for await (const batch of makeClient().streamGenerateContent(MODEL, ASK)) seen.push(...batch);
      };
      await expect(read()).rejects.toMatchObject({ status: 503, retryable: true });
      expect({ seen, requests }).toEqual({ seen: [chunk("a")], requests: 1 });
    });

    test("after the events as a bare object is thrown too", async () => {
      answerStream(sse(chunk("a")) + JSON.stringify(OVERLOADED));
      await expect(readAll(makeClient())).rejects.toMatchObject({ status: 503 });
    });

    test.each([
      ["an error object", OVERLOADED, { code: "api_status", status: 503 }],
      ["a list of an error object", [OVERLOADED], { code: "api_status", status: 503 }],
      ["a list of answers", [chunk("a"), chunk("b")], { code: "api_shape" }],
    ])("of a unary call: %s with status 200", async (_name, body, expected) => {
      server.use(http.post(UNARY, () => HttpResponse.json(body)));
      await expect(makeClient(once).generateContent(MODEL, ASK)).rejects.toMatchObject(expected);
    });

    test("of the network is typed, with the cause", async () => {
      server.use(http.post(UNARY, () => HttpResponse.error()));
      await expect(makeClient(once).generateContent(MODEL, ASK)).rejects.toMatchObject({
        code: "api_network",
        retryable: true,
        cause: expect.any(TypeError),
      });
    });

    test("of a body larger than the limit is typed", async () => {
      server.use(http.post(UNARY, () => HttpResponse.json(chunk("x".repeat(5000)))));
      await expect(makeClient({ maxBufferBytes: 1000 }).generateContent(MODEL, ASK)).rejects.toMatchObject({
        code: "api_shape",
      });
    });
  });

  describe("retrying", () => {
    test.each([
      ["a status", () => HttpResponse.json(OVERLOADED, { status: 503 })],
      ["an error as the first event", () => new HttpResponse(sse(OVERLOADED))],
      ["the network", () => HttpResponse.error()],
    ])("after %s sends the same bytes again and says so", async (_name, fail) => {
      const bodies: string[] = [];
      server.use(
        http.post(STREAM, async ({ request }) => {
          bodies.push(await request.text());
          return bodies.length < 3 ? fail() : new HttpResponse(sse(chunk("a", "STOP")));
        }),
      );
      const notices: RetryNotice[] = [];
      const { logger, lines } = recorder();
      expect(
        await readAll(makeClient({ logger, random: () => 0 }), {
          onRetry: (notice: RetryNotice) => notices.push(notice),
        }),
      ).toEqual([chunk("a", "STOP")]);
      expect(bodies).toEqual([bodies[0], bodies[0], bodies[0]]);
      expect(notices.map(({ attempt, delayMs }) => ({ attempt, delayMs }))).toEqual([
        { attempt: 1, delayMs: 1 },
        { attempt: 2, delayMs: 2 },
      ]);
      const written = requestLines(lines).map(({ level, message }) => `${level} ${message}`);
      expect(written).toEqual([
        "debug request",
        "warn request failed, retrying",
        "debug request",
        "warn request failed, retrying",
        "debug request",
      ]);
    });

    test("stops after the last attempt, and does not begin for a final error", async () => {
      let requests = 0;
      let answer = { status: 503, error: OVERLOADED };
      server.use(
        http.post(UNARY, () => {
          requests++;
          return HttpResponse.json(answer.error, { status: answer.status });
        }),
      );
      await expect(makeClient().generateContent(MODEL, ASK)).rejects.toMatchObject({ status: 503 });
      expect(requests).toBe(3);
      answer = { status: 400, error: { error: { code: 400, message: "no", status: "INVALID_ARGUMENT" } } };
      await expect(makeClient().generateContent(MODEL, ASK)).rejects.toMatchObject({ status: 400 });
      expect(requests).toBe(4);
    });

    test("an abort while waiting gives the caller's own reason", async () => {
      server.use(
        http.post(UNARY, () => HttpResponse.json(OVERLOADED, { status: 503, headers: { "retry-after": "100" } })),
      );
      const controller = new AbortController();
      const options = { signal: controller.signal, onRetry: () => controller.abort("enough") };
      await expect(makeClient().generateContent(MODEL, ASK, options)).rejects.toBe("enough");
    });

    test.each([
      { retry: { maxAttempts: 0 } },
      { retry: { maxAttempts: 1.5 } },
      { timeouts: { idleMs: -1 } },
      { timeouts: { totalMs: Number.NaN } },
    ])("refuses the limit %j", (options) => {
      expect(() => makeClient(options)).toThrow(TypeError);
    });
  });

  describe("the log", () => {
    test("has one line with the facts of a request", async () => {
      server.use(http.post(UNARY, () => HttpResponse.json(chunk("hello", "STOP"))));
      const { logger, lines } = recorder();
      await makeClient({ logger }).generateContent(MODEL, ASK);
      expect(requestLines(lines)).toEqual([
        {
          level: "debug",
          message: "request",
          facts: {
            operation: "generateContent",
            model: MODEL,
            attempt: 1,
            status: 200,
            ms: expect.any(Number),
            bytesSent: 54,
            bytesReceived: JSON.stringify(chunk("hello", "STOP")).length,
          },
        },
      ]);
      expect(lines.filter(({ level }) => level === "trace").map(({ message }) => message)).toEqual([
        "request body",
        "response body",
      ]);
    });
  });

  test.each<[string, (key: string) => Response]>([
    [
      "an error that echoes the key",
      (key) =>
        HttpResponse.json(
          { error: { code: 400, message: `bad key ${key}`, status: "INVALID_ARGUMENT", details: [{ key }] } },
          { status: 400 },
        ),
    ],
    [
      "a retried error that echoes it",
      (key) =>
        HttpResponse.json({ error: { code: 503, message: `bad key ${key}`, status: "UNAVAILABLE" } }, { status: 503 }),
    ],
    ["an embedded error that echoes it", (key) => HttpResponse.json({ error: { message: key, type: key } })],
    ["a shape that echoes it", (key) => HttpResponse.json({ candidates: key })],
    ["text that echoes it", (key) => new HttpResponse(`key ${key}`)],
    [
      "a redirect with it",
      (key) =>
        new HttpResponse(null, { status: 302, headers: { location: `https://x.example.com/${key}?key=${key}` } }),
    ],
    ["a broken connection", () => HttpResponse.error()],
  ])("no key in errors or logs after %s", async (_name, answer) => {
    server.use(
      http.all("https://*/*", ({ request }) =>
        answer(
          request.headers.get("x-goog-api-key") ?? (request.headers.get("authorization") ?? "").replace("Bearer ", ""),
        ),
      ),
    );
    const endpoints = [
      geminiApi({ apiKey: KEY, env: {} }),
      endpoint({ baseUrl: "https://gw.example.com", apiKey: KEY, auth: "bearer" }),
    ];
    for (const target of endpoints) {
      const { logger, lines } = recorder();
      const client = makeClient({ endpoint: target, logger });
      const request: GenerateContentRequest = { contents: [{ role: "user", parts: [{ text: `my key is ${KEY}` }] }] };
      const notices: RetryNotice[] = [];
      const failure = await client
        .generateContent(MODEL, request, { onRetry: (notice) => notices.push(notice) })
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(lines.length).toBeGreaterThan(0);
      expect(inspect([failure, lines, notices, client], { depth: null })).not.toContain(KEY);
    }
  });
});

test("a spent budget names the last of a call's failures", async () => {
  const statuses = [500, 503];
  const client = new GeminiClient({
    endpoint: endpoint({ baseUrl: "http://127.0.0.1:1" }),
    fetch: async () => new Response("{}", { status: statuses.shift() ?? 200 }),
    retry: { minDelayMs: 1 },
  });
  const call = client.generateContent("m", { contents: [] }, { budget: new RequestBudget(2) });
  await expect(call).rejects.toMatchObject({ code: "request_limit", cause: { status: 503 } });
});

test("an error that is an event with a name says as much as a bare one", async () => {
  const error = { message: "high demand", code: "service_unavailable" };
  server.use(
    http.post(UNARY, () => new HttpResponse(`event: error\ndata: ${JSON.stringify({ error })}\n\n`, { status: 503 })),
  );
  const client = new GeminiClient({ endpoint: geminiApi({ apiKey: KEY }), retry: { maxAttempts: 1 } });
  await expect(client.generateContent(MODEL, ASK)).rejects.toMatchObject({
    status: 503,
    reason: "service_unavailable",
    message: "The API responded with 503 service_unavailable: high demand. Try again later.",
  });
});
