import { Agent, googleListPrices, MemoryStore } from "@pollux/core";
import { call, calls, costs, empty, grounded, join, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { mergeOverview } from "../../page/src/source/http-source.ts";
import { readTurn } from "../../src/inspection/read-turn.ts";
import { SessionFold } from "../../src/inspection/session-fold.ts";
import { foldOf, sessionOf } from "../support/sessions.ts";
import { answersTo } from "../../../core/test/helpers/answers.ts";

import fc from "fast-check";

async function folded(script: Parameters<typeof sessionOf>[1], options: Parameters<typeof sessionOf>[2] = {}) {
  const store = new MemoryStore();
  await sessionOf(store, script, options).send("What is 1 + 2?");
  return await foldOf(store);
}

const USED = { promptTokenCount: 100, cachedContentTokenCount: 40, candidatesTokenCount: 5, totalTokenCount: 105 };

test("a run is rows of turns and steps, with what each used", async () => {
  const fold = await folded([join(call("add", { a: 1, b: 2 }), costs(USED)), say("It is 3.")]);
  expect(fold.overview()).toMatchObject({
    id: "chat-1",
    title: "What is 1 + 2?",
    state: "done",
    length: fold.length,
    problems: [],
    pending: [],
    usage: { requests: 2, inputTokens: 110, cachedTokens: 40, outputTokens: 10 },
    runs: [
      {
        model: "gemini-scripted",
        state: "done",
        stopReason: "finished",
        input: "What is 1 + 2?",
        toolCalls: 1,
        turns: [
          {
            turn: 1,
            text: "add(a: 1, b: 2)",
            finishReason: "STOP",
            flags: [],
            usage: { inputTokens: 100, cachedTokens: 40, outputTokens: 5, totalTokens: 105, requests: 1 },
            steps: [
              { name: "model:1", kind: "model", state: "ok", detail: "STOP" },
              { name: "call:1.0", kind: "call", state: "ok", label: "add" },
            ],
          },
          {
            turn: 2,
            text: "It is 3.",
            flags: [],
            usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15, requests: 1 },
          },
        ],
      },
    ],
  });
});

test("with prices, each turn has a cost; limits have their use", async () => {
  const store = new MemoryStore();
  await sessionOf(store, [join(call("add", { a: 1, b: 2 }), costs(USED)), say("3")]).send("Add");
  const prices = { input: 1_000_000, cachedInput: 0, output: 2_000_000 };
  const [run] = (await foldOf(store, "chat-1", { prices, limits: { turns: 4, cost: 100 } })).overview().runs;
  expect(run?.turns.map(({ cost }) => cost)).toEqual([70, 20]);
  expect(run?.limits).toEqual([
    { name: "turns", limit: 4, used: 2 },
    { name: "cost", limit: 100, used: 90 },
  ]);
});

test("a cost has the day of its prices, as the run recorded both", async () => {
  const store = new MemoryStore();
  const model = ScriptedModel.with({ id: "gemini-4-hydrogen" }, join(say("3"), costs(USED)));
  await new Agent({ model, prices: googleListPrices }).session({ id: "chat-1", store }).send("Add");
  const other = { asOf: "2020-01-01", models: { "gemini-4-hydrogen": { input: 9, output: 9 } } };
  const told = (await foldOf(store)).overview();
  expect(told).toMatchObject({ cost: expect.any(Number) as unknown, pricesAsOf: "2026-11-23" });
  expect(told.runs[0]).toMatchObject({ cost: told.cost, pricesAsOf: "2026-11-23", turns: [{ cost: told.cost }] });
  expect((await foldOf(store, "chat-1", { prices: other })).overview()).toMatchObject({
    cost: told.cost,
    pricesAsOf: "2026-11-23",
    runs: [{ turns: [{ cost: told.cost }] }],
  });
});

test("a turn keeps its number over all runs, also when the conversation goes back to before it", async () => {
  const store = new MemoryStore();
  const session = sessionOf(store, [call("add", { a: 1, b: 2 }), say("3"), say("Oslo"), say("Bergen")]);
  await session.send("What is 1 + 2?");
  await session.send("And the capital?");
  await session.rewind({ before: `${(await foldOf(store)).runs[1]!.runId}:user` });
  await session.send("And the rain?");
  const numbers = (fold: SessionFold): readonly (readonly number[])[] =>
    fold.overview().runs.map(({ turns }) => turns.map(({ number }) => number));
  const whole = await foldOf(store);
  expect(numbers(whole)).toEqual([[1, 2], [3], [4]]);
  const grown = new SessionFold("chat-1");
  const seen = new Map<string, number>();
  for (const entry of whole.entries) {
    grown.add(entry);
    for (const { runId, turns } of grown.overview().runs)
      for (const { turn, number } of turns) {
        expect(seen.get(`${runId} ${turn}`) ?? number).toBe(number);
        seen.set(`${runId} ${turn}`, number);
      }
  }
  expect([...seen.values()]).toEqual([1, 2, 3, 4]);
});

describe("flags", () => {
  test("a failed call, with the reason", async () => {
    const fold = await folded([call("fail"), say("Sorry")]);
    const [turn] = fold.overview().runs[0]?.turns ?? [];
    expect(turn?.flags).toEqual(["call-failed"]);
    expect(turn?.steps[1]).toMatchObject({
      state: "failed",
      label: "fail",
      detail: expect.stringContaining("the disk is full"),
    });
  });

  test("the same calls as in the previous turn", async () => {
    const again = call("add", { a: 1, b: 1 });
    const fold = await folded([again, again, call("add", { a: 1, b: 2 }), say("Done")]);
    expect(fold.overview().runs[0]?.turns.map(({ flags }) => flags)).toEqual([[], ["repeated-calls"], [], []]);
  });

  test("an answer that was requested again", async () => {
    const fold = await folded([empty(), say("Here")]);
    expect(fold.overview().runs[0]?.turns[0]).toMatchObject({ flags: ["recovery"], text: "Here" });
  });

  test("a search", async () => {
    const answer = grounded("Oslo is in Norway.", { sources: [{ uri: "https://a.example", title: "A" }] });
    const fold = await folded([answer]);
    expect(fold.overview().runs[0]?.turns[0]?.flags).toEqual(["search"]);
  });
});

test("a call that waits is pending until it is answered", async () => {
  const store = new MemoryStore();
  const session = sessionOf(store, [calls({ name: "pay", args: { amount: 5 } }), say("Paid")]);
  await session.send("Pay the bill");
  const waiting = (await foldOf(store)).overview();
  expect(waiting).toMatchObject({
    state: "waiting",
    pending: [{ turn: 1, callId: "call:1.0", question: "approval", name: "pay", args: { amount: 5 } }],
    runs: [{ state: "waiting", stopReason: "needs-approval", turns: [{ flags: ["approval"] }] }],
  });
  await session.resume(await answersTo(session, { approvals: { "call:1.0": true } }));
  const fold = await foldOf(store);
  expect(fold.overview()).toMatchObject({ state: "done", pending: [], runs: [{ resumed: 1 }] });
  const { runId } = fold.overview().runs[0]!;
  expect(readTurn(fold, runId, 1)?.calls).toMatchObject([
    { callId: "call:1.0", name: "pay", args: { amount: 5 }, state: "ok", response: { output: "paid 5" } },
  ]);
});

test("a run without an end is running while its lease is held, and cut off otherwise", async () => {
  const fold = await folded([say("Hi")]);
  const open = new SessionFold("chat-1");
  for (const entry of fold.entries.slice(0, 1)) open.add(entry);
  expect(open.overview()).toMatchObject({ state: "cut-off", runs: [{ state: "cut-off" }] });
  expect(open.overview({ isRunning: true })).toMatchObject({ state: "running", runs: [{ state: "running" }] });
});

test("an updated overview equals the overview of the whole log, after any entry", async () => {
  const store = new MemoryStore();
  const script = [call("fail"), empty(), say("One"), call("pay", { amount: 1 }), say("Two")];
  const session = sessionOf(store, script);
  await session.send("First");
  await session.send("Second");
  await session.resume(await answersTo(session, { approvals: { "call:1.0": { args: { amount: 2 } } } }));
  const entries = await store.load("chat-1");
  const fold = new SessionFold("chat-1");
  let known = fold.overview();
  for (const entry of entries) {
    const { length } = known;
    fold.add(entry);
    known = mergeOverview(known, fold.overview({}, length));
    const whole = new SessionFold("chat-1");
    for (const one of entries.slice(0, fold.length)) whole.add(one);
    expect(known).toEqual(whole.overview());
  }
});

describe("any log is shown", () => {
  test.each<[string, unknown, string]>([
    ["no object", 7, "it is not a JSON object"],
    ["a list", [], "it is not a JSON object"],
    ["an object of another kind", { a: 1 }, "it has no version and type"],
    [
      "a step of no run",
      {
        v: 3,
        at: 1,
        type: "step",
        runId: "x",
        step: "model:1",
        place: { kind: "model", phase: "work", turn: 1, attempt: 0 },
      },
      "it belongs to run x, whose start is not in the log",
    ],
    [
      "a type and version of tomorrow",
      { v: 9, at: 1, type: "dance" },
      "it is of version 9, which this release can't read",
    ],
    ["a run without an id", { v: 3, at: 1, type: "run" }, "its runId is missing"],
    ["a line that could not be read", { unreadable: "it is not JSON", text: "{" }, "it is not JSON"],
  ])("%s", async (_name, entry, problem) => {
    const fold = await folded([say("Hi")]);
    const position = fold.length;
    fold.add(entry);
    const overview = fold.overview();
    expect(overview.problems).toMatchObject([{ position, problem }]);
    expect(overview.runs[0]?.turns).toHaveLength(1);
  });

  test("an entry of an unknown type is no problem", async () => {
    const fold = await folded([say("Hi")]);
    const { problems, runs } = fold.overview();
    fold.add({ v: 3, at: 1, type: "weather", runId: runs[0]?.runId ?? "" });
    expect(fold.overview()).toMatchObject({ problems, runs });
  });

  test("whatever its entries hold", () => {
    const step = fc.constantFrom(
      "model:1",
      "call:1.0",
      "route:1",
      "guard:1/input",
      "compact:1",
      "call:1.0/approval",
      "x",
    );
    const names = [
      "content",
      "parts",
      "usage",
      "response",
      "nested",
      "part",
      "steered",
      "actions",
      "prepared",
      "candidate",
    ];
    const anything = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 0 }),
        fc.dictionary(fc.constantFrom(...names), tie("value"), { maxKeys: 4 }),
        fc.array(tie("value"), { maxLength: 3 }),
      ),
    })).value;
    const entry = fc.record(
      {
        v: fc.constantFrom(2, 3, "2"),
        at: fc.oneof(fc.integer(), fc.constant("now")),
        type: fc.constantFrom("history", "run", "begin", "step", "answer", "resume", "steer", "info", "end"),
        runId: fc.constantFrom("r", "s", 1),
        step,
        input: anything,
        parts: anything,
        contents: anything,
        value: anything,
        pending: anything,
        added: anything,
        usage: anything,
        outcome: fc.record({ ok: fc.boolean(), value: anything, error: anything }, { requiredKeys: [] }),
      },
      { requiredKeys: ["v", "type"] },
    );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
        const fold = new SessionFold("x");
        for (const one of [{ v: 3, at: 1, type: "run", runId: "r", model: "m", input: [] }, ...entries]) fold.add(one);
        for (const run of fold.overview({ isRunning: true }).runs)
          for (const { turn } of run.turns) JSON.stringify(readTurn(fold, run.runId, turn));
      }),
      { numRuns: 60 },
    );
  });
});

describe("a conversation that went back", () => {
  test("marks the runs that were taken back, and none of them is current", async () => {
    const store = new MemoryStore();
    const session = sessionOf(store, [say("Oslo."), call("pay", { amount: 5 }), say("Crete.")]);
    await session.send("Where should I go?");
    await session.send("Pay for it");
    await session.rewind();
    const back = await foldOf(store);
    expect(back.overview()).toMatchObject({ state: "done", pending: [], problems: [] });
    expect(back.overview().runs.map(({ takenBack }) => takenBack)).toEqual([undefined, true]);
    await session.send("Where is it warm?", { replaces: `${back.runs[0]?.runId}:user` });
    const { title, state, problems, runs } = (await foldOf(store)).overview();
    expect({ title, state, problems }).toEqual({ title: "Where is it warm?", state: "done", problems: [] });
    expect(runs.map(({ input, takenBack }) => [input, takenBack])).toEqual([
      ["Where should I go?", true],
      ["Pay for it", true],
      ["Where is it warm?", undefined],
    ]);
  });

  test("queues messages from before the run, and drops the ones that the run has read", async () => {
    const fold = new SessionFold("chat-1");
    const at = 1;
    const userContents = (text: string) => [{ role: "user", parts: [{ text }] }];
    const answer = { response: { content: { role: "model", parts: [{ text: "Yes." }] } }, startedAt: 1, endedAt: 1 };
    for (const entry of [
      { v: 3, at, type: "steer", contents: userContents("Before.") },
      { v: 3, at, type: "run", runId: "a", loop: 4, model: "m", origin: {}, input: userContents("Go.") },
      { v: 3, at, type: "steer", contents: userContents("Meanwhile.") },
      {
        v: 3,
        at,
        type: "step",
        runId: "a",
        step: "model:1",
        place: { kind: "model", phase: "work", turn: 1, attempt: 0 },
        outcome: { ok: true, value: { ...answer, steered: { contents: [], upTo: 3 } } },
      },
      { v: 3, at, type: "steer", contents: userContents("Unheard.") },
    ])
      fold.add(entry);
    expect(fold.overview().queued.map(({ text }) => text)).toEqual(["Unheard."]);
    fold.add({ v: 3, at, type: "rewind", before: "a" });
    expect(fold.overview().queued.map(({ text }) => text)).toEqual(["Before.", "Unheard."]);
  });

  test("reports a missing run that it went back to", () => {
    const fold = new SessionFold("chat-1");
    fold.add({ v: 3, at: 1, type: "rewind", before: "gone" });
    expect(fold.problems).toMatchObject([
      { position: 0, problem: "it goes back to before run gone, which is not in the log" },
    ]);
  });

  test("tells a page that follows it", async () => {
    const store = new MemoryStore();
    const session = sessionOf(store, [say("One."), say("Two."), say("Three."), say("Four.")]);
    for (const text of ["a", "b", "c", "d"]) await session.send(text);
    const before = await foldOf(store);
    const { length } = before;
    const overview = before.overview();
    await session.rewind({ before: `${before.runs[0]?.runId}:user` });
    const after = await foldOf(store);
    expect(mergeOverview(overview, after.overview({}, length))).toEqual(after.overview());
  });
});
