import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiNetworkError, ApiStatusError, ApiTimeoutError } from "../../../src/errors/api-errors.ts";
import { ApiClient } from "../../../src/wire/client.ts";
import type { CallOptions } from "../../../src/wire/client-options.ts";
import { DEFAULT_RETRY, delayFor, type RetryNotice, type RetryPolicy } from "../../../src/wire/http/retry.ts";

// Loaded with the first retry: reading it takes turns of the event loop, which the tests' clocks do not wait for.
beforeAll(async () => void (await import("p-retry")));

const overloaded = (retryAfterMs?: number): ApiStatusError =>
  new ApiStatusError("overloaded", { status: 503, retryable: true, retryAfterMs });

describe("delayFor", () => {
  test.each([
    ["the first backoff", overloaded(), 1, 0, 500],
    ["a doubled backoff", overloaded(), 3, 0, 2000],
    ["a capped backoff", overloaded(), 20, 0, 30_000],
    ["jitter below the backoff", overloaded(), 1, 1, 350],
    ["the service's wait", overloaded(34_070), 1, 0, 34_070],
    ["jitter above the service's wait", overloaded(10_000), 1, 1, 12_000],
    ["a backoff where the service's wait is nothing", overloaded(0), 2, 0, 1000],
    ["a wait beyond the limit", overloaded(300_001), 1, 0, undefined],
    ["a network failure", new ApiNetworkError("reset"), 2, 0, 1000],
    ["a timeout to the first byte", new ApiTimeoutError("first-byte", 1, "slow"), 1, 0, 500],
    ["a total timeout", new ApiTimeoutError("total", 1, "slow"), 1, 0, undefined],
    ["a final status", new ApiStatusError("bad", { status: 400, retryable: false }), 1, 0, undefined],
    ["an error of someone else's", new Error("bug"), 1, 0, undefined],
  ])("%s", (_name, error, attempt, random, expected) => {
    expect(delayFor(error, attempt, DEFAULT_RETRY, () => random)).toBe(expected);
  });
});

/** Makes attempts as every call of a client does. @param call - Gets the number of the attempt. */
async function withRetry<T>(
  call: (attempt: number) => Promise<T>,
  { policy, ...options }: CallOptions & { readonly policy?: Partial<RetryPolicy> } = {},
): Promise<T> {
  const client = new ApiClient({ env: {}, random: () => 0, retry: policy });
  return await client.retried({ operation: "test", method: "GET", path: "" }, options, ({ number }) => call(number));
}

describe("a call", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("tries again after the wait, reports it, and gives the result", async () => {
    const notices: RetryNotice[] = [];
    const call = vi.fn<(attempt: number) => Promise<number>>(async (attempt) => {
      if (attempt < 3) throw overloaded(attempt === 2 ? 5000 : undefined);
      return attempt;
    });
    const result = withRetry(call, { onRetry: (notice) => notices.push(notice) });
    await vi.advanceTimersByTimeAsync(499);
    expect(call).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(10);
    expect(call).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(5010);
    expect(await result).toBe(3);
    const error = { code: "api_status", message: "overloaded", status: 503 };
    expect(notices).toEqual([
      { attempt: 1, delayMs: 500, error },
      { attempt: 2, delayMs: 5000, error },
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("announces no retry of a call that was aborted meanwhile", async () => {
    const controller = new AbortController();
    const notices: RetryNotice[] = [];
    const call = async (attempt: number): Promise<never> => {
      if (attempt === 2) controller.abort("enough");
      throw overloaded();
    };
    const { signal } = controller;
    const onRetry = (notice: RetryNotice): void => void notices.push(notice);
    const reason = withRetry(call, { signal, onRetry }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await reason).toBe("enough");
    expect(notices.map(({ attempt }) => attempt)).toEqual([1]);
  });

  test("waits for weeks rather than not at all", async () => {
    const controller = new AbortController();
    const call = vi.fn<() => Promise<never>>(() => Promise.reject(overloaded(60 * 86_400_000)));
    const result = withRetry(call, { policy: { maxServerDelayMs: Infinity }, signal: controller.signal });
    const reason = result.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(86_400_000);
    expect(call).toHaveBeenCalledTimes(1);
    controller.abort("enough");
    expect(await reason).toBe("enough");
  });

  test("gives up after the last attempt with the last error, without another wait", async () => {
    const errors: ApiStatusError[] = [];
    const call = async (): Promise<never> => {
      const error = overloaded();
      errors.push(error);
      throw error;
    };
    const outcome = withRetry(call).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await outcome).toBe(errors[3]);
    expect(errors).toHaveLength(4);
  });

  test.each([
    ["an error", new Error("enough")],
    ["a word", "enough"],
  ])("an abort with %s ends the wait at once", async (_name, reason) => {
    const controller = new AbortController();
    const outcome = withRetry(async () => Promise.reject(overloaded(200_000)), { signal: controller.signal }).then(
      () => "resolved",
      (error: unknown) => error,
    );
    await vi.advanceTimersByTimeAsync(10);
    expect(vi.getTimerCount()).toBe(1);
    controller.abort(reason);
    expect(await outcome).toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("without a logger of its own (in JavaScript perhaps null), is logged by the client's", async () => {
    const call = vi.fn<() => Promise<string>>().mockRejectedValueOnce(overloaded(1)).mockResolvedValueOnce("done");
    const result = withRetry(call, { logger: null as never });
    await vi.advanceTimersByTimeAsync(10);
    expect(await result).toBe("done");
  });

  test("one attempt means no retry", async () => {
    const call = vi.fn<() => Promise<never>>(async () => Promise.reject(overloaded()));
    await expect(withRetry(call, { policy: { maxAttempts: 1 } })).rejects.toThrow("overloaded");
    expect(call).toHaveBeenCalledTimes(1);
  });
});
