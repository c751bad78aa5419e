import { createHook } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import {
  Agent,
  type AgentOptions,
  ApiTimeoutError,
  defineTool,
  type GeminiOptions,
  type Hooks,
  RunAbandonedError,
} from "@pollux/core";
import { calls, faults, type FaultRule, text } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { eventsOf, faces } from "../../packages/core/test/helpers/faces.ts";
import { byStep, TOOLS } from "../support/trip.ts";
import { openWorld } from "../support/world.ts";

const forever = (): Promise<never> => new Promise(() => {});
const stuck = defineTool({ name: "stuck", description: "x", timeoutMs: 60_000, run: forever });
const deaf = defineTool({
  name: "deaf",
  description: "x",
  run: async function* () {
    for (let step = 0; ; step++) yield await new Promise((resolve) => setTimeout(() => resolve(step), 1));
  },
});

interface Wait {
  readonly faults?: readonly FaultRule[];
  readonly model?: GeminiOptions;
  readonly options?: Partial<AgentOptions>;
  readonly calls?: readonly string[];
}

const always = (): boolean => true;
const hook = (hooks: Hooks): Wait => ({ options: { hooks }, calls: ["stuck"] });

/** Everything a run can be waiting for; each would last for a minute or for ever. */
const WAITS: Readonly<Record<string, Wait>> = {
  "the first byte": { faults: [{ at: 1, fault: faults.slowFirstByte({ ms: Number.POSITIVE_INFINITY }) }] },
  "the next chunk": { faults: [{ at: 1, fault: faults.stall({ ms: Number.POSITIVE_INFINITY }) }] },
  "the end of an answer that is read whole": {
    faults: [{ at: 1, fault: faults.stall({ ms: Number.POSITIVE_INFINITY }) }],
    model: { transport: "unary" },
  },
  "the next attempt": {
    faults: [{ at: always, fault: faults.overloaded() }],
    model: { retry: { minDelayMs: 60_000, maxDelayMs: 60_000 } },
  },
  "the wait the service asked for": {
    faults: [{ at: always, fault: faults.perMinuteQuota({ retryDelay: "59s" }) }],
  },
  "the next beginning of a broken stream": {
    faults: [{ at: always, fault: faults.closeEarly() }],
    options: { maxRestarts: 30 },
  },
  "a tool that never settles": { calls: ["stuck"] },
  "tools that do not listen": { calls: ["deaf", "stuck", "deaf"] },
  "tools that wait for their turn": { calls: ["stuck", "stuck", "stuck"], options: { concurrency: 1 } },
  "a hook before a call": hook({ beforeCall: forever }),
};

const KINDS = new Set(["Timeout", "TCPWRAP", "TCPSERVERWRAP", "GETADDRINFOREQWRAP"]);

/** What was begun during the work and still keeps the process alive, by kind. */
async function leftOvers(work: () => Promise<void>): Promise<readonly string[]> {
  const begun = new Map<number, { readonly kind: string; readonly resource: object }>();
  const watch = createHook({
    init: (id, kind, _trigger, resource) => void (KINDS.has(kind) && begun.set(id, { kind, resource })),
    destroy: (id) => void begun.delete(id),
  });
  const alive = (): readonly string[] =>
    [...begun.values()]
      .filter(({ resource }) => !("hasRef" in resource && typeof resource.hasRef === "function") || resource.hasRef())
      .map(({ kind }) => kind);
  watch.enable();
  try {
    await work();
    // Sockets need a moment to close; polled without timers, which would be counted.
    const until = performance.now() + 1_500;
    while (alive().length > 0 && performance.now() < until) await setImmediate();
    return alive();
  } finally {
    watch.disable();
  }
}

/** Fails when the work leaves a timer or a socket behind. */
async function leavesNothing(work: () => Promise<void>): Promise<void> {
  expect(await leftOvers(work)).toEqual([]);
}

test("what is left behind is seen", async () => {
  let timer: NodeJS.Timeout | undefined;
  const left = await leftOvers(async () => {
    timer = setTimeout(() => {}, 60_000);
    setTimeout(() => {}, 60_000).unref();
    await new Promise((resolve) => setTimeout(resolve, 1));
  });
  clearTimeout(timer);
  expect(left).toEqual(["Timeout"]);
});

const brainFor = (names: readonly string[]) =>
  byStep(
    () => (names.length === 0 ? text("A long answer. ".repeat(20)) : calls([...names])),
    () => text("Done."),
  );

describe.each(Object.entries(WAITS))("waiting for %s", (_name, wait) => {
  const open = async () => {
    const world = await openWorld({ brain: brainFor(wait.calls ?? []), faults: wait.faults });
    const agent = new Agent({ model: world.model(undefined, wait.model), tools: [stuck, deaf], ...wait.options });
    return { world, agent };
  };

  test.each(faces)("%s ends at once when it is aborted, and leaves nothing running", (_face, read) =>
    leavesNothing(async () => {
      const { world, agent } = await open();
      await using _closed = world;
      const abort = new AbortController();
      const reason = new Error("enough");
      const running = read(agent, "Go.", { signal: abort.signal });
      setTimeout(() => abort.abort(reason), 40);
      const started = performance.now();
      await expect(running).rejects.toBe(reason);
      expect(performance.now() - started).toBeLessThan(1_000);
      expect(getEventListeners(abort.signal, "abort")).toEqual([]);
      // The service hears of it at once, not when the connection is given up.
      const seen = (): unknown => world.emulator.requests[0]?.answered.complete;
      if (wait.faults?.[0]?.fault.kind === "slow") await expect.poll(seen, { interval: 5 }).toBe(false);
    }),
  );
});

test("a reader who leaves takes everything along that was under way", () =>
  leavesNothing(async () => {
    await using world = await openWorld({ brain: brainFor(["deaf", "stuck", "add"]) });
    const running = new Agent({ model: world.model(), tools: [stuck, deaf, ...TOOLS] }).stream("Go.");
    for await (const event of running) if (event.type === "tool-progress") break;
    await expect(running.result()).rejects.toBeInstanceOf(RunAbandonedError);
  }));

describe.each(faces)("%s", (_face, read) => {
  test.each([
    ["first-byte", faults.slowFirstByte({ ms: Number.POSITIVE_INFINITY }), { firstByteMs: 40 }, 40],
    ["idle", faults.stall({ ms: Number.POSITIVE_INFINITY }), { idleMs: 40 }, 40],
    ["total", faults.stall({ ms: Number.POSITIVE_INFINITY }), { totalMs: 60 }, 60],
  ])("the %s limit ends a request that nobody answers", async (kind, fault, timeouts, limitMs) => {
    await using world = await openWorld({ brain: brainFor([]), faults: [{ at: always, fault }] });
    const model = world.model(undefined, { timeouts, retry: { maxAttempts: 1 } });
    const error = await read(new Agent({ model, maxRestarts: 0 }), "Go.").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiTimeoutError);
    expect(error).toMatchObject({ kind, limitMs });
  });

  test("a tool's own limit ends a call that never settles", async () => {
    const slow = defineTool({ name: "slow", description: "x", timeoutMs: 30, run: forever });
    await using world = await openWorld({ brain: brainFor(["slow"]) });
    const result = await read(new Agent({ model: world.model(), tools: [slow] }), "Go.");
    expect(result).toMatchObject({ stopReason: "finished", text: "Done." });
  });

  test.each([
    ["a model that says nothing", { faults: [{ at: 1, fault: faults.stall({ ms: Number.POSITIVE_INFINITY }) }] }],
    ["a tool that never settles", { calls: ["stuck"] }],
  ] satisfies [string, Wait][])("the wall time ends %s", async (_what, wait: Wait) => {
    await using world = await openWorld({ brain: brainFor(wait.calls ?? []), faults: wait.faults });
    const agent = new Agent({ model: world.model(), tools: [stuck], limits: { wallTimeMs: 60 } });
    const started = performance.now();
    expect(await read(agent, "Go.")).toMatchObject({ stopReason: "limit", limit: { name: "wallTimeMs" } });
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test("a hundred runs aborted at different moments leave nothing behind", () =>
    leavesNothing(async () => {
      await using world = await openWorld({ brain: brainFor(["stuck", "deaf"]), delays: { chunkMs: 1 } });
      const agent = new Agent({ model: world.model(), tools: [stuck, deaf, ...TOOLS] });
      await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const abort = new AbortController();
          setTimeout(() => abort.abort("enough"), 5 + (index % 50));
          await expect(read(agent, "Go.", { signal: abort.signal })).rejects.toBe("enough");
          expect(getEventListeners(abort.signal, "abort")).toEqual([]);
        }),
      );
    }));
});

test("a run that ends well leaves nothing either, and neither does one that fails", () =>
  leavesNothing(async () => {
    await using world = await openWorld({
      brain: brainFor(["add"]),
      faults: [{ at: 3, fault: faults.prepaidEmpty() }],
    });
    const agent = new Agent({ model: world.model(), tools: TOOLS, limits: { wallTimeMs: 60_000 } });
    const { signal } = new AbortController();
    expect((await eventsOf(agent, "Go.", { signal })).result?.stopReason).toBe("finished");
    expect((await eventsOf(agent, "Go.", { signal })).error).toBeInstanceOf(Error);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  }));
