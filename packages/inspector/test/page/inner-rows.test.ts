import { Agent, type AgentOptions, endpoint, gemini, handoff, MemoryStore } from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import { say as says, call as scriptedCall, ScriptedModel } from "@pollux/core/testing";
import { call, createEmulator, say, script, type ScriptLine } from "@pollux/emulator";
import { expect, test } from "vitest";
import { innerExchanges } from "../../page/src/timeline/inner-rows.ts";
import { type TimelineRow, timelineRows } from "../../page/src/timeline/timeline-rows.ts";
import { ExchangeFold } from "../../src/inspection/exchange-fold.ts";
import { add } from "../support/sessions.ts";
import { foldOf } from "../support/sessions.ts";

const PRICES = { input: 1_000_000, output: 1_000_000 };

/** The rows as a person reads them, indented by depth. */
function told(rows: readonly TimelineRow[]): readonly string[] {
  return rows.flatMap((row) => {
    switch (row.kind) {
      case "run":
        return [`run ${row.run.input}`];
      case "lead":
        return [`${row.turn.agent} leads`];
      case "turn":
        return [`${row.turn.number} ${row.turn.text}`];
      case "inner-run":
        return [`${"> ".repeat(row.depth)}${row.title}, ${row.turns} turns${row.isOpen ? "" : " (folded)"}`];
      case "inner-turn":
        return [`${"> ".repeat(row.depth)}${row.number ?? "-"} ${row.text}`];
      default:
        return [];
    }
  });
}

/** A planner that asks a researcher, who asks a librarian. */
async function askedDown(prices = PRICES) {
  const [store, exchanges] = [new MemoryStore(), new MemoryStore()];
  const keeper = keepExchanges(exchanges);
  const agentOf = (name: string, lines: readonly ScriptLine[], tools: AgentOptions["tools"]): Agent => {
    const emulator = createEmulator({ brain: script(lines) });
    const model = gemini("gemini-3.5-flash", {
      endpoint: endpoint({ baseUrl: "https://gemini.test", apiKey: "emulator-key" }),
      fetch: (input, init) => emulator.fetch(input, init),
    });
    return new Agent({ name, model, tools, instructions: "Answer.", observers: [keeper], prices: PRICES });
  };
  const librarian = agentOf("librarian", [call("add", { a: 1, b: 2 }), say("Three copies.")], [add]);
  const researcher = agentOf(
    "researcher",
    [call("librarian", { task: "Count Solaris." }), say("There are three.")],
    [librarian.asTool({ description: "Counts." })],
  );
  const planner = agentOf(
    "planner",
    [call("researcher", { task: "Solaris?" }), say("We have three.")],
    [researcher.asTool({ description: "Finds out." })],
  );
  await planner.session({ id: "chat-1", store }).send("Is Solaris in stock?");
  await keeper.flush();
  const kept = new ExchangeFold({ prices });
  kept.add(await exchanges.load("chat-1"));
  return { overview: (await foldOf(store, "chat-1", { prices })).overview(), kept };
}

test("agents inside calls are a tree below their calls, with their turns, tokens and costs", async () => {
  const { overview, kept } = await askedDown();
  const shown = (isToggled: (key: string) => boolean) =>
    timelineRows(overview, { text: "" }, () => true, { exchanges: innerExchanges(kept.rows), isToggled });
  const rows = shown(() => false);
  expect(told(rows)).toEqual([
    "run Is Solaris in stock?",
    expect.stringContaining("1 researcher("),
    "> researcher, 2 turns",
    '> 1 librarian(task: "Count Solaris.")',
    "> > librarian, 2 turns",
    "> > 1 add(a: 1, b: 2)",
    "> > 2 Three copies.",
    "> 2 There are three.",
    "2 We have three.",
  ]);
  const [outer, first, inner, ...rest] = rows.filter((row) => row.kind === "inner-run" || row.kind === "inner-turn");
  const [inLog] = overview.runs[0]?.turns[0]?.steps.flatMap((step) => step.inner ?? []) ?? [];
  expect(outer).toMatchObject({ tokens: inLog?.usage.totalTokens, cost: inLog?.cost });
  // The outer run's totals in the log include the inner run.
  const sum = [first, ...rest].reduce((total, row) => total + (row?.kind === "inner-turn" ? (row.tokens ?? 0) : 0), 0);
  expect(sum).toBe(inLog?.usage.totalTokens);
  expect(inner?.cost).toBeGreaterThan(0);
  const key = outer?.kind === "inner-run" ? outer.key : "";
  expect(told(shown((one) => one === key))[2]).toBe("> researcher, 2 turns (folded)");
  expect(told(shown((one) => one === key))).toHaveLength(4);
});

test("turns of an agent inside a call add up to its recorded cost, whatever the inspector's prices are", async () => {
  const { overview, kept } = await askedDown({ input: 7_000_000, output: 1 });
  const inner = { exchanges: innerExchanges(kept.rows), isToggled: () => false };
  const rows = timelineRows(overview, { text: "" }, () => true, inner);
  const costs = (kind: string) => rows.flatMap((row) => (row.kind === kind && "cost" in row ? (row.cost ?? 0) : []));
  const [recorded = 0] = costs("inner-run");
  expect(recorded).toBe(overview.runs[0]?.turns[0]?.steps.flatMap((step) => step.inner ?? [])[0]?.cost);
  expect(costs("inner-turn").reduce((sum, cost) => sum + cost, 0)).toBeCloseTo(recorded, 9);
});

test("without kept requests, it is a run with its data in the log", async () => {
  const { overview } = await askedDown();
  const rows = timelineRows(overview, { text: "" }, () => true, { exchanges: new Map(), isToggled: () => false });
  expect(told(rows)).toEqual([
    "run Is Solaris in stock?",
    expect.stringContaining("1 researcher("),
    "> researcher, 4 turns",
    ...told(rows).filter((row) => row.startsWith("> -")),
    "2 We have three.",
  ]);
});

test("after a handover, the timeline names the agent that leads from there", async () => {
  const store = new MemoryStore();
  const billing = new Agent({
    name: "billing",
    model: new ScriptedModel(scriptedCall("add", { a: 1, b: 2 }), says("That is 3.")),
    tools: [add],
  });
  const desk = new Agent({
    name: "desk",
    model: new ScriptedModel(scriptedCall("transfer_to_billing", {})),
    tools: [handoff(billing)],
  });
  await desk.session({ id: "chat-1", store }).send("My bill?");
  const overview = (await foldOf(store)).overview();
  const rows = timelineRows(overview, { text: "" }, () => false, { exchanges: new Map(), isToggled: () => false });
  expect(told(rows)).toEqual([
    "run My bill?",
    expect.stringMatching(/^1 /),
    "billing leads",
    "2 add(a: 1, b: 2)",
    "3 That is 3.",
  ]);
  expect(overview.runs[0]?.turns.map(({ agent }) => agent)).toEqual([undefined, "billing", "billing"]);
});
