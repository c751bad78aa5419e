import { expect, test } from "vitest";
import { CallGate } from "../../../src/loop/calls/call-gate.ts";
import { idle } from "../../helpers/fake-time.ts";

/** Runs calls through a gate and writes down what was inside at the same time. */
async function trace(
  room: number,
  calls: readonly { readonly name: string; readonly alone?: boolean }[],
): Promise<string[]> {
  const gate = new CallGate(room);
  const inside = new Set<string>();
  const seen: string[] = [];
  await Promise.all(
    calls.map(({ name, alone = false }) =>
      gate.through(alone, async () => {
        inside.add(name);
        seen.push([...inside].join("+"));
        await idle();
        inside.delete(name);
      }),
    ),
  );
  return seen;
}

test("lets as many in as there is room for, in order", async () => {
  expect(await trace(2, [{ name: "a" }, { name: "b" }, { name: "c" }])).toEqual(["a", "a+b", "b+c"]);
});

test("a call that must be alone waits for those before it and holds up those after it", async () => {
  expect(
    await trace(8, [{ name: "a" }, { name: "b" }, { name: "c", alone: true }, { name: "d" }, { name: "e" }]),
  ).toEqual(["a", "a+b", "c", "d", "d+e"]);
});

test("a failing call frees its place", async () => {
  const gate = new CallGate(1);
  await expect(gate.through(true, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await gate.through(false, async () => 1)).toBe(1);
});
