import { Agent, defineTool, MemoryStore } from "@pollux/core";
import { map, type MapItem, type MapProgress } from "@pollux/core/bulk";
import { ApiNetworkError, ApiStatusError, ResponseBlockedError } from "@pollux/core/errors";
import { call, fails, hangs, say, type ScriptLine, ScriptedModel } from "@pollux/core/testing";
import * as fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";

type Asked = Parameters<Extract<ScriptLine, (...given: never) => unknown>>[0];

/** The text of the last content. */
const asked = ({ contents }: Asked): string => contents.at(-1)?.parts[0]?.text ?? "";

/** A model that is asked any number of times. */
const always = (line: ScriptLine, times = 500): ScriptedModel =>
  new ScriptedModel(...Array.from({ length: times }, () => line));

const echo = (): ScriptedModel => always((request) => say(`re: ${asked(request)}`));

const PRICES = { input: 1000, output: 1000 };

const textOf = (item: MapItem<unknown, unknown>): string =>
  item.status === "finished"
    ? item.result.text
    : `${item.status}: ${item.status === "failed" ? String(item.error) : item.result.stopReason}`;

afterEach(() => {
  vi.useRealTimers();
});

describe("items", () => {
  test("come as they are done, and all of them in the order of the inputs", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const model = always(async (request) => {
      if (asked(request) === "slow") await held;
      return say(`re: ${asked(request)}`);
    });
    const run = map(new Agent({ model }), ["slow", "b", "c"], { concurrency: 2 });
    const seen: string[] = [];
    for await (const item of run) {
      seen.push(item.key);
      if (seen.length === 2) release();
    }
    expect(seen).toEqual(["1", "2", "0"]);
    const again = await map(new Agent({ model: echo() }), ["a", "b", "c"]).results();
    expect(again.map(textOf)).toEqual(["re: a", "re: b", "re: c"]);
    expect(again.map(({ index, input, attempts, sessionId }) => [index, input, attempts, sessionId])).toEqual([
      [0, "a", 1, "map/0"],
      [1, "b", 1, "map/1"],
      [2, "c", 1, "map/2"],
    ]);
  });

  test("come in the order of the inputs when they are to be ordered", async () => {
    const waits = new Map<string, () => void>();
    const model = always(async (request) => {
      await new Promise<void>((resolve) => waits.set(asked(request), resolve));
      return say("ok");
    });
    const run = map(new Agent({ model }), ["a", "b", "c"], { ordered: true, concurrency: 3 });
    const keys: string[] = [];
    const reading = (async () => {
      for await (const { key } of run) keys.push(key);
    })();
    await vi.waitUntil(() => waits.size === 3, 60_000);
    for (const name of ["c", "b", "a"]) waits.get(name)?.();
    await reading;
    expect(keys).toEqual(["0", "1", "2"]);
  });

  test("have the typed output", async () => {
    const model = always(say('{"positive":true}'));
    const agent = new Agent({ model, output: z.object({ positive: z.boolean() }) });
    const [item] = await map(agent, [{ text: "Great." }], { message: ({ text }) => text }).results();
    if (item?.status !== "finished") throw new Error("it has not finished");
    const positive: boolean = item.output.positive;
    expect(positive).toBe(true);
  });
});

describe("inputs", () => {
  test("are taken as they are needed: no more than are under way or wait to be read", async () => {
    let taken = 0;
    function* inputs(): Generator<string> {
      for (; taken < 200; taken += 1) yield String(taken);
    }
    const run = map(new Agent({ model: echo() }), inputs(), { concurrency: 5 });
    let read = 0;
    for await (const _ of run) {
      read += 1;
      // One more has been taken from the generator when its `yield` returns.
      expect(taken - read).toBeLessThanOrEqual(6);
    }
    expect(read).toBe(200);
  });

  test("that come slowly hold no finished item back", async () => {
    let more = (): void => {};
    async function* inputs(): AsyncGenerator<string> {
      yield "first";
      await new Promise<void>((resolve) => (more = resolve));
      yield "second";
    }
    const keys: string[] = [];
    for await (const { key } of map(new Agent({ model: echo() }), inputs())) {
      keys.push(key);
      more();
    }
    expect(keys).toEqual(["0", "1"]);
  });

  test("that cannot all be read end the map with the error, after the ones that were begun", async () => {
    async function* inputs(): AsyncGenerator<string> {
      yield "a";
      await Promise.resolve();
      throw new Error("the file ends here");
    }
    const run = map(new Agent({ model: echo() }), inputs());
    const keys: string[] = [];
    await expect(
      (async () => {
        for await (const { key } of run) keys.push(key);
      })(),
    ).rejects.toThrow("the file ends here");
    expect(keys).toEqual(["0"]);
    expect(await run.summary()).toMatchObject({ ended: "failed", finished: 1 });
  });

  test("whose message or key cannot be made end it, too", async () => {
    const agent = new Agent({ model: echo() });
    const bad = {
      message: (): string => {
        throw new Error("no text");
      },
    };
    await expect(map(agent, ["a"], bad).results()).rejects.toThrow("no text");
    await expect(map(agent, ["a"], { key: () => "" }).results()).rejects.toThrow(
      "the key of input 0 must be a non-empty text",
    );
  });
});

describe("a store", () => {
  test("has what is done: the same call sends nothing again, and says so", async () => {
    const store = new MemoryStore();
    const options = { store, key: (name: string) => name };
    const agent = new Agent({ model: echo(), prices: PRICES });
    const first = await map(agent, ["a", "b"], options).summary();
    expect(first).toMatchObject({ finished: 2, reused: 0, failed: 0, ended: "done", missing: [] });
    const silent = new Agent({ model: new ScriptedModel(), prices: PRICES });
    const run = map(silent, ["a", "b"], options);
    expect((await run.results()).map(textOf)).toEqual(["re: a", "re: b"]);
    const second = await run.summary();
    expect(second).toMatchObject({ finished: 2, reused: 2, ended: "done", perMinute: undefined });
    expect(second.cost).toBe(first.cost);
    expect(first.cost).toBeGreaterThan(0);
  });

  test("starts over under another name", async () => {
    const store = new MemoryStore();
    const options = { store, key: (name: string) => name };
    await map(new Agent({ model: echo() }), ["a"], options).results();
    const [item] = await map(new Agent({ model: always(say("new")) }), ["a"], { ...options, name: "v2" }).results();
    expect(item).toMatchObject({ sessionId: "v2/a", reused: false });
  });

  test("is what a map that was aborted anywhere goes on from: no call is made twice, nothing is lost", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(25), { maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (stops, concurrency) => {
          const store = new MemoryStore();
          const paid: string[] = [];
          const pay = defineTool({
            name: "pay",
            description: "Pays.",
            input: z.object({ invoice: z.string() }),
            effects: "once",
            run: ({ invoice }) => {
              paid.push(invoice);
              return "paid";
            },
          });
          const inputs = ["a", "b", "c", "d", "e", "f"];
          let sent = 0;
          const attempt = async (stopAt: number): Promise<readonly string[]> => {
            const stop = new AbortController();
            sent = 0;
            const model = always((request) => {
              sent += 1;
              if (sent > stopAt) stop.abort(new Error("Ctrl-C"));
              const { functionResponse } = request.contents.at(-1)?.parts[0] ?? {};
              return functionResponse === undefined ? call("pay", { invoice: asked(request) }) : say("Paid.");
            });
            const agent = new Agent({ model, tools: [pay] });
            const run = map(agent, inputs, { store, key: (name) => name, concurrency, signal: stop.signal });
            try {
              return (await run.results()).map(textOf);
            } catch {
              const { ended, running } = await run.summary();
              expect({ ended, running }).toEqual({ ended: "aborted", running: 0 });
              return [];
            }
          };
          for (const stopAt of stops) await attempt(stopAt);
          expect(await attempt(Infinity)).toEqual(inputs.map(() => "Paid."));
          expect(paid.toSorted()).toEqual(inputs);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("keeps what waits for a person; once that is answered, the same call goes on", async () => {
    const store = new MemoryStore();
    const wire = defineTool({
      name: "wire",
      description: "Wires money.",
      input: z.object({}),
      needsApproval: true,
      run: () => "done",
    });
    const agent = new Agent({ model: new ScriptedModel(call("wire", {}), say("Wired.")), tools: [wire] });
    const run = map(agent, ["a"], { store, key: (name) => name });
    const [item] = await run.results();
    expect(item).toMatchObject({ status: "waiting", sessionId: "map/a" });
    expect(await run.summary()).toMatchObject({ waiting: 1, missing: [{ key: "a", why: "needs-approval" }] });
    if (item?.status !== "waiting") return;
    await agent
      .session({ id: item.sessionId, store })
      .answer({ approvals: { [item.result.pending[0]?.token ?? ""]: true } });
    expect((await map(agent, ["a"], { store, key: (name) => name }).results()).map(textOf)).toEqual(["Wired."]);
  });
});

describe("retries", () => {
  test("begin another session after an answer that cannot be used; later calls get its result", async () => {
    const store = new MemoryStore();
    const options = { store, key: (name: string) => name };
    const output = z.object({ n: z.number() });
    let times = 0;
    // The loop itself asks three times for an output that fits.
    const model = always(() => say((times += 1) > 3 ? '{"n":1}' : "not JSON"));
    const [item] = await map(new Agent({ model, output }), ["a"], options).results();
    expect(item).toMatchObject({ status: "finished", attempts: 2, sessionId: "map/a#2", output: { n: 1 } });
    const later = new Agent({ model: new ScriptedModel(), output });
    expect(await map(later, ["a"], options).results()).toMatchObject([{ attempts: 2, reused: true, output: { n: 1 } }]);
  });

  test.each([
    ["truncated", { ...say("Half"), finishReason: "MAX_TOKENS" }],
    ["blocked", { ...say(""), finishReason: "SAFETY" }],
  ])("give up on what stays %s, and say so", async (stopReason, turn) => {
    const run = map(new Agent({ model: always(turn) }), ["a"], { retries: 2 });
    expect(await run.results()).toMatchObject([{ status: "ended", attempts: 3, result: { stopReason } }]);
    expect(await run.summary()).toMatchObject({ failed: 1, missing: [{ key: "0", why: stopReason }] });
  });

  test("wait, and go on where a failed run stopped", async () => {
    vi.useFakeTimers();
    let runs = 0;
    const count = defineTool({
      name: "count",
      description: "Counts.",
      input: z.object({}),
      run: () => String((runs += 1)),
    });
    const cable = new ApiNetworkError("The connection was reset.");
    const model = new ScriptedModel(call("count", {}), fails(cable), say("Counted."));
    const reading = map(new Agent({ model, tools: [count] }), ["a"]).results();
    await vi.advanceTimersByTimeAsync(1000);
    expect((await reading).map(textOf)).toEqual(["Counted."]);
    expect(runs).toBe(1);
  });

  test("send a blocked prompt again", async () => {
    vi.useFakeTimers();
    const blocked = new ResponseBlockedError("The prompt was blocked: SAFETY", "SAFETY", []);
    const reading = map(new Agent({ model: new ScriptedModel(fails(blocked), say("Now.")) }), ["a"]).results();
    await vi.advanceTimersByTimeAsync(1000);
    expect((await reading).map(textOf)).toEqual(["Now."]);
  });

  test("are not made for a permanent error: the item has it, and the others continue", async () => {
    const model = always((request) => {
      if (asked(request) === "b") throw new ApiStatusError("Bad request.", { status: 400, retryable: false });
      return say("fine");
    });
    const items = await map(new Agent({ model }), ["a", "b", "c"]).results();
    expect(items.map(textOf)).toEqual(["fine", "failed: ApiStatusError: Bad request.", "fine"]);
  });
});

test.each([
  ["a refused key", { status: 401, retryable: false }],
  ["the day's quota", { status: 429, retryable: false, resetsAt: 1 }],
])("%s ends the map: nothing more is begun, and reading throws it", async (_name, facts) => {
  const error = new ApiStatusError("No.", facts);
  const model = always(fails(error));
  const run = map(new Agent({ model }), ["a", "b", "c", "d"], { concurrency: 2 });
  await expect(run.results()).rejects.toBe(error);
  expect(model.requests.length).toBe(2);
  expect(await run.summary()).toMatchObject({ ended: "failed", failed: 2, total: 4 });
});

describe("maxCost", () => {
  // Each run costs 10 * 1000 / 1e6 + 5 * 1000 / 1e6.
  const EACH = 0.015;

  test("begins no run that would exceed it, says so, and continues with more", async () => {
    const store = new MemoryStore();
    const options = { store, key: (name: string) => name, concurrency: 1 };
    const inputs = ["a", "b", "c", "d", "e"];
    const agent = new Agent({ model: echo(), prices: PRICES });
    const summary = await map(agent, inputs, { ...options, maxCost: 3.5 * EACH }).summary();
    expect(summary).toMatchObject({ ended: "cost", finished: 3, missing: [{ key: "d", why: "not begun" }] });
    expect(summary.cost).toBeCloseTo(3 * EACH);
    // What was paid counts, whoever paid it.
    const none = await map(agent, inputs, { ...options, maxCost: 3.5 * EACH }).summary();
    expect(none.cost).toBeCloseTo(3 * EACH);
    const rest = await map(agent, inputs, { ...options, maxCost: 5 * EACH + 0.001 }).summary();
    expect(rest).toMatchObject({ ended: "done", finished: 5, reused: 3 });
  });

  test("ends runs that are under way before their next turn; with more they go on", async () => {
    const store = new MemoryStore();
    const noop = defineTool({
      name: "noop",
      description: "Nothing.",
      input: z.object({ n: z.number() }),
      run: () => "ok",
    });
    const model = (): ScriptedModel =>
      always(({ contents }) => (contents.length > 8 ? say("done") : call("noop", { n: contents.length })));
    const agent = new Agent({ model: model(), tools: [noop], prices: PRICES });
    const options = { store, key: (name: string) => name, concurrency: 2 };
    const run = map(agent, ["a", "b"], { ...options, maxCost: 4.5 * EACH });
    expect((await run.results()).map(textOf)).toEqual(["ended: limit", "ended: limit"]);
    const { cost } = await run.summary();
    expect(cost).toBeGreaterThan(4.5 * EACH);
    expect(cost).toBeLessThanOrEqual(6.01 * EACH);
    expect((await map(agent, ["a", "b"], { ...options, maxCost: 1 }).results()).map(textOf)).toEqual(["done", "done"]);
  });

  test("without prices is an error", async () => {
    await expect(map(new Agent({ model: echo() }), ["a"], { maxCost: 1 }).results()).rejects.toThrow(/prices/);
  });
});

test("progress says at each step what is done, what is under way and what it has cost", async () => {
  const seen: MapProgress[] = [];
  const run = map(new Agent({ model: echo(), prices: PRICES }), ["a", "b"], {
    concurrency: 1,
    onProgress: (one) => seen.push(one),
  });
  await run.summary();
  expect(seen.map(({ total, finished, running }) => [total, finished, running])).toEqual(
    expect.arrayContaining([
      [2, 0, 1],
      [2, 1, 0],
      [2, 1, 1],
      [2, 2, 0],
    ]),
  );
  expect(seen.at(-1)?.cost).toBeCloseTo(0.03);
  expect(run.progress).toMatchObject({ finished: 2, running: 0 });
});

describe("ending early", () => {
  test("a reader who leaves aborts what is under way", async () => {
    const model = always((request) => (asked(request) === "b" ? hangs() : say("ok")));
    const run = map(new Agent({ model }), ["a", "b", "c"], { concurrency: 2 });
    for await (const _ of run) break;
    expect(await run.summary()).toMatchObject({ ended: "aborted", running: 0, finished: 1 });
  });

  test("a signal that was aborted before begins nothing", async () => {
    const model = echo();
    const run = map(new Agent({ model }), ["a"], { signal: AbortSignal.abort(new Error("no")) });
    await expect(run.results()).rejects.toThrow("no");
    expect(model.requests).toEqual([]);
  });

  test("inputs that never come don't hold up an abort", async () => {
    const stop = new AbortController();
    async function* inputs(): AsyncGenerator<string> {
      yield "a";
      await new Promise(() => {});
    }
    const run = map(new Agent({ model: echo() }), inputs(), { signal: stop.signal });
    const reading = (async () => {
      for await (const _ of run) stop.abort(new Error("Ctrl-C"));
    })();
    await expect(reading).rejects.toThrow("Ctrl-C");
    expect(await run.summary()).toMatchObject({ ended: "aborted", finished: 1 });
  });

  test("summary() of a map that was aborted says so and does not throw", async () => {
    const stop = new AbortController();
    const model = always(() => {
      stop.abort(new Error("Ctrl-C"));
      return hangs();
    });
    expect(await map(new Agent({ model }), ["a"], { signal: stop.signal }).summary()).toMatchObject({
      ended: "aborted",
      missing: [{ key: "0", why: "aborted" }],
    });
  });
});

test("two inputs with one key have one run, and one result", async () => {
  const model = echo();
  const options = { store: new MemoryStore(), key: () => "same" };
  const items = await map(new Agent({ model }), ["a", "b"], options).results();
  expect(items.map(textOf)).toEqual(["re: a", "re: a"]);
  expect(model.requests.length).toBe(1);
});

test("a store that cannot be read fails the map, and its summary", async () => {
  const store = Object.assign(new MemoryStore(), {
    list: async () => await Promise.reject(new Error("the disk is gone")),
  });
  const options = { store, key: (name: string) => name };
  const run = map(new Agent({ model: echo() }), ["a"], options);
  await expect(run.results()).rejects.toThrow("the disk is gone");
  expect(await run.summary()).toMatchObject({ ended: "failed", finished: 0 });
  await expect(map(new Agent({ model: echo() }), ["a"], options).summary()).rejects.toThrow("the disk is gone");
});

test("an iterator that nobody reads doesn't hold up the summary", async () => {
  const run = map(new Agent({ model: echo() }), ["a"]);
  run[Symbol.asyncIterator]();
  expect(await run.summary()).toMatchObject({ ended: "done", finished: 1 });
});

test("options that do not exist or cannot be are named", async () => {
  const agent = new Agent({ model: echo() });
  const wrong = (options: object) => () => map(agent, ["a"], options as never);
  expect(wrong({ concurency: 3 })).toThrow(/concurency.*concurrency/);
  expect(wrong({ concurrency: 0 })).toThrow(/concurrency/);
  expect(wrong({ retries: -1 })).toThrow(/retries/);
  expect(wrong({ store: new MemoryStore() })).toThrow("map needs a key with a store");
  expect(wrong({ total: Number.NaN })).toThrow(/total/);
  expect(wrong({ name: "a/b" })).toThrow('must not contain "/"');
  expect(() => map(agent, "abc")).toThrow("map() takes a list of inputs");
  const run = map(agent, ["a"]);
  await run.results();
  await expect(run.results()).rejects.toThrow("a map is read once");
});
