import { setImmediate as turn } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { ProcessQueue } from "../../src/processes/process-queue.ts";

const never = new AbortController().signal;
const tooLong = new Error("too long");

/** Asks for turns, in this order; `over` ends one. */
function takeTurns(queue: ProcessQueue, turns: readonly { max: number; signal?: AbortSignal }[]) {
  const started: number[] = [];
  const entered = turns.map(async ({ max, signal = never }, index) => {
    const leave = await queue.enter({ max, signal, maxWaitMs: 30_000, tooLong: () => tooLong });
    started.push(index);
    return leave;
  });
  return { started, entered, over: async (index: number) => (await entered[index])?.() };
}

test("processes start in the order in which they were asked for, also when one allows fewer at once", async () => {
  const { started, over } = takeTurns(new ProcessQueue(), [{ max: 2 }, { max: 2 }, { max: 1 }, { max: 2 }]);
  await turn();
  expect(started).toEqual([0, 1]);
  await over(0);
  await over(0);
  await turn();
  expect(started).toEqual([0, 1]);
  await over(1);
  await turn();
  expect(started).toEqual([0, 1, 2, 3]);
});

test("one that is given up while it waits is skipped, and those behind it go on", async () => {
  const controller = new AbortController();
  const { started, entered, over } = takeTurns(new ProcessQueue(), [
    { max: 2 },
    { max: 1, signal: controller.signal },
    { max: 2 },
    { max: 2 },
  ]);
  await turn();
  expect(started).toEqual([0]);
  const reason = new Error("stop");
  controller.abort(reason);
  await expect(entered[1]).rejects.toBe(reason);
  await turn();
  expect(started).toEqual([0, 2]);
  await over(2);
  await turn();
  expect(started).toEqual([0, 2, 3]);
});

test("one that waits too long fails with its own error, and leaves no timer", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { started, entered, over } = takeTurns(new ProcessQueue(), [{ max: 1 }, { max: 1 }, { max: 1 }]);
  await turn();
  vi.advanceTimersByTime(29_999);
  await over(0);
  await turn();
  expect(started).toEqual([0, 1]);
  vi.advanceTimersByTime(1);
  await expect(entered[2]).rejects.toBe(tooLong);
  expect(vi.getTimerCount()).toBe(0);
});
