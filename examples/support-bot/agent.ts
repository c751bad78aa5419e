import { Agent, defineTool, type Endpoint, googleListPrices, googleSearch } from "@pollux/core";
import { z } from "zod";
import { changeAddress, findOrderTool } from "./orders.ts";

/** Only a person of the support team lets money go. They may change the amount; customers may only take the request back. */
const refund = defineTool({
  name: "refund",
  description: "Refunds an order.",
  input: z.object({ order: z.string(), euros: z.number().positive().max(500) }),
  needsApproval: true,
  approvedBy: "support",
  editable: ["euros"],
  effects: "once",
  // The model reads its own arguments again, and nothing that others wrote. The same goes for a canceled delivery.
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

const escalate = defineTool({
  name: "escalate",
  description: "Asks a person of the support team to take over.",
  input: z.object({ reason: z.string() }),
  effects: "once",
  reads: "trusted",
  run: () => "somebody of the support team writes within a day",
});

const INSTRUCTIONS = `You are the support bot of a small shop. Be brief.
Look an order up before you answer about it. Refund what was ordered in the last 30 days, and nothing older.
Escalate what was lost. Answer questions on returns and warranty from shop.example, with sources. Always say what happens next.`;

export interface SupportAgentOptions {
  readonly endpoint: Endpoint;
  readonly model: string;
  /** Milliseconds since the epoch. @defaultValue the clock */
  readonly now?: (() => number) | undefined;
  /** @defaultValue the shop's */
  readonly instructions?: string | undefined;
}

/** The agent that customers talk to. */
export function createSupportAgent({
  endpoint,
  model,
  now = Date.now,
  instructions = INSTRUCTIONS,
}: SupportAgentOptions): Agent {
  return new Agent({
    model,
    endpoint,
    instructions,
    prices: googleListPrices,
    tools: [refund, cancelDelivery, findOrderTool(now), changeAddress, escalate, googleSearch()],
  });
}
