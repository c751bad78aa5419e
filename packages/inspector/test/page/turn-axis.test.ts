import { expect, test } from "vitest";
import { commonLength, turnAxis } from "../../page/src/timeline/turn-axis.ts";
import type { StepRow } from "../../src/inspection/inspection.ts";

const step = (name: string, at: number, ms?: number): StepRow => ({
  name,
  kind: "call",
  at,
  state: "ok",
  ...(ms !== undefined && { ms }),
});

test("steps at the same time are side by side, and a wait in between is cut short", () => {
  const [model, fast, slow, late] = [
    step("m", 0, 100),
    step("a", 100, 50),
    step("b", 110, 200),
    step("c", 3_600_000, 40),
  ];
  const { length, bars, pauses } = turnAxis({ startedAt: 0, steps: [model, slow, fast, late] });
  expect([model, fast, slow, late].map((one) => bars.get(one))).toEqual([
    { start: 0, length: 100 },
    { start: 100, length: 50 },
    { start: 110, length: 200 },
    { start: 610, length: 40 },
  ]);
  expect(pauses).toEqual([{ start: 310, length: 300, ms: 3_599_690 }]);
  expect(length).toBe(650);
});

test("an open step has a place and no length; without steps there is nothing", () => {
  const open = step("a", 20);
  expect(turnAxis({ startedAt: 0, steps: [open] })).toMatchObject({ length: 20, pauses: [] });
  expect(turnAxis({ startedAt: 0, steps: [] })).toEqual({ length: 0, bars: new Map(), pauses: [] });
});

test("one turn that takes far longer than the others doesn't make theirs invisible", () => {
  const axes = [...Array.from({ length: 30 }, () => 100), 50_000].map((ms) =>
    turnAxis({ startedAt: 0, steps: [step("a", 0, ms)] }),
  );
  expect(commonLength(axes)).toBe(150);
  expect(commonLength([])).toBe(1);
});
