import {
  Agent,
  type AgentOptions,
  defineTool,
  googleSearch,
  type Logger,
  MemoryStore,
  type SessionStore,
} from "@pollux/core";
import type { Observer } from "@pollux/core/observers";
import { keepExchanges, type KeepExchangesOptions, readExchanges } from "@pollux/core/exchanges";
import { replayRun } from "@pollux/core/rehearsal";
import { calls, faults, say, script } from "@pollux/emulator";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { faces, run, stream } from "../../packages/core/test/helpers/faces.ts";
import { deferred } from "../../packages/core/test/helpers/deferred.ts";
import { storeLike } from "../../packages/core/test/helpers/processes.ts";
import { type ByteService, openByteService } from "../support/byte-service.ts";
import { byStep } from "../support/trip.ts";

const PAGE = "The keeper wrote down each ship that passed — größer, 漢字, 🌍. ".repeat(12);
const look = defineTool({ name: "look", description: "Looks at a page.", run: () => PAGE });

/** A brain that calls `look` in a number of turns, then answers. */
const looking = (turns: number) =>
  byStep(...Array.from({ length: turns }, () => () => calls({ name: "look", args: {} })), () =>
    say("Seen, all of it."),
  );

function agentOf(service: ByteService, observer: Observer, options: Partial<AgentOptions> = {}): Agent {
  return new Agent({
    model: service.model(),
    tools: [look],
    observers: [observer],
    limits: { repeats: Infinity },
    ...options,
  });
}

/** The bodies in a log, as text. */
async function bodiesOf(store: SessionStore, id: string): Promise<string[]> {
  const kept = await readExchanges(store, id);
  expect(kept.unreadable).toEqual([]);
  return kept.exchanges.map(({ position }) => Buffer.from(kept.body(position)).toString());
}

const texts = (received: readonly Buffer[]): string[] => received.map(String);

function warnings(): { readonly logger: Logger; readonly said: string[] } {
  const said: string[] = [];
  const ignore = (): void => {};
  const warn = (_facts: object, message: string): void => void said.push(message);
  return { said, logger: { trace: ignore, debug: ignore, info: ignore, warn, error: ignore } };
}

test("bodies are kept as the service received them: over runs, summaries, broken prefixes, retries, other processes", async () => {
  const message = fc.record({
    turns: fc.nat(3),
    stream: fc.boolean(),
    /** In the turns of these numbers, the instructions differ. */
    breaks: fc.array(fc.nat(3), { maxLength: 2 }),
    otherProcess: fc.boolean(),
    fails: fc.boolean(),
  });
  const session = fc.record({
    messages: fc.array(message, { minLength: 1, maxLength: 4 }),
    compacts: fc.boolean(),
    maxKnownBytes: fc.constantFrom(1, 3000, undefined),
  });
  await fc.assert(
    fc.asyncProperty(session, async ({ messages, compacts, maxKnownBytes }) => {
      let [turns, fails] = [0, false];
      const fault = { at: () => fails && !(fails = false), fault: faults.overloaded() };
      await using service = await openByteService({
        brain: { answer: (turn) => looking(turns).answer(turn) },
        faults: [fault],
      });
      const [store, kept] = [new MemoryStore(), new MemoryStore()];
      let keeper = keepExchanges(kept, { maxKnownBytes });
      const agents: Agent[] = [];
      for (const [index, one] of messages.entries()) {
        ({ turns, fails } = one);
        if (one.otherProcess) {
          await keeper.close();
          keeper = keepExchanges(kept, { maxKnownBytes });
        }
        const agent = agentOf(service, keeper, {
          instructions: "Answer from the log book.",
          ...(compacts && { compaction: { windowTokens: 1500, threshold: 0.6, keep: 0.2 } }),
          hooks: {
            prepareTurn: ({ turn }) => (one.breaks.includes(turn) ? { instructions: `Now it is turn ${turn}.` } : {}),
          },
        });
        agents.push(agent);
        const chat = agent.session({ id: "s", store });
        if (one.stream) for await (const _ of chat.stream("And now?", { runId: `r${index}` }));
        else await chat.send("And now?", { runId: `r${index}` });
      }
      await keeper.flush();
      expect(await bodiesOf(kept, "s")).toEqual(texts(service.received));
      expect(keeper.dropped).toBe(0);
      // The agent of a run makes the same requests again, and one with other instructions doesn't.
      const recording = { sessionId: "s", log: await store.load("s"), exchanges: await kept.load("s") };
      const sent = service.received.length;
      for (const [index, agent] of agents.entries())
        expect(await replayRun(agent, recording, { runId: `r${index}` })).toMatchObject({ isSame: true });
      const options = { runId: "r0", instructions: "Answer from memory.", hooks: { prepareTurn: () => {} } };
      const [first] = agents;
      if (first !== undefined) expect(await replayRun(first, recording, options)).toMatchObject({ isSame: false });
      expect(service.received).toHaveLength(sent);
    }),
    { numRuns: 25 },
  );
});

describe.each(faces)("%s", (_face, read) => {
  test("an exchange is kept with all that is known of it", async () => {
    await using service = await openByteService({ brain: looking(1), faults: [{ at: 2, fault: faults.overloaded() }] });
    const store = new MemoryStore();
    const keeper = keepExchanges(store);
    await read(agentOf(service, keeper, { name: "keeper" }), "Look.", { runId: "r" });
    await keeper.flush();
    const { exchanges } = await readExchanges(store, "r");
    const url = `${service.url}/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse`;
    const size = (index: number): number => service.received[index]?.length ?? 0;
    expect(exchanges).toMatchObject([
      {
        position: 0,
        step: { name: "model:1", place: { kind: "model", phase: "work", turn: 1, attempt: 0 }, attempt: 1 },
        attempt: 1,
        status: 200,
        bodyBytes: size(0),
        newBytes: size(0),
      },
      { position: 1, step: { name: "model:2" }, attempt: 1, status: 503, base: { position: 0 }, ended: "complete" },
      {
        position: 2,
        step: { name: "model:2" },
        attempt: 2,
        status: 200,
        base: { position: 1, sharedBytes: size(1) },
        newBytes: 0,
      },
    ]);
    for (const one of exchanges)
      expect(one).toMatchObject({
        runId: "r",
        agent: "keeper",
        model: "gemini-3.8-flash",
        operation: "streamGenerateContent",
        method: "POST",
        url,
      });
    expect(exchanges[1]?.error).toMatchObject({ name: "ApiStatusError", code: "api_status" });
    expect(exchanges[0]?.chunks.map(({ text }) => text).join("")).toContain("look");
    expect(exchanges[0]?.requestHeaders).toMatchObject({ "x-goog-api-key": "[redacted]" });
  });

  test("a run inside a call is kept with the run that contains it", async () => {
    const brain = script([calls({ name: "google_search", args: { query: "tide" } }), say("At six."), say("Six.")]);
    await using service = await openByteService({ brain });
    const store = new MemoryStore();
    const keeper = keepExchanges(store);
    const agent = agentOf(service, keeper, { model: service.model("gemini-2.5-flash"), tools: [look, googleSearch()] });
    await read(agent, "When is the tide?", { runId: "r" });
    await keeper.flush();
    const { exchanges } = await readExchanges(store, "r");
    expect(exchanges.map(({ parent, step }) => [parent?.step, step.name])).toEqual([
      [undefined, "model:1"],
      ["call:1.0", "model:1"],
      [undefined, "model:2"],
    ]);
    expect(exchanges[2]?.base?.position).toBe(0);
    expect(await bodiesOf(store, "r")).toEqual(texts(service.received));
  });

  test("a log grows with what is new, and not with its length", async () => {
    await using service = await openByteService({ brain: looking(79) });
    const store = new MemoryStore();
    const keeper = keepExchanges(store);
    const agent = agentOf(service, keeper, {
      limits: { turns: 100, repeats: Infinity },
      settings: { temperature: 0.5, stopSequences: [PAGE] },
    });
    await read(agent, "Look.", { runId: "r" });
    await keeper.flush();
    const { exchanges } = await readExchanges(store, "r");
    expect(exchanges).toHaveLength(80);
    const sizes = (await store.load("r")).map((entry) => JSON.stringify({ ...Object(entry), chunks: [] }).length);
    const written = exchanges.reduce((sum, { newBytes }) => sum + newBytes, 0);
    const last = service.received.at(-1)?.length ?? 0;
    expect(written).toBeGreaterThan(last - 1);
    expect(written).toBeLessThan(last + 80 * 16);
    expect(Math.max(...sizes.slice(-10)) - Math.min(...sizes.slice(2, 12))).toBeLessThan(50);
  });

  test("a store that fails leaves the run as it is, is logged once, and what it lost is counted", async () => {
    await using service = await openByteService({ brain: looking(4) });
    const memory = new MemoryStore();
    let fails = true;
    const store = storeLike(memory, {
      append: (...args) => (fails ? Promise.reject(new Error("disk full")) : memory.append(...args)),
    });
    const { said, logger } = warnings();
    const keeper = keepExchanges(store, { logger });
    const agent = agentOf(service, keeper);
    expect((await read(agent, "Look.", { runId: "r" })).text).toBe("Seen, all of it.");
    await keeper.flush();
    expect([said, keeper.dropped]).toEqual([["exchanges could not be written; runs are not affected"], 5]);
    fails = false;
    await read(agent, "Again.", { runId: "r" });
    await keeper.flush();
    const { exchanges } = await readExchanges(memory, "r");
    expect(exchanges.map(({ dropped }) => dropped)).toEqual([5, undefined, undefined, undefined, undefined]);
    expect(await bodiesOf(memory, "r")).toEqual(texts(service.received.slice(5)));
  });

  test("a store that hangs holds up neither run nor memory, and waiting for it can be aborted", async () => {
    await using service = await openByteService({ brain: looking(4) });
    const store = storeLike(new MemoryStore(), { append: () => new Promise(() => {}) });
    const { said, logger } = warnings();
    const keeper = keepExchanges(store, { logger, maxWaitingBytes: 4000 });
    await read(agentOf(service, keeper), "Look.", { runId: "r" });
    expect(keeper.dropped).toBeGreaterThan(0);
    expect(said).toHaveLength(1);
    const abort = new AbortController();
    const flushed = keeper.flush({ signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(flushed).rejects.toThrow("enough");
  });
});

test("two processes that write to one log lose nothing", async () => {
  await using service = await openByteService({ brain: looking(10) });
  const store = new MemoryStore();
  const keepers = [keepExchanges(store), keepExchanges(store)];
  await Promise.all(
    keepers.map((keeper, index) =>
      (index === 0 ? run : stream)(agentOf(service, keeper), `Look, ${index}.`, { runId: "r" }),
    ),
  );
  for (const keeper of keepers) await keeper.close();
  expect((await bodiesOf(store, "r")).toSorted()).toEqual(texts(service.received).toSorted());
});

test("the store of the sessions themselves is refused, and left as it is", async () => {
  await using service = await openByteService({ brain: looking(1) });
  const store = new MemoryStore();
  const errors: unknown[] = [];
  const ignore = (): void => {};
  const logger: Logger = {
    trace: ignore,
    debug: ignore,
    info: ignore,
    warn: (facts) => void errors.push(facts),
    error: ignore,
  };
  const keeper = keepExchanges(store, { logger });
  const session = agentOf(service, keeper).session({ id: "s", store });
  await session.send("Look.");
  expect((await session.send("Again.")).text).toBe("Seen, all of it.");
  await keeper.flush();
  expect(String(Object(errors[0]).err)).toContain('"s" is the log of a session: give keepExchanges a store of its own');
  expect(keeper.dropped).toBe(4);
});

test("what was written before a kill is whole, and the next process goes on after it", async () => {
  await using service = await openByteService({ brain: looking(6) });
  const memory = new MemoryStore();
  let left = 3;
  const dead = deferred();
  const store = storeLike(memory, {
    append: (...args) => (left-- > 0 ? memory.append(...args) : (dead.resolve(), new Promise<void>(() => {}))),
  });
  const first = agentOf(service, keepExchanges(store)).run("Look.", { runId: "r" });
  await dead.promise;
  await first;
  const before = (await bodiesOf(memory, "r")).length;
  expect(before).toBeGreaterThanOrEqual(3);
  const keeper = keepExchanges(memory);
  await agentOf(service, keeper).run("Look.", { runId: "r" });
  await keeper.flush();
  const sent = texts(service.received);
  expect(await bodiesOf(memory, "r")).toEqual([...sent.slice(0, before), ...sent.slice(7)]);
  const { exchanges } = await readExchanges(memory, "r");
  expect(exchanges[before]?.base).toBeDefined();
});

test("damaged and unknown entries are left out, and what is based on them says so", async () => {
  await using service = await openByteService({ brain: looking(3) });
  const store = new MemoryStore();
  const keeper = keepExchanges(store);
  await agentOf(service, keeper).run("Look.", { runId: "r" });
  await keeper.flush();
  const entries = [...(await store.load("r"))];
  entries[1] = { v: 99, type: "exchange" };
  entries.push("what is this", null, { v: 1, type: "exchange", chunks: 7 });
  const whole = new MemoryStore();
  await whole.append("r", 0, entries);
  const kept = await readExchanges(whole, "r");
  expect(kept.unreadable).toEqual([1, 4, 5, 6]);
  expect(kept.exchanges.map(({ position }) => position)).toEqual([0, 2, 3]);
  expect(Buffer.from(kept.body(0)).toString()).toBe(String(service.received[0]));
  expect(() => kept.body(3)).toThrow("based on exchange 1, which is missing or damaged");
  expect(kept.length).toBe(7);
});

test.each<[string, object, string]>([
  ["unknown", { maxBytes: 1 }, 'keepExchanges(): there is no option "maxBytes"'],
  ["not positive", { maxWaitingBytes: 0 }, "keepExchanges(): maxWaitingBytes must be a positive number"],
])("an option that is %s is refused", (_name, options: KeepExchangesOptions, said) => {
  expect(() => keepExchanges(new MemoryStore(), options)).toThrow(said);
});
