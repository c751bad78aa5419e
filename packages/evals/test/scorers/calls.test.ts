import { basename } from "node:path";
import { Agent, defineTool } from "@pollux/core";
import { call, calls, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  asksApproval,
  called,
  calledAll,
  calledInOrder,
  type NamedScorer,
  neverCalled,
  noRepeatedCalls,
} from "../../src/index.ts";
import { tryAgent } from "../helpers/trial.ts";

const input = z.object({ order: z.string() });
const lookup = defineTool({ name: "lookup", description: "Looks up.", input, reads: "trusted", run: () => "late" });
const refund = defineTool({
  name: "refund",
  description: "Refunds.",
  input,
  needsApproval: ({ order }) => order === "1000",
  run: () => "done",
});

function support(...script: readonly ScriptLine[]) {
  return tryAgent(new Agent({ model: new ScriptedModel(...script), tools: [lookup, refund] }), "Refund order 17");
}

const refunded = () => support(call("lookup", { order: "17" }), call("refund", { order: "17" }), say("Refunded."));
const MADE = 'calls: lookup({"order":"17"}), refund({"order":"17"})';

test.each<[NamedScorer, string | undefined]>([
  [called("refund"), undefined],
  [called("refund", { order: "17" }), undefined],
  [called("refund", input, { times: 1 }), undefined],
  [called("refund", undefined, { times: 0 }), `refund was called 1 times, not 0; ${MADE}`],
  [called("refund", { order: "3" }), `refund with {"order":"3"} was not called; ${MADE}`],
  [called("refund", { order: /^3/ }), `refund with {"order":"/^3/"} was not called; ${MADE}`],
  [called("escalate"), `escalate was not called; ${MADE}`],
  [calledInOrder("lookup", ["refund", { order: "17" }]), undefined],
  [calledInOrder("refund", "lookup"), `lookup was not called in its place; ${MADE}`],
  [calledInOrder("lookup", "lookup"), `lookup was not called in its place; ${MADE}`],
  [calledAll("refund", "lookup"), undefined],
  [
    calledAll("refund", "escalate", ["lookup", { order: "3" }]),
    `escalate and lookup with {"order":"3"} not called; ${MADE}`,
  ],
  [neverCalled("escalate", "cancel"), undefined],
  [neverCalled("escalate", "refund"), 'must not be called; calls: refund({"order":"17"})'],
  [neverCalled(), `must not be called; ${MADE}`],
  [noRepeatedCalls(), undefined],
])("$scorerName, of a lookup and a refund: %#", async (scorer, reason) => {
  const name = scorer.scorerName;
  expect(await scorer(await refunded())).toEqual(
    reason === undefined ? { name, score: 1 } : { name, score: 0, metadata: { reason } },
  );
});

test("a call that failed was called as well", async () => {
  const trial = await support(call("refund", { order: 17 }), say("I cannot."));
  expect(await called("refund")(trial)).toEqual({ name: "called", score: 1 });
});

test("a call is repeated when its arguments are the same JSON, in whatever order", async () => {
  const again = { name: "lookup", args: { order: "17" } };
  const trial = await support(calls(again, { name: "lookup", args: { order: "3" } }), calls(again), say("Late."));
  expect(await noRepeatedCalls()(trial)).toEqual({
    name: "noRepeatedCalls",
    score: 0,
    metadata: { reason: 'called again: lookup({"order":"17"})' },
  });
});

test("neither tool was called: what is forbidden passes, what is wanted says that there are no calls", async () => {
  const trial = await support(say("Hello!"));
  expect(await neverCalled()(trial)).toEqual({ name: "neverCalled", score: 1 });
  expect(await called("refund")(trial)).toEqual({
    name: "called",
    score: 0,
    metadata: { reason: "refund was not called; no calls" },
  });
});

test("approval was asked for a call that waits for it, and not for one that needs none", async () => {
  const waiting = await support(call("refund", { order: "1000" }));
  expect(await asksApproval("refund", { order: "1000" })(waiting)).toEqual({ name: "asksApproval", score: 1 });
  const other = await asksApproval("refund", { order: "17" })(waiting);
  expect(other.score).toBe(0);
  expect(await asksApproval("refund")(await refunded())).toEqual({
    name: "asksApproval",
    score: 0,
    metadata: { reason: `nobody was asked to approve refund; ${MADE}` },
  });
});

test("keys tell scorers apart by their arguments, and are the same for the same", () => {
  const make = () => [
    called("refund"),
    called("refund", { order: "17" }),
    called("refund", { order: /17/i }),
    called("refund", ({ order }) => order === "17"),
    called("refund", z.object({ order: z.string() })),
    called("refund", z.object({ order: z.number() })),
    called("refund", {}, { times: 2 }),
    calledAll("refund"),
    calledInOrder("refund"),
    neverCalled("refund"),
    neverCalled(),
  ];
  const keys = make().map(({ key }) => key);
  expect(make().map(({ key }) => key)).toEqual(keys);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.slice(0, 3)).toEqual([
    'called("refund",,)',
    'called("refund",{"order":"17"},)',
    'called("refund",{"order":"/17/i"},)',
  ]);
});

test("a key is the same where a test runner has changed a predicate's layout and its imports", () => {
  // As this one has.
  const { key } = called("refund", ({ order }) => basename(z.string().parse(order)) === "17");
  const plain = `({ order })        => basename(z.string().parse(order)) === '17'`;
  expect(key).toBe(
    called(
      "refund",
      Object.assign(() => true, { toString: () => plain }),
    ).key,
  );
  expect(key).not.toBe(called("refund", ({ order }) => basename(z.string().parse(order)) === "18").key);
});

test.each([calledAll, calledInOrder])("%o needs a call to look for", (make) => {
  expect(() => make()).toThrow(new TypeError(`${make.name}(): name the calls that are expected`));
});
