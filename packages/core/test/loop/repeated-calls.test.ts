import { expect, test } from "vitest";
import { RepeatGuard } from "../../src/loop/stop-when.ts";

const look = (where: string) => [{ name: "look", args: { where } }];
const saw = (output: unknown) => [{ functionResponse: { name: "look", response: { output } } }];

test("trips at the third turn with the same calls and the same results", () => {
  const guard = new RepeatGuard(3);
  expect([1, 2, 3].map(() => guard.addTurn(look("up"), saw("sky")))).toEqual([false, false, true]);
});

test("a poll whose result changes, and calls that change, never trip it", () => {
  const guard = new RepeatGuard(2);
  expect([1, 2, 3].map((n) => guard.addTurn(look("up"), saw(n)))).toEqual([false, false, false]);
  expect(["a", "b", "a"].map((where) => guard.addTurn(look(where), saw("same")))).toEqual([false, false, false]);
});

test("ids do not count, and Infinity never trips", () => {
  const guard = new RepeatGuard(2);
  expect(guard.addTurn([{ id: "x1", name: "look", args: {} }], saw(1))).toBe(false);
  expect(guard.addTurn([{ id: "x2", name: "look", args: {} }], saw(1))).toBe(true);
  const never = new RepeatGuard(Number.POSITIVE_INFINITY);
  expect(Array.from({ length: 9 }, () => never.addTurn(look("up"), saw("sky")))).not.toContain(true);
});
