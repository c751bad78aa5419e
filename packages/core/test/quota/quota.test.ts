import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, gemini, geminiApi } from "@pollux/core";
import { map } from "@pollux/core/bulk";
import { ConfigurationError, QuotaReachedError } from "@pollux/core/errors";
import { SqliteQuotaStore } from "@pollux/core/node";
import { MemoryQuotaStore, Quota, type QuotaCounter, type QuotaOptions, type QuotaStore } from "@pollux/core/quota";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";

const MINUTE = 60_000;
const PRICES = { input: 1000, output: 1000 };

/** In the middle of a minute, ten minutes before a day is over. */
const NOON = Date.UTC(2026, 10, 24, 23, 49, 30);

beforeEach(() => void vi.useFakeTimers({ now: NOON }));
afterEach(() => void vi.useRealTimers());

/** Answers that use 10 tokens of the prompt and 5 of the answer, and when they were asked for. */
function service() {
  const at: number[] = [];
  const answer = {
    candidates: [{ content: { role: "model", parts: [{ text: "Hello." }] }, finishReason: "STOP" }],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 },
    modelVersion: "gemini-3.8-flash",
  };
  const fetch = async (): Promise<Response> => {
    at.push(Date.now());
    return new Response(`data: ${JSON.stringify(answer)}\n\n`, { headers: { "content-type": "text/event-stream" } });
  };
  return { at, fetch };
}

function agentWith(quota: Quota, fetch: () => Promise<Response>): Agent {
  return new Agent({ model: gemini("gemini-3.8-flash", { quota, fetch, endpoint: geminiApi({ apiKey: "k" }) }) });
}

const stores: Record<string, () => QuotaStore> = {
  memory: () => new MemoryQuotaStore(),
  SQLite: () => {
    const folder = mkdtempSync(join(tmpdir(), "pollux-quota-"));
    const store = new SqliteQuotaStore(join(folder, "quota.db"));
    onTestFinished(() => {
      store.close();
      rmSync(folder, { recursive: true, force: true });
    });
    return store;
  },
};

describe.each(Object.entries(stores))("a quota on a store in %s", (_name, open) => {
  test("lets two processes make as many requests in a minute as both may, and the rest in the next", async () => {
    const store = open();
    const { at, fetch } = service();
    const agents = [0, 1].map(() => agentWith(new Quota({ store, requestsPerMinute: 3 }), fetch));
    const running = Promise.all([...Array(7).keys()].map(async (one) => await agents[one % 2]?.run("Hello.")));
    await vi.advanceTimersByTimeAsync(3 * MINUTE);
    await running;
    const minutes = at.map((time) => Math.floor(time / MINUTE) - Math.floor(NOON / MINUTE));
    expect(minutes.filter((minute) => minute === 0).length).toBe(3);
    expect(minutes.filter((minute) => minute === 1).length).toBe(3);
    expect(minutes.filter((minute) => minute === 2).length).toBe(1);
  });

  test("counts the tokens that answers used", async () => {
    const quota = new Quota({ store: open(), tokensPerMinute: 40 });
    const { at, fetch } = service();
    const agent = agentWith(quota, fetch);
    await agent.run("one");
    await agent.run("two");
    expect(await quota.state()).toEqual({ requests: 2, tokens: 30, cost: 0 });
    // What the next would use on average does not fit.
    const third = agent.run("three");
    await vi.advanceTimersByTimeAsync(MINUTE);
    await third;
    expect(at.map((time) => time - NOON)).toEqual([0, 0, expect.toSatisfy((ms: number) => ms >= 30_000)]);
    expect(await quota.state()).toEqual({ requests: 1, tokens: 15, cost: 0 });
  });

  test("refuses once the money of the day is spent, by whomever, until the next day", async () => {
    const store = open();
    const { at, fetch } = service();
    const options = { store, costPerDay: 0.04, prices: PRICES };
    await agentWith(new Quota(options), fetch).run("one");
    const quota = new Quota(options);
    const agent = agentWith(quota, fetch);
    await agent.run("two");
    const refused = await agent.run("three").catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(QuotaReachedError);
    expect(refused).toMatchObject({
      code: "quota_reached",
      limit: "costPerDay",
      value: 0.04,
      retryable: false,
      resetsAt: Date.UTC(2026, 10, 25),
      message:
        "costPerDay (0.04) is used up until 2026-11-25T00:00:00.000Z: wait until then, or raise the limit of the quota.",
    });
    expect(at.length).toBe(2);
    vi.setSystemTime(Date.UTC(2026, 10, 25, 0, 0, 1));
    await agent.run("four");
    expect((await quota.state()).cost).toBeCloseTo(0.015);
  });

  test("gives back what was reserved when nothing was answered", async () => {
    const quota = new Quota({ store: open(), tokensPerMinute: 100, costPerDay: 1, prices: PRICES });
    const { fetch } = service();
    await agentWith(quota, fetch).run("one");
    const broken = agentWith(quota, async () => new Response("{}", { status: 400 }));
    await expect(broken.run("two")).rejects.toThrow();
    expect(await quota.state()).toMatchObject({ requests: 2, tokens: 15 });
    expect((await quota.state()).cost).toBeCloseTo(0.015);
  });

  test("keeps names apart", async () => {
    const store = open();
    const { at, fetch } = service();
    for (const name of ["a", "b"]) await agentWith(new Quota({ store, name, requestsPerMinute: 1 }), fetch).run("x");
    expect(at.length).toBe(2);
  });
});

test("SQLite counts for all objects on one file, and keeps what a process leaves", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pollux-quota-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "quota.db");
  const counter = (limit: number): QuotaCounter => ({ key: "k", amount: 1, limit, expiresAt: NOON + MINUTE });
  const both = [new SqliteQuotaStore(file), new SqliteQuotaStore(file)];
  const added = await Promise.all([...Array(20).keys()].map(async (at) => await both[at % 2]?.add([counter(7)])));
  expect(added.filter((one) => one?.full === undefined).length).toBe(7);
  for (const one of both) one.close();
  using later = new SqliteQuotaStore(file);
  expect(await later.add([counter(8)])).toEqual({ totals: [8], full: undefined });
  expect(await later.add([{ ...counter(9), key: "other" }, counter(8)])).toEqual({ totals: [0, 8], full: 1 });
  // Expired counters are dropped.
  vi.setSystemTime(NOON + 2 * MINUTE);
  expect(await later.add([{ ...counter(8), expiresAt: NOON + 3 * MINUTE }])).toEqual({ totals: [1], full: undefined });
});

describe("a request that waits", () => {
  test("says so to its reader and observers, and ends at once when it is aborted", async () => {
    const { at, fetch } = service();
    const agent = agentWith(new Quota({ requestsPerMinute: 1 }), fetch);
    await agent.run("one");
    const stop = new AbortController();
    const notices: unknown[] = [];
    const stream = agent.stream("two", { signal: stop.signal });
    const reading = (async () => {
      for await (const event of stream) if (event.type === "notice") notices.push(event.notice);
    })();
    reading.catch(() => {});
    await vi.advanceTimersByTimeAsync(1000);
    expect(notices).toEqual([
      {
        type: "wait",
        delayMs: expect.any(Number),
        error: { code: "quota_reached", message: "requestsPerMinute is used up until the next minute." },
      },
    ]);
    stop.abort(new Error("enough"));
    await expect(reading).rejects.toThrow("enough");
    expect(vi.getTimerCount()).toBe(0);
    expect(at.length).toBe(1);
  });

  test("fails when it would wait longer than it may", async () => {
    const { fetch } = service();
    const agent = agentWith(new Quota({ requestsPerMinute: 1, maxWaitMs: 10_000 }), fetch);
    await agent.run("one");
    await expect(agent.run("two")).rejects.toMatchObject({ code: "quota_reached", limit: "requestsPerMinute" });
  });
});

test("what could not be counted because the store was away is counted with the next answer; the answer is not lost", async () => {
  const inner = new MemoryQuotaStore();
  let isAway = false;
  let adds = 0;
  const store: QuotaStore = {
    add: async (counters) => {
      adds += 1;
      if (isAway) throw new Error("away");
      isAway = adds === 1;
      return await inner.add(counters);
    },
  };
  const { fetch } = service();
  const quota = new Quota({ store, tokensPerMinute: 1000 });
  const { text } = await agentWith(quota, fetch).run("one");
  expect(text).toBe("Hello.");
  isAway = false;
  await agentWith(quota, fetch).run("two");
  expect(await quota.state()).toMatchObject({ requests: 2, tokens: 30 });
});

test("what could not be counted is still owed when the store is away for the next request, too", async () => {
  const inner = new MemoryQuotaStore();
  let adds = 0;
  const store: QuotaStore = {
    add: async (counters) => {
      adds += 1;
      // The first answer cannot be counted, nor the second request be reserved.
      if (adds === 2 || adds === 3) throw new Error("away");
      return await inner.add(counters);
    },
  };
  const { fetch } = service();
  const quota = new Quota({ store, tokensPerMinute: 1000 });
  const agent = agentWith(quota, fetch);
  await agent.run("one");
  await expect(agent.run("two")).rejects.toThrow("away");
  await agent.run("three");
  expect(await quota.state()).toEqual({ requests: 2, tokens: 30, cost: 0 });
});

test("answers that use more tokens than a minute has get a minute each", async () => {
  const { at, fetch } = service();
  const agent = agentWith(new Quota({ tokensPerMinute: 10 }), fetch);
  await agent.run("one");
  const second = agent.run("two");
  await vi.advanceTimersByTimeAsync(MINUTE);
  await second;
  expect(at.map((time) => Math.floor(time / MINUTE) - Math.floor(NOON / MINUTE))).toEqual([0, 1]);
});

test("a map ends when the money of the day is spent, and reading throws it", async () => {
  const { at, fetch } = service();
  const agent = agentWith(new Quota({ costPerDay: 0.04, prices: PRICES }), fetch);
  const run = map(agent, ["a", "b", "c", "d", "e"], { concurrency: 1 });
  await expect(run.results()).rejects.toThrow(QuotaReachedError);
  expect(at.length).toBe(2);
  expect(await run.summary()).toMatchObject({ ended: "failed", finished: 2 });
});

describe("options", () => {
  test.each<[object, string]>([
    [{}, "needs a limit"],
    [{ requestPerMinute: 3 }, "requestsPerMinute"],
    [{ requestsPerMinute: 0 }, "requestsPerMinute must be at least 1"],
    [{ costPerDay: 3 }, "costPerDay requires prices"],
    [{ costPerDay: 3, prices: { input: 1 } }, "prices.output is missing"],
  ])("%j are refused", (options, problem) => {
    expect(() => new Quota(options as QuotaOptions)).toThrow(problem);
  });

  test("a model without a price fails before anything is sent, or with its answer if that alone names it", async () => {
    const { at, fetch } = service();
    const prices = { asOf: "2026-11-01", models: {} };
    const quota = new Quota({ costPerDay: 1, prices });
    await expect(agentWith(quota, fetch).run("x")).rejects.toThrow(ConfigurationError);
    expect(at).toEqual([]);
    const alias = gemini("gemini-flash-latest", { quota, fetch, endpoint: geminiApi({ apiKey: "k" }) });
    await expect(new Agent({ model: alias }).run("x")).rejects.toThrow(
      "gemini-3.8-flash answered, and the quota has no prices for it",
    );
  });
});
