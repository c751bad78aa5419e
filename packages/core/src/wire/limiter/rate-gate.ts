import { ApiStatusError, type ApiStatusFacts } from "../../errors/api-errors.ts";
import { startTimer } from "../../internal/abort.ts";
import type { RetryNotice } from "../http/retry.ts";

/** An answer that closed a gate. */
interface Refusal {
  readonly error: ApiStatusError;
  /** Milliseconds since the epoch. */
  until: number;
  /** The length of the wait, since the clock may be set back. */
  readonly forMs: number;
}

/** Most jitter that is added to a wait, as a fraction of it. */
const MAX_EXTRA = 0.2;
/** Longest time that one answer closes a gate, in milliseconds. */
const MAX_CLOSED_MS = 3_600_000;
/** How long to wait for the answer to the first request after a wait before sending another, in milliseconds. */
const PROBE_MS = 2000;
/** Time between later steps, each of twice as many requests, in milliseconds. */
const STEP_MS = 250;

/** Decides whether requests of one kind may be sent. Open until an answer asks for a wait; then closed; then lets through 1, 2, 4, 8 and so on. */
export class RateGate {
  /** The model, or for other operations the operation and its model. */
  readonly name: string;
  readonly waiting: FairQueue<QueuedRequest> = new FairQueue();
  /** How often the gate was closed. */
  epoch = 0;
  /** True while the gate holds nothing back. A field, not a getter: nearly every request reads it. */
  isOpen = true;
  #refusal: Refusal | undefined;
  /** Requests of this step; 0 before the first one. */
  #step = 0;
  /** Requests left in this step. */
  #left = 0;
  #nextStepAt = 0;
  #stopTimer: (() => void) | undefined;
  readonly #wake: () => void;

  /** @param wake - Called when the gate may let waiting requests through. */
  constructor(name: string, wake: () => void) {
    this.name = name;
    this.#wake = wake;
  }

  /** Whether one more request may be sent now; if so, it is counted. */
  take(now: number): boolean {
    if (this.#refusal === undefined) return true;
    if (now < this.#refusal.until) return false;
    if (now >= this.#nextStepAt) {
      if (this.#left > 0) {
        // The last step let through all waiting requests.
        this.#refusal = undefined;
        this.isOpen = true;
        return true;
      }
      this.#step = this.#step === 0 ? 1 : this.#step * 2;
      this.#left = this.#step;
      this.#nextStepAt = now + (this.#step === 1 ? PROBE_MS : STEP_MS);
    }
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }

  /** Closes for as long as the service asked, and a little longer, so that processes do not all resume at once. @param random - From 0 to 1. */
  close(error: ApiStatusError, random: number, now: number): void {
    const { retryAfterMs: asked = 0 } = error;
    const closedMs = Math.round(Math.min(asked * (1 + MAX_EXTRA * random), MAX_CLOSED_MS));
    const until = now + closedMs;
    this.epoch++;
    this.isOpen = false;
    this.#step = 0;
    this.#left = 0;
    this.#nextStepAt = 0;
    if (this.#refusal === undefined || until > this.#refusal.until) this.#refusal = { error, until, forMs: closedMs };
  }

  /** The service accepted a request: after the first one, the gate lets more through. */
  answered(now: number): void {
    if (this.#step !== 1 || this.#left > 0 || now >= this.#nextStepAt) return;
    this.#nextStepAt = now;
    this.#wake();
  }

  /** Milliseconds until anything may be sent; 0 while the gate lets requests through. */
  remainingMs(now: number): number {
    if (this.#refusal === undefined) return 0;
    const { until, forMs } = this.#refusal;
    // Stored, since a clock that was set back would otherwise hold back every later request too.
    if (until - now > forMs) this.#refusal.until = now + forMs;
    return Math.max(0, Math.min(until - now, forMs));
  }

  /** Whether the wait that the service asked for, without the jitter, is longer than `maxDelayMs`. */
  exceeds(maxDelayMs: number, now: number): boolean {
    const { forMs = 0, error }: Partial<Refusal> = this.#refusal ?? {};
    const addedMs = Math.max(0, forMs - (error?.retryAfterMs ?? 0));
    return this.remainingMs(now) - Math.min(addedMs, MAX_EXTRA * maxDelayMs) > maxDelayMs;
  }

  get reason(): ApiStatusError | undefined {
    return this.#refusal?.error;
  }

  /** Wakes when the next request may pass; one timer for all requests that wait here. */
  arm(now: number): void {
    this.disarm();
    if (this.waiting.size === 0) return;
    const waitMs = Math.max(this.remainingMs(now), Math.min(this.#nextStepAt - now, PROBE_MS));
    this.#stopTimer = startTimer(Math.max(1, waitMs), () => {
      // The timer decides, not the clock: it may fire slightly early.
      const fired = Date.now();
      if (this.#refusal) this.#refusal.until = Math.min(this.#refusal.until, fired);
      this.#nextStepAt = Math.min(this.#nextStepAt, fired);
      this.#wake();
    });
  }

  get isArmed(): boolean {
    return this.#stopTimer !== undefined;
  }

  disarm(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }
}

/** The error of a request that was not sent, because the service rejected another one with `cause`. */
export function notSentError(name: string, cause: ApiStatusError, forMs: number): ApiStatusError {
  const facts: ApiStatusFacts = cause;
  const seconds = Math.ceil(forMs / 1000);
  const word = cause.reason === undefined ? "" : ` ${cause.reason}`;
  return new ApiStatusError(
    `Not sent: the service rejects requests for ${name} for another ${seconds} s (${cause.status}${word} to another request), ` +
      "which exceeds this client's wait limit. Try again then, or raise retry.maxServerDelayMs (and retry.maxAttempts above 1).",
    { ...facts, retryAfterMs: Math.ceil(forMs) },
    { cause },
  );
}

/** A queue of groups that take turns, however many values they have; first in, first out within a group. Holds each value once. */
export class FairQueue<T> {
  size = 0;
  readonly #groups = new Map<unknown, Line<T>>();
  readonly #turns = new Line<unknown>();

  /** @param key - The group: any value, compared as the keys of a `Map` are. */
  push(key: unknown, value: T): void {
    const group = this.#groups.get(key) ?? new Line<T>();
    this.#groups.set(key, group);
    this.#turns.add(key);
    group.add(value);
    this.size++;
  }

  shift(): T | undefined {
    const key = this.#turns.shift();
    const group = this.#groups.get(key);
    const value = group?.shift();
    if (group === undefined) return undefined;
    this.size--;
    if (group.size > 0) this.#turns.add(key);
    else this.#groups.delete(key);
    return value;
  }

  /** Does nothing for a value that has already left the queue. */
  remove(key: unknown, value: T): void {
    const group = this.#groups.get(key);
    if (group?.delete(value) !== true) return;
    this.size--;
    if (group.size > 0) return;
    this.#turns.delete(key);
    this.#groups.delete(key);
  }
}

/** A set whose first value can be removed in constant time. */
class Line<T> extends Set<T> {
  /** Continues where it was: a new iterator would step over every removed value. */
  #rest = this.values();

  shift(): T | undefined {
    let first = this.#rest.next();
    if (first.done === true) first = (this.#rest = this.values()).next();
    if (first.done === true) return undefined;
    this.delete(first.value);
    return first.value;
  }
}

/** A request is held back because the service asked another one to wait. */
export interface WaitNotice {
  /** Milliseconds until requests may pass again, a few at first. */
  readonly delayMs: number;
  /** The error of the other request. */
  readonly error: RetryNotice["error"];
}

/** A request for a {@link Permit}. */
export interface PermitRequest {
  /** Groups take turns in the queue. */
  readonly group: object | string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Longest wait that the service may ask for, in milliseconds. */
  readonly maxDelayMs: number;
  /** Announced time of its retry, in milliseconds since the epoch. */
  readonly retryAt?: number | undefined;
  /** Called before a wait for the service; must not throw. */
  onWait?(notice: WaitNotice): void;
}

/** A request in a queue. */
export interface QueuedRequest {
  readonly request: PermitRequest;
  readonly gate: RateGate;
  /** Epoch in which the gate let it through; it has to pass again in a later epoch. */
  epoch: number;
  /** Milliseconds since the epoch. */
  readonly queuedAt: number;
  /** Last announced time of sending, in milliseconds since the epoch. */
  retryAt: number;
  readonly resolve: (permit: Permit) => void;
  readonly reject: (error: unknown) => void;
  readonly stopListening: () => void;
}

/** The limiter that gave a permit. */
interface PermitGiver {
  /** Frees a slot. */
  release(): void;
  /** The service asked for a wait. */
  close(gate: RateGate, error: ApiStatusError): void;
}

/** Permission to send one request. Holds a slot until {@link Permit.release}. */
export class Permit {
  /** How long the request was queued, in milliseconds. */
  readonly queuedMs: number;
  readonly #limiter: PermitGiver;
  readonly #gate: RateGate;
  #released = false;

  constructor(limiter: PermitGiver, gate: RateGate, queuedMs: number) {
    this.#limiter = limiter;
    this.#gate = gate;
    this.queuedMs = queuedMs;
  }

  /** Frees the slot. May be called more than once. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#limiter.release();
  }

  /** The service accepted the request. */
  accepted(): void {
    if (!this.#gate.isOpen) this.#gate.answered(Date.now());
  }

  /** The request failed. A wait that the error asks for applies to all requests of this kind. */
  failed(error: unknown): void {
    if (!(error instanceof ApiStatusError)) return;
    const { status, retryable, retryAfterMs = 0 } = error;
    if ((status === 429 || status === 503) && retryable && retryAfterMs > 0) this.#limiter.close(this.#gate, error);
    // Any other failure means that requests get through. A daily quota is reported to each request.
    else this.accepted();
  }
}
