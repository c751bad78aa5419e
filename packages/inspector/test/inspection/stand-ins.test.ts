import { defineTool, MemoryStore } from "@pollux/core";
import { calls, say } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { readTurn } from "../../src/inspection/read-turn.ts";
import { foldOf, sessionOf } from "../support/sessions.ts";

const input = { type: "object" } as const;
const pay = defineTool({ name: "pay", description: "Pays.", input, run: () => "paid" });
const tools = [
  { ...defineTool({ name: "call_tool", description: "x", input, run: () => "x" }), standsIn: true as const },
  { ...pay, undeclared: true as const },
];

test("a call that went through a stand-in is shown as its tool's, with its arguments, and the answer as the model wrote it", async () => {
  const store = new MemoryStore();
  const through = { name: "call_tool", args: { name: "pay", input: { to: "Ann" } } };
  await sessionOf(store, [calls(through), say("Done.")], { tools }).send("Pay Ann.");
  const fold = await foldOf(store);
  const [run] = fold.overview().runs;
  expect(run?.turns[0]?.text).toBe('pay(to: "Ann")');
  const details = readTurn(fold, run?.runId ?? "", 1);
  expect(details?.calls).toMatchObject([{ callId: "call:1.0", name: "pay", args: { to: "Ann" } }]);
  expect(JSON.stringify(details?.answers)).toContain("call_tool");
});
