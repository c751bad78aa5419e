import { Agent, defineTool, ToolError } from "@pollux/core";
import { calls, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { CATALOG } from "../support/fault-catalog.ts";
import { byStep, TOOLS, trip } from "../support/trip.ts";
import { ENDS, type FaultName, meetFault } from "../support/fault-ends.ts";
import { openWorld } from "../support/world.ts";

describe.each(faces)("%s", (_face, read) => {
  // Each of them at one of the three requests; `5-failure-is-data.system.test.ts` has all combinations.
  test.each([
    ["once", 0],
    ["and ever after", 1],
  ] as const)("every fault at one request, %s", async (_name, always) => {
    const names = Object.keys(ENDS) as FaultName[];
    const ends: { [name: string]: string } = {};
    for (const [index, name] of names.entries())
      ends[name] = await meetFault(read, name, 1 + ((index + always) % 3), always === 1);
    expect(ends).toEqual(Object.fromEntries(names.map((name) => [name, ENDS[name][always]])));
  });

  test("whatever a tool does is data for the model, and the run goes on", async () => {
    const ways: readonly (() => unknown)[] = [
      () => Promise.reject(new Error("disk on fire")),
      () => {
        // oxlint-disable-next-line typescript/only-throw-error -- some libraries do
        throw "a text";
      },
      () => {
        throw new ToolError("no station there");
      },
      () => Promise.reject(undefined),
      () => ({
        self: (() => {
          const loop: { me?: unknown } = {};
          loop.me = loop;
          return loop;
        })(),
        big: 10n,
      }),
      () => new Promise(() => {}),
    ];
    // The last of them needs the limit.
    const tools = ways.map((run, index) =>
      defineTool({
        name: `way_${index}`,
        description: "x",
        timeoutMs: index === ways.length - 1 ? 30 : undefined,
        run,
      }),
    );
    await using world = await openWorld({
      brain: byStep(
        () => calls(...tools.map(({ name }) => name)),
        () => say("Noted."),
      ),
    });
    const result = await read(new Agent({ model: world.model(), tools }), "Go.");
    expect(result).toMatchObject({ stopReason: "finished", text: "Noted." });
    expect(result.contents[2]?.parts.map(({ functionResponse }) => Object.keys(functionResponse!.response)[0])).toEqual(
      ["error", "error", "error", "error", "output", "error"],
    );
  });

  test("an agent inside that fails is data too, and what it had paid for is counted", async () => {
    await using inner = await openWorld({ brain: trip(), faults: [{ at: 3, fault: CATALOG.prepaidEmpty }] });
    await using outer = await openWorld({
      brain: byStep(
        () => calls({ name: "helper", args: { task: "Weather?" } }),
        () => say("It did not work."),
      ),
    });
    const helper = new Agent({ model: inner.model(), tools: TOOLS, name: "helper" }).asTool({ description: "Helps." });
    const result = await read(new Agent({ model: outer.model(), tools: [helper] }), "Go.");
    expect(result).toMatchObject({ stopReason: "finished", text: "It did not work.", usage: { requests: 4 } });
    expect(result.contents[2]?.parts[0]?.functionResponse?.response).toEqual({
      error: "helper failed with an internal error",
    });
  });
});
