import { Agent, ConfigurationError, defineTool, type Content, type Tool, type ToolOutcome } from "@pollux/core";
import { approve } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { toolSearch } from "../src/tool-search.ts";

const AREAS = ["invoice", "order", "customer", "ticket", "shipment"];

/** A hundred tools, of which one is made for each test. */
function many(...own: readonly Tool[]): Tool[] {
  const names = new Set(own.map(({ name }) => name));
  const rest = AREAS.flatMap((area) =>
    Array.from({ length: 20 }, (_, index) => ({ name: `${area}_report_${index}`, area, index })),
  ).filter(({ name }) => !names.has(name));
  return [
    ...rest.map(({ name, area, index }) =>
      defineTool({
        name,
        description: `Report number ${index} about each ${area}.`,
        input: z.object({ year: z.int().describe("Calendar year") }),
        effects: "none",
        reads: "trusted",
        run: ({ year }) => `${name} of ${year}`,
      }) as unknown as Tool,
    ),
    ...own,
  ];
}

const refunded: unknown[] = [];
const refund = defineTool({
  name: "refund_payment",
  description: "Pays money back for an order.",
  input: z.object({ order: z.string(), amount: z.number().positive().describe("Euros") }),
  effects: "once",
  needsApproval: true,
  reads: "trusted",
  run: (input) => {
    refunded.push(input);
    return { refunded: input.amount };
  },
}) as unknown as Tool;

const MADE = { name: "call_tool", args: { name: "refund_payment", input: { order: "A1", amount: 5 } } };

describe("sanity", () => {
  test("approval", async () => {
    const model = new ScriptedModel(
      call("search_tools", { query: "give money back" }),
      call("call_tool", MADE.args, { id: "x1" }),
      say("Done."),
    );
    const agent = new Agent({ model, tools: toolSearch(many(refund), { budgetTokens: 0 }) });
    const session = agent.session();
    const first = await session.send("Refund 5 euros of A1.");
    console.log(JSON.stringify(first.pending), first.stopReason);
    const second = await session.resume({ approvals: approve(first.pending ?? []) });
    console.log(JSON.stringify(second.contents, null, 1), second.toolCalls);
    console.log(JSON.stringify(model.requests[0]?.functions.map(({ name }) => name)));
  });
});
