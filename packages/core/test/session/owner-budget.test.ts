import { Agent, ConfigurationError, defineTool, MemoryStore, type OwnerBudget, type SessionStore } from "@pollux/core";
import {
  call,
  calls,
  costs,
  dies,
  join,
  say,
  ScriptedModel,
  type ScriptedTurn,
  type ScriptLine,
} from "@pollux/core/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SESSION_FACES } from "./session-faces.ts";

/** What each request costs: one for each million tokens. */
const prices = { input: 1, output: 0 };
const worth = (cost: number): ScriptedTurn =>
  costs({ promptTokenCount: cost * 1_000_000, totalTokenCount: cost * 1_000_000 });
const ONE = worth(1);
const look = defineTool({ name: "look", description: "x", run: () => "ok" });
const turns = (count: number): ScriptLine[] => Array.from({ length: count }, () => join(call("look"), ONE));

/** As an application that shares a budget by the list of its store. */
function budgetIn(store: SessionStore, maxCost: number, owner = "ann"): () => Promise<OwnerBudget> {
  return async () => {
    const sessions = await store.list({ owner });
    return { maxCost, spent: sessions.reduce((sum, { cost = 0 }) => sum + cost, 0) };
  };
}

function open(store: SessionStore, id: string, lines: readonly ScriptLine[], ownerBudget: () => Promise<OwnerBudget>) {
  const agent = new Agent({ model: new ScriptedModel(...lines), tools: [look], prices, limits: { repeats: 99 } });
  return agent.session({ id, owner: "ann", store, ownerBudget });
}

const REACHED = { stopReason: "limit", limit: { name: "cost", limit: 2, used: 2, scope: "owner" } };

describe.each(SESSION_FACES)("the budget of an owner, in runs read by %s", (_face, face) => {
  test("ends a run before the turn that it has nothing left for, and lets it go on when it has", async () => {
    const store = new MemoryStore();
    const first = open(store, "s", [...turns(3)], budgetIn(store, 2));
    expect(await face.send(first, "Go.")).toMatchObject({ ...REACHED, turns: 2, cost: 2 });
    const again = open(store, "s", [join(say("Done."), ONE)], budgetIn(store, 3));
    expect(await face.resume(again)).toMatchObject({ stopReason: "finished", text: "Done.", turns: 3, cost: 3 });
  });

  test("leaves the first request out when nothing is left", async () => {
    const store = new MemoryStore();
    await face.send(open(store, "a", [join(say("One."), worth(2))], budgetIn(store, 9)), "Go.");
    const model = new ScriptedModel(say("No."));
    const session = new Agent({ model, prices }).session({
      id: "b",
      owner: "ann",
      store,
      ownerBudget: budgetIn(store, 2),
    });
    expect(await face.send(session, "Go.")).toMatchObject({ ...REACHED, turns: 0, text: "" });
    expect(model.requests).toEqual([]);
  });

  test("does not decide finished turns again: resumed, repeated or replayed", async () => {
    const store = new MemoryStore();
    let asked = 0;
    const strict = async (): Promise<OwnerBudget> => {
      asked += 1;
      return { maxCost: 2, spent: 2 };
    };
    const failing = open(store, "s", [...turns(2), dies()], async () => ({ maxCost: 9, spent: 0 }));
    await expect(face.send(failing, "Go.", { runId: "r" })).rejects.toThrow();
    expect(await face.resume(open(store, "s", [], strict))).toMatchObject({ ...REACHED, turns: 2, cost: 2 });
    expect(asked).toBe(1);
    // The end has the verdict: however the budget stands now.
    const rich = open(store, "s", [], async () => Promise.reject(new Error("not to be asked")));
    expect(await rich.replay().result()).toMatchObject({ ...REACHED, turns: 2 });
    const history = await rich.history();
    expect(history).toHaveLength(5);
  });

  test("does not touch the turns of a run that was cut off, when the next message closes it", async () => {
    const store = new MemoryStore();
    const gone = open(store, "s", [...turns(2)], async () => ({ maxCost: 9, spent: 0 }));
    const copy = new MemoryStore();
    await expect(gone.send("Go.")).rejects.toThrow();
    // As its process leaves the log: without an end.
    const entries = (await store.load("s")).filter((entry) => (entry as { type: string }).type !== "end");
    await copy.append("s", 0, entries, {});
    const next = open(copy, "s", [say("Yes.")], async () => ({ maxCost: 9, spent: 0 }));
    expect(await face.send(next, "More.")).toMatchObject({ text: "Yes." });
    expect((await next.history()).map(({ role }) => role)).toEqual([
      "user",
      "model",
      "user",
      "model",
      "user",
      "user",
      "model",
    ]);
  });

  test("fails a run when it can't be found out, and the run goes on when it can", async () => {
    const store = new MemoryStore();
    const lost = open(store, "s", [], () => Promise.reject(new Error("the store is down")));
    await expect(face.send(lost, "Go.")).rejects.toThrow("the store is down");
    expect(await face.resume(open(store, "s", [say("Yes.")], budgetIn(store, 1)))).toMatchObject({ text: "Yes." });
  });

  test("gives a run inside a call what was left when the turn began", async () => {
    const store = new MemoryStore();
    const inner = new Agent({
      name: "inner",
      model: new ScriptedModel(...turns(9)),
      tools: [look],
      prices,
      limits: { repeats: 99 },
    });
    const model = new ScriptedModel(join(call("inner", { task: "x" }), ONE), say("No."));
    const outer = new Agent({ model, tools: [inner.asTool({ description: "x" })], prices });
    const session = outer.session({ id: "s", owner: "ann", store, ownerBudget: budgetIn(store, 5) });
    const result = await face.send(session, "Go.");
    // One of its own request; the four that were left then are all that the run inside gets.
    expect(result).toMatchObject({ stopReason: "limit", limit: { scope: "owner", used: 5 }, cost: 5 });
  });
});

describe("a store's list", () => {
  test("has what finished turns of a run that is going have cost, and counts nothing twice", async () => {
    const store = new MemoryStore();
    const seen: (number | undefined)[] = [];
    const note = async (): Promise<void> => void seen.push((await store.list())[0]?.cost);
    const tool = defineTool({ name: "look", description: "x", run: note });
    const inner = new Agent({ name: "inner", model: new ScriptedModel(join(say("x"), worth(4))), prices });
    const lines = [
      join(call("look"), ONE),
      join(calls({ name: "inner", args: { task: "x" } }), ONE),
      join(call("look"), ONE),
      dies(),
    ];
    const make = (...script: readonly ScriptLine[]) =>
      new Agent({
        model: new ScriptedModel(...script),
        tools: [tool, inner.asTool({ description: "x" })],
        prices,
        limits: { restarts: 0 },
      }).session({ id: "s", store });
    await expect(make(...lines).send("Go.")).rejects.toThrow();
    await note();
    await make(join(call("look"), ONE), join(say("Done."), ONE)).resume();
    await note();
    await make(join(call("look"), ONE), join(say("Done."), ONE)).send("More.");
    await note();
    expect(seen).toEqual([1, 7, 7, 8, 9, 10, 11]);
  });

  test("keeps parallel runs within the budget, but for one turn each, whatever they cost and however they interleave", async () => {
    const anyRun = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(4)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRun, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 40 }),
        async (runs, maxCost) => {
          const store = new MemoryStore();
          // Each run in a process of its own: nothing is shared but the store.
          const results = await Promise.all(
            runs.map(async (run, index) => {
              const lines = run.map(([cost, ticks]) => join(call("wait", { ticks }), worth(cost)));
              const wait = defineTool({
                name: "wait",
                description: "x",
                run: async (input) => {
                  for (let left = Number((input as { ticks?: number }).ticks); left > 0; left--)
                    await Promise.resolve();
                },
              });
              const agent = new Agent({
                model: new ScriptedModel(...lines, join(say("Done."), ONE)),
                tools: [wait],
                prices,
                limits: { repeats: 99 },
              });
              const ownerBudget = budgetIn(store, maxCost);
              return await agent.session({ id: `s${index}`, owner: "ann", store, ownerBudget }).send("Go.");
            }),
          );
          const total = results.reduce((sum, { cost = 0 }) => sum + cost, 0);
          const over = runs.reduce((sum, run) => sum + Math.max(...run.map(([cost]) => cost)), 0);
          expect(total).toBeLessThan(maxCost + over);
          const { spent } = await budgetIn(store, maxCost)();
          expect(spent).toBe(total);
          for (const result of results)
            if (result.stopReason !== "finished")
              expect(result).toMatchObject({ stopReason: "limit", limit: { name: "cost", scope: "owner" } });
          if (total < maxCost) expect(results.every(({ stopReason }) => stopReason === "finished")).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});

test("the budget of an owner is a function, and needs prices", () => {
  const model = new ScriptedModel();
  const ownerBudget = () => ({ maxCost: 1, spent: 0 });
  expect(() => new Agent({ model }).session({ ownerBudget })).toThrow(ConfigurationError);
  // What a program without types can pass.
  expect(() => new Agent({ model, prices }).session({ ownerBudget: 5 as never })).toThrow(TypeError);
});
