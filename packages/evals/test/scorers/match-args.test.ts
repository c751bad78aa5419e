import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { type ArgsMatcher, called } from "../../src/index.ts";
import { trial } from "../helpers/trial.ts";

/** Whether a call with these arguments is found by that expectation, through the scorer. */
async function finds(expected: ArgsMatcher, input: object): Promise<boolean> {
  const calls = [
    { name: "book", input, callId: "call:1.0", turn: 1, durationMs: 0, status: "completed", output: null },
  ];
  const { score } = await called("book", expected)(trial({ calls } as never));
  return score === 1;
}

const order = {
  id: "17",
  lines: [
    { sku: "a", n: 2 },
    { sku: "b", n: 1 },
  ],
  gift: null,
};

test.each([
  ["no members", {}, true],
  ["some members", { id: "17" }, true],
  ["members of members, in a list of the same length", { lines: [{ sku: "a" }, { n: 1 }] }, true],
  ["null", { gift: null }, true],
  ["an absent member that is undefined", { note: undefined }, true],
  ["a text by an expression", { id: /^1/ }, true],
  ["a text by an expression that remembers", { id: /7/g }, true],
  ["a predicate of a member", { lines: (lines: readonly unknown[]) => lines.length === 2 }, true],
  ["a schema of a member", { id: z.string().max(2) }, true],
  ["a matcher of vitest", { id: expect.any(String) }, true],
  ["a predicate", ({ gift }: Record<string, unknown>) => gift === null, true],
  ["a schema", z.object({ id: z.string() }), true],
  ["another value", { id: "18" }, false],
  ["a number for a text", { id: 17 }, false],
  ["an absent member", { note: "x" }, false],
  ["a member of what every object inherits", { toString: (value: unknown) => value !== undefined }, false],
  ["a shorter list", { lines: [{ sku: "a" }] }, false],
  ["a list in another order", { lines: [{ sku: "b" }, { sku: "a" }] }, false],
  ["an object for null", { gift: {} }, false],
  ["an expression of no text", { gift: /./ }, false],
  ["a schema that refuses", z.object({ id: z.number() }), false],
  ["a predicate that says no", ({ id }: Record<string, unknown>) => id === "18", false],
])("arguments by %s: %#", async (_what, expected, isFound) => {
  expect(await finds(expected, order)).toBe(isFound);
});

test("a schema that checks asynchronously is refused", async () => {
  await expect(
    finds(
      z.object({}).refine(async () => true),
      order,
    ),
  ).rejects.toThrow(new TypeError("this schema of zod checks asynchronously: match arguments with a predicate"));
});

const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const object = fc.dictionary(fc.string(), json);

test("arguments match themselves, and still when they have more members", async () => {
  await fc.assert(
    fc.asyncProperty(object, object, async (expected, more) => {
      expect(await finds(expected, { ...more, ...expected })).toBe(true);
    }),
  );
});

test("one member that differs is enough not to match", async () => {
  await fc.assert(
    fc.asyncProperty(object, fc.string(), json, async (args, name, value) => {
      fc.pre(name !== "__proto__");
      expect(await finds({ ...args, [name]: value }, { ...args, [name]: [value, "other"] })).toBe(false);
    }),
  );
});
