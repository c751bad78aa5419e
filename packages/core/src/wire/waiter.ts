import type { Place } from "../internal/line.ts";
import type { Seat } from "./fair-queue.ts";
import type { Pass } from "./pass.ts";
import type { RateGate } from "./rate-gate.ts";
import { describe, type RetryNotice } from "./retry.ts";

/** A request is not sent yet, because the service asked another one to wait. */
export interface WaitNotice {
  /** Milliseconds until requests are let through again, a few at first. */
  readonly delayMs: number;
  /** What the other request was told. */
  readonly error: RetryNotice["error"];
}

/** Who asks to send a request. */
export interface Ask {
  /** Whose request it is: groups take turns. */
  readonly group: object | string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Longest wait that the service may ask for, in milliseconds. */
  readonly patienceMs: number;
  /** Until when it was told to wait already, in milliseconds since the epoch. */
  readonly toldUntil?: number | undefined;
  /** Called before a wait for the service; must not throw. */
  readonly onWait: ((notice: WaitNotice) => void) | undefined;
}

/** A request in a queue. */
export interface Waiter {
  readonly ask: Ask;
  readonly gate: RateGate<Waiter>;
  /** Epoch of the gate that let it through; older ones have to ask again. */
  epoch: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Until when it was told to wait. */
  toldUntil: number;
  /** In the queue of its gate, or in that for slots. */
  seat: Seat<Waiter> | undefined;
  /** Among all who wait, oldest first. */
  age: Place<Waiter> | undefined;
  readonly grant: (pass: Pass) => void;
  readonly fail: (error: unknown) => void;
  readonly onAbort: () => void;
}

/** Says that a wait became longer, unless it is hardly longer than was said before. */
export function tell(waiter: Waiter, now: number): void {
  const { gate, ask } = waiter;
  const delayMs = gate.closedFor(now);
  const error = gate.reason;
  if (error === undefined || ask.onWait === undefined || now + delayMs <= waiter.toldUntil + 1000) return;
  waiter.toldUntil = now + delayMs;
  ask.onWait({ delayMs: Math.ceil(delayMs), error: describe(error) });
}
