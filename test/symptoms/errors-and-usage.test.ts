import { Agent, ApiStatusError, runSoFar } from "@pollux/core";
import { type Fault, faults } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { answer, chunk, eventStream, openRawService, type RawAnswer } from "../support/raw-service.ts";
import { sketch } from "../support/sketch.ts";
import { add, TOOLS, trip } from "../support/trip.ts";
import { watch } from "../support/watch.ts";
import { openWorld } from "../support/world.ts";

const EXHAUSTED = {
  error: { code: 429, message: "Quota exceeded. Please retry in 0.02s.", status: "RESOURCE_EXHAUSTED" },
};
const asText = (value: object): string => JSON.stringify(value, null, 2);
const wrapped = (message: string): string => asText({ error: { message, code: 429, status: "Too Many Requests" } });
const HTML = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";

describe.each(faces)("%s", (face) => {
  test.each<[string, RawAnswer, object]>([
    ["Google's JSON", { status: 429, body: asText(EXHAUSTED) }, { status: 429, reason: "RESOURCE_EXHAUSTED" }],
    ["a list of it", { status: 429, body: asText([EXHAUSTED]) }, { status: 429, reason: "RESOURCE_EXHAUSTED" }],
    [
      "JSON inside the message",
      { status: 429, body: wrapped(asText(EXHAUSTED)) },
      { status: 429, reason: "RESOURCE_EXHAUSTED" },
    ],
    [
      "a list inside the message inside the message",
      { status: 429, body: wrapped(wrapped(asText([EXHAUSTED]))) },
      { status: 429, reason: "RESOURCE_EXHAUSTED" },
    ],
    ["an event of a stream", { body: eventStream(EXHAUSTED) }, { status: 429, reason: "RESOURCE_EXHAUSTED" }],
    ["plain JSON in a 200", { body: asText(EXHAUSTED) }, { status: 429, reason: "RESOURCE_EXHAUSTED" }],
    [
      "a gateway's words",
      {
        status: 500,
        body: asText({ error: { message: "upstream error", type: "comet_api_error", param: "", code: "" } }),
      },
      { status: 500, reason: "comet_api_error" },
    ],
    ["a text for an error", { status: 503, body: asText({ error: "overloaded" }) }, { status: 503 }],
    ["a proxy's page", { status: 502, type: "text/html", body: HTML }, { status: 502 }],
    ["nothing at all", { status: 504, body: "" }, { status: 504 }],
    ["half a JSON", { status: 503, body: '{"error":{"code":503,"message":"The mo' }, { status: 503 }],
  ])(
    "an error that is %s is tried again, and always: fails with its status and a readable line",
    async (_what, raw, facts) => {
      await using service = await openRawService(raw, answer({ text: "Hello." }));
      const seen = await watch(face, new Agent({ model: service.model() }), "Hi.");
      seen.saw("run-start turn-start notice text-delta response turn-end run-end");
      expect(seen.result).toMatchObject({ stopReason: "finished", text: "Hello.", usage: { requests: 1 } });
      expect(service.bodies[1]).toBe(service.bodies[0]);

      await using broken = await openRawService(raw);
      const retry = { maxAttempts: 2, minDelayMs: 1, maxDelayMs: 1 };
      const failed = await watch(
        face,
        new Agent({ model: broken.model(undefined, { retry }), limits: { restarts: 0 } }),
        "Hi.",
      );
      expect(failed.error).toBeInstanceOf(ApiStatusError);
      expect(failed.error).toMatchObject({ ...facts, retryable: true });
      expect((failed.error as Error).message).not.toMatch(/<|\n|"details"/);
      expect(broken.bodies).toHaveLength(2);
      expect(sketch(failed.contents)).toEqual(['user: "Hi."']);
    },
  );

  test("a page in a 200 is no answer, and says what to check", async () => {
    await using service = await openRawService({ type: "text/html", body: HTML });
    const seen = await watch(face, new Agent({ model: service.model() }), "Hi.");
    expect(seen.error).toMatchObject({ code: "api_shape", message: expect.stringContaining("base URL") });
    expect(service.bodies).toHaveLength(1);
    expect(sketch(seen.contents)).toEqual(['user: "Hi."']);
  });

  test.each<[string, Fault, object, string]>([
    [
      "the daily quota is used up, though a wait of seconds is named",
      faults.perDayQuota({ retryDelay: "0.01s" }),
      {
        status: 429,
        reason: "RESOURCE_EXHAUSTED",
        resetsAt: expect.any(Number),
        quotaViolations: [expect.objectContaining({ quotaId: expect.stringContaining("PerDay") })],
      },
      "daily quota resets at",
    ],
    ["the model is not in the key's tier", faults.tierWithoutModel(), { status: 429 }, "not in the key's tier"],
    ["the credit is used up", faults.prepaidEmpty(), { status: 402 }, "waiting will not help"],
    [
      "the model was retired",
      faults.apiError(404, "NOT_FOUND", "This model models/gemini-1.5-pro is no longer available."),
      { status: 404, reason: "NOT_FOUND" },
      "listModels",
    ],
    ["the key is refused", faults.apiError(403, "PERMISSION_DENIED", "Denied."), { status: 403 }, "key's project"],
  ])("%s in the middle of a run: one request, the reason, and what was done", async (_what, fault, facts, advice) => {
    await using world = await openWorld({ brain: trip(), faults: [{ at: ({ number }) => number > 1, fault }] });
    const seen = await watch(face, new Agent({ model: world.model(), tools: TOOLS }), "Weather?");
    seen.saw(
      "run-start turn-start text-delta part part response tool-start tool-start tool-end tool-end turn-end turn-start",
    );
    expect(world.bodies).toHaveLength(2);
    expect(seen.error).toMatchObject({ code: "api_status", retryable: false, ...facts });
    expect((seen.error as Error).message).toContain(advice);
    expect(runSoFar(seen.error)).toMatchObject({ turns: 2, usage: { requests: 1 } });
    expect(seen.contents.map(({ role }) => role)).toEqual(["user", "model", "user"]);
  });

  test("usage is that of the last chunk that has one: not a sum, not a mixture, not the largest", async () => {
    const usage = (promptTokenCount: number, more: object): object => ({
      usageMetadata: { promptTokenCount, ...more },
    });
    await using service = await openRawService({
      body: eventStream(
        chunk(
          [{ text: "a" }],
          undefined,
          usage(8, { thoughtsTokenCount: 419, candidatesTokenCount: 20, totalTokenCount: 447 }),
        ),
        chunk([{ text: "b" }], undefined, usage(900, { cachedContentTokenCount: 800, totalTokenCount: 900 })),
        chunk(
          [{ text: "c" }],
          "STOP",
          usage(427, { candidatesTokenCount: 122, toolUsePromptTokenCount: 771, totalTokenCount: 1320 }),
        ),
        { usageMetadata: undefined },
      ),
    });
    const seen = await watch(face, new Agent({ model: service.model() }), "Hi.");
    expect(seen.result?.usage).toMatchObject({
      requests: 1,
      outputTokens: 122,
      thoughtTokens: 0,
      cachedTokens: 0,
      totalTokens: 1320,
    });
    expect(seen.result?.usage.incomplete ?? false).toBe(false);
  });

  test("the usage of a run is the sum of its requests, each counted once", async () => {
    await using world = await openWorld({ brain: trip() });
    const seen = await watch(face, new Agent({ model: world.model(), tools: TOOLS }), "Weather?");
    const lasts = world.answers.map((body) => {
      const events = body.split("\r\n\r\n").filter((event) => event !== "");
      return (
        JSON.parse(events.at(-1)?.slice("data: ".length) ?? "{}") as { usageMetadata: { totalTokenCount: number } }
      ).usageMetadata.totalTokenCount;
    });
    expect(seen.result?.usage.totalTokens).toBe(lasts.reduce((sum, one) => sum + one, 0));
    expect(seen.result?.usage.requests).toBe(3);
  });

  test("a huge argument is waited for, whole", async () => {
    const note = "x".repeat(300_000);
    const call = { functionCall: { name: "add", args: { a: 1, b: 2, note } }, thoughtSignature: "c2ln" };
    await using service = await openRawService(answer(call), answer({ text: "3" }));
    const seen = await watch(face, new Agent({ model: service.model(), tools: [add] }), "Add.");
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "3" });
    expect(JSON.parse(service.bodies[1] ?? "")).toMatchObject({ contents: [{}, { parts: [call] }, {}] });
  });
});
