import { Accounts } from "./accounts.ts";

/** Options of {@link Traffic}. They hold for each endpoint and key by itself. */
export interface TrafficOptions {
  /** Most requests on their way at once, each from its sending to the end of its answer. @defaultValue `Infinity` */
  readonly maxConcurrent?: number | undefined;
  /** Most requests that wait. One more fails with a `TrafficLimitError`. @defaultValue 100_000 */
  readonly maxQueued?: number | undefined;
  /**
   * Longest that one request waits to be sent, in milliseconds; then it fails with a `TrafficLimitError`. `Infinity` switches it off.
   *
   * @defaultValue 3_600_000
   */
  readonly maxQueueMs?: number | undefined;
  /** Numbers from 0 to 1, for jitter. @defaultValue `Math.random` */
  readonly random?: (() => number) | undefined;
}

/** What {@link Traffic.state} says of one endpoint and key. */
export interface TrafficState {
  readonly baseUrl: string;
  /** Requests on their way. */
  readonly active: number;
  /** Requests that wait, for a slot or for the service. */
  readonly queued: number;
  /** What the service holds back: a model (or another operation and its model), and for how many more milliseconds. */
  readonly heldBack: readonly { readonly name: string; readonly forMs: number }[];
}

/**
 * What many clients, models and agents know together about the endpoints they use: how many requests are on their way, who
 * waits, and for how long the service wants to be left alone. Give the same object to all of them.
 *
 * Requests are counted by endpoint and key, waits that the service asked for also by model. Runs take turns in the queue,
 * however many requests each of them has. A key is kept in memory no longer than its endpoint, and
 * shown nowhere.
 */
export class Traffic {
  /** @internal */
  readonly accounts: Accounts;

  /** @throws {TypeError} For a limit that is not a positive number. */
  constructor(options: TrafficOptions = {}) {
    this.accounts = new Accounts(options);
  }

  /** What is going on now, for each endpoint and key with anything to say. */
  state(): readonly TrafficState[] {
    return this.accounts.state();
  }
}
