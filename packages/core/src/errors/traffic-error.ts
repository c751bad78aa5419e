import { AgentError } from "./agent-error.ts";

/**
 * A request was not sent, because too many wait for the same endpoint, or because it waited too long. Nothing was paid for;
 * the client does not try again by itself.
 */
export class TrafficLimitError extends AgentError {
  override readonly code = "traffic_limit";
  override readonly retryable = true;
  /** Option of `Traffic` whose limit was reached. */
  readonly limit: "maxQueued" | "maxQueueMs";
  /** The limit itself: requests, or milliseconds. */
  readonly value: number;

  constructor(limit: "maxQueued" | "maxQueueMs", value: number, message: string) {
    super(message);
    this.limit = limit;
    this.value = value;
  }
}
