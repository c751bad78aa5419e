import { ApiStatusError, cometapi, ConfigurationError, geminiApi, media, vertex } from "@pollux/core";
import { ApiShapeError } from "@pollux/core/errors";
import { type HttpExchange, NO_USAGE } from "@pollux/core/model";
import { choice, decide, type Question, score, yesNo } from "@pollux/core/decisions";
import { describe, expect, test } from "vitest";
import { BodyScrubber } from "../../src/wire/secrets/redact.ts";

const KEY = "AIza-secret-key";
const OPTIONS = { endpoint: geminiApi({ apiKey: KEY }), retry: { minDelayMs: 1, maxDelayMs: 1 } };

const QUESTIONS = {
  refund: yesNo("Is money asked back?", { yes: "asks for a refund" }),
  team: choice("Who handles it?", { billing: "charges", support: "the rest" }),
  anger: score("How angry?", ["calm", "annoyed", "furious"]),
};
const ANSWERS = {
  refund: { type: "noul", noul: 0.97, confidence: 0.97 },
  team: { type: "choice", choice: "billing", probabilities: { billing: 0.94, support: 0.06 }, confidence: 0.94 },
  anger: {
    type: "score",
    score: 0.75,
    probabilities: { "0": 0.35, "1": 0.55, "2": 0.1 },
    legend: { "0": "calm", "1": "annoyed", "2": "furious" },
    confidence: 0.55,
  },
};
const COUNTED = { total_input_tokens: 96, total_output_tokens: 0, total_tokens: 96 };
const USAGE = { ...NO_USAGE, requests: 1, inputTokens: 96, totalTokens: 96, contextTokens: 96 };

/** A service that gives these answers, one after the other, and the last one again. */
function service(...answers: readonly (object | Response)[]) {
  const requests: { readonly url: string; readonly body: unknown; readonly headers: Headers }[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const body: unknown = await new Response(init.body ?? "").json();
    requests.push({ url, body, headers: new Headers(init.headers) });
    const answer = answers[Math.min(requests.length, answers.length) - 1] ?? {};
    return answer instanceof Response ? answer.clone() : Response.json(answer);
  };
  return { fetch, requests };
}

const failing = (status: number, error: object): Response => Response.json({ error }, { status });

test("asks all questions in one request, and reads an answer for each", async () => {
  const { fetch, requests } = service({ answers: ANSWERS, usage: COUNTED });
  const decision = await decide("Charged twice. Refund one.", QUESTIONS, { ...OPTIONS, fetch });
  expect(requests.map(({ url, body }) => ({ url, body }))).toEqual([
    {
      url: "https://generativelanguage.googleapis.com/v1beta/decisions",
      body: {
        model: "gemini-decision-1",
        input: [{ type: "text", text: "Charged twice. Refund one." }],
        questions: {
          refund: {
            type: "noul",
            instructions: "Is money asked back?",
            criteria: { true_description: "asks for a refund" },
          },
          team: {
            type: "choice",
            instructions: "Who handles it?",
            criteria: { billing: "charges", support: "the rest" },
          },
          anger: { type: "score", instructions: "How angry?", criteria: ["calm", "annoyed", "furious"] },
        },
      },
    },
  ]);
  expect(requests[0]?.headers.get("x-goog-api-key")).toBe(KEY);
  expect(decision).toEqual({
    status: "decided",
    answers: {
      refund: { yes: true, probability: 0.97, confidence: 0.97 },
      team: { choice: "billing", probabilities: { billing: 0.94, support: 0.06 }, confidence: 0.94 },
      anger: {
        score: 0.75,
        level: "annoyed",
        probabilities: { calm: 0.35, annoyed: 0.55, furious: 0.1 },
        confidence: 0.55,
      },
    },
    usage: USAGE,
  });
});

test("sends texts and media of parts and contents in their order, and names as descriptions", async () => {
  const { fetch, requests } = service({
    answers: { q: { type: "choice", choice: "b", probabilities: { a: 0, b: 1 } } },
  });
  const input = [
    { role: "user", parts: [{ text: "Look:" }, { inlineData: { mimeType: "image/png", data: "AAAA" } }] },
    { role: "model", parts: [{ text: "I see." }, { text: "", thoughtSignature: "AA==" }] },
  ];
  const questions = { q: choice("Which?", ["a", "b"]) };
  const first = await decide(input, questions, { ...OPTIONS, fetch, model: "models/gemini-decision-2" });
  await decide(
    [
      media(new Uint8Array([1]), { mimeType: "image/jpeg", mediaResolution: "MEDIA_RESOLUTION_HIGH" }),
      media("https://example.com/a.mp4", "video/mp4"),
      media("https://example.com/a.pdf", "application/pdf"),
    ],
    questions,
    { ...OPTIONS, fetch },
  );
  expect(requests.map(({ body }) => body)).toEqual([
    {
      model: "models/gemini-decision-2",
      input: [
        { type: "text", text: "Look:" },
        { type: "image", mime_type: "image/png", data: "AAAA" },
        { type: "text", text: "I see." },
      ],
      questions: { q: { type: "choice", instructions: "Which?", criteria: { a: "a", b: "b" } } },
    },
    expect.objectContaining({
      input: [
        { type: "image", mime_type: "image/jpeg", data: "AQ==", resolution: "high" },
        { type: "video", mime_type: "video/mp4", uri: "https://example.com/a.mp4" },
        { type: "document", mime_type: "application/pdf", uri: "https://example.com/a.pdf" },
      ],
    }),
  ]);
  // Where the service leaves it out, the confidence follows from the probabilities.
  expect(first).toMatchObject({ answers: { q: { choice: "b", confidence: 1 } }, usage: { incomplete: true } });
});

const many = <Value>(count: number, value: Value): Record<string, Value> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`q${index}`, value]));
const OK = yesNo("x?");

describe("refuses before anything is sent", () => {
  const unasked = () => Promise.reject(new Error("a request was sent"));

  test.each<[string, Record<string, Question>, string]>([
    ["no questions", {}, "1 to 1,000 questions, got 0"],
    ["1,001 questions", many(1_001, OK), "got 1001"],
    ["an id with a space", { "a b": OK }, 'question "a b": an id has 1 to 64'],
    ["a long id", { ["a".repeat(65)]: OK }, "an id has 1 to 64"],
    ["a text as a question", { q: "Is it?" as unknown as Question }, "make it with yesNo()"],
    ["empty instructions", { q: yesNo(" ") }, "instructions must be a non-empty text"],
    ["media as instructions", { q: yesNo(media("AAAA", "image/png") as unknown as string) }, "media go into the input"],
    ["an empty description", { q: yesNo("x?", { no: "" }) }, "descriptions must be non-empty texts"],
    ["one option", { q: choice("x?", ["a"]) }, "2 to 255 different options, got 1"],
    ["the same option twice", { q: choice("x?", ["a", "a"]) }, "2 to 255 different options, got 1"],
    ["256 options", { q: choice("x?", many(256, "x")) }, "2 to 255 different options, got 256"],
    ["an option with spaces around it", { q: choice("x?", ["a", "b "]) }, "no spaces around it"],
    ["an option with a line break", { q: choice("x?", ["a", "b\nc"]) }, "no control characters"],
    ["a long option", { q: choice("x?", ["a", "b".repeat(129)]) }, "1 to 128 characters"],
    ["one level", { q: score("x?", ["low"]) }, "2 to 255 different levels, got 1"],
    ["an empty level", { q: score("x?", ["low", ""]) }, "must be non-empty texts"],
    [
      "an option of JavaScript's undefined",
      { q: choice("x?", { a: undefined as unknown as string, b: "x" }) },
      "must be non-empty texts",
    ],
    ["a list as questions", [OK] as unknown as Record<string, Question>, "1 to 1,000 questions, got 0"],
  ])("%s", async (_, questions, message) => {
    const error = await decide("x", questions, { ...OPTIONS, fetch: unasked }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain(message);
  });

  test.each([
    ["an empty input", "", TypeError, "empty"],
    ["parts that say nothing", [" ", { text: "", thoughtSignature: "AA==" }], TypeError, "text or media"],
    ["a call", [{ functionCall: { name: "f", args: {} } }], TypeError, "texts, and whole media"],
    ["a piece of a video", [media("https://e.com/a.mp4", { videoMetadata: { fps: 2 } })], TypeError, "whole media"],
    ["an empty file", [{ inlineData: { mimeType: "image/png", data: "" } }], ConfigurationError, "without bytes"],
  ] as const)("%s as the input", async (_, input, kind, message) => {
    const error = await decide(input, { q: OK }, { ...OPTIONS, fetch: unasked }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toContain(message);
  });

  test.each([
    ["Vertex", vertex({ project: "p", location: "global", accessToken: () => "t" })],
    ["a gateway", cometapi({ apiKey: KEY })],
  ])("%s, which has no decisions", async (_, endpoint) => {
    const asking = decide("x", { q: OK }, { ...OPTIONS, endpoint, fetch: unasked });
    await expect(asking).rejects.toThrow(ConfigurationError);
    await expect(asking).rejects.toThrow("Only the Developer API has decisions");
  });

  test("an option that does not exist", async () => {
    const options = { ...OPTIONS, temperature: 1 };
    await expect(decide("x", { q: OK }, options)).rejects.toThrow('there is no option "temperature"');
  });
});

const { refund, team, anger } = ANSWERS;

test.each<[string, object]>([
  ["an answer is missing", { refund, team }],
  ["there is one more", { ...ANSWERS, other: refund }],
  ["an answer is of another kind", { ...ANSWERS, refund: team }],
  ["an answer is no object", { ...ANSWERS, refund: 0.9 }],
  ["a probability is out of range", { ...ANSWERS, refund: { ...refund, noul: 1.1 } }],
  ["a confidence is no number", { ...ANSWERS, refund: { ...refund, confidence: "high" } }],
  ["an option was not offered", { ...ANSWERS, team: { ...team, choice: "sales" } }],
  ["a probability is missing", { ...ANSWERS, team: { ...team, probabilities: { billing: 1 } } }],
  ["an option has another name", { ...ANSWERS, team: { ...team, probabilities: { billing: 0.9, sales: 0.1 } } }],
  ["a score is above the highest level", { ...ANSWERS, anger: { ...anger, score: 2.1 } }],
])("fails when the answers do not match the questions: %s", async (_, answers) => {
  const { fetch } = service({ answers });
  await expect(decide("x", QUESTIONS, { ...OPTIONS, fetch })).rejects.toThrow(ApiShapeError);
});

test("forgives the service how it rounds", async () => {
  const rounded = { type: "score", score: 1.000_000_1, probabilities: { "0": 0, "1": 1.000_000_1 }, confidence: 1 };
  const { fetch } = service({ answers: { q: rounded } });
  const decision = await decide("x", { q: score("x?", ["low", "high"]) }, { ...OPTIONS, fetch });
  expect(decision).toMatchObject({ answers: { q: { level: "high", score: 1.000_000_1 } } });
});

test("fails when there are neither answers nor a reason", async () => {
  const { fetch } = service({ usage: COUNTED });
  await expect(decide("x", QUESTIONS, { ...OPTIONS, fetch })).rejects.toThrow(ApiShapeError);
});

describe("a blocked input", () => {
  test.each<[string, object | Response, string, string | undefined, boolean]>([
    [
      "as feedback",
      { prompt_feedback: { block_reason: "safety", block_reason_message: "No." }, usage: COUNTED },
      "safety",
      "No.",
      false,
    ],
    ["as feedback without a message", { prompt_feedback: { block_reason: "new_one" } }, "new_one", undefined, true],
    [
      "as a refusal",
      failing(400, { code: 400, message: "The input was blocked: safety.", status: "INVALID_ARGUMENT" }),
      "other",
      "The API responded with 400 INVALID_ARGUMENT: The input was blocked: safety.",
      true,
    ],
    [
      "as a refusal with a word as its code",
      failing(400, { code: "prohibited_content", message: "No." }),
      "prohibited_content",
      "The API responded with 400 prohibited_content: No.",
      true,
    ],
  ])("is its own case: %s", async (_, answer, blockReason, message, incomplete) => {
    const { fetch, requests } = service(answer);
    const usage = incomplete ? { ...NO_USAGE, requests: 1, incomplete } : USAGE;
    expect(await decide("x", QUESTIONS, { ...OPTIONS, fetch })).toEqual({
      status: "blocked",
      blockReason,
      ...(message !== undefined && { message }),
      usage,
    });
    expect(requests).toHaveLength(1);
  });

  test.each([
    ["native", { code: 400, message: "questions is not specified", status: "INVALID_ARGUMENT" }, "INVALID_ARGUMENT"],
    [
      "about a question of that name",
      { code: "invalid_request", message: "questions[blocked]: safety" },
      "invalid_request",
    ],
    ["a word", { code: "invalid_request", message: "questions is not specified" }, "invalid_request"],
  ])("is no other 400, whose code is %s", async (_, error, reason) => {
    const { fetch } = service(failing(400, error));
    const thrown = await decide("x", QUESTIONS, { ...OPTIONS, fetch }).catch((one: unknown) => one);
    expect(thrown).toBeInstanceOf(ApiStatusError);
    expect(thrown).toMatchObject({ status: 400, reason, retryable: false });
  });
});

test("an unknown address is a host without decisions, an unknown model is not", async () => {
  const page = new Response("<!DOCTYPE html><title>Error 404</title>", { status: 404 });
  const asking = decide("x", QUESTIONS, { ...OPTIONS, fetch: service(page).fetch });
  await expect(asking).rejects.toThrow("does not support decisions (HTTP 404): they need v1beta.");
  for (const code of [{ code: 404, status: "NOT_FOUND" }, { code: "not_found" }]) {
    const { fetch } = service(failing(404, { ...code, message: "models/x is not found" }));
    await expect(decide("x", QUESTIONS, { ...OPTIONS, fetch })).rejects.toThrow(ApiStatusError);
  }
});

test("costs what the table says, and nothing is known without a price", async () => {
  const { fetch } = service({ answers: ANSWERS, usage: { ...COUNTED, total_input_tokens: 1_000_000 } });
  const asked: string[] = [];
  const prices = (id: string) => (asked.push(id), { input: 0.1, output: 0 });
  const options = { ...OPTIONS, fetch };
  expect((await decide("x", QUESTIONS, { ...options, prices, model: "models/gemini-decision-1" })).cost).toBe(0.1);
  expect(asked).toEqual(["gemini-decision-1"]);
  expect(await decide("x", QUESTIONS, { ...options, prices: () => undefined })).not.toHaveProperty("cost");
  await expect(decide("x", QUESTIONS, { ...options, prices: { input: -1, output: 0 } })).rejects.toThrow(TypeError);
});

test("is retried, and a tap sees each exchange without the key", async () => {
  const busy = failing(503, { code: "service_unavailable", message: `Busy, ${KEY}` });
  const { fetch, requests } = service(busy, { answers: ANSWERS });
  const seen: HttpExchange[] = [];
  const exchanged = (exchange: HttpExchange): void => void seen.push(exchange);
  const tap = { now: Date.now, scrubber: new BodyScrubber(), exchanged };
  await decide("x", QUESTIONS, { ...OPTIONS, fetch, tap });
  expect(requests).toHaveLength(2);
  expect(seen.map(({ operation, attempt, status }) => [operation, attempt, status])).toEqual([
    ["decisions", 1, 503],
    ["decisions", 2, 200],
  ]);
  expect(JSON.stringify(seen.map(({ requestHeaders, error }) => [requestHeaders, error]))).not.toContain(KEY);
});

test.each(["signal", "run"] as const)("an abort of its %s ends it", async (which) => {
  const controller = new AbortController();
  const { signal } = controller;
  const fetch = (_: string, init: RequestInit): Promise<Response> =>
    new Promise((_resolve, reject) => {
      init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      setImmediate(() => controller.abort(new Error("enough")));
    });
  const options = which === "signal" ? { signal } : { run: { signal } };
  await expect(decide("x", QUESTIONS, { ...OPTIONS, fetch, ...options })).rejects.toThrow("enough");
});
