import { Agent, ApiStatusError, type Hooks, ResponseBlockedError, runSoFar, StreamIncompleteError } from "@pollux/core";
import { call, type Fault, faults, type FaultRule, text } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { type Face, faces } from "../../packages/core/test/helpers/faces.ts";
import { ANSWER, byStep, TOOLS, trip, user } from "../support/trip.ts";
import { openWorld } from "../support/world.ts";

const always = (fault: Fault): readonly FaultRule[] => [{ at: () => true, fault }];
const SHAPES = ["empty-text", "no-parts", "no-content", "empty-content"] as const;

/** Runs against an emulator with faults; gives the end and how many requests it took. */
async function meet(read: Face, rules: readonly FaultRule[], hooks: Hooks = {}) {
  await using world = await openWorld({ brain: trip(), faults: rules });
  const agent = new Agent({ model: world.model(), tools: TOOLS, maxRestarts: 1, hooks });
  const result = await read(agent, "Weather?").catch((error: unknown) => error);
  return { result, requests: world.bodies.length, bodies: world.bodies };
}

describe.each(faces)("%s", (_face, read) => {
  test.each(SHAPES)("an empty STOP (%s) is never a success", async (shape) => {
    const { result, requests } = await meet(read, always(faults.emptyStop({ shape })));
    expect(result).toMatchObject({ stopReason: "empty", text: "", turns: 1 });
    expect(result).not.toHaveProperty("output");
    expect(requests).toBe(4);
  });

  test.each(SHAPES)("an empty STOP (%s) in the middle of a run is asked for again as it was", async (shape) => {
    const { result, bodies } = await meet(read, [{ at: 2, fault: faults.emptyStop({ shape }) }]);
    expect(result).toMatchObject({ stopReason: "finished", text: ANSWER, turns: 3, usage: { requests: 4 } });
    expect(bodies[2]).toBe(bodies[1]);
  });

  test("thoughts alone are no answer", async () => {
    expect((await meet(read, always(faults.onlyThoughts()))).result).toMatchObject({ stopReason: "empty" });
  });

  test("a malformed call is asked for again, told what was wrong, and never a success", async () => {
    const { result, requests, bodies } = await meet(read, always(faults.malformedCall("Malformed function call: x(")));
    expect(result).toMatchObject({
      stopReason: "bad-call",
      finishReason: "MALFORMED_FUNCTION_CALL",
      finishMessage: "Malformed function call: x(",
    });
    expect(requests).toBe(4);
    expect(bodies.at(-1)).toContain("could not be read");
  });

  test("a malformed call is left out of the history", async () => {
    const { result, bodies } = await meet(read, [{ at: [2, 3], fault: faults.malformedCall() }]);
    expect(result).toMatchObject({ stopReason: "finished", text: expect.any(String) });
    expect(bodies.at(-1)).not.toContain("Malformed");
  });

  test.each([
    ["cleanly between two chunks", faults.closeEarly()],
    ["in the middle of an object", faults.closeMidJson({ atByte: 700 })],
    ["before the first chunk", faults.closeEarly({ afterChunks: 0 })],
  ])("a stream that ends %s is begun again, and is a failure when it stays so", async (_where, fault) => {
    expect((await meet(read, [{ at: 2, fault }])).result).toMatchObject({ stopReason: "finished", text: ANSWER });
    const { result } = await meet(read, always(fault));
    expect(result).toBeInstanceOf(StreamIncompleteError);
    expect(runSoFar(result)?.contents).toEqual([user("Weather?")]);
  });

  test.each([
    ["an error", faults.errorInStream()],
    ["an error at the beginning", faults.errorInStream({ afterChunks: 0 })],
    ["a bare error", faults.errorInStream({ bare: true })],
    ["a gateway's error", faults.gatewayErrorInStream()],
  ])("%s inside a stream is an error, never an answer", async (what, fault) => {
    expect((await meet(read, [{ at: 3, fault }])).result).toMatchObject({ stopReason: "finished", text: ANSWER });
    const { result } = await meet(read, always(fault));
    expect(result).toBeInstanceOf(ApiStatusError);
    expect(result).toMatchObject({ status: what === "a gateway's error" ? expect.any(Number) : 503, retryable: true });
  });

  test.each(["SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "OTHER"])(
    "a prompt blocked for %s is an error, not an empty success",
    async (reason) => {
      const { result, requests } = await meet(read, always(faults.promptBlocked(reason)));
      expect(result).toBeInstanceOf(ResponseBlockedError);
      expect(result).toMatchObject({ code: "response_blocked", blockReason: reason, retryable: false });
      expect(requests).toBe(1);
    },
  );

  test("a blocked answer is an ending of its own", async () => {
    const { result, requests } = await meet(read, always(faults.safety("RECITATION")));
    expect(result).toMatchObject({ stopReason: "blocked", finishReason: "RECITATION", text: "" });
    expect(requests).toBe(1);
  });

  test("what was streamed before a stream broke is not in the answer", async () => {
    const long = "One two three. ".repeat(10).trim();
    await using world = await openWorld({
      brain: byStep(() => text(long)),
      faults: [{ at: 1, fault: faults.errorInStream({ afterChunks: 3 }) }],
    });
    const result = await read(new Agent({ model: world.model() }), "Go.");
    expect(result.text).toBe(long);
    expect(result.contents).toHaveLength(2);
  });
});

test("a reader of the stream is told that what came is void", async () => {
  await using world = await openWorld({
    brain: byStep(() => text("One two three. ".repeat(10))),
    faults: [{ at: 1, fault: faults.closeEarly({ afterChunks: 3 }) }],
  });
  let shown = "";
  const running = new Agent({ model: world.model() }).stream("Go.");
  for await (const event of running) {
    if (event.type === "text-delta") shown += event.delta;
    if (event.type === "discard") shown = "";
  }
  expect(shown).toBe((await running.result()).text);
});

test("a whole answer is judged like a streamed one", async () => {
  for (const fault of [faults.emptyStop(), faults.malformedCall(), faults.promptBlocked(), faults.noCandidates()]) {
    const ends: unknown[] = [];
    for (const transport of ["stream", "unary"] as const) {
      await using world = await openWorld({ brain: byStep(() => call("add", { a: 1, b: 2 })), faults: always(fault) });
      const agent = new Agent({ model: world.model(undefined, { transport }), tools: TOOLS, maxRestarts: 0 });
      ends.push(
        await agent.run("Go.").then(
          ({ stopReason }) => stopReason,
          (error: { code: string }) => error.code,
        ),
      );
    }
    expect(ends[1]).toBe(ends[0]);
    expect(ends[0]).not.toBe("finished");
  }
});
