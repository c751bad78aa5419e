import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { nextMidnightPacific } from "../../../src/wire/errors/error-body.ts";
import { embeddedError, redirectError, statusError } from "../../../src/wire/errors/http-errors.ts";

const NOW = Date.parse("2026-11-21T10:00:00.250Z");
const type = (name: string): string => `type.googleapis.com/google.rpc.${name}`;
const google = (code: number, status: string, message: string, details?: readonly object[]): string =>
  JSON.stringify({ error: { code, message, status, details } });
const quota = (...quotaIds: readonly string[]): object => ({
  "@type": type("QuotaFailure"),
  violations: quotaIds.map((quotaId) => ({ quotaMetric: "m", quotaId, quotaValue: "20" })),
});
const wait = (retryDelay: string): object => ({ "@type": type("RetryInfo"), retryDelay });
const reason = (word: string): object => ({ "@type": type("ErrorInfo"), reason: word, domain: "googleapis.com" });
const exhausted = (message: string, ...details: readonly object[]): string =>
  google(429, "RESOURCE_EXHAUSTED", message, details);

const RESET = Date.parse("2026-11-22T08:00:00.000Z");

describe("a model that does not exist", () => {
  const HOST = "https://generativelanguage.googleapis.com/v1beta";
  const message = (url: string, status = 404): string =>
    statusError(status, google(status, "NOT_FOUND", "not found"), { url }).message;

  test.each([
    ["gemini-3.8-flsh", "gemini-3.8-flash"],
    ["gemini-4-agron", "gemini-4-argon"],
    ["Gemini-Flash-Lastest", "gemini-flash-latest"],
  ])("%s may mean %s", (id, meant) => {
    expect(message(`${HOST}/models/${id}:generateContent`)).toContain(
      `Check the model id (did you mean "${meant}"?) and the base URL`,
    );
    const body = JSON.stringify({ error: { code: "model_not_found", message: "No channel" } });
    expect(statusError(503, body, { url: `https://gw.example/v1beta/models/${id}:generateContent` }).message).toContain(
      `The gateway has no such model (did you mean "${meant}"?): call listModels`,
    );
  });

  test.each(["models/gemini-flash-latest:generateContent", "models/my-own-model:generateContent", "cachedContents/a"])(
    "nothing is suggested for %s",
    (path) => expect(message(`${HOST}/${path}`)).not.toContain("did you mean"),
  );

  test("nothing is suggested for another status", () => {
    expect(message(`${HOST}/models/gemini-3.8-flsh:generateContent`, 400)).not.toContain("did you mean");
  });
});

describe("a 429", () => {
  test.each([
    [
      "per minute with a delay",
      exhausted("q", quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"), wait("38s")),
      true,
      38_000,
      undefined,
    ],
    [
      "per minute without a delay",
      exhausted("q", quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier")),
      true,
      60_000,
      undefined,
    ],
    ["RATE_LIMIT_EXCEEDED without a delay", exhausted("q", reason("RATE_LIMIT_EXCEEDED")), true, 60_000, undefined],
    [
      "per day, though it names a delay",
      exhausted("limit: 20, model: x", quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), wait("34.07s")),
      false,
      undefined,
      RESET,
    ],
    [
      "per minute and per day: the strictest wins",
      exhausted("q", quota("RequestsPerMinute", "RequestsPerDay"), wait("3s")),
      false,
      undefined,
      RESET,
    ],
    [
      "a tier without this model",
      exhausted("Quota exceeded, limit: 0, model: x", wait("3s")),
      false,
      undefined,
      undefined,
    ],
    ["limit: 0.5 is not zero", exhausted("limit: 0.5", wait("3s")), true, 3000, undefined],
    ["exhausted capacity", exhausted("q", reason("MODEL_CAPACITY_EXHAUSTED"), wait("3s")), false, undefined, undefined],
    ["a fractional delay", exhausted("q", wait("34.074s")), true, 34_074, undefined],
    ["a delay in milliseconds", exhausted("q", wait("900ms")), true, 900, undefined],
    ["a delay in the message", exhausted("You exceeded.\nPlease retry in 34.07s."), true, 34_070, undefined],
    ["a long delay in the message", exhausted("Please retry in 1m3.5s."), true, 63_500, undefined],
    ["nothing to go by", exhausted("Resource has been exhausted (e.g. check quota)."), true, undefined, undefined],
  ])("%s", (_name, body, retryable, retryAfterMs, resetsAt) => {
    expect(statusError(429, body, { now: NOW })).toMatchObject({
      status: 429,
      reason: "RESOURCE_EXHAUSTED",
      retryable,
      retryAfterMs,
      resetsAt,
    });
  });

  test.each([
    ["seconds", "7", 7000],
    ["a date", "Sat, 21 Nov 2026 10:00:10 GMT", 9750],
    ["a date that has passed", "Sat, 21 Nov 2026 09:00:10 GMT", 0],
    ["nonsense", "soon", undefined],
  ])("reads Retry-After as %s", (_name, value, retryAfterMs) => {
    expect(statusError(429, "", { now: NOW, headers: new Headers({ "retry-after": value }) }).retryAfterMs).toBe(
      retryAfterMs,
    );
  });

  test("keeps the violations and the details", () => {
    const details = [quota("PerMinute"), wait("1s")];
    const error = statusError(429, exhausted("q", ...details));
    expect(error.quotaViolations).toEqual([{ quotaMetric: "m", quotaId: "PerMinute", quotaValue: "20" }]);
    expect(error.details).toEqual(details);
  });
});

test.each([
  ["in winter", "2026-11-21T10:00:00.250Z", "2026-11-22T08:00:00.000Z"],
  ["just before midnight", "2026-11-21T07:59:59.999Z", "2026-11-21T08:00:00.000Z"],
  ["at midnight", "2026-11-21T08:00:00.000Z", "2026-11-22T08:00:00.000Z"],
  ["in summer", "2026-07-01T00:00:00.000Z", "2026-07-01T07:00:00.000Z"],
  ["before a day of 23 hours ends", "2026-03-08T08:30:00.000Z", "2026-03-09T07:00:00.000Z"],
  ["before a day of 25 hours ends", "2026-11-01T07:30:00.000Z", "2026-11-02T08:00:00.000Z"],
])("the quota day ends at midnight Pacific %s", (_name, now, midnight) => {
  expect(new Date(nextMidnightPacific(Date.parse(now))).toISOString()).toBe(midnight);
});

test.each([
  [400, "INVALID_ARGUMENT", false],
  [401, "UNAUTHENTICATED", false],
  [402, "RESOURCE_EXHAUSTED", false],
  [403, "PERMISSION_DENIED", false],
  [404, "NOT_FOUND", false],
  [499, "CANCELLED", true],
  [500, "INTERNAL", true],
  [503, "UNAVAILABLE", true],
  [504, "DEADLINE_EXCEEDED", true],
])("status %d %s is retryable: %s", (status, word, retryable) => {
  const body = google(status, word, "words of the service");
  for (const error of [statusError(status, body), embeddedError(JSON.parse(body))]) {
    expect(error).toMatchObject({ status, reason: word, retryable });
    expect(error.message).toContain(`${status} ${word}: words of the service`);
  }
});

test.each([
  [408, true],
  [409, false],
  [413, false],
  [501, false],
  [502, true],
  [520, true],
])("status %d without a body is retryable: %s", (status, retryable) => {
  expect(statusError(status, "")).toMatchObject({ status, retryable, reason: undefined });
});

test.each<[string, unknown, object]>([
  [
    "a gateway's object",
    { error: { message: "Invalid token (request id: 2026abc)", type: "new_api_error", param: "", code: "" } },
    { reason: "new_api_error", requestId: "2026abc", message: expect.stringContaining("Invalid token") },
  ],
  ["an error as text", { error: "over there" }, { message: expect.stringContaining("over there") }],
  [
    "a message alone",
    { message: "down here", code: "oops" },
    { reason: "oops", message: expect.stringContaining("down here") },
  ],
  [
    "a list of one",
    [{ error: { code: 400, message: "in a list", status: "INVALID_ARGUMENT" } }],
    { reason: "INVALID_ARGUMENT", message: expect.stringContaining("in a list") },
  ],
  [
    "JSON in the message",
    {
      error: {
        message: `upstream said ${google(400, "INVALID_ARGUMENT", "inner", [reason("X")])}`,
        type: "upstream_error",
      },
    },
    { reason: "INVALID_ARGUMENT", details: [reason("X")], message: expect.stringContaining(": inner") },
  ],
  [
    "JSON in JSON in the message",
    { error: { message: JSON.stringify({ error: { message: google(400, "NOT_FOUND", "innermost") } }) } },
    { reason: "NOT_FOUND", message: expect.stringContaining(": innermost") },
  ],
  [
    "braces that are not JSON",
    { error: { message: "bad {thing}" } },
    { message: expect.stringContaining("bad {thing}") },
  ],
])("reads %s", (_name, body, expected) => {
  expect(statusError(400, JSON.stringify(body))).toMatchObject({ status: 400, ...expected });
});

test("a web page becomes its title", () => {
  const error = statusError(502, "<html>\n<head><title>502 Bad\n Gateway</title></head><body>long</body></html>");
  expect(error).toMatchObject({ status: 502, retryable: true });
  expect(error.message).toBe("The API responded with 502: 502 Bad Gateway. Try again later.");
});

test("advice that the service gives is not repeated", () => {
  const error = statusError(
    503,
    JSON.stringify({ error: { message: "Spikes are temporary. Please try again later." } }),
  );
  expect(error.message).toBe("The API responded with 503: Spikes are temporary. Please try again later.");
});

test("a gateway's unknown model is final, though it says 503", () => {
  const body = JSON.stringify({
    error: {
      message: "No available channel for model X under group default (distributor)",
      type: "new_api_error",
      code: "model_not_found",
    },
  });
  for (const error of [statusError(503, body), embeddedError(JSON.parse(body))]) {
    expect(error).toMatchObject({ status: 503, reason: "model_not_found", retryable: false });
    expect(error.message).toContain("listModels");
  }
});

test.each([
  ["UNAVAILABLE", 503],
  ["RESOURCE_EXHAUSTED", 429],
  ["CANCELLED", 499],
  ["DEADLINE_EXCEEDED", 504],
  ["INTERNAL", 500],
  ["A_NEW_WORD", 500],
])("an embedded error without a code is judged by %s", (status, code) => {
  expect(embeddedError({ error: { message: "m", status } })).toMatchObject({ status: code, reason: status });
});

test.each(["constructor", "toString", "__proto__"])(
  "a word that names a member of every object is one of no status: %s",
  (status) => {
    expect(embeddedError({ error: { message: "m", status } })).toMatchObject({ status: 500, reason: status });
  },
);

test.each([
  [
    400,
    google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [reason("API_KEY_INVALID")]),
    "GEMINI_API_KEY",
  ],
  [403, google(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers"), "GEMINI_API_KEY"],
  [404, google(404, "NOT_FOUND", "models/x is not found"), "listModels"],
  [402, "", "add credits"],
  [413, "<html><title>413</title></html>", "Send less"],
])("status %d says what to do", (status, body, advice) => {
  expect(statusError(status, body).message).toContain(advice);
});

test("the key is hidden wherever the body echoes it, and the message is bounded", () => {
  const key = "key+to/hide=123";
  const other = `AIza${"b".repeat(35)}`;
  const body = google(400, "INVALID_ARGUMENT", `key ${key} ${encodeURIComponent(key)} ${other} ${"x".repeat(10_000)}`, [
    { echoed: [key] },
  ]);
  const error = statusError(400, body, { secrets: [key], url: `https://h.example.com/v1/x?key=${key}` });
  const shown = inspect(error, { depth: null });
  for (const secret of [key, encodeURIComponent(key), other]) expect(shown).not.toContain(secret);
  expect(error.details).toEqual([{ echoed: ["[redacted]"] }]);
  expect(error.url).toBe("h.example.com/v1/x");
  expect(error.message.length).toBeLessThan(2500);
});

test("a redirect names the target without its query", () => {
  const error = redirectError(302, "https://evil.example.com/x?token=abc", { url: "https://h.example.com/v1" });
  expect(error).toMatchObject({ status: 302, retryable: false });
  expect(error.message).toContain("evil.example.com/x (302)");
  expect(error.message).not.toContain("abc");
});
