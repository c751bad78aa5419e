import { describe, expect, test, vi } from "vitest";
import { ConfigurationError } from "../../src/errors/configuration-error.ts";
import { FileStateError } from "../../src/errors/file-errors.ts";
import type { GeminiFile } from "../../src/wire/file.ts";
import type { FilesClient } from "../../src/wire/files.ts";
import { waitForFile } from "../../src/wire/wait-for-file.ts";
import { stopClock } from "../helpers/stop-clock.ts";
import { until } from "../helpers/until.ts";

const FILE: GeminiFile = { name: "files/a", uri: "https://x.no/files/a", mimeType: "video/mp4" };

/** A service where each look gives the next state, the last one for ever. */
function looks(...states: readonly string[]): Pick<FilesClient, "get"> & { readonly times: number[] } {
  const times: number[] = [];
  const get: FilesClient["get"] = async (_file, options) => {
    options?.signal?.throwIfAborted();
    const state = states[Math.min(times.push(performance.now()), states.length) - 1] ?? "ACTIVE";
    return { ...FILE, state, ...(state === "FAILED" && { error: { message: "no frames" } }) };
  };
  return { get, times };
}

describe("waiting for a file", () => {
  test("looks until it is active, ever less often", async () => {
    stopClock();
    const files = looks("PROCESSING", "PROCESSING", "PROCESSING", "ACTIVE");
    const startedAt = performance.now();
    const waiting = waitForFile(files, "files/a", { pollMs: 40 });
    await vi.runAllTimersAsync();
    expect(await waiting).toEqual({ ...FILE, state: "ACTIVE" });
    expect(files.times.map((time) => time - startedAt)).toEqual([0, 40, 100, 190]);
  });

  test.each(["ACTIVE", undefined, "A_NEWER_WORD"])("asks nothing when the state is %s", async (state) => {
    const files = looks();
    const file = { ...FILE, state };
    expect(await waitForFile(files, file)).toBe(file);
    expect(files.times).toEqual([]);
  });

  test("fails with the service's reason when the file has failed", async () => {
    const error: unknown = await waitForFile(looks("PROCESSING", "FAILED"), "files/a", { pollMs: 1 }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(FileStateError);
    expect(error).toMatchObject({ code: "file_state", file: "files/a", state: "FAILED", retryable: false });
    expect(String(error)).toBe(
      "FileStateError: The service could not process files/a (no frames): check that its content is video/mp4, and upload it again.",
    );
  });

  test("ends after its limit, and says that it may be ready later", async () => {
    stopClock();
    const files = looks("PROCESSING");
    const startedAt = performance.now();
    const waiting = waitForFile(files, "files/a", { pollMs: 10_000, timeoutMs: 60 });
    void vi.runAllTimersAsync();
    await expect(waiting).rejects.toMatchObject({
      code: "file_state",
      state: "PROCESSING",
      retryable: true,
      message:
        "files/a is still being processed after 60 ms: wait longer (timeoutMs), or come back to it with its name.",
    });
    expect(files.times.map((time) => time - startedAt)).toEqual([0, 60]);
  });

  test("ends at once with the signal's reason", async () => {
    stopClock();
    const abort = new AbortController();
    const waiting = waitForFile(looks("PROCESSING"), "files/a", { pollMs: 60_000, signal: abort.signal });
    const reason = new Error("enough");
    await until(() => vi.getTimerCount() === 1);
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each(["timeoutMs", "pollMs"])("%s must be more than nothing", async (name) => {
    await expect(waitForFile(looks(), FILE, { [name]: 0 })).rejects.toThrow(ConfigurationError);
  });
});
