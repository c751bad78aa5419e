import { defineJob } from "@pollux/core";
import { ToolDefinitionError } from "@pollux/core/errors";
import { expect, test } from "vitest";

const words = { name: "research", description: "Researches." };
const start = (): string => "job-1";

test("a job is a tool, once by default, with times of its own", () => {
  const { job, timeoutMs, effects, external } = defineJob({ ...words, start });
  expect([timeoutMs, effects, external, job?.timeoutMs, job?.checkEveryMs]).toEqual([
    60_000,
    "once",
    false,
    21_600_000,
    5_000,
  ]);
  const own = defineJob({
    ...words,
    start,
    effects: "idempotent",
    timeoutMs: Infinity,
    requestTimeoutMs: 5,
    checkEveryMs: 7,
  });
  expect([own.timeoutMs, own.effects, own.job?.timeoutMs, own.job?.checkEveryMs]).toEqual([
    5,
    "idempotent",
    Infinity,
    7,
  ]);
});

test.each([
  [undefined, "one object"],
  [{ ...words }, 'tool "research": it needs start: a function'],
  [{ ...words, start: "x" }, "start"],
  [{ ...words, start, check: 1 }, "check"],
  [{ ...words, start, cancel: {} }, "cancel"],
  [{ ...words, start, run: start }, "run is not for jobs"],
  [{ ...words, start, retry: {} }, "retry is not for jobs"],
  [{ ...words, start, endsRun: true }, "endsRun is not for jobs"],
  [{ ...words, start, effects: "none" }, "effects"],
  [{ ...words, start, timeoutMs: 0 }, "timeoutMs must be a number of at least 1, got 0"],
  [{ ...words, start, checkEveryMs: NaN }, "checkEveryMs must be a number of at least 1, got NaN"],
  [{ ...words, start, every: 5 }, "every"],
  [{ name: "a b", description: "d", start }, "cannot be a tool's name"],
])("a definition that cannot work, %o, is refused", (spec, message) => {
  const define = (): unknown => defineJob(spec as never);
  expect(define).toThrow(ToolDefinitionError);
  expect(define).toThrow(message);
});
