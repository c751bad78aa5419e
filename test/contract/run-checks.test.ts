import type { Content } from "@pollux/core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { RequestEncoder } from "../../packages/core/src/wire/http/encode-request.ts";
import { SseDecoder } from "../../packages/core/src/wire/http/sse.ts";
import type { Check } from "./check.ts";
import { citations } from "./checks/citations.ts";
import { emulator } from "./checks/emulator.ts";
import { fold } from "./checks/fold.ts";
import { history } from "./checks/history.ts";
import { parse } from "./checks/parse.ts";
import type { KnownDifference } from "./known-differences.ts";
import { messageShape } from "./message-shape.ts";
import { readRecording } from "./read-recording.ts";
import type { Recording } from "./recordings.ts";
import { CHECKS, describeReport, runCheck } from "./run-checks.ts";

/** An answer "hello" with another text in its answer key. */
const wrong: Recording = {
  file: "made-up/wrong.json",
  model: "gemini-3-flash-preview",
  api: "gemini",
  features: [],
  fidelity: [],
  exchanges: [
    {
      path: null,
      model: null,
      request: null,
      status: 200,
      responseHeaders: null,
      responseBody: JSON.stringify({ candidates: [{ content: { parts: [{ text: "hello" }] }, finishReason: "STOP" }] }),
      kind: ["unary"],
      features: [],
      framing: "json",
      continues: null,
      digest: {
        objects: 1,
        parts: 1,
        text: "bye",
        thoughts: "",
        calls: [],
        signatures: 0,
        finishReasons: [],
        usage: null,
      },
    },
  ],
};
const failure = { file: wrong.file, exchange: 0, why: 'digest.text is "hello", recorded "bye"' };
const known: KnownDifference = { check: "fold", file: "made-up/*.json", reason: "made up" };

test("a difference is a failure unless it is known", async () => {
  expect(await runCheck(fold, [wrong], [])).toMatchObject({ checked: 1, unknown: [failure], gone: [] });
  const report = await runCheck(fold, [wrong], [known]);
  expect(report).toMatchObject({ failures: [failure], unknown: [], gone: [] });
  expect(describeReport(report)).toContain(`(known) ${failure.why}`);
});

test("a known difference that no longer occurs is reported", async () => {
  const report = await runCheck(fold, [], [known]);
  expect(report).toMatchObject({ checked: 0, unknown: [], gone: [known] });
  expect(describeReport(report)).toMatch(/^FAIL fold: .*no longer differs/s);
});

test("a recording that a check cannot read fails, and the others are checked", async () => {
  const broken = { ...wrong, file: "made-up/broken.json", exchanges: [null] } as unknown as Recording;
  for (const check of CHECKS.filter(({ id }) => id === "parse" || id === "fold")) {
    const { failures, checked } = await runCheck(check, [broken, wrong], []);
    expect(failures[0]).toMatchObject({ file: broken.file });
    expect(checked).toBe(2);
  }
});

/** A minimal recording: the question and the answer. */
function recorded(exchange: object): Recording {
  const path = "/v1beta/models/gemini-3.8-flash:generateContent";
  const request = { contents: [{ role: "user", parts: [{ text: "Hi" }] }] };
  return readRecording("made-up/one.json", { exchanges: [{ path, request, ...exchange }] }) as Recording;
}

function answer(text: string, candidate: object = {}): object {
  return { candidates: [{ content: { role: "model", parts: [{ text }] }, finishReason: "STOP", ...candidate }] };
}

function refusal(code: number, status: string, message: string): object {
  return { status: code, responseBody: { error: { code, status, message } } };
}

describe("a defect of the library is seen", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const chunk = `data: ${JSON.stringify(answer("One"))}\n\n`;
  const error = JSON.stringify({ error: { code: 503, message: "Overloaded.", status: "UNAVAILABLE" } });
  const broken = recorded({ status: 200, kind: "stream", responseBody: `${chunk}${error}\n\ndata: [DONE]\n\n` });
  const model = (text: string): object => ({ role: "model", parts: [{ text }] });
  const user = { role: "user", parts: [{ text: "Hi" }] };
  const inARow = recorded({
    request: { contents: [user, model("One"), model("two"), user] },
    responseBody: answer("three"),
  });
  const foreign = recorded({
    request: {
      contents: [
        user,
        { role: "model", parts: [{ functionCall: { id: "call_1", name: "f", args: {} }, thoughtSignature: "x" }] },
        { role: "user", parts: [{ functionResponse: { id: "call_1", name: "f", response: { output: 1 } } }] },
      ],
    },
    responseBody: answer("Done."),
  });

  /** Makes requests like a library that changes its input. */
  function sendingInstead(change: (contents: readonly Content[]) => readonly Content[]): void {
    // The method is called with its own encoder.
    // oxlint-disable-next-line typescript/unbound-method
    const { encodeView } = RequestEncoder.prototype;
    vi.spyOn(RequestEncoder.prototype, "encodeView").mockImplementation(function (this: RequestEncoder, request) {
      return encodeView.call(this, { ...request, contents: change(request.contents) });
    });
  }

  test.each<[string, Check, Recording, () => void, RegExp]>([
    [
      "an error without `data:` that is lost",
      parse,
      broken,
      () => vi.spyOn(SseDecoder.prototype, "end").mockReturnValue([]),
      /^read as an answer/,
    ],
    [
      "a broken answer that passes as whole",
      fold,
      broken,
      () => vi.spyOn(SseDecoder.prototype, "end").mockReturnValue([]),
      /^an answer with an error in the middle came through/,
    ],
    [
      "contents of the model that are joined",
      history,
      inARow,
      () =>
        sendingInstead(
          ([first, one, two, ...rest]) =>
            [
              first,
              { role: "model", parts: [one, two].flatMap((content) => content?.parts ?? []) },
              ...rest,
            ] as Content[],
        ),
      /entries, recorded/,
    ],
    [
      "a history of another provider that loses its ids",
      history,
      foreign,
      () =>
        sendingInstead(
          (contents) => JSON.parse(JSON.stringify(contents).replaceAll('"id":"call_1",', "")) as Content[],
        ),
      /functionCall\.id is missing/,
    ],
  ])("%s", async (_what, check, recording, plant, says) => {
    expect((await runCheck(check, [recording], [])).failures).toEqual([]);
    plant();
    const { failures } = await runCheck(check, [recording], []);
    expect(failures).toMatchObject([{ why: expect.stringMatching(says) }]);
  });

  test("and what is excused is counted", async () => {
    const odd = recorded({
      request: { contents: [{ parts: [{ text: "Hi" }] }, model("One"), model("two"), user] },
      responseBody: answer("ok"),
    });
    const { vanished, notes } = await runCheck(history, [odd, foreign], []);
    expect({ vanished, notes }).toEqual({
      vanished: { "role added": 1 },
      notes: ["1 histories with model contents in a row", "1 histories with ids of another provider"],
    });
    expect((await runCheck(parse, [broken], [])).notes).toEqual(["1 errors in the middle of a stream"]);
  });
});

describe("missing members follow from the others", () => {
  test("by address, body and contents", () => {
    const contents = [{ role: "user", parts: [{ text: "Hi" }] }];
    const { exchanges } = readRecording("x.json", {
      exchanges: [
        { url: "https://host/v1/models/gemini-9:streamGenerateContent", request: JSON.stringify({ contents }) },
        {
          request: { contents: [...contents, { role: "model" }] },
          responseBody: "data: {}\n\n",
          responseHeaders: null,
        },
        { responseBody: { error: { code: 404, message: "gone" } }, status: null, kind: "unary" },
      ],
    }) as Recording;
    const plain = { features: [], digest: null, modelVersion: null, responseHeaders: null };
    expect(exchanges).toEqual([
      {
        ...plain,
        path: "https://host/v1/models/gemini-9:streamGenerateContent",
        model: "gemini-9",
        request: { contents },
        status: 200,
        responseBody: "",
        kind: ["stream"],
        framing: "sse",
        continues: null,
      },
      {
        ...plain,
        path: null,
        model: null,
        request: { contents: [...contents, { role: "model" }] },
        status: 200,
        responseBody: "data: {}\n\n",
        kind: ["stream"],
        framing: "sse",
        continues: 0,
      },
      {
        ...plain,
        path: null,
        model: null,
        request: null,
        status: 404,
        responseBody: '{"error":{"code":404,"message":"gone"}}',
        kind: ["unary"],
        framing: "json",
        continues: null,
      },
    ]);
  });
});

describe("errors of all kinds are read as they are meant", () => {
  const rpc = (type: string, fields: object): object => ({
    "@type": `type.googleapis.com/google.rpc.${type}`,
    ...fields,
  });
  const quota = (id: string): object => rpc("QuotaFailure", { violations: [{ quotaId: id }] });
  const google = (code: number, status: string, message: string, details: readonly object[] = []): object => ({
    error: { code, message, status, details },
  });
  const exhausted = (details: readonly object[], message = "You exceeded your current quota."): object =>
    google(429, "RESOURCE_EXHAUSTED", message, details);
  test.each([
    ["a delay with a fraction", 429, exhausted([rpc("RetryInfo", { retryDelay: "34.074s" })])],
    ["a delay in a sentence", 429, exhausted([], "Slow down. Please retry in 900ms.")],
    ["a delay in a header", 429, exhausted([]), { "Retry-After": "7" }],
    ["a quota of a minute without a delay", 429, exhausted([quota("RequestsPerMinutePerProject")])],
    [
      "a quota of a day with a delay",
      429,
      exhausted([quota("RequestsPerDay"), rpc("RetryInfo", { retryDelay: "3s" })]),
    ],
    ["a model outside the tier", 429, exhausted([quota("RequestsPerDay")], "Quota exceeded, limit: 0, model: m")],
    ["a quota that is used up", 429, exhausted([rpc("ErrorInfo", { reason: "QUOTA_EXHAUSTED" })])],
    ["a plain 429", 429, exhausted([])],
    ["an overload", 503, google(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")],
    ["a bug of the service", 500, google(500, "INTERNAL", "Internal error encountered.")],
    ["a lack of credit", 402, google(402, "RESOURCE_EXHAUSTED", "Your credits are depleted.")],
    ["a gateway", 503, { error: { message: "No channel", type: "new_api_error", param: "", code: "model_not_found" } }],
    [
      "a gateway around the service",
      400,
      {
        error: {
          message: `upstream said {"error":{"code":400,"message":"Bad role.","status":"INVALID_ARGUMENT"}}`,
          type: "upstream_error",
          code: "400",
        },
      },
    ],
    ["a list", 400, [google(400, "INVALID_ARGUMENT", "Please use a valid role: user, model.")]],
    ["a web page", 502, "<html><head><title>502 Bad Gateway</title></head><body></body></html>"],
    ["nothing at all", 504, ""],
    ["an error inside a 200", 200, google(499, "CANCELLED", "The operation was cancelled.")],
    [
      "an error after an answer",
      200,
      `data: ${JSON.stringify(answer("hel"))}\r\n\r\ndata: ${JSON.stringify(google(503, "UNAVAILABLE", "Overloaded."))}\r\n\r\n`,
    ],
  ] as const)("%s", async (_name, status, responseBody, responseHeaders: object = {}) => {
    const { checked, failures } = await runCheck(parse, [recorded({ status, responseBody, responseHeaders })], []);
    expect(failures).toEqual([]);
    expect(checked).toBeGreaterThan(0);
  });
});

describe("each check can fail", () => {
  const support = (text: string): object => ({
    groundingMetadata: {
      groundingChunks: [{ web: { uri: "https://a.example", title: "a" } }],
      groundingSupports: [{ segment: { startIndex: 0, endIndex: 4, text }, groundingChunkIndices: [0] }],
    },
  });
  test.each([
    [
      "an answer that the digest counts otherwise",
      parse,
      {
        responseBody: answer("hello"),
        digest: { objects: 2, parts: 1, text: "hello", thoughts: "", calls: [], signatures: 0, finishReasons: [] },
      },
      "1 answers, the digest counts 2",
    ],
    [
      "a support whose text is nowhere",
      citations,
      { responseBody: answer("Rain.", support("Snow")) },
      'no range holds "Snow"',
    ],
    [
      "a request that the emulator refuses",
      emulator,
      { responseBody: answer("hello"), request: { contents: [] } },
      "refused by E-04, 400",
    ],
    [
      "a refusal that the emulator does not know",
      emulator,
      refusal(400, "INVALID_ARGUMENT", "Greetings are not supported."),
      '"accepted", recorded 400: "Greetings are not supported."',
    ],
    [
      "a refusal in other words",
      emulator,
      { ...refusal(400, "INVALID_ARGUMENT", "Say something."), request: { contents: [] } },
      "refused by E-04",
    ],
    [
      "a refusal with another status",
      emulator,
      {
        ...refusal(403, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
        request: null,
      },
      "refused by A-2, 400",
    ],
  ] as const)("%s", async (_name, check, exchange, why) => {
    const { failures } = await runCheck(check, [recorded(exchange)], []);
    expect(failures.map((one) => one.why)).toEqual([expect.stringContaining(why)]);
  });

  test("and what tells of a state is asked in that state, or left out with a reason", async () => {
    const found = await Promise.all(
      [
        { ...refusal(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."), request: null },
        refusal(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
        refusal(403, "PERMISSION_DENIED", "Some API has not been used in project 12 before or it is disabled."),
        { status: 401, responseBody: { error: { message: "Invalid token", type: "new_api_error", code: "" } } },
        { ...refusal(503, "UNAVAILABLE", "The model is overloaded.") },
        {
          responseBody: answer("hello"),
          request: { contents: [{ parts: [{ text: "Hi" }] }], cachedContent: "cachedContents/abc" },
        },
        { path: "/v1beta/models/gemini-embedding-001:embedContent", responseBody: { embedding: {} } },
      ].map(async (exchange) => {
        const { checked, failures, skipped } = await runCheck(emulator, [recorded(exchange)], []);
        return [checked, failures, Object.keys(skipped)];
      }),
    );
    expect(found).toEqual([
      [1, [], []],
      [1, [], []],
      [0, [], ["needs state the recording does not hold: what the caller may do"]],
      [0, [], ["refused in the words of a gateway or proxy"]],
      [0, [], ["no refusal, but a failure of the service: 503"]],
      [0, [], ["needs state the recording does not hold: a cache"]],
      [0, [], ["another method: embedContent"]],
    ]);
  });

  test.each([
    ["Unknown name \"a_b\" at 'tools[0]': Cannot find field.", "Unknown name ‹quoted› at ‹quoted›: Cannot find field."],
    ["models/gemini-9 is not found for API version v1beta.", "‹name› is not found for API version ‹name›."],
    ["Call ListModels to see it.", "Call ‹name› to see it."],
    ["Call ModelService.ListModels to see it.", "Call ‹name› to see it."],
    ["Method doesn't allow 2.0001 callers, it's said.", "Method doesn't allow ‹number› callers, it's said."],
  ])("messages are compared by their shape: %s", (message, shape) => {
    expect(messageShape(message)).toBe(shape);
  });
});
