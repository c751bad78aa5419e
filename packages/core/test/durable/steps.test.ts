import { ApiStatusError, ConfigurationError } from "@pollux/core";
import type { Step } from "@pollux/core/durable";
import { describeError, settleStep } from "@pollux/core/durable";
import { describe, expect, test } from "vitest";

function stepOf(signal: AbortSignal = new AbortController().signal): Step {
  return { key: "r/a", attempt: 1, signal, emit: async () => {} };
}

function settled(run: (step: Step) => unknown, options?: { readonly maxBytes?: number }) {
  return settleStep({ name: "a", run: async (step) => run(step) }, stepOf(), options);
}

describe("settleStep", () => {
  test.each([
    ["nothing", () => undefined, null],
    ["what JSON leaves out", () => ({ a: 1, b: undefined, c: [undefined] }), { a: 1, c: [null] }],
    ["a date", () => new Date(0), "1970-01-01T00:00:00.000Z"],
    ["text of any script", () => "é\u{1f600}\u2028", "é\u{1f600}\u2028"],
  ])("gives %s as JSON has it", async (_, run, value) => {
    expect(await settled(run)).toStrictEqual({ ok: true, value });
  });

  test("gives a copy: what the step goes on to change is not in it", async () => {
    const value = { list: [1] };
    const outcome = await settled(() => value);
    value.list.push(2);
    expect(outcome).toEqual({ ok: true, value: { list: [1] } });
  });

  test.each([
    [new TypeError("no"), { name: "TypeError", message: "no" }],
    [new ConfigurationError("not set"), { name: "ConfigurationError", message: "not set", code: "configuration" }],
    [
      new ApiStatusError("full", { status: 503, retryable: true }),
      { name: "ApiStatusError", message: "full", code: "api_status", status: 503 },
    ],
    [Object.assign(new Error("gone"), { code: "ENOENT" }), { name: "Error", message: "gone", code: "ENOENT" }],
    [new DOMException("late", "TimeoutError"), { name: "TimeoutError", message: "late" }],
    ["just text", { name: "Error", message: "just text" }],
    [undefined, { name: "Error", message: "undefined" }],
    [Object.create(null), { name: "Error", message: "no message" }],
    [Object.assign(new Error("x"), { message: 42 }), { name: "Error", message: "42" }],
  ])("makes data of %s", async (thrown, error) => {
    const throws = (): never => {
      throw thrown;
    };
    expect(await settled(throws)).toStrictEqual({ ok: false, error });
    expect(describeError(thrown)).toStrictEqual(error);
  });

  test("makes data of a value that has no JSON", async () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    expect(await settled(() => loop)).toMatchObject({ ok: false, error: { name: "TypeError" } });
  });

  test.each([
    ["x".repeat(98), true],
    ["x".repeat(99), false],
    ["é".repeat(49), true],
    ["é".repeat(50), false],
  ])("counts the bytes of %s", async (text, fits) => {
    const outcome = await settled(() => text, { maxBytes: 100 });
    expect(outcome.ok).toBe(fits);
    if (!outcome.ok)
      expect(outcome.error).toEqual({
        name: "ValueTooLargeError",
        code: "value-too-large",
        message: expect.stringMatching(
          /^the result of a is 10[12] bytes, over the limit of 100: ask for less at a time/,
        ) as unknown,
      });
  });

  test("has a limit of 8 MiB when none is given", async () => {
    expect(await settled(() => "x".repeat(8 * 1024 * 1024 - 2))).toMatchObject({ ok: true });
    expect(await settled(() => "x".repeat(8 * 1024 * 1024 - 1))).toMatchObject({ ok: false });
  });

  test("rejects with the signal's reason when the abort cut the step off, or came before it", async () => {
    const abort = new AbortController();
    const reason = new Error("enough");
    let ran = 0;
    const op = {
      name: "a",
      run: async () => {
        ran++;
        abort.abort(reason);
        throw new TypeError("because of that");
      },
    };
    await expect(settleStep(op, stepOf(abort.signal))).rejects.toBe(reason);
    await expect(settleStep(op, stepOf(abort.signal))).rejects.toBe(reason);
    expect(ran).toBe(1);
  });

  test("keeps what a step that ended all the same has done", async () => {
    const abort = new AbortController();
    const run = async (): Promise<string> => {
      abort.abort(new Error("enough"));
      return "paid";
    };
    expect(await settleStep({ name: "a", run }, stepOf(abort.signal))).toEqual({ ok: true, value: "paid" });
  });
});
