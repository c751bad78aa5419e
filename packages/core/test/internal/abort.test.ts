import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { abortable } from "../../src/internal/abort.ts";

test("gives what the work gives and leaves no listener", async () => {
  const { signal } = new AbortController();
  expect(await abortable(Promise.resolve(1), signal)).toBe(1);
  await expect(abortable(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("an abort rejects at once with the signal's own reason, and the work's later failure is not unhandled", async () => {
  const controller = new AbortController();
  let fail: (error: Error) => void = () => {};
  const work = new Promise((_, reject) => (fail = reject));
  const waiting = abortable(work, controller.signal);
  controller.abort("enough");
  await expect(waiting).rejects.toBe("enough");
  fail(new Error("late"));
  await new Promise((resolve) => setImmediate(resolve));
});

test("a signal that was aborted before rejects too", async () => {
  await expect(abortable(Promise.resolve(1), AbortSignal.abort("gone"))).rejects.toBe("gone");
});
