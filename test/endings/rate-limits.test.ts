import { Agent, ApiStatusError, runSoFar } from "@pollux/core";
import { faults, type FaultRule } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { eventsOf, faces } from "../../packages/core/test/helpers/faces.ts";
import { ANSWER, TOOLS, trip } from "../support/trip.ts";
import { openWorld } from "../support/world.ts";

/** An emulator that notes when each request came and was answered, in milliseconds. */
async function timed(rules: readonly FaultRule[]) {
  const arrived: number[] = [];
  const answered: number[] = [];
  const note: FaultRule = {
    at: () => {
      arrived.push(performance.now());
      return false;
    },
    fault: faults.overloaded(),
  };
  const world = await openWorld({
    brain: trip(),
    faults: [note, ...rules],
    onAnswered: () => void answered.push(performance.now()),
  });
  return { world, arrived, answered };
}

describe.each(faces)("%s", (_face, read) => {
  test("the wait the service asks for is kept", async () => {
    const { world, arrived, answered } = await timed([{ at: 2, fault: faults.perMinuteQuota({ retryDelay: "0.2s" }) }]);
    await using _closed = world;
    const result = await read(new Agent({ model: world.model(), tools: TOOLS }), "Weather?");
    expect(result).toMatchObject({ stopReason: "finished", text: ANSWER });
    const waited = arrived[2]! - answered[1]!;
    expect(waited).toBeGreaterThanOrEqual(198);
    expect(waited).toBeLessThan(1_000);
    expect(world.bodies[2]).toBe(world.bodies[1]);
  });

  test.each([
    ["503", faults.overloaded()],
    ["503 in other words", faults.overloaded({ wording: "high-demand" })],
    ["500", faults.internalError()],
    ["502 with a page", faults.htmlPage()],
    ["429 that says nothing", faults.plainQuota()],
    ["error wrapped in a list", faults.arrayWrappedError()],
  ])("a %s is tried again, three times and no more", async (_what, fault) => {
    {
      const { world } = await timed([{ at: [1, 2, 3], fault }]);
      await using _closed = world;
      expect(await read(new Agent({ model: world.model(), tools: TOOLS }), "Weather?")).toMatchObject({ text: ANSWER });
      expect(world.bodies).toHaveLength(6);
    }
    const { world } = await timed([{ at: () => true, fault }]);
    await using _closed = world;
    const error = await read(new Agent({ model: world.model(), tools: TOOLS }), "Weather?").catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ApiStatusError);
    expect(world.bodies).toHaveLength(4);
  });

  test("an exhausted daily quota fails at once and says when it resets, whatever delay it names", async () => {
    const { world } = await timed([{ at: 3, fault: faults.perDayQuota({ retryDelay: "0.1s" }) }]);
    await using _closed = world;
    const error = await read(new Agent({ model: world.model(), tools: TOOLS }), "Weather?").catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "api_status", status: 429, reason: "RESOURCE_EXHAUSTED", retryable: false });
    expect(world.bodies).toHaveLength(3);
    const { resetsAt, quotaViolations } = error as ApiStatusError;
    expect(resetsAt).toBeGreaterThan(Date.now());
    expect(resetsAt).toBeLessThanOrEqual(Date.now() + 25 * 3_600_000);
    expect(new Date(resetsAt!).toLocaleTimeString("en-GB", { timeZone: "America/Los_Angeles" })).toMatch(
      /^(00|24):00:00$/,
    );
    expect(quotaViolations[0]?.quotaId).toContain("PerDay");
    // What was paid for is not lost.
    expect(runSoFar(error)).toMatchObject({ turns: 3, usage: { requests: 2 } });
    expect(runSoFar(error)?.contents).toHaveLength(5);
  });

  test.each([
    ["a model outside the tier", faults.tierWithoutModel(), 429],
    ["a used-up credit", faults.prepaidEmpty(), 402],
    ["a refused key", faults.apiError(403, "PERMISSION_DENIED", "No."), 403],
  ])("%s is not tried again", async (_what, fault, status) => {
    const { world } = await timed([{ at: () => true, fault }]);
    await using _closed = world;
    const error = await read(new Agent({ model: world.model() }), "Hi.").catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status, retryable: false });
    expect(world.bodies).toHaveLength(1);
  });
});

test("a reader of the stream hears of each wait", async () => {
  const { world } = await timed([{ at: [1, 2], fault: faults.overloaded() }]);
  await using _closed = world;
  const { events } = await eventsOf(new Agent({ model: world.model(), tools: TOOLS }), "Weather?");
  expect(events.flatMap((event) => (event.type === "notice" ? [event.notice] : []))).toMatchObject([
    { type: "retry", attempt: 1, error: { code: "api_status", status: 503 } },
    { type: "retry", attempt: 2, error: { code: "api_status", status: 503 } },
  ]);
});
