/* if operator */
import { defineTool } from "@pollux/core";
import { z } from "zod";

/** Money of the shop, so an operator approves each call, and may change how much it is. */
export const refund = defineTool({
  name: "refund",
  description: "Pays an order back.",
  input: z.object({ order: z.string().describe("Number of the order"), euros: z.number() }),
  needsApproval: true,
  approvedBy: "operator",
  editable: ["euros"],
  effects: "once",
  reads: "trusted",
  run: ({ order, euros }) => `${euros} euros were paid back for order ${order}.`,
});
/* end */
