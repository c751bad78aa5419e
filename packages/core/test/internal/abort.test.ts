import { getEventListeners } from "node:events";
import { Agent, defineTool } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { abortable, sleep, startTimer } from "../../src/internal/abort.ts";
import { faces } from "../helpers/faces.ts";
import { fakeTime } from "../helpers/fake-time.ts";

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

describe("waits longer than a timer of the platform", () => {
  fakeTime("stands");

  const DAY_MS = 86_400_000;

  test.each([24.9, 49.8, 100])("a wait of %d days ends then, and not before", async (days) => {
    let isOver = false;
    void sleep(days * DAY_MS).then(() => (isOver = true));
    await vi.advanceTimersByTimeAsync(days * DAY_MS - 1);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(isOver).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("an endless one ends with its signal, and leaves no timer", async () => {
    const controller = new AbortController();
    const waiting = sleep(Infinity, controller.signal);
    waiting.catch(() => {});
    await vi.advanceTimersByTimeAsync(100 * DAY_MS);
    controller.abort("enough");
    await expect(waiting).rejects.toBe("enough");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a timer can be stopped at any stage", async () => {
    const fire = vi.fn<() => void>();
    const stop = startTimer(60 * DAY_MS, fire);
    await vi.advanceTimersByTimeAsync(59 * DAY_MS);
    stop();
    await vi.advanceTimersByTimeAsync(60 * DAY_MS);
    expect(fire).not.toHaveBeenCalled();
  });
});

describe.each(faces)("limits of more than 24.8 days, %s", (_face, read) => {
  fakeTime("leaps");

  test("a tool is timed out after 30 days", async () => {
    const wait = defineTool({
      name: "wait",
      description: "x",
      timeoutMs: 30 * 86_400_000,
      run: () => new Promise(() => {}),
    });
    const begun = Date.now();
    const result = await read(
      new Agent({ model: new ScriptedModel(call("wait"), say("Late.")), tools: [wait] }),
      "Go.",
    );
    expect(result).toMatchObject({ stopReason: "finished", text: "Late." });
    expect(Date.now() - begun).toBe(30 * 86_400_000);
  });

  test("the wall time ends a run after 30 days", async () => {
    const wait = defineTool({ name: "wait", description: "x", timeoutMs: Infinity, run: () => new Promise(() => {}) });
    const begun = Date.now();
    const limits = { wallTimeMs: 30 * 86_400_000 };
    const result = await read(new Agent({ model: new ScriptedModel(call("wait")), tools: [wait], limits }), "Go.");
    expect(result).toMatchObject({ stopReason: "limit", limit: { name: "wallTimeMs" } });
    expect(Date.now() - begun).toBeGreaterThanOrEqual(30 * 86_400_000);
  });
});
