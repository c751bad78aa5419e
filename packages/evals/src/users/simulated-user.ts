import type { Endpoint, Model, PriceTable } from "@pollux/core";

/** Somebody who talks to the agent under test until the goal is reached or given up. */
export interface SimulatedUser {
  readonly kind: "simulated-user";
  readonly model: string | Model;
  readonly endpoint?: Endpoint | undefined;
  readonly prices?: PriceTable | undefined;
  readonly goal: string;
  readonly character?: string | undefined;
  readonly maxMessages: number;
}
