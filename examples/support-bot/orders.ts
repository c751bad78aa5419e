import { defineTool, ToolError } from "@pollux/core";
import { z } from "zod";

interface Order {
  readonly item: string;
  readonly euros: number;
  /** Days before today. */
  readonly ordered: number;
  readonly state: string;
}

/** The shop's orders. An application asks its database. */
const ORDERS: Readonly<Record<string, Order>> = {
  3: { item: "rain jacket", euros: 120, ordered: 95, state: "delivered" },
  9: { item: "headlamp", euros: 35, ordered: 12, state: "delivered" },
  17: { item: "running shoes", euros: 80, ordered: 4, state: "arrives on Friday" },
  31: { item: "tent", euros: 240, ordered: 20, state: "lost by the carrier" },
  A17: { item: "socks", euros: 20, ordered: 2, state: "packed" },
};

const DAY_MS = 86_400_000;

/** @param now - Milliseconds since the epoch. */
export function findOrderTool(now: () => number) {
  return defineTool({
    name: "find_order",
    description:
      "Looks an order up: item, price in euros, the day it was ordered, how many days ago that was, and its state.",
    input: z.object({ order: z.string() }),
    effects: "none",
    // The shop's own records, in which nobody else writes.
    reads: "trusted",
    run: ({ order }) => {
      const found = Object.hasOwn(ORDERS, order) ? ORDERS[order] : undefined;
      if (found === undefined) throw new ToolError(`there is no order ${order}`);
      const { ordered, ...rest } = found;
      const day = new Date(now() - ordered * DAY_MS).toISOString().slice(0, 10);
      return { order, ...rest, ordered: day, daysAgo: ordered };
    },
  });
}

export const changeAddress = defineTool({
  name: "change_address",
  description: "Sends an order that is not delivered yet to another city.",
  input: z.object({ order: z.string(), city: z.string() }),
  effects: "idempotent",
  reads: "trusted",
  run: ({ order, city }) => `order ${order} goes to ${city}`,
});
