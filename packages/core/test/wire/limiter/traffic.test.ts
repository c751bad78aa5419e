import { inspect } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiStatusError, TrafficLimitError } from "../../../src/errors/api-errors.ts";
import { endpoint } from "../../../src/wire/endpoints/endpoint.ts";
import type { Permit, PermitRequest, WaitNotice } from "../../../src/wire/limiter/rate-gate.ts";
import { type EndpointLimiter, Traffic, type TrafficOptions } from "../../../src/wire/limiter/traffic.ts";

const HERE = endpoint({ baseUrl: "http://127.0.0.1:1", apiKey: "key-one" });
const ASK: PermitRequest = { group: undefined, signal: undefined, maxDelayMs: 300_000 };
const limited = (retryAfterMs: number): ApiStatusError =>
  new ApiStatusError("Slow down.", { status: 429, reason: "RESOURCE_EXHAUSTED", retryable: true, retryAfterMs });
/** With what clients call, which the declarations leave out. */
type Shared = Traffic & {
  acquire(
    where: typeof HERE,
    auth: object,
    call: { readonly operation: string; readonly model: string },
    request: PermitRequest,
  ): ReturnType<EndpointLimiter["acquire"]>;
};
// The linter reads the sources, which have it.
// oxlint-disable-next-line typescript/no-unnecessary-type-assertion
const traffic = (options: TrafficOptions = {}): Shared => new Traffic({ random: () => 0, ...options }) as Shared;

interface Door {
  /** Passes in the order in which they were given, by the name that was asked with. */
  readonly passed: string[];
  enter(name: string, ask?: Partial<PermitRequest>, model?: string, where?: typeof HERE): Promise<Permit>;
}

function doorOf(shared: Shared): Door {
  const passed: string[] = [];
  return {
    passed,
    async enter(name, ask = {}, model = "m", where = HERE) {
      const auth = await where.authHeaders();
      const pass = await shared.acquire(where, auth, { operation: "generateContent", model }, { ...ASK, ...ask });
      passed.push(name);
      return pass;
    },
  };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
/** What it is rejected with. */
const reasonOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "no rejection",
    (error: unknown) => error,
  );
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1);

describe("slots", () => {
  test("are given at once while there are some, without a promise", () => {
    const shared = traffic({ maxConcurrent: 2 });
    const first = shared.acquire(HERE, {}, { operation: "generateContent", model: "m" }, ASK);
    expect(first).not.toBeInstanceOf(Promise);
    expect(shared.state()).toEqual([{ baseUrl: HERE.baseUrl, active: 1, queued: 0, heldBack: [] }]);
  });

  test("come back by leaving, once, and go to the groups in turn", async () => {
    const shared = traffic({ maxConcurrent: 1 });
    const door = doorOf(shared);
    const first = await door.enter("first");
    const waiting = ["a1", "a2", "a3", "b1"].map((name) => door.enter(name, { group: name[0] }));
    await settle();
    expect(shared.state()).toEqual([{ baseUrl: HERE.baseUrl, active: 1, queued: 4, heldBack: [] }]);
    first.release();
    first.release();
    await settle();
    expect(door.passed).toEqual(["first", "a1"]);
    for (const one of [waiting[0], waiting[3], waiting[1], waiting[2]]) {
      await settle();
      (await one)?.release();
    }
    expect(door.passed).toEqual(["first", "a1", "b1", "a2", "a3"]);
    expect(shared.state()).toEqual([]);
  });

  test("are counted by endpoint and key, over clients", async () => {
    const shared = traffic({ maxConcurrent: 1 });
    const door = doorOf(shared);
    const passes = [
      await door.enter("one"),
      await door.enter("other key", {}, "m", endpoint({ baseUrl: HERE.baseUrl, apiKey: "key-two" })),
      await door.enter("other host", {}, "m", endpoint({ baseUrl: "http://127.0.0.1:2", apiKey: "key-one" })),
    ];
    const same = door.enter("same key", {}, "other", endpoint({ baseUrl: HERE.baseUrl, apiKey: "key-one" }));
    await settle();
    expect(door.passed).toEqual(["one", "other key", "other host"]);
    for (const pass of passes) pass.release();
    await settle();
    (await same).release();
  });

  test("a renewed token of Vertex is the same account, and no key is shown", async () => {
    const shared = traffic({ maxConcurrent: 1 });
    let token = "token-one";
    const cloud = (project: string): typeof HERE => ({
      ...HERE,
      kind: "vertex",
      cachesPath: `projects/${project}/locations/global/cachedContents`,
      authHeaders: () => ({ authorization: `Bearer ${token}` }),
    });
    const door = doorOf(shared);
    const first = await door.enter("first", {}, "m", cloud("p"));
    token = "token-two";
    const second = door.enter("second", {}, "m", cloud("p"));
    (await door.enter("other project", {}, "m", cloud("q"))).release();
    expect(door.passed).toEqual(["first", "other project"]);
    expect(inspect(shared, { depth: 9, showHidden: true })).not.toMatch(/token-|key-/);
    first.release();
    await settle();
    (await second).release();
  });

  test("a queue that is full refuses, typed", async () => {
    const shared = traffic({ maxConcurrent: 1, maxQueued: 1 });
    const door = doorOf(shared);
    const first = await door.enter("first");
    const second = door.enter("second");
    await settle();
    await expect(door.enter("third")).rejects.toMatchObject({
      name: "TrafficLimitError",
      code: "traffic_limit",
      limit: "maxQueued",
      value: 1,
      retryable: true,
      message: "1 requests are already queued for 127.0.0.1:1: start fewer at once, or raise Traffic's maxQueued.",
    });
    first.release();
    await settle();
    (await second).release();
  });

  test("a wait ends after its limit, with one timer for all that wait", async () => {
    const shared = traffic({ maxConcurrent: 1, maxQueueMs: 1000 });
    const door = doorOf(shared);
    const first = await door.enter("first");
    const early = reasonOf(door.enter("early"));
    await vi.advanceTimersByTimeAsync(600);
    const late = reasonOf(door.enter("late"));
    await settle();
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(401);
    expect(await early).toBeInstanceOf(TrafficLimitError);
    expect(shared.state()).toEqual([{ baseUrl: HERE.baseUrl, active: 1, queued: 1, heldBack: [] }]);
    await vi.advanceTimersByTimeAsync(600);
    expect(await late).toMatchObject({ limit: "maxQueueMs", value: 1000 });
    first.release();
    expect(shared.state()).toEqual([]);
  });

  test("an abort leaves the queue at once, with the signal's reason", async () => {
    const shared = traffic({ maxConcurrent: 1 });
    const door = doorOf(shared);
    const first = await door.enter("first");
    const controller = new AbortController();
    const waiting = reasonOf(door.enter("second", { signal: controller.signal }));
    await settle();
    controller.abort("enough");
    expect(await waiting).toBe("enough");
    expect(shared.state()).toEqual([{ baseUrl: HERE.baseUrl, active: 1, queued: 0, heldBack: [] }]);
    first.release();
    expect(shared.state()).toEqual([]);
  });

  test.each([{ maxConcurrent: 0 }, { maxConcurrent: 1.5 }, { maxQueued: -1 }, { maxQueueMs: Number.NaN }])(
    "invalid limits are refused: %j",
    (options) => expect(() => new Traffic(options)).toThrow(TypeError),
  );
});

describe("a wait that the service asked for", () => {
  test("holds that model back for all, then lets one through, then more and more", async () => {
    const shared = traffic();
    const door = doorOf(shared);
    const refused = await door.enter("refused");
    refused.failed(limited(10_000));
    refused.release();
    const waits: WaitNotice[] = [];
    const waiting = Array.from({ length: 8 }, (_, at) =>
      door.enter(`w${at}`, { group: `g${at}`, onWait: (notice) => waits.push(notice) }),
    );
    (await door.enter("other model", {}, "n")).release();
    await vi.advanceTimersByTimeAsync(9999);
    expect(door.passed).toEqual(["refused", "other model"]);
    expect(waits).toEqual(
      Array.from({ length: 8 }, () => ({
        delayMs: 10_000,
        error: { code: "api_status", message: "Slow down.", status: 429 },
      })),
    );
    expect(shared.state()).toEqual([
      { baseUrl: HERE.baseUrl, active: 0, queued: 8, heldBack: [{ name: "m", forMs: 1 }] },
    ]);
    // One timer for the gate and one for the limit of all waits.
    expect(vi.getTimerCount()).toBe(2);
    await vi.advanceTimersByTimeAsync(2);
    expect(door.passed.slice(2)).toEqual(["w0"]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(door.passed.slice(2)).toEqual(["w0"]);
    (await waiting[0])?.accepted();
    await settle();
    expect(door.passed.slice(2)).toEqual(["w0", "w1", "w2"]);
    await vi.advanceTimersByTimeAsync(251);
    expect(door.passed.slice(2)).toEqual(["w0", "w1", "w2", "w3", "w4", "w5", "w6"]);
    await vi.advanceTimersByTimeAsync(251);
    for (const pass of await Promise.all(waiting)) pass.release();
    await vi.advanceTimersByTimeAsync(1000);
    for (let at = 0; at < 20; at++) (await door.enter("later")).release();
    expect(shared.state()).toEqual([]);
  });

  test("does not depend on the first one being answered", async () => {
    const door = doorOf(traffic());
    (await door.enter("refused")).failed(limited(1000));
    const waiting = ["a", "b", "c"].map((name) => door.enter(name));
    await vi.advanceTimersByTimeAsync(1001);
    expect(door.passed).toEqual(["refused", "a"]);
    await vi.advanceTimersByTimeAsync(2001);
    expect(door.passed).toEqual(["refused", "a", "b", "c"]);
    await Promise.all(waiting);
  });

  test("starts over when the first one is rejected again", async () => {
    const door = doorOf(traffic());
    (await door.enter("refused")).failed(limited(1000));
    const waits: number[] = [];
    const waiting = ["a", "b"].map((name) => door.enter(name, { onWait: ({ delayMs }) => waits.push(delayMs) }));
    await vi.advanceTimersByTimeAsync(1001);
    (await waiting[0])?.failed(limited(5000));
    await vi.advanceTimersByTimeAsync(4990);
    expect(door.passed).toEqual(["refused", "a"]);
    expect(waits).toEqual([1000, 1000, 5000]);
    await vi.advanceTimersByTimeAsync(20);
    await Promise.all(waiting);
    expect(door.passed).toEqual(["refused", "a", "b"]);
  });

  test("holds back who waited for a slot meanwhile", async () => {
    const door = doorOf(traffic({ maxConcurrent: 1 }));
    const refused = await door.enter("refused");
    const second = door.enter("second");
    await settle();
    refused.failed(limited(1000));
    refused.release();
    await vi.advanceTimersByTimeAsync(999);
    expect(door.passed).toEqual(["refused"]);
    await vi.advanceTimersByTimeAsync(2);
    (await second).release();
  });

  test("longer than a request has patience for fails it, waiting or new, and nothing else", async () => {
    const door = doorOf(traffic());
    const first = await door.enter("first");
    (await door.enter("refused")).failed(limited(1000));
    const impatient = door.enter("impatient", { maxDelayMs: 60_000 });
    const patient = door.enter("patient", { maxDelayMs: Infinity });
    await settle();
    const failure = {
      name: "ApiStatusError",
      status: 429,
      reason: "RESOURCE_EXHAUSTED",
      retryAfterMs: 400_000,
      message:
        "Not sent: the service rejects requests for m for another 400 s (429 RESOURCE_EXHAUSTED to another request), " +
        "which exceeds this client's wait limit. Try again then, or raise retry.maxServerDelayMs (and retry.maxAttempts above 1).",
    };
    const failed = reasonOf(impatient);
    first.failed(limited(400_000));
    expect(await failed).toMatchObject(failure);
    await expect(door.enter("new", { maxDelayMs: 300_000 })).rejects.toMatchObject(failure);
    await vi.advanceTimersByTimeAsync(400_001);
    (await patient).release();
    expect(door.passed).toEqual(["first", "refused", "patient"]);
  });

  test("is compared with what the service asked for, not with what was added", async () => {
    const shared = traffic({ random: () => 1 });
    const door = doorOf(shared);
    (await door.enter("refused")).failed(limited(290_000));
    expect(shared.state()).toMatchObject([{ heldBack: [{ name: "m", forMs: 348_000 }] }]);
    const patient = door.enter("patient", { maxDelayMs: 300_000 });
    await expect(door.enter("impatient", { maxDelayMs: 280_000 })).rejects.toMatchObject({ status: 429 });
    await vi.advanceTimersByTimeAsync(300_000);
    await expect(door.enter("not patient at all", { maxDelayMs: 0 })).rejects.toMatchObject({ status: 429 });
    await vi.advanceTimersByTimeAsync(48_001);
    (await patient).release();
    expect(door.passed).toEqual(["refused", "patient"]);
  });

  test("is over after that time also when the clock was set back meanwhile", async () => {
    const door = doorOf(traffic());
    (await door.enter("refused")).failed(limited(400_000));
    vi.setSystemTime(Date.now() - 86_400_000);
    await expect(door.enter("impatient")).rejects.toMatchObject({ status: 429, retryAfterMs: 400_000 });
    await vi.advanceTimersByTimeAsync(400_001);
    (await door.enter("later")).release();
    expect(door.passed).toEqual(["refused", "later"]);
  });

  test("is not waited for by a request whose notice fails, which then holds no slot", async () => {
    const shared = traffic({ maxConcurrent: 1 });
    const door = doorOf(shared);
    const failing = (): never => {
      throw new Error("no log");
    };
    const refused = await door.enter("refused");
    const before = reasonOf(door.enter("before", { onWait: failing }));
    await settle();
    refused.failed(limited(1000));
    refused.release();
    await expect(door.enter("after", { onWait: failing })).rejects.toThrow("no log");
    expect(await before).toMatchObject({ message: "no log" });
    expect(shared.state()).toEqual([{ baseUrl: HERE.baseUrl, active: 0, queued: 0, heldBack: expect.anything() }]);
    const next = door.enter("next");
    await vi.advanceTimersByTimeAsync(1001);
    (await next).release();
    expect(shared.state()).toEqual([]);
  });

  test.each([
    ["a daily quota", { status: 429, retryable: false, retryAfterMs: 34_000, resetsAt: 1 }],
    ["a 429 without a wait", { status: 429, retryable: true }],
    ["another status with a wait", { status: 500, retryable: true, retryAfterMs: 34_000 }],
  ])("is not what %s asks for", async (_name, facts) => {
    const shared = traffic();
    const door = doorOf(shared);
    const pass = await door.enter("refused");
    pass.failed(new ApiStatusError("no", facts));
    pass.release();
    (await door.enter("next")).release();
    expect(shared.state()).toEqual([]);
  });

  test("ends with an abort", async () => {
    const shared = traffic();
    const door = doorOf(shared);
    const pass = await door.enter("refused");
    pass.failed(limited(1000));
    pass.release();
    const controller = new AbortController();
    const waiting = reasonOf(door.enter("second", { signal: controller.signal }));
    await settle();
    controller.abort("enough");
    expect(await waiting).toBe("enough");
    expect(shared.state()).toMatchObject([{ active: 0, queued: 0, heldBack: [{ name: "m" }] }]);
  });
});

test("slots always come back, and nothing is left, whatever happens in any order", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("enter" as const), group: fc.nat(3), model: fc.constantFrom("m", "n") }),
    fc.record({ do: fc.constantFrom("leave" as const, "abort" as const, "accept" as const), which: fc.nat(40) }),
    fc.record({ do: fc.constant("limit" as const), which: fc.nat(40), ms: fc.integer({ min: 1, max: 4000 }) }),
    fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 3000 }) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      async (steps, maxConcurrent) => {
        const shared = traffic({ maxConcurrent, maxQueueMs: 20_000, maxQueued: 12 });
        const door = doorOf(shared);
        const asked: { controller: AbortController; pass?: Permit; ended: boolean }[] = [];
        let held = 0;
        const leave = (one: (typeof asked)[number] | undefined): void => {
          if (one?.pass === undefined || one.ended) return;
          one.ended = true;
          held--;
          one.pass.release();
        };
        for (const action of steps) {
          if (action.do === "enter") {
            const one: (typeof asked)[number] = { controller: new AbortController(), ended: false };
            asked.push(one);
            const { signal } = one.controller;
            door.enter("", { group: String(action.group), signal }, action.model).then(
              (pass) => {
                one.pass = pass;
                held++;
              },
              () => (one.ended = true),
            );
          } else if (action.do === "pass") await vi.advanceTimersByTimeAsync(action.ms);
          else {
            const one = asked[action.which];
            if (action.do === "leave") leave(one);
            else if (action.do === "abort") one?.controller.abort("enough");
            else if (action.do === "accept") one?.pass?.accepted();
            else if (action.do === "limit" && one?.ended === false) one.pass?.failed(limited(action.ms));
          }
          await settle();
          expect(held).toBeLessThanOrEqual(maxConcurrent);
          const [state] = shared.state();
          expect(state?.active ?? 0).toBe(held);
        }
        for (let rounds = 0; rounds < 60 && asked.some(({ ended }) => !ended); rounds++) {
          for (const one of asked) leave(one);
          await vi.advanceTimersByTimeAsync(1000);
        }
        expect(asked.every(({ ended }) => ended)).toBe(true);
        expect(held).toBe(0);
        expect(shared.state().map(({ active, queued }) => ({ active, queued }))).toEqual(
          shared.state().map(() => ({ active: 0, queued: 0 })),
        );
        expect(vi.getTimerCount()).toBe(0);
      },
    ),
    { numRuns: 150 },
  );
});
