import { ApiStatusError } from "../errors/api-errors.ts";
import type { Account } from "./account.ts";
import type { RateGate } from "./rate-gate.ts";
import type { Waiter } from "./waiter.ts";

/** Leave to send one request. It holds a slot until {@link Pass.leave}. */
export class Pass {
  /** How long it was waited for, in milliseconds. */
  readonly queuedMs: number;
  readonly #account: Account;
  readonly #gate: RateGate<Waiter>;
  #left = false;

  constructor(account: Account, gate: RateGate<Waiter>, queuedMs: number) {
    this.#account = account;
    this.#gate = gate;
    this.queuedMs = queuedMs;
  }

  /** Gives the slot back. May be called more than once. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#account.left();
  }

  /** The service took the request. */
  accepted(): void {
    if (!this.#gate.isOpen) this.#account.answered(this.#gate);
  }

  /** What an answer said about waiting, if anything, goes for all requests of this kind. */
  learn(error: unknown): void {
    if (!(error instanceof ApiStatusError)) return;
    const { status, retryable, retryAfterMs = 0 } = error;
    if ((status === 429 || status === 503) && retryable && retryAfterMs > 0) this.#account.close(this.#gate, error);
    // Anything else was not held back; a quota for the day is for each to be told.
    else this.accepted();
  }
}
