import { Agent, AgentError, type GeminiOptions } from "@pollux/core";
import { call, type Fault, faults, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { byStep, TOOLS } from "../support/trip.ts";
import { shared } from "../support/observed-transport.ts";
import { openWorld } from "../support/world.ts";

const SAID = "The sum is 3, über jeden Zweifel erhaben. 🎉 ".repeat(4).trim();
const brain = byStep(
  () => call("add", { a: 1, b: 2 }),
  () => say(SAID),
);

/** The endings of runs whose second answer is cut at a byte, without a retry. */
async function cutAt(
  bytes: readonly number[],
  cut: (atByte: number) => Fault,
  transport: "stream" | "unary",
  fetch: GeminiOptions["fetch"],
): Promise<readonly string[]> {
  const rules = bytes.map((byte, index) => ({ at: 2 * (index + 1), fault: cut(byte) }));
  await using world = await openWorld({ brain, faults: rules, largeSignatures: false });
  const model = world.model(undefined, { transport, retry: { maxAttempts: 1 }, ...(fetch && { fetch }) });
  const ends: string[] = [];
  for (const byte of bytes) {
    try {
      const result = await new Agent({ model, tools: TOOLS, limits: { restarts: 0 } }).run("Go.");
      if (result.stopReason === "finished") expect(result.text, `cut at byte ${byte}`).toBe(SAID);
      ends.push(result.stopReason);
    } catch (error) {
      expect(error, `cut at byte ${byte}`).toBeInstanceOf(AgentError);
      ends.push((error as AgentError).code);
    }
  }
  expect(world.emulator.requests).toHaveLength(2 * bytes.length);
  return ends;
}

/** Length of the second answer's body, in bytes. */
async function bodyLength(transport: "stream" | "unary"): Promise<number> {
  await using world = await openWorld({ brain, largeSignatures: false });
  await new Agent({ model: world.model(undefined, { transport }), tools: TOOLS }).run("Go.");
  return Buffer.byteLength(world.answers[1] ?? "");
}

describe.each([
  ["stream", "fetch", undefined],
  ["stream", "the node transport", shared],
  ["unary", "fetch", undefined],
  ["unary", "the node transport", shared],
] as const)("%s over %s", (transport, _name, fetch) => {
  test.each([
    ["closed", (atByte: number) => faults.closeMidJson({ atByte })],
    ["reset", (atByte: number) => faults.reset({ atByte })],
  ])(
    "an answer that is %s at any byte is a typed failure or the whole answer, never a part of it",
    async (how, cut) => {
      const length = await bodyLength(transport);
      expect(length).toBeGreaterThan(1_000);
      const bytes = [
        ...Array.from({ length: 40 }, (_, index) => 1 + Math.floor((index / 40) * length)),
        length - 5,
        length - 4,
        length - 3,
        length - 2,
        length - 1,
      ];
      const ends = await cutAt(bytes, cut, transport, fetch);
      for (const [index, end] of ends.entries()) {
        if (bytes[index]! < length - 5) expect(end, `${how} at byte ${bytes[index]}`).not.toBe("finished");
      }
    },
  );
});
