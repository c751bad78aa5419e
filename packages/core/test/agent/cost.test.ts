import {
  Agent,
  ConfigurationError,
  defineTool,
  googleListPrices,
  MemoryStore,
  type PriceList,
  type PriceTable,
} from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { call, costs, dies, join, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { faces } from "../helpers/faces.ts";
import { SESSION_FACES } from "../session/session-faces.ts";

const MILLION = costs({ promptTokenCount: 1_000_000, totalTokenCount: 1_000_000 });
const ARGON = "gemini-4-argon";
const look = defineTool({ name: "look", description: "x", run: () => "ok" });

const asks = (id: string, ...lines: readonly ScriptLine[]): ScriptedModel => ScriptedModel.with({ id }, ...lines);
const answers = (id: string): ScriptedModel => asks(id, join(say("ok"), MILLION));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-30T23:59:59Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each(faces)("the cost of a run, by %s", (_face, read) => {
  test.each([
    ["2026-11-30T23:59:59Z", 2],
    ["2026-12-01T00:00:00Z", 4],
  ])("is by the prices that hold at %s", async (now, cost) => {
    vi.setSystemTime(new Date(now));
    const seen: unknown[] = [];
    const observer = { onObservation: ({ type, ...facts }: { type: string }) => void seen.push({ type, ...facts }) };
    const result = await read(
      new Agent({ model: answers(ARGON), prices: googleListPrices, observers: [observer as never] }),
      "Go.",
    );
    expect(result).toMatchObject({ cost, pricesAsOf: "2026-11-23", currency: "USD" });
    expect(result).not.toHaveProperty("unpriced");
  });

  test.each<[string, PriceTable]>([
    ["a list", googleListPrices],
    ["a function", () => undefined],
  ])("is not known when %s lacks the model: never 0, and it is named", async (_table, prices) => {
    const agent = new Agent({ model: answers("gemini-2.5-pro"), prices });
    const result = await read(agent, "Go.");
    expect([result.cost, result.unpriced]).toEqual([undefined, "gemini-2.5-pro"]);
  });

  test("is not known when only one of its models has a price", async () => {
    const inner = new Agent({ name: "inner", model: answers("gemini-2.5-pro"), prices: googleListPrices });
    const model = asks(ARGON, join(call("inner", { task: "x" }), MILLION), join(say("Done."), MILLION));
    const agent = new Agent({ model, tools: [inner.asTool({ description: "x" })], prices: googleListPrices });
    expect(await read(agent, "Go.")).toMatchObject({ cost: undefined, unpriced: "gemini-2.5-pro" });
  });

  test("cannot be limited when an alias was answered by a model without a price", async () => {
    const model = asks("gemini-flash-latest", join(call("look"), MILLION), say("never asked for"));
    const agent = new Agent({ model, tools: [look], prices: googleListPrices, limits: { cost: 9 } });
    const failed = read(agent, "Go.");
    await expect(failed).rejects.toThrow(ConfigurationError);
    await expect(failed).rejects.toThrow("gemini-flash-latest answered, and the price table has no prices for it");
    expect(model.requests).toHaveLength(1);
  });
});

describe("a limit of money", () => {
  test.each<[string, string, PriceTable | undefined, string | undefined]>([
    ["no prices", ARGON, undefined, "limits.cost requires prices: pass a price table to the agent."],
    ["a list without the model", "gemini-2.5-pro", googleListPrices, "limits.cost requires prices of gemini-2.5-pro"],
    ["a function without the model", ARGON, () => undefined, "limits.cost requires prices of gemini-4-argon"],
    ["a model that nobody knows", "gemini-5-xenon", googleListPrices, "limits.cost requires prices of gemini-5-xenon"],
    ["a list with the model", ARGON, googleListPrices, undefined],
    ["a version of it", "models/gemini-4-argon-001", googleListPrices, undefined],
    ["the model that answers for a deprecated one", "gemini-3.7-flash", listOf("gemini-3.8-flash"), undefined],
    ["a deprecated model of a gateway that still has it", "gemini-3.7-flash", listOf("gemini-3.7-flash"), undefined],
    [
      "a path to a model without a price",
      "models/gemini-2.5-pro",
      googleListPrices,
      "limits.cost requires prices of models/gemini-2.5-pro",
    ],
    ["an alias, whose answer tells", "gemini-pro-latest", googleListPrices, undefined],
    ["a gateway's own name, whose answer tells", "our-model", googleListPrices, undefined],
  ])("with %s", (_what, id, prices, says) => {
    const model = answers(id);
    const make = (): Agent => new Agent({ model, prices, limits: { cost: 1 } });
    if (says === undefined) expect(make).not.toThrow();
    else expect(make).toThrow(says);
    const agent = new Agent({ model, prices });
    const store = new MemoryStore();
    const budget = (): unknown => agent.session({ store, ownerBudget: () => ({ maxCost: 1, spent: 0 }) });
    const session = (): unknown => agent.session({ store, limits: { cost: 1 } });
    for (const open of [budget, session]) {
      if (says === undefined) expect(open).not.toThrow();
      else expect(open).toThrow(ConfigurationError);
    }
    expect(model.requests).toEqual([]);
  });
});

describe.each(SESSION_FACES)("a session, by %s", (_name, face) => {
  test("goes on by the prices of the day on which it was answered, and shows the day of the list", async () => {
    const store = new MemoryStore();
    const open = (...lines: readonly ScriptLine[]) =>
      new Agent({
        model: asks(ARGON, ...lines),
        tools: [look],
        prices: googleListPrices,
        limits: { restarts: 0 },
      }).session({
        id: "s",
        store,
      });
    await expect(face.send(open(join(call("look"), MILLION), dies()), "Go.")).rejects.toThrow();
    vi.setSystemTime(new Date("2026-12-24T00:00:00Z"));
    const session = open(join(say("Done."), MILLION));
    expect(await face.resume(session)).toMatchObject({ cost: 2 + 4, pricesAsOf: "2026-11-23", currency: "USD" });
    expect(await open().replay().result()).toMatchObject({ cost: 6, pricesAsOf: "2026-11-23", currency: "USD" });
    expect(await session.state()).toMatchObject({ cost: 6, pricesAsOf: "2026-11-23", currency: "USD" });
    expect(await store.list()).toMatchObject([{ cost: 6, pricesAsOf: "2026-11-23", currency: "USD" }]);
    const { messages } = await readConversation(session);
    expect(messages.at(-1)).toMatchObject({ cost: 6, pricesAsOf: "2026-11-23" });
  });

  test("keeps what is known of the cost of a run that asked a model without a price", async () => {
    const store = new MemoryStore();
    const other = answers("gemini-2.5-pro");
    const agent = new Agent({
      model: asks(ARGON, join(call("look"), MILLION)),
      tools: [look],
      prices: googleListPrices,
      hooks: { prepareTurn: ({ turn }) => (turn === 2 ? { model: other } : undefined) },
    });
    const session = agent.session({ id: "s", store, ownerBudget: () => ({ maxCost: 9, spent: 0 }) });
    await expect(face.send(session, "Go.")).rejects.toThrow("gemini-2.5-pro answered");
    expect(await store.list()).toMatchObject([{ state: "stopped", cost: 2, unpriced: "gemini-2.5-pro" }]);
    expect(await session.state()).toMatchObject({ cost: 2, unpriced: "gemini-2.5-pro" });
    const { messages } = await readConversation(session);
    expect(messages.at(-1)).not.toHaveProperty("cost");
    // Prices that it gets make it known.
    const prices = { asOf: "2026-11-24", models: { ...googleListPrices.models, ...listOf("gemini-2.5-pro").models } };
    const priced = new Agent({
      model: asks(ARGON),
      tools: [look],
      prices,
      hooks: { prepareTurn: () => ({ model: other }) },
    });
    const again = priced.session({ id: "s", store });
    expect(await face.resume(again)).toMatchObject({ cost: 3 });
    const [listed] = await store.list();
    for (const told of [await again.state(), listed]) {
      expect(told).toMatchObject({ cost: 3, pricesAsOf: "2026-11-24" });
      expect(told?.unpriced).toBeUndefined();
    }
  });

  test("has no limit of money that could hold once it asked a model without a price", async () => {
    const store = new MemoryStore();
    const other = new Agent({ model: answers("our-model"), prices: googleListPrices });
    await face.send(other.session({ id: "s", store }), "Go.");
    await face.send(new Agent({ model: answers(ARGON), prices: googleListPrices }).session({ id: "s", store }), "On.");
    const model = answers(ARGON);
    const limited = new Agent({ model, prices: googleListPrices }).session({ id: "s", store, limits: { cost: 9 } });
    const before = await store.list();
    await expect(face.send(limited, "And on.")).rejects.toThrow("our-model answered in the session s without a price");
    expect(await store.list()).toEqual(before);
    expect(model.requests).toEqual([]);
  });
});

function listOf(id: string): PriceList {
  return { asOf: "2026-01-01", models: { [id]: { input: 1, output: 1 } } };
}
