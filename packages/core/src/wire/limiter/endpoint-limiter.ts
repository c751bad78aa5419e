import { ApiStatusError, TrafficLimitError } from "../../errors/api-errors.ts";
import { FairQueue, Line, type Place, type Seat } from "./fair-queue.ts";
import { describe, type RetryNotice } from "../http/retry.ts";
import { RateGate, refusedUnsent } from "./rate-gate.ts";

/** Limits of each {@link Account}, and what they share. */
export interface AccountLimits {
  readonly maxConcurrent: number;
  readonly maxQueued: number;
  readonly maxQueueMs: number;
  /** Number from 0 to 1, for jitter. */
  readonly random: () => number;
  /** Called with an error that closed a gate, and for how long that is closed now, in milliseconds. */
  readonly onHeld: (error: ApiStatusError, forMs: number) => void;
}

/** What `setTimeout` can hold. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Gates that are kept although nothing waits there. */
const MAX_GATES = 100;

/**
 * What goes to one endpoint with one key: so many requests at once, the rest in a fair queue. A request first passes the gate
 * of its model, then takes a slot; who waits at a gate holds no slot.
 */
export class Account {
  readonly baseUrl: string;
  /** Requests on their way, until their answers' ends. */
  active = 0;
  /** Nobody can find it any more. */
  isDropped = false;
  readonly #limits: AccountLimits;
  readonly #gates = new Map<string, RateGate<Waiter>>();
  /** Who passed the gate and waits for a slot. */
  readonly #slots = new FairQueue<Waiter>();
  /** All who wait, oldest first: one timer serves the limit of them all. */
  readonly #ages = new Line<Waiter>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #handOver: ReturnType<typeof setTimeout> | undefined;

  constructor(baseUrl: string, limits: AccountLimits) {
    this.baseUrl = baseUrl;
    this.#limits = limits;
  }

  get queued(): number {
    return this.#ages.size;
  }

  /** The gates that hold requests back. */
  closed(now: number): readonly RateGate<Waiter>[] {
    return [...this.#gates.values()].filter((gate) => gate.waiting.size > 0 || gate.closedFor(now) > 0);
  }

  /** Nothing is going on, and nothing need be remembered. */
  isIdle(now: number): boolean {
    return this.active === 0 && this.queued === 0 && this.closed(now).length === 0;
  }

  gate(name: string): RateGate<Waiter> {
    const known = this.#gates.get(name);
    if (known !== undefined) return known;
    if (this.#gates.size >= MAX_GATES)
      for (const gate of this.#gates.values()) if (gate.isOpen) this.#gates.delete(gate.name);
    const gate = new RateGate<Waiter>(name);
    this.#gates.set(name, gate);
    return gate;
  }

  /**
   * Leave to send, at once where nothing is in the way.
   *
   * @throws {TrafficLimitError} When too many wait already, or, later, when the wait was too long.
   * @throws {ApiStatusError} When the service asked for a longer wait than the request has patience for. An abort rejects
   *   with the signal's reason.
   */
  enter(gate: RateGate<Waiter>, ask: Ask): Pass | Promise<Pass> {
    const isLet = gate.isOpen || (gate.waiting.size === 0 && gate.take(Date.now()));
    if (!isLet || this.active >= this.#limits.maxConcurrent || this.#slots.size > 0)
      return this.#wait(gate, ask, isLet);
    this.active++;
    return new Pass(this, gate, 0);
  }

  /** A slot is free. */
  left(): void {
    this.active--;
    if (this.#slots.size === 0 || this.#handOver !== undefined) return;
    // A moment later, since the platform takes that long to see that the connection can be used again.
    this.#handOver = setTimeout(() => {
      this.#handOver = undefined;
      this.#fill();
    });
  }

  /** The service asked for a wait. */
  close(gate: RateGate<Waiter>, error: ApiStatusError): void {
    const now = Date.now();
    gate.close(error, this.#limits.random(), now);
    const closedMs = gate.closedFor(now);
    this.#limits.onHeld(error, closedMs);
    for (const waiter of this.#ages.toArray()) {
      if (waiter.gate !== gate) continue;
      if (gate.exceeds(waiter.ask.patienceMs, now)) this.#fail(waiter, refusedUnsent(gate.name, error, closedMs));
      else this.#tell(waiter, now);
    }
    gate.arm(() => this.#release(gate), now);
  }

  /** A request got through a gate that is not open. */
  answered(gate: RateGate<Waiter>): void {
    if (gate.answered(Date.now())) this.#release(gate);
  }

  #wait(gate: RateGate<Waiter>, ask: Ask, isLet: boolean): Promise<Pass> {
    const { maxQueued } = this.#limits;
    ask.signal?.throwIfAborted();
    const now = Date.now();
    if (gate.reason !== undefined && gate.exceeds(ask.patienceMs, now))
      throw refusedUnsent(gate.name, gate.reason, gate.closedFor(now));
    if (this.queued >= maxQueued)
      throw new TrafficLimitError(
        "maxQueued",
        maxQueued,
        `${maxQueued} requests already wait for ${new URL(this.baseUrl).host}: start fewer at once, or raise maxQueued of Traffic.`,
      );
    return new Promise<Pass>((resolve, reject) => {
      const waiter: Waiter = {
        ask,
        gate,
        epoch: gate.epoch,
        since: now,
        toldUntil: ask.toldUntil ?? -Infinity,
        seat: undefined,
        age: undefined,
        grant: resolve,
        fail: reject,
        onAbort: () => this.#fail(waiter, ask.signal?.reason),
      };
      waiter.age = this.#ages.push(waiter);
      ask.signal?.addEventListener("abort", waiter.onAbort, { once: true });
      if (this.#timer === undefined) this.#armLimit(now);
      if (isLet) waiter.seat = this.#slots.push(ask.group, waiter);
      else this.#park(waiter, now);
    });
  }

  #park(waiter: Waiter, now: number): void {
    const { gate } = waiter;
    waiter.seat = gate.waiting.push(waiter.ask.group, waiter);
    if (!gate.isArmed) gate.arm(() => this.#release(gate), now);
    this.#tell(waiter, now);
  }

  /** Whose notice fails waits no longer: nobody would give its slot back. */
  #tell(waiter: Waiter, now: number): void {
    try {
      tell(waiter, now);
    } catch (error) {
      this.#fail(waiter, error);
    }
  }

  /** Lets through what the gate allows now. */
  #release(gate: RateGate<Waiter>): void {
    const now = Date.now();
    while (gate.waiting.size > 0 && gate.take(now)) {
      const waiter = gate.waiting.shift();
      if (waiter === undefined) break;
      waiter.epoch = gate.epoch;
      waiter.seat = this.#slots.push(waiter.ask.group, waiter);
    }
    gate.arm(() => this.#release(gate), now);
    this.#fill();
  }

  /** Gives free slots to those in turn. */
  #fill(): void {
    while (this.active < this.#limits.maxConcurrent) {
      const waiter = this.#slots.shift();
      if (waiter === undefined) return;
      const { gate } = waiter;
      const now = Date.now();
      // It may have been closed since.
      if (waiter.epoch === gate.epoch || gate.isOpen || (gate.waiting.size === 0 && gate.take(now))) {
        this.active++;
        this.#settle(waiter);
        waiter.grant(new Pass(this, gate, now - waiter.since));
      } else this.#park(waiter, now);
    }
  }

  #fail(waiter: Waiter, error: unknown): void {
    this.#settle(waiter);
    waiter.fail(error);
  }

  /** Takes it out of everything. */
  #settle(waiter: Waiter): void {
    const { seat, age, gate, ask } = waiter;
    seat?.queue.remove(seat);
    if (age !== undefined) this.#ages.remove(age);
    ask.signal?.removeEventListener("abort", waiter.onAbort);
    gate.disarmIfEmpty();
    if (this.#ages.size > 0) return;
    clearTimeout(this.#timer);
    clearTimeout(this.#handOver);
    this.#timer = undefined;
    this.#handOver = undefined;
  }

  #armLimit(now: number): void {
    const oldest = this.#ages.first;
    this.#timer = undefined;
    if (oldest === undefined) return;
    const left = oldest.since + this.#limits.maxQueueMs - now;
    this.#timer = setTimeout(() => this.#expire(), Math.min(Math.max(1, Math.ceil(left)), MAX_TIMER_MS));
  }

  #expire(): void {
    const { maxQueueMs } = this.#limits;
    const now = Date.now();
    for (let first = this.#ages.first; first && first.since + maxQueueMs <= now; first = this.#ages.first) {
      const host = new URL(this.baseUrl).host;
      const why = `A request to ${host} waited ${maxQueueMs} ms without being sent: start fewer at once, or raise maxQueueMs of Traffic.`;
      this.#fail(first, new TrafficLimitError("maxQueueMs", maxQueueMs, why));
    }
    this.#armLimit(now);
  }
}

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
