import { MemoryStore } from "@pollux/core";
import { call, costs, join, say } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { compareBranches } from "../../src/inspection/compare-branches.ts";
import { SessionFold } from "../../src/inspection/session-fold.ts";
import { foldOf, sessionOf } from "../support/sessions.ts";

async function chatFold(...messages: readonly (readonly [message: string, answer: string])[]): Promise<SessionFold> {
  const store = new MemoryStore();
  const session = sessionOf(
    store,
    messages.map(([, answer]) => say(answer)),
  );
  for (const [message] of messages) await session.send(message);
  return await foldOf(store);
}

describe("two branches", () => {
  test("that are the same only have shared turns, although their runs have other ids", async () => {
    const [left, right] = [await chatFold(["Hi", "Hello."]), await chatFold(["Hi", "Hello."])];
    expect(compareBranches(left, right)).toMatchObject({ sharedTurns: 1, rows: [], omitted: 0 });
    expect(compareBranches(left, left).left).toMatchObject({ turns: 0, tokens: 0, text: "Hello." });
  });

  test("differ in a message, an answer, arguments or outcomes", async () => {
    const base = await chatFold(["Hi", "Hello."]);
    for (const other of [await chatFold(["Hey", "Hello."]), await chatFold(["Hi", "Hey."])])
      expect(compareBranches(base, other)).toMatchObject({ sharedTurns: 0, rows: [{ isSame: false }] });
    const store = new MemoryStore();
    await sessionOf(store, [call("add", { a: 1, b: 2 }), say("3")]).send("Add.");
    const left = await foldOf(store);
    const right = new SessionFold("other");
    for (const entry of left.entries) right.add(JSON.parse(JSON.stringify(entry).replace('"output":3', '"output":4')));
    const { rows, sharedTurns } = compareBranches(left, right);
    expect(sharedTurns).toBe(0);
    expect(rows.map(({ isSame }) => isSame)).toEqual([false, true]);
  });

  test("have turns and runs that the other one lacks", async () => {
    const left = await chatFold(["Hi", "Hello."], ["And you?", "Fine."], ["Bye", "Bye."]);
    const { rows, sharedTurns } = compareBranches(left, await chatFold(["Hi", "Hello."], ["And them?", "Fine, too."]));
    expect(sharedTurns).toBe(1);
    expect(rows).toMatchObject([
      { left: { message: "And you?" }, right: { message: "And them?" } },
      { left: { message: "Bye" } },
    ]);
    expect(rows[1]?.right).toBeUndefined();
  });

  test("have the cost of the turns after the shared ones, if prices are known", async () => {
    const store = new MemoryStore();
    const answer = join(say("Hello."), costs({ promptTokenCount: 1_000_000, candidatesTokenCount: 0 }));
    await sessionOf(store, [answer, answer]).send("Hi");
    const left = await foldOf(store, "chat-1", { prices: { input: 2, output: 1 } });
    const right = new SessionFold("empty");
    expect(compareBranches(left, right)).toMatchObject({ left: { turns: 1, cost: 2 }, right: { turns: 0, tokens: 0 } });
  });

  test("of many turns show the first of them", async () => {
    const messages = Array.from({ length: 210 }, (_, n) => [`Message ${n}`, `Answer ${n}`] as const);
    const comparison = compareBranches(await chatFold(...messages), new SessionFold("empty"));
    expect(comparison.rows).toHaveLength(200);
    expect(comparison.omitted).toBe(10);
  });

  test("of damaged logs are compared as far as they can be read", () => {
    const broken = new SessionFold("broken");
    for (const entry of [
      null,
      1,
      { v: 3, type: "run", runId: "r" },
      { v: 3, type: "step", runId: "r", step: "model:1", place: { kind: "model", phase: "work", turn: 1, attempt: 0 } },
    ])
      broken.add(entry);
    expect(compareBranches(broken, new SessionFold("empty"))).toMatchObject({ left: { turns: 1, text: "" } });
  });

  test("as a whole count all turns, including equal ones, with their durations", async () => {
    const [left, right] = [await chatFold(["Hi", "Hello."], ["Bye", "Bye."]), await chatFold(["Hi", "Hello."])];
    const { sharedTurns, rows, ...totals } = compareBranches(left, right, { isWhole: true });
    expect(sharedTurns).toBe(0);
    expect(rows.map(({ isSame }) => isSame)).toEqual([true, false]);
    expect([totals.left.turns, totals.right.turns]).toEqual([2, 1]);
    const ms = rows.reduce((sum, { left: turn }) => sum + (turn?.ms ?? 0), 0);
    expect(totals.left.ms).toBe(ms);
  });

  test("are two runs of one session, aligned by their own turns", async () => {
    const fold = await chatFold(["Hi", "Hello."], ["Hi", "Hello."], ["Hi", "Hey."]);
    const [first, second, third] = fold.runs.map(({ runId }) => runId);
    const compare = (left: string | undefined, right: string | undefined) =>
      compareBranches(fold, fold, { runs: [left, right], isWhole: true });
    expect(compare(first, second).rows).toMatchObject([{ isSame: true, left: { number: 1 }, right: { number: 2 } }]);
    expect(compare(first, third).rows).toMatchObject([{ isSame: false, right: { text: "Hey.", number: 3 } }]);
    expect(compare(first, third).left).toMatchObject({ turns: 1, stopReason: "finished" });
    expect(compare(first, "other").right).toMatchObject({ turns: 0 });
  });
});
