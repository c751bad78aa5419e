import { Agent, gemini, geminiApi, MemoryStore } from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import { call, createEmulator, fault, faults, say, script } from "@pollux/emulator";
import { expect, test, vi } from "vitest";
import { ExchangeFold } from "../../src/inspection/exchange-fold.ts";
import { readTurn } from "../../src/inspection/read-turn.ts";
import { SessionFold } from "../../src/inspection/session-fold.ts";
import { sessionPage } from "../../src/take-away/session-page.ts";
import { inspectorHandler } from "../../src/server/inspector-handler.ts";
import { add } from "../support/sessions.ts";

const PRICES = { input: 1_000_000, cachedInput: 250_000, output: 0 };

/** A model of an emulator's, with stores for its sessions and their requests. */
function keepRequestsTo(emulator: ReturnType<typeof createEmulator>) {
  const model = gemini("gemini-3.8-flash", {
    endpoint: geminiApi({ apiKey: "k" }),
    fetch: (input, init) => emulator.fetch(input, init),
    retry: { minDelayMs: 1 },
  });
  const [store, exchanges] = [new MemoryStore(), new MemoryStore()];
  return { model, store, exchanges, kept: keepExchanges(exchanges) };
}

/** A session of several messages, and what the service received. */
async function talk(prepare: (turn: number) => object = () => ({})) {
  const lines = Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? call("add", { a: n, b: 1 }) : say("It is that.")));
  const emulator = createEmulator({ brain: script(lines) });
  const { model, store, exchanges, kept } = keepRequestsTo(emulator);
  const agent = new Agent({
    model,
    tools: [add],
    instructions: "You add numbers.",
    observers: [kept],
    hooks: { prepareTurn: ({ turn }) => prepare(turn) },
  });
  const session = agent.session({ id: "chat", store });
  for (const text of ["What is 0 + 1?", "And 2 + 1?", "And 4 + 1?"]) await session.send(text);
  await kept.close();
  const bodies = emulator.requests.map(({ body }) => JSON.stringify(body));
  return { entries: await exchanges.load("chat"), log: await store.load("chat"), bodies };
}

test("each request is the received one, with the part shared with the previous one", async () => {
  const { entries, bodies } = await talk();
  const fold = new ExchangeFold();
  fold.add(entries);
  expect(fold.rows.map(({ n }) => fold.details(n)?.request.body)).toEqual(bodies);
  for (const { n, before, sharedBytes, brokenAt, status } of fold.rows) {
    expect([before, status, brokenAt]).toEqual([n === 0 ? undefined : n - 1, 200, undefined]);
    // All but the brackets behind the contents.
    if (n > 0) expect(sharedBytes).toBeGreaterThan(fold.rows[n - 1]!.requestBytes - 10);
    const details = fold.details(n)!;
    expect(details.request.body.slice(0, details.request.shared)).toBe(bodies[n]!.slice(0, sharedBytes));
    expect(details.comparison).toBeUndefined();
  }
});

test("a prefix that broke between two runs is at the turn that paid for it, with its cost", async () => {
  const { entries, log } = await talk();
  let asked = 0;
  const changed = await talk(() => ({ instructions: `You add numbers. It is ${asked++ < 2 ? "May" : "June"}.` }));
  const [kept, fold] = [new ExchangeFold({ prices: PRICES }), new SessionFold("chat", { prices: PRICES })];
  kept.add(changed.entries);
  fold.addExchanges(kept);
  for (const entry of changed.log) fold.add(entry);
  fold.addExchanges(kept);
  const brokenIn = (one: SessionFold) =>
    one.overview().runs.map(({ turns }) => turns.map(({ flags, brokenPrefix }) => [flags, brokenPrefix?.cost]));
  const cost = kept.rows[2]?.brokenAt?.cost;
  expect(cost).toBeGreaterThan(0);
  const fine = [[], undefined];
  expect(brokenIn(fold)).toEqual([
    [fine, fine],
    [[["prefix-break"], cost], fine],
    [fine, fine],
  ]);
  const same = new SessionFold("chat");
  for (const entry of log) same.add(entry);
  const unbroken = new ExchangeFold({ prices: PRICES });
  unbroken.add(entries);
  same.addExchanges(unbroken);
  expect(brokenIn(same)).toEqual([0, 1, 2].map(() => [fine, fine]));
});

test("requests that continue the previous one are not rebuilt", async () => {
  const { entries } = await talk();
  const fold = new ExchangeFold();
  const rebuild = vi.spyOn(fold.kept, "body");
  for (const entry of entries) fold.add([entry]);
  expect(fold.rows).toHaveLength(6);
  expect(rebuild).not.toHaveBeenCalled();
});

test("a changed instruction is where the prefix broke, with its highest possible cost", async () => {
  const { entries } = await talk((turn) => (turn === 2 ? { instructions: "You add large numbers." } : {}));
  const fold = new ExchangeFold({ prices: PRICES });
  fold.add(entries);
  const [first, broken, back] = fold.rows;
  expect(first?.brokenAt).toBeUndefined();
  for (const row of [broken, back])
    expect(row).toMatchObject({ before: row!.n - 1, brokenAt: { field: "systemInstruction.parts[0].text" } });
  const { tokens = 0, cost } = broken!.brokenAt!;
  expect(tokens).toBeGreaterThan(0);
  expect(tokens).toBeLessThanOrEqual(broken!.promptTokens!);
  expect(cost).toBeCloseTo(tokens * 0.75);
  expect(fold.details(1)?.comparison).toEqual({
    was: expect.stringContaining("You add numbers."),
    is: expect.stringContaining("You add large numbers."),
  });
});

test("with prices, there is an estimate for an explicit cache of instructions and tools", async () => {
  const { entries } = await talk();
  const [without, priced] = [new ExchangeFold(), new ExchangeFold({ prices: PRICES })];
  without.add(entries);
  priced.add(entries);
  expect(without.cacheEstimate()).toBeUndefined();
  expect(new ExchangeFold({ prices: PRICES }).cacheEstimate()).toBeUndefined();
  const { tokens, billed, withCache } = priced.cacheEstimate()!;
  expect(tokens).toBeGreaterThan(0);
  expect(tokens).toBeLessThan(priced.rows[0]!.promptTokens!);
  expect(withCache).toBeLessThan(billed);
});

test("a turn lists its failed requests with the service's messages", async () => {
  const emulator = createEmulator({ brain: script([fault(faults.overloaded()), say("Hi.")]) });
  const { model, store, exchanges, kept } = keepRequestsTo(emulator);
  await new Agent({ model, observers: [kept] }).session({ id: "chat", store }).send("Hello");
  await kept.close();
  const handler = inspectorHandler({ store, exchanges, authorize: () => true });
  for (const since of ["", "?since=100"]) {
    const response = await handler(new Request(`http://localhost/inspector/api/sessions/chat${since}`));
    const { runs }: any = await response.json();
    expect(runs[0].turns).toMatchObject([
      {
        flags: ["retry"],
        failedRequests: [{ n: 0, step: "model:1", status: 503, said: expect.stringMatching(/^503 \w/) }],
      },
    ]);
  }
});

test("damaged entries are left out, and a body that can't be rebuilt says so", async () => {
  const { entries } = await talk();
  const fold = new ExchangeFold();
  fold.add([{ type: "exchange" }, 7, ...entries.slice(1)]);
  // The first of them refers to a missing entry.
  expect(fold.rows.length).toBeLessThan(entries.length);
  for (const { n } of fold.rows) expect(fold.details(n)).toBeDefined();
});

test("a turn with failed requests only is a turn of its run, even during the requests", async () => {
  const emulator = createEmulator({
    brain: script([call("add", { a: 1, b: 1 }), ...Array.from({ length: 4 }, () => fault(faults.overloaded()))]),
  });
  const { model, store, exchanges, kept } = keepRequestsTo(emulator);
  const session = new Agent({ model, tools: [add], observers: [kept] }).session({ id: "chat", store });
  await expect(session.send("What is 1 + 1?")).rejects.toThrow("503");
  await kept.close();
  const entries = await store.load("chat");
  const failed = new ExchangeFold();
  failed.add(await exchanges.load("chat"));
  const turnsOf = (fold: SessionFold) => fold.overview().runs[0]!.turns;

  const ended = new SessionFold("chat");
  for (const entry of entries) ended.add(entry);
  ended.addExchanges(failed);
  expect(turnsOf(ended)).toMatchObject([
    { turn: 1, flags: [] },
    { turn: 2, flags: ["retry", "error"], steps: [], endedAt: expect.any(Number) },
  ]);
  expect(turnsOf(ended)[1]!.failedRequests?.map(({ n }) => n)).toEqual([1, 2, 3, 4]);

  const going = new SessionFold("chat");
  for (const entry of entries.slice(0, -1)) going.add(entry);
  going.addExchanges(failed);
  expect(turnsOf(going)[1]).toMatchObject({ turn: 2, flags: ["retry", "unfinished"] });
  expect(turnsOf(going)[1]?.endedAt).toBeUndefined();
  going.add(entries.at(-1));
  expect(turnsOf(going)).toEqual(turnsOf(ended));
});

test("a refused request without a retry was not healed", async () => {
  const emulator = createEmulator({ brain: script([fault(faults.apiError(400, "INVALID_ARGUMENT", "No."))]) });
  const { model, store, exchanges, kept } = keepRequestsTo(emulator);
  await expect(new Agent({ model, observers: [kept] }).session({ id: "chat", store }).send("Hi")).rejects.toThrow(
    "400",
  );
  await kept.close();
  const failed = new ExchangeFold();
  failed.add(await exchanges.load("chat"));
  const fold = new SessionFold("chat");
  for (const entry of await store.load("chat")) fold.add(entry);
  fold.addExchanges(failed);
  expect(fold.overview().runs[0]!.turns).toMatchObject([{ turn: 1, flags: ["error"] }]);
});

test.each([
  ["cut off", faults.closeEarly(), "200 The answer has no finish reason.", ["retry"]],
  ["broken in a chunk", faults.closeMidJson(), "200 The answer has no finish reason.", ["retry"]],
  ["an error in the stream", faults.errorInStream(), /^200 .*overloaded/, ["retry"]],
  ["a refused prompt", faults.promptBlocked(), "200 The prompt was blocked: SAFETY", ["error"]],
])(
  "an answer with status 200 that is of no use is a failed request of its turn: %s",
  async (_, broken, said, flags) => {
    const emulator = createEmulator({ brain: script([fault(broken), say("Hi.")]) });
    const { model, store, exchanges, kept } = keepRequestsTo(emulator);
    const session = new Agent({ model, observers: [kept] }).session({ id: "chat", store });
    await session.send("Hello").catch(() => {});
    await kept.close();
    const failed = new ExchangeFold();
    failed.add(await exchanges.load("chat"));
    const fold = SessionFold.of("chat", await store.load("chat"));
    fold.addExchanges(failed);
    const [turn] = fold.overview().runs[0]!.turns;
    const why = typeof said === "string" ? said : expect.stringMatching(said);
    expect(turn).toMatchObject({ flags, failedRequests: [{ n: 0, status: 200, said: why }] });
    expect(failed.rows[0]?.error).toBeDefined();
    expect(failed.rows[1]?.error).toBeUndefined();
  },
);

test("a turn whose answer was cut off by a stop is a turn of its run", async () => {
  const emulator = createEmulator({ brain: script([say("Hello. ".repeat(100))]), delays: { chunkMs: 1 } });
  const { model, store, exchanges, kept } = keepRequestsTo(emulator);
  const stop = new AbortController();
  const stream = new Agent({ model, observers: [kept] })
    .session({ id: "chat", store })
    .stream("Hello", { signal: stop.signal });
  const read = async (): Promise<void> => {
    for await (const { type } of stream) if (type === "text-delta") stop.abort();
  };
  await expect(read()).rejects.toThrow();
  await kept.close();
  const stopped = new ExchangeFold();
  stopped.add(await exchanges.load("chat"));
  const fold = SessionFold.of("chat", await store.load("chat"));
  // Also without its requests.
  expect(fold.overview().runs[0]!.turns).toMatchObject([
    { turn: 1, flags: ["no-answer"], usage: { requests: 1 }, endedAt: expect.any(Number) },
  ]);
  fold.addExchanges(stopped);
  expect(fold.overview().runs[0]!.turns).toMatchObject([
    { turn: 1, flags: ["no-answer"], failedRequests: [{ n: 0 }], endedAt: expect.any(Number) },
  ]);
  expect(sessionPage(fold, 0).text).toContain(">Turn without an answer</a>");
  const { before, notes } = readTurn(fold, fold.runs[0]!.runId, 1)!;
  expect(notes).toEqual([]);
  expect(before).toMatchObject([
    { origin: "input" },
    { role: "model", origin: "unfinished", parts: [{ text: expect.stringMatching(/^Hello\. /) }] },
  ]);
});
