import type { RunEvent } from "@pollux/core";
import { batchEvents, type EngineEvent } from "@pollux/engine";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

const FROM = { runId: "r", step: "model:1", attempt: 1 };

function text(delta: string, type: "text-delta" | "thought-delta" = "text-delta"): RunEvent {
  return { type, turn: 1, delta };
}

/** Batches in few words. */
function words(batches: readonly (readonly EngineEvent[])[]): string[][] {
  return batches.map((batch) =>
    batch.map(
      ({ step, seq, event }) =>
        `${step}.${seq} ${"delta" in event && typeof event.delta === "string" ? event.delta : event.type}`,
    ),
  );
}

describe("batchEvents", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("joins neighboring deltas of one kind and sends what came in 25 ms at once", async () => {
    const sent: (readonly EngineEvent[])[] = [];
    const batch = batchEvents(async (events) => void sent.push(events));
    for (const delta of ["Let ", "me ", "think."]) await batch.emit(FROM, text(delta, "thought-delta"));
    for (const delta of ["Hel", "lo"]) await batch.emit(FROM, text(delta));
    await vi.advanceTimersByTimeAsync(24);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toEqual([
      [
        { ...FROM, seq: 0, event: text("Let me think.", "thought-delta") },
        { ...FROM, seq: 1, event: text("Hello") },
      ],
    ]);
    await batch.emit(FROM, text(", you."));
    await batch.close();
    expect(sent[1]).toEqual([{ ...FROM, seq: 2, event: text(", you.") }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("keeps steps, attempts, turns and other events apart, in their order", async () => {
    const sent: (readonly EngineEvent[])[] = [];
    const batch = batchEvents(async (events) => void sent.push(events));
    const progress: RunEvent = { type: "tool-progress", turn: 1, callId: "call:1.0", progress: 1 };
    await batch.emit(FROM, text("a"));
    await batch.emit({ ...FROM, attempt: 2 }, text("b"));
    await batch.emit({ ...FROM, step: "model:2" }, { type: "text-delta", turn: 2, delta: "c" });
    await batch.emit({ ...FROM, step: "call:1.0" }, progress);
    await batch.emit(FROM, text("d"));
    await batch.close();
    expect(words(sent)).toEqual([
      ["model:1.0 a", "model:1.0 b", "model:2.0 c", "call:1.0.0 tool-progress", "model:1.1 d"],
    ]);
  });

  test("sends at once when much has gathered, one batch after the other, and lets its writer wait", async () => {
    const sent: (readonly EngineEvent[])[] = [];
    let release = (): void => {};
    const batch = batchEvents(
      async (events) => {
        sent.push(events);
        if (sent.length === 1) await new Promise<void>((resolve) => (release = resolve));
      },
      { maxBytes: 10 },
    );
    let room = false;
    const full = batch.emit(FROM, text("0123456789")).then(() => (room = true));
    const next = batch.emit(FROM, text("abcdefghij"));
    await vi.advanceTimersByTimeAsync(100);
    expect({ batches: sent.length, room }).toEqual({ batches: 1, room: false });
    release();
    await full;
    await next;
    expect(words(sent)).toEqual([["model:1.0 0123456789"], ["model:1.1 abcdefghij"]]);
  });

  test("gathers for one more batch while the last is on its way, in bounded room", async () => {
    const sent: (readonly EngineEvent[])[] = [];
    let release = (): void => {};
    const batch = batchEvents(
      async (events) => {
        sent.push(events);
        if (sent.length === 1) await new Promise<void>((resolve) => (release = resolve));
      },
      { maxBytes: 10 },
    );
    await batch.emit(FROM, text("a"));
    await vi.advanceTimersByTimeAsync(25);
    for (const delta of ["b", "c", "d"]) {
      await batch.emit(FROM, text(delta));
      await vi.advanceTimersByTimeAsync(25);
    }
    let room = false;
    const full = batch.emit(FROM, text("0123456789")).then(() => (room = true));
    await vi.advanceTimersByTimeAsync(100);
    expect({ batches: sent.length, room }).toEqual({ batches: 1, room: false });
    const closed = batch.close();
    release();
    await full;
    await closed;
    expect(words(sent)).toEqual([["model:1.0 a"], ["model:1.1 bcd0123456789"]]);
  });

  test("goes on when sending fails, says so, and drops what comes after the end", async () => {
    const sent: (readonly EngineEvent[])[] = [];
    const errors: unknown[] = [];
    const batch = batchEvents(
      async (events) => {
        if (sent.push(events) === 1) throw new Error("no reader");
      },
      { onError: (error) => errors.push(error) },
    );
    await batch.emit(FROM, text("lost"));
    await vi.advanceTimersByTimeAsync(25);
    await batch.emit(FROM, text("kept"));
    await batch.close();
    await batch.emit(FROM, text("late"));
    await batch.close();
    expect(words(sent)).toEqual([["model:1.0 lost"], ["model:1.1 kept"]]);
    expect(errors).toEqual([new Error("no reader")]);
  });
});
