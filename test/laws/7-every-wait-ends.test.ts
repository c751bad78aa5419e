import { createHook } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import { Agent, type AgentOptions, type AnyTool, defineTool, type GeminiOptions, type Hooks } from "@pollux/core";
import { ApiTimeoutError, RunAbandonedError } from "@pollux/core/errors";
import { calls, faults, type FaultRule, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { eventsOf, faces } from "../../packages/core/test/helpers/faces.ts";
import { byStep, TOOLS } from "../support/trip.ts";
import { openWorld } from "../support/world.ts";

const forever = (): Promise<never> => new Promise(() => {});

/** The visible state of a run. */
interface Seen {
  /** Bodies of answers, as far as they have been read. */
  readonly answers: readonly string[];
  /** Requests that have arrived. */
  readonly arrived: number;
  /** Failed attempts with a retry. */
  readonly givenUp: number;
  /** Waiting calls. */
  readonly waiting: number;
}

/** A tool that never settles, and one that streams forever; each reports its start. */
function slowTools(began: () => void = () => {}): readonly AnyTool[] {
  const stuck = defineTool({
    name: "stuck",
    description: "x",
    timeoutMs: 60_000,
    run: () => (began(), forever()),
  });
  const deaf = defineTool({
    name: "deaf",
    description: "x",
    run: async function* () {
      began();
      for (let step = 0; ; step++) yield await new Promise((resolve) => setTimeout(() => resolve(step), 1));
    },
  });
  return [stuck, deaf];
}

interface Wait {
  /** Whether the wait has started. */
  readonly hasBegun: (seen: Seen) => boolean;
  readonly faults?: readonly FaultRule[];
  readonly model?: GeminiOptions;
  readonly options?: Partial<AgentOptions>;
  /** A hook that also waits forever. */
  readonly hook?: keyof Hooks;
  readonly calls?: readonly string[];
}

const mute = (): void => {};
const always = (): boolean => true;
const arrives = ({ arrived }: Seen): boolean => arrived > 0;
const isCut = ({ answers }: Seen): boolean => (answers[0] ?? "") !== "";
const isGivenUp = ({ givenUp }: Seen): boolean => givenUp > 0;
const waits = ({ waiting }: Seen): boolean => waiting > 0;

/** Everything a run can wait for; each would last for a minute or forever. */
const WAITS: Readonly<Record<string, Wait>> = {
  "the first byte": {
    hasBegun: arrives,
    faults: [{ at: 1, fault: faults.slowFirstByte({ ms: Number.POSITIVE_INFINITY }) }],
  },
  "the next chunk": {
    hasBegun: isCut,
    faults: [{ at: 1, fault: faults.stall({ ms: Number.POSITIVE_INFINITY }) }],
  },
  "the end of an answer that is read whole": {
    hasBegun: isCut,
    faults: [{ at: 1, fault: faults.stall({ ms: Number.POSITIVE_INFINITY }) }],
    model: { transport: "unary" },
  },
  "the next attempt": {
    hasBegun: isGivenUp,
    faults: [{ at: always, fault: faults.overloaded() }],
    model: { retry: { minDelayMs: 60_000, maxDelayMs: 60_000 } },
  },
  "the wait the service asked for": {
    hasBegun: isGivenUp,
    faults: [{ at: always, fault: faults.perMinuteQuota({ retryDelay: "59s" }) }],
  },
  "the next beginning of a broken stream": {
    hasBegun: isGivenUp,
    faults: [{ at: always, fault: faults.closeEarly() }],
    options: { limits: { restarts: 30 } },
  },
  "a tool that never settles": { hasBegun: waits, calls: ["stuck"] },
  "tools that do not listen": { hasBegun: ({ waiting }) => waiting === 3, calls: ["deaf", "stuck", "deaf"] },
  "tools that wait for their turn": {
    hasBegun: waits,
    calls: ["stuck", "stuck", "stuck"],
    options: { limits: { concurrentCalls: 1 } },
  },
  "a hook before a call": { hasBegun: waits, calls: ["stuck"], hook: "beforeCall" },
};

const KINDS = new Set(["Timeout", "TCPWRAP", "TCPSERVERWRAP", "GETADDRINFOREQWRAP"]);

/** Ends a hang: closing a socket may take any time. */
const PATIENCE_MS = 30_000;

/** Resources that the work opened and that still keep the process alive, by kind. */
async function leftOvers(work: () => Promise<void>, patience = PATIENCE_MS): Promise<readonly string[]> {
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
    // Sockets need a moment to close; polls without timers, which would count.
    const until = performance.now() + patience;
    for (let turns = 0; alive().length > 0 && (turns < 20 || performance.now() < until); turns++) await setImmediate();
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
  }, 0);
  clearTimeout(timer);
  expect(left).toEqual(["Timeout"]);
});

const brainFor = (names: readonly string[]) =>
  byStep(
    () => (names.length === 0 ? say("A long answer. ".repeat(20)) : calls(...names)),
    () => say("Done."),
  );

describe.each(Object.entries(WAITS))("waiting for %s", (_name, wait) => {
  test.each(faces)("%s ends at once when it is aborted, and leaves nothing running", (_face, read) =>
    leavesNothing(async () => {
      await using world = await openWorld({ brain: brainFor(wait.calls ?? []), faults: wait.faults });
      let waiting = 0;
      let givenUp = 0;
      const began = (): void => void waiting++;
      const agent = new Agent({
        model: world.model(undefined, wait.model),
        tools: slowTools(began),
        logger: { trace: mute, debug: mute, info: mute, warn: () => void givenUp++, error: mute },
        ...(wait.hook && { hooks: { [wait.hook]: () => (began(), forever()) } }),
        ...wait.options,
      });
      const abort = new AbortController();
      const reason = new Error("enough");
      const running = read(agent, "Go.", { signal: abort.signal });
      const { emulator, answers } = world;
      while (!wait.hasBegun({ answers, arrived: emulator.requests.length, givenUp, waiting })) await setImmediate();
      abort.abort(reason);
      expect(await turnsOf(running)).toBeLessThan(20);
      await expect(running).rejects.toBe(reason);
      expect(getEventListeners(abort.signal, "abort")).toEqual([]);
      // The service notices it at once, not when the connection closes.
      const seen = (): unknown => world.emulator.requests[0]?.answered.complete;
      if (wait.faults?.[0]?.fault.kind === "slow") await expect.poll(seen).toBe(false);
    }),
  );
});

/** How many turns of the event loop a promise takes to settle. */
async function turnsOf(work: Promise<unknown>): Promise<number> {
  const progress = { isOver: false };
  const over = (): void => void (progress.isOver = true);
  work.then(over, over);
  let turns = 0;
  for (; !progress.isOver; turns++) await setImmediate();
  return turns;
}

test("a reader who leaves takes everything along that was under way", () =>
  leavesNothing(async () => {
    await using world = await openWorld({ brain: brainFor(["deaf", "stuck", "add"]) });
    const running = new Agent({ model: world.model(), tools: [...slowTools(), ...TOOLS] }).stream("Go.");
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
    const error = await read(new Agent({ model, limits: { restarts: 0 } }), "Go.").catch((reason: unknown) => reason);
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
  ] satisfies [string, Partial<Wait>][])("the wall time ends %s", async (_what, wait: Partial<Wait>) => {
    await using world = await openWorld({ brain: brainFor(wait.calls ?? []), faults: wait.faults });
    const agent = new Agent({ model: world.model(), tools: slowTools(), limits: { wallTimeMs: 60 } });
    expect(await read(agent, "Go.")).toMatchObject({ stopReason: "limit", limit: { name: "wallTimeMs" } });
  });

  test("a hundred runs aborted at different moments leave nothing behind", () =>
    leavesNothing(async () => {
      await using world = await openWorld({ brain: brainFor(["stuck", "deaf"]), delays: { chunkMs: 1 } });
      const agent = new Agent({ model: world.model(), tools: [...slowTools(), ...TOOLS] });
      await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const abort = new AbortController();
          const running = read(agent, "Go.", { signal: abort.signal });
          running.catch(() => {});
          for (let turns = 0; turns < 4 * index; turns++) await setImmediate();
          abort.abort("enough");
          await expect(running).rejects.toBe("enough");
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
