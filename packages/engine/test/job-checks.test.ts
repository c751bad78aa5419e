import type { Op } from "@pollux/core/durable";
import { cancelJobs, JobChecks, possibleNames, timeLeft } from "@pollux/engine";
import { expect, test } from "vitest";

const { signal } = new AbortController();

function wait(name: string, check: () => Promise<string | undefined>, everyMs: number): Extract<Op, { kind: "wait" }> {
  return { kind: "wait", name, since: 1_000, poll: { everyMs, check } };
}

test("jobs are asked about after their time, then less often, until each has an answer", async () => {
  const checks = new JobChecks([
    { kind: "wait", name: "approval" },
    wait("a", () => Promise.reject(new Error("down")), 100),
    wait("b", () => Promise.resolve("found"), 250),
  ]);
  expect(checks.next()).toEqual({ at: 1_100, names: ["a"] });
  expect(await checks.ask("a", signal)).toBeUndefined();
  checks.note({ at: 1_150, over: [] });
  expect(checks.next()).toEqual({ at: 1_250, names: ["a", "b"] });
  expect(await checks.ask("b", signal)).toBe("found");
  // As after a night: a tenth of its time so far.
  checks.note({ at: 11_000, over: ["b"] });
  expect(checks.next()).toEqual({ at: 12_000, names: ["a"] });
  checks.note({ at: 12_000, over: ["a"] });
  expect(checks.next()).toBeUndefined();
});

test("an outcome that no engine could store becomes an error, and an aborted check nothing", async () => {
  const checks = new JobChecks([wait("a", () => Promise.resolve("x".repeat(9 * 1024 * 1024)), 1)]);
  expect(await checks.ask("a", signal)).toEqual({ error: expect.stringContaining("over the limit") as unknown });
  await expect(checks.ask("a", AbortSignal.abort(new Error("over")))).rejects.toThrow("over");
});

test("the time of a wait may have begun before its round", () => {
  const op = { kind: "wait", name: "a", timeoutMs: 500 } as const;
  expect(timeLeft(op)).toBe(500);
  expect(timeLeft({ ...op, since: 1_000 })).toBe(0);
  expect(timeLeft({ kind: "wait", name: "a", since: 1_000 })).toBeUndefined();
});

test("what can be cancelled is", async () => {
  const cancelled: string[] = [];
  const cancel = async (): Promise<void> => void cancelled.push("a");
  await cancelJobs([
    { kind: "wait", name: "a", cancel },
    { kind: "wait", name: "b" },
  ]);
  expect(cancelled).toEqual(["a"]);
});

test("an early outcome may be for any question about it", () => {
  expect(possibleNames({ callId: "call:1.0", question: "outcome" })).toEqual([
    "call:1.0/outcome",
    "call:1.0/job",
    "call:1.0/unknown-outcome",
  ]);
  expect(possibleNames({ callId: "call:1.0", question: "unknown-outcome" })).toEqual(["call:1.0/unknown-outcome"]);
});
