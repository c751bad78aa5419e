/* oxlint-disable unicorn/no-thenable, typescript/only-throw-error, typescript/unbound-method -- tools do all of it */
import { afterEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { ToolError, ModelRetry } from "../../src/errors/run-errors.ts";
import { type LogMethod, SILENT } from "../../src/logging/logger.ts";
import { describeFailure } from "../../src/tool/call-failure.ts";
import { callTool } from "../../src/tool/call-tool.ts";
import { defineTool } from "../../src/tool/define-tool.ts";
import type { Tool, ToolContext } from "../../src/tool/tool.ts";
import type { FunctionCall } from "../../src/wire/types/content.ts";
import { deferred } from "../helpers/deferred.ts";
import { fakeTime, idle } from "../helpers/fake-time.ts";
import { growthOf } from "../helpers/growth.ts";

function contextOf(changes: Partial<ToolContext> = {}): ToolContext {
  return {
    context: undefined,
    signal: new AbortController().signal,
    callId: "call:1.0",
    call: { name: "t" },
    idempotencyKey: "run/call:1.0",
    runId: "run",
    agent: "agent",
    turn: 1,
    attempt: 1,
    logger: SILENT,
    progress: async () => {},
    attach: () => {},
    ...changes,
  };
}

function tool(run: Tool["run"], options: { readonly timeoutMs?: number } = {}): Tool {
  return defineTool({ name: "t", description: "d", input: { type: "object" }, run, ...options });
}

function ask(
  one: Tool,
  call: FunctionCall = { name: "t", args: {} },
  changes: Partial<ToolContext> = {},
): ReturnType<typeof callTool> {
  return callTool(new Map([[one.name, one]]), call, contextOf({ call, ...changes }));
}

const unhandled = vi.fn<(reason: unknown) => void>();
process.on("unhandledRejection", unhandled);
afterEach(async () => {
  await idle();
  expect(unhandled).not.toHaveBeenCalled();
});

function unreadable(): Error {
  return Object.defineProperty(new Error("x"), "message", {
    get() {
      throw new Error("y");
    },
  });
}

describe("how a call can end", () => {
  test.each<[string, Tool["run"], unknown]>([
    ["a value", () => 5, { ok: true, output: 5 }],
    ["nothing", () => undefined, { ok: true, output: undefined }],
    ["a promise", async () => "x", { ok: true, output: "x" }],
    [
      "a thenable",
      () => ({ then: (resolve: (value: string) => void) => resolve("later") }),
      { ok: true, output: "later" },
    ],
    [
      "a thenable that throws",
      () => ({
        get then(): never {
          throw new Error("no then");
        },
      }),
      { ok: false, kind: "failed", message: "t failed with an internal error" },
    ],
    [
      "a generator",
      async function* () {
        yield 1;
        return "end";
      },
      { ok: true, output: "end" },
    ],
    [
      "a generator that throws",
      async function* () {
        yield 1;
        throw new ToolError("half way");
      },
      { ok: false, kind: "failed", message: "half way" },
    ],
    [
      "a throw",
      () => {
        throw new Error("sync");
      },
      { ok: false, kind: "failed", message: "t failed with an internal error" },
    ],
    [
      "a rejection",
      async () => {
        throw new Error("async");
      },
      { ok: false, kind: "failed", message: "t failed with an internal error" },
    ],
    [
      "a failure in the author's words",
      async () => {
        throw new ToolError("The service is closed\n  at night.");
      },
      { ok: false, kind: "failed", message: "The service is closed\n  at night." },
    ],
    [
      "a time limit that the author kept",
      async () => {
        throw new ToolError("no answer within 5 s", { kind: "timeout" });
      },
      { ok: false, kind: "timeout", message: "no answer within 5 s" },
    ],
    [
      "a retry",
      async () => {
        throw new ModelRetry("use ISO dates");
      },
      { ok: false, kind: "bad-input", message: "use ISO dates" },
    ],
    [
      "a thrown string",
      () => {
        throw "text";
      },
      { ok: false, kind: "failed", message: "t failed with an internal error" },
    ],
    [
      "a thrown nothing",
      () => {
        throw undefined;
      },
      { ok: false, kind: "failed", message: "t failed with an internal error" },
    ],
    [
      "a thrown object",
      () => {
        throw { code: 5 };
      },
      { ok: false, kind: "failed", message: "t failed with an internal error" },
    ],
    [
      "an error that cannot be read",
      () => {
        throw unreadable();
      },
      { ok: false, kind: "failed", message: "t failed with an internal error" },
    ],
  ])("%s", async (_name, run, expected) => {
    expect(await ask(tool(run))).toEqual(expected);
  });

  test("an unplanned error is logged with its stack, and its text is not told", async () => {
    const error = vi.fn<LogMethod>();
    const thrown = new Error("db password=hunter2 failed");
    const outcome = await ask(
      tool(() => {
        throw thrown;
      }),
      undefined,
      { logger: { ...SILENT, error } },
    );
    expect(outcome).toEqual({ ok: false, kind: "failed", message: "t failed with an internal error" });
    expect(error).toHaveBeenCalledExactlyOnceWith(
      { err: thrown, tool: "t", callId: "call:1.0", stage: "running" },
      "tool failed",
    );
  });

  test.each([
    ["an error", new Error("no route to host"), "t failed: no route to host"],
    ["an error without a message", new TypeError(""), "t failed: TypeError"],
    ["a blank error", new Error(" "), "t failed: no error message"],
    ["a string", "text", "t failed: text"],
    ["nothing", undefined, "t failed: undefined"],
    ["an object", { code: 5 }, 't failed: {"code":5}'],
    ["what cannot be read", unreadable(), "t failed: no error message"],
    ["a failure in the author's words", new ToolError("closed"), "closed"],
  ])("a tool that exposes its errors tells %s", async (_what, thrown, message) => {
    const exposing = defineTool({
      name: "t",
      description: "d",
      exposeErrors: true,
      run: () => Promise.reject(thrown),
    });
    expect(await ask(exposing)).toEqual({ ok: false, kind: "failed", message });
  });

  test("the model reads an exposed error in short, never with its stack, and the log has it too", async () => {
    const error = vi.fn<LogMethod>();
    const thrown = new Error("long ".repeat(300));
    const exposing = (message: string | undefined) =>
      defineTool({
        name: "t",
        description: "d",
        exposeErrors: true,
        run: () => Promise.reject(message === undefined ? thrown : new Error(message)),
      });
    const outcome = await ask(exposing(undefined), undefined, { logger: { ...SILENT, error } });
    expect(outcome).toMatchObject({ ok: false, kind: "failed" });
    expect(outcome.ok ? "" : outcome.message.length).toBeLessThan(520);
    expect(error).toHaveBeenCalledExactlyOnceWith(
      { err: thrown, tool: "t", callId: "call:1.0", stage: "running" },
      "tool failed",
    );
    expect(JSON.stringify(await ask(exposing(thrown.stack)))).not.toContain("call-tool.test");
  });

  test("an exposed error of any length is shortened in time linear in it", async () => {
    const exposing = (lines: number) =>
      defineTool({
        name: "t",
        description: "d",
        exposeErrors: true,
        run: () => Promise.reject(new Error(`x${"\n".repeat(lines)}y`)),
      });
    expect(await ask(exposing(3))).toMatchObject({ message: "t failed: x\n\n\ny" });
    const growth = growthOf(
      (lines) => void describeFailure(exposing(0), new Error(`x${"\n".repeat(lines)}y`)),
      4_000,
      8,
    );
    // Quadratic work would take 64 times as long.
    expect(growth).toBeLessThan(32);
  });

  test("what the author meant for the model is not logged", async () => {
    const error = vi.fn<LogMethod>();
    await ask(
      tool(() => {
        throw new ToolError("x");
      }),
      undefined,
      { logger: { ...SILENT, error } },
    );
    await ask(
      tool(() => {
        throw new ModelRetry("x");
      }),
      undefined,
      { logger: { ...SILENT, error } },
    );
    expect(error).not.toHaveBeenCalled();
  });

  test("a logger that throws changes nothing", async () => {
    const logger = {
      ...SILENT,
      error: () => {
        throw new Error("disk full");
      },
    };
    expect(
      await ask(
        tool(() => {
          throw new Error("x");
        }),
        undefined,
        { logger },
      ),
    ).toEqual({ ok: false, kind: "failed", message: "t failed with an internal error" });
  });
});

describe("finding and checking", () => {
  const weather = defineTool({
    name: "get_weather",
    description: "d",
    input: z.object({ city: z.string(), days: z.int().default(1) }),
    run: (input) => input,
  });

  test("an unknown name is answered with the names there are, the nearest first", async () => {
    expect(await ask(weather, { name: "getWeather" })).toEqual({
      ok: false,
      kind: "not-found",
      message: 'there is no tool named "getWeather". Did you mean "get_weather"? Available: get_weather.',
    });
    expect(await ask(weather, { name: "default_api:get_weather" })).toMatchObject({
      message: expect.stringContaining('Did you mean "get_weather"?') as string,
    });
    expect(await ask(weather, { name: "launch_rocket" })).toEqual({
      ok: false,
      kind: "not-found",
      message: 'there is no tool named "launch_rocket". Available: get_weather.',
    });
    expect(await callTool(new Map(), { name: "x" }, contextOf())).toEqual({
      ok: false,
      kind: "not-found",
      message: 'there is no tool named "x". No tools are available.',
    });
  });
  test("the list of names is bounded", async () => {
    const many = new Map(Array.from({ length: 100 }, (_, index) => [`tool_number_${index}`, weather as Tool]));
    const outcome = await callTool(many, { name: "q".repeat(5_000) }, contextOf());
    expect(outcome).toMatchObject({ kind: "not-found", message: expect.stringMatching(/and 80 more\.$/) as string });
    expect(outcome.ok ? 0 : outcome.message.length).toBeLessThan(600);
  });
  test("arguments are checked and given their defaults", async () => {
    expect(await ask(weather, { name: "get_weather", args: { city: "Oslo" } })).toEqual({
      ok: true,
      output: { city: "Oslo", days: 1 },
    });
    expect(await ask(weather, { name: "get_weather", args: { city: 5 } })).toEqual({
      ok: false,
      kind: "bad-input",
      message: "invalid arguments: city: Invalid input: expected string, received number",
    });
    expect(await ask(weather, { name: "get_weather" })).toMatchObject({ ok: false, kind: "bad-input" });
  });
  test("missing arguments are an empty object", async () => {
    expect(
      await ask(
        tool((input) => input),
        { name: "t" },
      ),
    ).toEqual({ ok: true, output: {} });
  });
  test("a check that throws by itself is a failure of the tool", async () => {
    const broken = defineTool({
      name: "t",
      description: "d",
      input: z.object({
        a: z.string().transform(() => {
          throw new Error("bug");
        }),
      }),
      run: () => 1,
    });
    const error = vi.fn<LogMethod>();
    expect(await ask(broken as Tool, { name: "t", args: { a: "x" } }, { logger: { ...SILENT, error } })).toEqual({
      ok: false,
      kind: "failed",
      message: "t failed with an internal error",
    });
    expect(error.mock.calls[0]?.[0]).toMatchObject({ stage: "checking the arguments" });
  });
  test("asynchronous checks are awaited", async () => {
    const slow = defineTool({
      name: "t",
      description: "d",
      input: z.object({ a: z.string().refine(async (text) => text === "ok", "must be ok") }),
      run: () => 1,
    });
    expect(await ask(slow as Tool, { name: "t", args: { a: "ok" } })).toEqual({ ok: true, output: 1 });
    expect(await ask(slow as Tool, { name: "t", args: { a: "no" } })).toEqual({
      ok: false,
      kind: "bad-input",
      message: "invalid arguments: a: must be ok",
    });
  });
  test("a tool that changes what it is given does not change the call", async () => {
    const call = { name: "t", args: { list: [1], deep: { a: 1 } } };
    await ask(
      tool((input, context) => {
        (input as { list: number[] }).list.push(2);
        (context.call.args as { deep: { a: number } }).deep.a = 2;
      }),
      call,
    );
    expect(call).toEqual({ name: "t", args: { list: [1], deep: { a: 1 } } });
  });
});

describe("time and abort", () => {
  fakeTime("stands");

  test("a tool that ignores its signal is answered for when its time is up, and not before", async () => {
    const told = vi.fn<(outcome: unknown) => void>();
    void ask(tool(() => new Promise(() => {}), { timeoutMs: 20 })).then(told);
    await vi.advanceTimersByTimeAsync(19);
    expect(told).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toHaveBeenCalledExactlyOnceWith({
      ok: false,
      kind: "timeout",
      message: "t timed out after 20 ms",
    });
  });
  test("its signal aborts with a TimeoutError", async () => {
    let reason: unknown;
    const working = ask(
      tool(
        (_input, { signal }) => new Promise(() => signal.addEventListener("abort", () => (reason = signal.reason))),
        { timeoutMs: 10 },
      ),
    );
    await vi.advanceTimersByTimeAsync(10);
    await working;
    expect(reason).toMatchObject({ name: "TimeoutError" });
  });
  test("an abort answers at once and reaches the tool with its reason; what comes later is swallowed and not logged", async () => {
    const controller = new AbortController();
    const error = vi.fn<LogMethod>();
    const over = deferred();
    let reason: unknown;
    const working = ask(
      tool(async (_input, { signal }) => {
        signal.addEventListener("abort", () => (reason = signal.reason));
        await over.promise;
        throw new Error("late");
      }),
      undefined,
      { signal: controller.signal, logger: { ...SILENT, error } },
    );
    await idle();
    controller.abort("enough");
    expect(await working).toEqual({
      ok: false,
      kind: "cancelled",
      message: "cancelled: the run ended before this call finished",
    });
    expect(reason).toBe("enough");
    over.resolve();
    await idle();
    expect(error).not.toHaveBeenCalled();
  });
  test("an aborted run starts no tool", async () => {
    const run = vi.fn<Tool["run"]>();
    expect(await ask(tool(run), undefined, { signal: AbortSignal.abort() })).toMatchObject({ kind: "cancelled" });
    expect(run).not.toHaveBeenCalled();
  });
  test("an endless time is no timer that fires at once", async () => {
    const day = 86_400_000;
    const slow = tool(async () => await new Promise((resolve) => setTimeout(() => resolve("done"), day)), {
      timeoutMs: Number.POSITIVE_INFINITY,
    });
    const working = ask(slow);
    await vi.advanceTimersByTimeAsync(day);
    expect(await working).toEqual({ ok: true, output: "done" });
  });
  test("no listener and no timer are left", async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    for (const run of [
      () => 1,
      async () => {
        throw new ToolError("x");
      },
      async function* () {
        yield 1;
        return 2;
      },
    ] as Tool["run"][])
      await ask(tool(run), undefined, { signal });
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("progress", () => {
  fakeTime("stands");

  test("what a generator yields is reported in order and made fit for JSON", async () => {
    const seen: unknown[] = [];
    const outcome = await ask(
      tool(async function* () {
        yield { at: new Date(0) };
        yield 2n;
        return "end";
      }),
      undefined,
      { progress: async (value) => void seen.push(value) },
    );
    expect(outcome).toEqual({ ok: true, output: "end" });
    expect(seen).toEqual([{ at: "1970-01-01T00:00:00.000Z" }, "2"]);
  });
  test("a reader that fails does not fail the tool", async () => {
    const outcome = await ask(
      tool(async (_input, { progress }) => {
        await progress(1);
        return "ok";
      }),
      undefined,
      {
        progress: async () => {
          throw new Error("gone");
        },
      },
    );
    expect(outcome).toEqual({ ok: true, output: "ok" });
  });
  test("nothing is reported after the end, and the generator's cleanup runs", async () => {
    const seen: unknown[] = [];
    const cleaned = vi.fn<() => void>();
    const working = ask(
      tool(
        async function* () {
          try {
            for (let step = 0; ; step++) {
              yield step;
              await new Promise((resolve) => setTimeout(resolve, 4));
            }
          } finally {
            cleaned();
          }
        },
        { timeoutMs: 15 },
      ),
      undefined,
      { progress: async (value) => void seen.push(value) },
    );
    await vi.advanceTimersByTimeAsync(15);
    expect(await working).toMatchObject({ kind: "timeout" });
    expect(seen).toEqual([0, 1, 2, 3]);
    await vi.advanceTimersByTimeAsync(25);
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(cleaned).toHaveBeenCalledOnce();
  });
});
