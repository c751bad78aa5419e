import { randomUUID } from "node:crypto";
import { defineTool } from "@pollux/core";
import { z } from "zod";
import { pause } from "./pause.ts";

/** Spends money, so a person decides. */
export const placeOrder = defineTool({
  name: "place_order",
  description: "Orders an item from the office supplier.",
  input: z.object({
    item: z.string().describe("Product name"),
    quantity: z.number().int().min(1).max(100),
  }),
  needsApproval: true,
  approvedBy: "user",
  editable: true,
  effects: "once",
  reads: "trusted",
  async *run({ item, quantity }, { signal }) {
    yield { text: "Sending the order" };
    await pause(800, signal);
    return { orderNumber: `A-${randomUUID().slice(0, 6).toUpperCase()}`, item, quantity, state: "confirmed" };
  },
});
