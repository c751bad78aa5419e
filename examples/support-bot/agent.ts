import { Agent, defineTool, type Endpoint } from "@pollux/core";
import { z } from "zod";

/** Only a person of the support team lets money go. They may change the amount; customers may only take the request back. */
const refund = defineTool({
  name: "refund",
  description: "Refunds an order.",
  input: z.object({ order: z.string(), euros: z.number().positive().max(500) }),
  needsApproval: true,
  approvedBy: "support",
  editable: ["euros"],
  effects: "once",
  // The model reads its own arguments once more, and nothing that others wrote. So it is with a canceled delivery.
  reads: "trusted",
  run: ({ order, euros }) => `${euros} euros refunded for ${order}`,
});

/** Customers decide themselves, since it costs only them. */
const cancelDelivery = defineTool({
  name: "cancel_delivery",
  description: "Cancels the delivery of an order.",
  input: z.object({ order: z.string() }),
  needsApproval: true,
  approvedBy: "user",
  effects: "idempotent",
  reads: "trusted",
  run: ({ order }) => `the delivery of ${order} is canceled`,
});

/** The agent that customers talk to. */
export function createSupportAgent(endpoint: Endpoint, model: string): Agent {
  return new Agent({
    model,
    endpoint,
    instructions: "You are the support bot of a small shop. Be brief.",
    tools: [refund, cancelDelivery],
  });
}
