import { Agent, defineTool, MemoryStore, type AnyTool } from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import { call, say, script } from "@pollux/emulator";
import { expect, test } from "vitest";
import type { CauseView, TakenFiles } from "../../src/inspection/results.ts";
import { TAKE_AWAYS } from "../../src/take-away/take-away.ts";
import { inspect } from "../support/inspected.ts";
import { emulated } from "../support/emulated.ts";

const SECRET = "qxzvk-the-ledger-of-1911";

const look = defineTool({
  name: "look",
  description: "Looks.",
  run: () => {
    throw new Error(`no such page ${SECRET}`);
  },
});

async function failed() {
  const [store, exchanges] = [new MemoryStore(), new MemoryStore()];
  const keeper = keepExchanges(exchanges, { causes: {} });
  const agent = (name: string, tools: readonly AnyTool[], called: string) =>
    new Agent({
      name,
      model: emulated(script([call(called, called === "look" ? {} : { task: "Look." }), say("Not today.")])),
      tools,
      observers: [keeper],
    });
  const inner = agent("inner", [look], "look").asTool({ description: "Looks." });
  await agent("direct", [look], "look").session({ id: "chat-1", store }).send("Look.", { runId: "r1" });
  await agent("outer", [inner], "inner").session({ id: "chat-1", store }).send("Look.", { runId: "r2" });
  await keeper.flush();
  return inspect({ store, exchanges });
}

test("causes are shown by run, and causes of a run inside a call by that call", async () => {
  const inspected = await failed();
  const [direct, outer] = [
    await inspected.view<CauseView[]>("causes", { run: "r1" }),
    await inspected.view<CauseView[]>("causes", { run: "r2" }),
  ];
  expect(direct).toMatchObject([{ runId: "r1", callId: "call:1.0", tool: "look" }]);
  expect(direct[0]?.outerCallId).toBeUndefined();
  expect(outer).toMatchObject([{ callId: "call:1.0", tool: "look", outerCallId: "call:1.0" }]);
  expect(outer[0]?.runId).not.toBe("r2");
  expect(await inspected.view("causes", { run: "other" })).toEqual([]);
});

test("no other view or export has them", async () => {
  const inspected = await failed();
  const texts = [await inspected.view("log"), await inspected.view("exchanges"), await inspected.view("turns/r1/1")];
  for (const what of TAKE_AWAYS) texts.push(await inspected.view<TakenFiles>(`take-${what}`, { n: "0", run: "r1" }));
  expect(JSON.stringify(texts)).toContain("look");
  expect(JSON.stringify(texts)).not.toContain(SECRET);
});
