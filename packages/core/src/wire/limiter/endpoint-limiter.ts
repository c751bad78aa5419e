import { ApiStatusError, TrafficLimitError } from "../../errors/api-errors.ts";
import { MAX_TIMER_MS } from "../../internal/abort.ts";
import { describe, type RetryNotice } from "../http/retry.ts";
import { FairQueue, LinkedList, type ListNode, type QueuePosition } from "./fair-queue.ts";
import { notSentError, RateGate } from "./rate-gate.ts";

/** Limits of each {@link EndpointLimiter}, and what they share. */
export interface EndpointLimits {
  readonly maxConcurrent: number;
  readonly maxQueued: number;
  readonly maxQueueMs: number;
  /** Number from 0 to 1, for jitter. */
  readonly random: () => number;
  /** Called with an error that closed a gate, and for how long that is closed now, in milliseconds. */
  readonly onClosed: (error: ApiStatusError, forMs: number) => void;
}

/** A request is not sent yet, because the service asked another one to wait. */
export interface WaitNotice {
  /** Milliseconds until requests are let through again, a few at first. */
  readonly delayMs: number;
  /** What the other request was told. */
  readonly error: RetryNotice["error"];
}

/** A request that asks for a {@link Permit}. */
export interface PermitRequest {
  /** Whose request it is: groups take turns. */
  readonly group: object | string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Longest wait that the service may ask for, in milliseconds. */
  readonly maxDelayMs: number;
  /** When it was told before that it would be sent again, in milliseconds since the epoch. */
  readonly retryAt?: number | undefined;
  /** Called before a wait for the service; must not throw. */
  onWait?(notice: WaitNotice): void;
}

/** A request in a queue. */
export interface QueuedRequest {
  readonly request: PermitRequest;
  readonly gate: RateGate<QueuedRequest>;
  /** Epoch of the gate that let it through; older ones have to ask again. */
  epoch: number;
  /** Milliseconds since the epoch. */
  readonly queuedAt: number;
  /** When it was told that it would be sent. */
  retryAt: number;
  /** In the queue of its gate, or in that for slots. */
  position: QueuePosition<QueuedRequest> | undefined;
  /** Among all queued requests, oldest first. */
  age: ListNode<QueuedRequest> | undefined;
  readonly resolve: (permit: Permit) => void;
  readonly reject: (error: unknown) => void;
  readonly onAbort: () => void;
}

/** Gates that are kept although nothing waits there. */
const MAX_GATES = 100;

/**
 * What goes to one endpoint with one key: so many requests at once, the rest in a fair queue. A request first passes the gate
 * of its model, then takes a slot; one that waits at a gate holds no slot.
 */
export class EndpointLimiter {
  readonly baseUrl: string;
  /** Requests on their way, until their answers' ends. */
  active = 0;
  /** Nobody can find it any more. */
  isDropped = false;
  readonly #limits: EndpointLimits;
  readonly #gates = new Map<string, RateGate<QueuedRequest>>();
  /** Requests that passed their gate and wait for a slot. */
  readonly #slots = new FairQueue<QueuedRequest>();
  /** All queued requests, oldest first: one timer serves the limit of them all. */
  readonly #byAge = new LinkedList<QueuedRequest>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #fillTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(baseUrl: string, limits: EndpointLimits) {
    this.baseUrl = baseUrl;
    this.#limits = limits;
  }

  get queued(): number {
    return this.#byAge.size;
  }

  /** The gates that hold requests back. */
  closedGates(now: number): readonly RateGate<QueuedRequest>[] {
    return [...this.#gates.values()].filter((gate) => gate.waiting.size > 0 || gate.remainingMs(now) > 0);
  }

  /** Nothing is going on, and nothing need be remembered. */
  isIdle(now: number): boolean {
    return this.active === 0 && this.queued === 0 && this.closedGates(now).length === 0;
  }

  /**
   * A permit to send, at once where nothing is in the way.
   *
   * @param name - Of the gate: the model, or another operation and its model.
   * @throws {TrafficLimitError} When too many wait already, or, later, when the wait was too long.
   * @throws {ApiStatusError} When the service asked for a longer wait than the request allows. An abort rejects with the
   *   signal's reason.
   */
  acquire(name: string, request: PermitRequest): Permit | Promise<Permit> {
    const gate = this.#gates.get(name) ?? this.#addGate(name);
    const isThrough = gate.isOpen || (gate.waiting.size === 0 && gate.take(Date.now()));
    if (!isThrough || this.active >= this.#limits.maxConcurrent || this.#slots.size > 0)
      return this.#queue(gate, request, isThrough);
    this.active++;
    return new Permit(this, gate, 0);
  }

  /** Gives a slot back. */
  release(): void {
    this.active--;
    if (this.#slots.size === 0 || this.#fillTimer !== undefined) return;
    // A moment later, since the platform takes that long to see that the connection can be used again.
    this.#fillTimer = setTimeout(() => {
      this.#fillTimer = undefined;
      this.#fill();
    });
  }

  /** The service asked for a wait. */
  close(gate: RateGate<QueuedRequest>, error: ApiStatusError): void {
    const now = Date.now();
    gate.close(error, this.#limits.random(), now);
    const closedMs = gate.remainingMs(now);
    this.#limits.onClosed(error, closedMs);
    for (const queued of this.#byAge.toArray()) {
      if (queued.gate !== gate) continue;
      if (gate.exceeds(queued.request.maxDelayMs, now)) this.#reject(queued, notSentError(gate.name, error, closedMs));
      else this.#notify(queued, now);
    }
    gate.arm(() => this.#open(gate), now);
  }

  /** A request got through a gate that is not open. */
  answered(gate: RateGate<QueuedRequest>): void {
    if (gate.answered(Date.now())) this.#open(gate);
  }

  #addGate(name: string): RateGate<QueuedRequest> {
    if (this.#gates.size >= MAX_GATES)
      for (const gate of this.#gates.values()) if (gate.isOpen) this.#gates.delete(gate.name);
    const gate = new RateGate<QueuedRequest>(name);
    this.#gates.set(name, gate);
    return gate;
  }

  #queue(gate: RateGate<QueuedRequest>, request: PermitRequest, isThrough: boolean): Promise<Permit> {
    const { maxQueued } = this.#limits;
    request.signal?.throwIfAborted();
    const now = Date.now();
    if (gate.reason !== undefined && gate.exceeds(request.maxDelayMs, now))
      throw notSentError(gate.name, gate.reason, gate.remainingMs(now));
    if (this.queued >= maxQueued)
      throw new TrafficLimitError(
        "maxQueued",
        maxQueued,
        `${maxQueued} requests are already queued for ${new URL(this.baseUrl).host}: start fewer at once, or raise Traffic's maxQueued.`,
      );
    return new Promise<Permit>((resolve, reject) => {
      const queued: QueuedRequest = {
        request,
        gate,
        epoch: gate.epoch,
        queuedAt: now,
        retryAt: request.retryAt ?? -Infinity,
        position: undefined,
        age: undefined,
        resolve,
        reject,
        onAbort: () => this.#reject(queued, request.signal?.reason),
      };
      queued.age = this.#byAge.push(queued);
      request.signal?.addEventListener("abort", queued.onAbort, { once: true });
      if (this.#timer === undefined) this.#armLimit(now);
      if (isThrough) queued.position = this.#slots.push(request.group, queued);
      else this.#waitAtGate(queued, now);
    });
  }

  #waitAtGate(queued: QueuedRequest, now: number): void {
    const { gate } = queued;
    queued.position = gate.waiting.push(queued.request.group, queued);
    if (!gate.isArmed) gate.arm(() => this.#open(gate), now);
    this.#notify(queued, now);
  }

  /** One whose notice fails waits no longer: nobody would give its slot back. */
  #notify(queued: QueuedRequest, now: number): void {
    try {
      notifyDelay(queued, now);
    } catch (error) {
      this.#reject(queued, error);
    }
  }

  /** Lets through what the gate allows now. */
  #open(gate: RateGate<QueuedRequest>): void {
    const now = Date.now();
    while (gate.waiting.size > 0 && gate.take(now)) {
      const queued = gate.waiting.shift();
      if (queued === undefined) break;
      queued.epoch = gate.epoch;
      queued.position = this.#slots.push(queued.request.group, queued);
    }
    gate.arm(() => this.#open(gate), now);
    this.#fill();
  }

  /** Gives free slots to those in turn. */
  #fill(): void {
    while (this.active < this.#limits.maxConcurrent) {
      const queued = this.#slots.shift();
      if (queued === undefined) return;
      const { gate } = queued;
      const now = Date.now();
      // It may have been closed since.
      if (queued.epoch === gate.epoch || gate.isOpen || (gate.waiting.size === 0 && gate.take(now))) {
        this.active++;
        this.#dequeue(queued);
        queued.resolve(new Permit(this, gate, now - queued.queuedAt));
      } else this.#waitAtGate(queued, now);
    }
  }

  #reject(queued: QueuedRequest, error: unknown): void {
    this.#dequeue(queued);
    queued.reject(error);
  }

  #dequeue(queued: QueuedRequest): void {
    const { position, age, gate, request } = queued;
    position?.queue.remove(position);
    if (age !== undefined) this.#byAge.remove(age);
    request.signal?.removeEventListener("abort", queued.onAbort);
    gate.disarmIfEmpty();
    if (this.#byAge.size > 0) return;
    clearTimeout(this.#timer);
    clearTimeout(this.#fillTimer);
    this.#timer = undefined;
    this.#fillTimer = undefined;
  }

  #armLimit(now: number): void {
    const oldest = this.#byAge.first;
    this.#timer = undefined;
    if (oldest === undefined) return;
    const left = oldest.queuedAt + this.#limits.maxQueueMs - now;
    this.#timer = setTimeout(() => this.#expire(), Math.min(Math.max(1, Math.ceil(left)), MAX_TIMER_MS));
  }

  #expire(): void {
    const { maxQueueMs } = this.#limits;
    const now = Date.now();
    for (let first = this.#byAge.first; first && first.queuedAt + maxQueueMs <= now; first = this.#byAge.first) {
      const host = new URL(this.baseUrl).host;
      const why = `A request to ${host} was queued for ${maxQueueMs} ms without being sent: start fewer at once, or raise Traffic's maxQueueMs.`;
      this.#reject(first, new TrafficLimitError("maxQueueMs", maxQueueMs, why));
    }
    this.#armLimit(now);
  }
}

/** Permission to send one request. It holds a slot until {@link Permit.release}. */
export class Permit {
  /** How long the request waited for it, in milliseconds. */
  readonly queuedMs: number;
  readonly #limiter: EndpointLimiter;
  readonly #gate: RateGate<QueuedRequest>;
  #released = false;

  constructor(limiter: EndpointLimiter, gate: RateGate<QueuedRequest>, queuedMs: number) {
    this.#limiter = limiter;
    this.#gate = gate;
    this.queuedMs = queuedMs;
  }

  /** Gives the slot back. May be called more than once. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#limiter.release();
  }

  /** The service took the request. */
  accepted(): void {
    if (!this.#gate.isOpen) this.#limiter.answered(this.#gate);
  }

  /** What an error says about waiting, if anything, goes for all requests of this kind. */
  failed(error: unknown): void {
    if (!(error instanceof ApiStatusError)) return;
    const { status, retryable, retryAfterMs = 0 } = error;
    if ((status === 429 || status === 503) && retryable && retryAfterMs > 0) this.#limiter.close(this.#gate, error);
    // Anything else was not held back; a quota for the day is for each to be told.
    else this.accepted();
  }
}

/** Says that a wait became longer, unless it is hardly longer than was said before. */
function notifyDelay(queued: QueuedRequest, now: number): void {
  const { gate, request } = queued;
  const delayMs = gate.remainingMs(now);
  const error = gate.reason;
  if (error === undefined || now + delayMs <= queued.retryAt + 1000) return;
  queued.retryAt = now + delayMs;
  request.onWait?.({ delayMs: Math.ceil(delayMs), error: describe(error) });
}
