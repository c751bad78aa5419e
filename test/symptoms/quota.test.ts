import { Agent, ApiStatusError, type ModelNotice } from "@pollux/core";
import { type Fault, faults, type FaultRule, say, script } from "@pollux/emulator";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { eventsOf, faces } from "../../packages/core/test/helpers/faces.ts";
import { openWorld, type World } from "../support/world.ts";

const NOW = Date.parse("2026-11-21T10:00:00.000Z");
const MIDNIGHT_PACIFIC = Date.parse("2026-11-22T08:00:00.000Z");

const TYPE = "type.googleapis.com/google.rpc";
const METRIC = "generativelanguage.googleapis.com/generate_content_free_tier_requests";
const EXCEEDED =
  "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.";
const PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";
const PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";

/** Google's 429, as the Developer API sends it. */
function exhausted(message: string, ...details: readonly object[]): string {
  return JSON.stringify({ error: { code: 429, message, status: "RESOURCE_EXHAUSTED", details } }, null, 2);
}
const HELP = {
  "@type": `${TYPE}.Help`,
  links: [
    { description: "Learn more about Gemini API quotas", url: "https://ai.google.dev/gemini-api/docs/rate-limits" },
  ],
};
const failure = (...quotaIds: readonly string[]) => ({
  "@type": `${TYPE}.QuotaFailure`,
  violations: quotaIds.map((quotaId) => ({
    quotaMetric: METRIC,
    quotaId,
    quotaDimensions: { location: "global", model: "gemini-3.8-flash" },
    quotaValue: "20",
  })),
});
const retry = (retryDelay: string) => ({ "@type": `${TYPE}.RetryInfo`, retryDelay });
const info = (reason: string) => ({ "@type": `${TYPE}.ErrorInfo`, reason, domain: "cloudcode-pa.googleapis.com" });
const limit = (value: number) =>
  `${EXCEEDED}\n* Quota exceeded for metric: ${METRIC}, limit: ${value}, model: gemini-3.8-flash`;

/** Row, body, and the wait in milliseconds. */
const WAITS: readonly (readonly [row: string, body: string, waitMs: number])[] = [
  ["RetryInfo in seconds", exhausted(limit(5), HELP, failure(PER_MINUTE), retry("34s")), 34_000],
  ["RetryInfo in fractions", exhausted(limit(5), HELP, failure(PER_MINUTE), retry("34.07s")), 34_070],
  ["RetryInfo in milliseconds", exhausted(EXCEEDED, retry("900ms")), 900],
  ["RetryInfo of 300 s", exhausted(EXCEEDED, retry("300s")), 300_000],
  ["a sentence in the message", exhausted(`${limit(5)}\nPlease retry in 34.07s.`), 34_070],
  ["PerMinute alone", exhausted(limit(5), HELP, failure(PER_MINUTE)), 60_000],
  ["tokens per minute", exhausted(EXCEEDED, failure("GenerateContentInputTokensPerModelPerMinute-FreeTier")), 60_000],
  ["RATE_LIMIT_EXCEEDED", exhausted("Quota exceeded.", info("RATE_LIMIT_EXCEEDED")), 60_000],
  ["wrapped in a list", `[${exhausted(limit(5), retry("34s"))}]`, 34_000],
  [
    "wrapped as text",
    JSON.stringify({ error: { message: exhausted(limit(5), retry("34s")), code: 429, status: "Too Many Requests" } }),
    34_000,
  ],
];

/** Row, body, the advice in the message, and whether it resets. */
const TERMINAL: readonly (readonly [row: string, body: string, advice: string, resetsAt: number | undefined])[] = [
  [
    "PerDay, though a short RetryInfo is attached",
    exhausted(`${limit(20)}\nPlease retry in 34.07s.`, HELP, failure(PER_DAY), retry("34.07s")),
    "The daily quota resets at 2026-11-22T08:00:00.000Z",
    MIDNIGHT_PACIFIC,
  ],
  ["Daily", exhausted(EXCEEDED, failure("DailyRequests")), "resets at 2026-11-22T08:00:00.000Z", MIDNIGHT_PACIFIC],
  [
    "several violations: the strictest wins",
    exhausted(limit(5), failure(PER_MINUTE, PER_DAY), retry("3s")),
    "resets at 2026-11-22T08:00:00.000Z",
    MIDNIGHT_PACIFIC,
  ],
  [
    "limit: 0",
    exhausted(`${limit(0)}\nPlease retry in 34.07s.`, HELP, failure(PER_DAY), retry("34.07s")),
    "This model is not in the key's tier",
    undefined,
  ],
  ["RetryInfo above 300 s", exhausted(EXCEEDED, retry("301s")), "Try again after 301 s.", undefined],
  ["QUOTA_EXHAUSTED", exhausted("Quota.", info("QUOTA_EXHAUSTED"), retry("3s")), "Waiting will not help", undefined],
  [
    "MODEL_CAPACITY_EXHAUSTED",
    exhausted("No capacity.", info("MODEL_CAPACITY_EXHAUSTED")),
    "Waiting will not help",
    undefined,
  ],
  [
    "INSUFFICIENT_G1_CREDITS_BALANCE",
    exhausted("No credits.", info("INSUFFICIENT_G1_CREDITS_BALANCE")),
    "Waiting will not help",
    undefined,
  ],
];

function refusal(body: string): Fault {
  return { kind: "status", rule: "test", status: 429, contentType: "application/json; charset=UTF-8", body };
}

function openRefusing(...rules: readonly FaultRule[]): Promise<World> {
  return openWorld({ brain: script([say("Hello.")]), faults: rules });
}

// Traffic is real, waiting is not: clock and timers are fake.
const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Resolves when a number of requests were answered, and the client has handled the last answer. */
async function requestsOf(world: World, count: number): Promise<void> {
  const answered = (): number => world.emulator.requests.filter((one) => one.answered.complete === true).length;
  while (answered() < count || world.answers.length < count) await nextTurn();
  // By then, an extra request would have been made: a whole exchange takes fewer turns.
  for (let turns = 0; turns < 40; turns++) await nextTurn();
  expect(world.bodies).toHaveLength(count);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe.each(faces)("%s", (_face, read) => {
  test.each(WAITS)("%s is waited for", async (_row, body, waitMs) => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    await using world = await openRefusing({ at: 1, fault: refusal(body) });
    const reading = read(new Agent({ model: world.model() }), "Hi.");
    await requestsOf(world, 1);
    await vi.advanceTimersByTimeAsync(waitMs - 1);
    await requestsOf(world, 1);
    await vi.advanceTimersByTimeAsync(1);
    await requestsOf(world, 2);
    expect(await reading).toMatchObject({ stopReason: "finished", text: "Hello." });
    expect(world.bodies[1]).toBe(world.bodies[0]);
  });

  test.each(TERMINAL)("%s ends the run at once", async (_row, body, advice, resetsAt) => {
    await using world = await openRefusing({ at: () => true, fault: refusal(body) });
    const failed = await read(new Agent({ model: world.model() }), "Hi.").catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ApiStatusError);
    expect(failed).toMatchObject({ status: 429, reason: "RESOURCE_EXHAUSTED", resetsAt });
    expect((failed as Error).message).toContain(advice);
    expect(world.bodies).toHaveLength(1);
  });

  test("a wait above 300 s that is asked for in the middle of a stream ends the run as well", async () => {
    const message = `${EXCEEDED}\nPlease retry in 301s.`;
    const fault = faults.errorInStream({ code: 429, status: "RESOURCE_EXHAUSTED", message, afterChunks: 1 });
    await using world = await openWorld({ brain: script([say("One. Two. ".repeat(20))]), faults: [{ at: 1, fault }] });
    await expect(read(new Agent({ model: world.model() }), "Hi.")).rejects.toMatchObject({
      status: 429,
      retryAfterMs: 301_000,
    });
    expect(world.bodies).toHaveLength(1);
  });

  test("a 429 that says nothing is backed off from, four attempts in all", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const body = exhausted("Resource has been exhausted (e.g. check quota).");
    await using world = await openRefusing({ at: () => true, fault: refusal(body) });
    const model = world.model(undefined, { retry: {} });
    const failed = read(new Agent({ model }), "Hi.").catch((error: unknown) => error);
    for (const [i, waitMs] of [500, 1_000, 2_000].entries()) {
      await requestsOf(world, i + 1);
      await vi.advanceTimersByTimeAsync(waitMs - 1);
      await requestsOf(world, i + 1);
      await vi.advanceTimersByTimeAsync(1);
    }
    await requestsOf(world, 4);
    expect(await failed).toMatchObject({ status: 429, retryable: true });
  });

  test("an abort ends the wait", async () => {
    await using world = await openRefusing({ at: 1, fault: refusal(exhausted(EXCEEDED, retry("34s"))) });
    const abort = new AbortController();
    const reading = read(new Agent({ model: world.model() }), "Hi.", { signal: abort.signal });
    const failed = reading.catch((error: unknown) => error);
    await requestsOf(world, 1);
    abort.abort(new Error("enough"));
    expect(await failed).toMatchObject({ message: "enough" });
    await vi.advanceTimersByTimeAsync(41_000);
    await requestsOf(world, 1);
  });
});

test.each([
  [0, 34_000],
  [0.5, 37_400],
  [0.999_999, 40_800],
])("with a draw of %d the wait of 34 s becomes %d ms, and the reader gets an event", async (draw, delayMs) => {
  vi.spyOn(Math, "random").mockReturnValue(draw);
  await using world = await openRefusing({
    at: 1,
    fault: refusal(exhausted(limit(5), failure(PER_MINUTE), retry("34s"))),
  });
  const reading = eventsOf(new Agent({ model: world.model() }), "Hi.");
  await requestsOf(world, 1);
  await vi.advanceTimersByTimeAsync(delayMs - 1);
  await requestsOf(world, 1);
  await vi.advanceTimersByTimeAsync(1);
  await requestsOf(world, 2);
  const { events } = await reading;
  const notices = events.flatMap((event): ModelNotice[] => (event.type === "notice" ? [event.notice] : []));
  expect(notices).toEqual([
    {
      type: "retry",
      attempt: 1,
      delayMs,
      error: {
        code: "api_status",
        status: 429,
        message: expect.stringMatching(
          /^The API responded with 429 RESOURCE_EXHAUSTED: You exceeded .* Try again after 34 s\.$/,
        ),
      },
    },
  ]);
});
